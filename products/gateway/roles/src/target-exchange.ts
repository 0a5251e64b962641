/** From a decoded request to a target's answer: the part of a gateway that is the same for whole and chunked messages. */
import {
  type BinaryResponse,
  combineCookies,
  effectiveAuthority,
  type Field,
  getField,
  type InformationalResponse,
  type RequestHead,
  type ResponseHead,
  stripConnectionFields,
} from '@privacy-edge/bhttp';
import { DecodeError } from '@privacy-edge/bytes';
import { innerProblem } from './inner-answer.ts';
import {
  TargetError,
  type TargetErrorCode,
  type TargetInformational,
  type TargetRequest,
  type TargetResponse,
} from './ports.ts';
import type { TargetPolicy } from './target-policy.ts';

/** A request that may be sent, still without its content. */
export type TargetHead = Omit<TargetRequest, 'body' | 'trailers'>;

/** Why a request is not sent to its target; a closed set, for metrics. */
export type RequestRefusal = 'malformed' | 'expect' | 'policy';

/** A request that may be sent, or the encapsulated answer that says why not. */
export type PlannedRequest =
  | { readonly head: TargetHead; readonly refusal: undefined }
  | { readonly head: undefined; readonly refusal: RequestRefusal; readonly answer: BinaryResponse };

/** Fields that describe the hop from client to target as one connection, which it is not. */
const CONNECTION_FIELDS = ['host', 'content-length', 'transfer-encoding', 'expect', 'te'];

/** What a target may believe when its own gateway says it: here it would be the client who does. */
const GATEWAY_FIELDS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
];

/** Meant for the replay defence here (RFC 9458 §6.5.2). To a target it would tell how wrong the client's clock is. */
const OURS = ['date'];

const NOT_FORWARDED: ReadonlySet<string> = new Set([...CONNECTION_FIELDS, ...GATEWAY_FIELDS, ...OURS]);

/**
 * Applies what HTTP and the operator say about a request before it is sent.
 *
 * @param head - client-controlled
 * @param chunked - whether it came in a chunked message: only there could an interim 100 ever reach the client
 */
export function planRequest(head: RequestHead, policy: TargetPolicy, chunked: boolean): PlannedRequest {
  const expect = getField(head.fields, 'expect');
  if (expect !== undefined && !(chunked && expect.toLowerCase() === '100-continue')) {
    // RFC 9458 §5.1: the client cannot be waiting for a 100 that has no way to arrive before the request is complete.
    return refuse('expect', innerProblem(417, 'Expectations cannot be met through this gateway'));
  }
  if (head.fields.some(([name]) => name.startsWith(':'))) {
    // Its meaning is unknown here, so what would be sent without it is another request.
    return refuse('malformed', innerProblem(400, 'The request uses an extension that this gateway does not know'));
  }
  const authority = readAuthority(head);
  if (authority === undefined) return refuse('malformed', innerProblem(400, 'The request names two different hosts'));
  const verdict = policy.judge({ method: head.method, scheme: head.scheme, authority, path: head.path });
  if (!verdict.allowed) {
    return verdict.reason === 'MALFORMED'
      ? refuse('malformed', innerProblem(400, 'The authority of the request cannot be read'))
      : refuse('policy', innerProblem(403, REFUSED[verdict.reason]));
  }
  return {
    refusal: undefined,
    head: {
      method: head.method,
      scheme: verdict.scheme,
      host: verdict.host,
      port: verdict.port,
      authority,
      path: head.path,
      fields: requestFields(head.fields),
      route: verdict.route,
    },
  };
}

const REFUSED = {
  METHOD: 'The gateway does not make requests with this method to this target',
  TARGET: 'The gateway does not serve this target',
};

function refuse(refusal: RequestRefusal, answer: BinaryResponse): PlannedRequest {
  return { head: undefined, refusal, answer };
}

/** Undefined when authority and Host contradict each other. */
function readAuthority(head: RequestHead): string | undefined {
  try {
    return effectiveAuthority(head);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

const TARGET_ANSWERS: Record<TargetErrorCode, readonly [status: number, title: string]> = {
  FORBIDDEN_ADDRESS: [403, 'The gateway does not serve this target'],
  CONNECT_FAILED: [502, 'The target could not be reached'],
  TIMEOUT: [504, 'The target did not answer in time'],
  BROKEN: [502, 'The target did not answer properly'],
  OVERLOADED: [503, 'The gateway has too many requests to this target'],
};

/**
 * The encapsulated answer for a target that gave none.
 *
 * @returns undefined for an error that is not about the target
 */
export function answerTargetError(error: unknown): BinaryResponse | undefined {
  if (!(error instanceof TargetError)) return undefined;
  const [status, title] = TARGET_ANSWERS[error.code];
  return innerProblem(status, title);
}

/** A target that answered with something that cannot be put into HTTP. */
export function invalidResponse(): TargetError {
  return new TargetError('BROKEN', 'The target sent a response that HTTP does not allow');
}

/** A request's header or trailer fields as they go to the target. */
export function requestFields(fields: readonly Field[]): Field[] {
  // Gateways to scripts read an underscore as a hyphen: what must not pass must not pass as its twin either.
  return combineCookies(stripConnectionFields(fields)).filter(
    ([name]) => !NOT_FORWARDED.has(name.replaceAll('_', '-')),
  );
}

/** A target's response fields as they go into the encapsulated response. */
export function responseFields(fields: readonly Field[]): Field[] {
  return stripConnectionFields(fields);
}

/** The head of a target's response as it goes into the encapsulated response. */
export function responseHead({ status, fields }: TargetResponse): ResponseHead {
  return { status, fields: responseFields(fields) };
}

/** An informational response as it goes on; undefined for a 101, which is about a connection that the client does not have. */
export function informationalResponse({ status, fields }: TargetInformational): InformationalResponse | undefined {
  return status === 101 ? undefined : { status, fields: responseFields(fields) };
}
