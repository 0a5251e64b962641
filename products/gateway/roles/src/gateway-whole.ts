/** One whole encapsulated request and its response. RFC 9458 §4. */

import {
  type BinaryRequest,
  type BinaryResponse,
  decodeRequest,
  encodeResponse,
  type InformationalResponse,
} from '@privacy-edge/bhttp';
import { DecodeError } from '@privacy-edge/bytes';
import {
  BodyError,
  type Cancellation,
  cancellationOf,
  type RoleRequest,
  type RoleResponse,
} from '@privacy-edge/http-exchange';
import { MEDIA_TYPE_RESPONSE, receiveRequest } from '@privacy-edge/ohttp';
import { clearStatus } from './clear-answer.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { GatewayOutcome } from './gateway-outcome.ts';
import { innerProblem } from './inner-answer.ts';
import { paddedLength } from './padding.ts';
import { REPLAY_OUTCOMES } from './replay-guard.ts';
import {
  answerTargetError,
  informationalResponse,
  invalidResponse,
  planRequest,
  requestFields,
  responseFields,
  responseHead,
  type TargetHead,
} from './target-exchange.ts';

const RESPONSE_FIELDS = [['content-type', MEDIA_TYPE_RESPONSE]] as const;

/**
 * @throws {BodyError} and {OhttpError} from before decapsulation, for the caller to answer in clear
 */
export async function handleWhole(context: GatewayContext, request: RoleRequest): Promise<RoleResponse> {
  const { ports, config, guard, observer } = context;
  const { maxRequestBytes } = config.limits;
  if ((request.body.announcedLength ?? 0) > maxRequestBytes) {
    throw new BodyError('TOO_LARGE', 'Cannot read message: it is announced larger than allowed');
  }
  const message = await request.body.read(maxRequestBytes);
  const ring = await ports.keys.ringAt(ports.clock());
  const received = receiveRequest(message, (keyId) => ring.find(keyId));
  if (await guard.isKnown(received.enc)) {
    // Answered like a message that does not open, and before the key is used: the relay can count repeats by itself.
    observer.ended('replay-known', false);
    return clearStatus(config.keyProblemStatus);
  }
  const opened = await received.open();
  const answer = await answerInside(context, request, received.enc, opened.request);
  const { outcome, encoded } = encodeAnswer(answer);
  const sealed = await opened.response.seal(pad(context, encoded), ports.random);
  observer.ended(outcome, false);
  return { status: 200, fields: RESPONSE_FIELDS, body: sealed };
}

function encodeAnswer({ outcome, response }: InsideAnswer): { outcome: GatewayOutcome; encoded: Uint8Array } {
  try {
    return { outcome, encoded: encodeResponse(response) };
  } catch {
    // Only what a target sent can fail here, and only the client may hear of it.
    const failed = answerFailedTarget(invalidResponse());
    return { outcome: failed.outcome, encoded: encodeResponse(failed.response) };
  }
}

function pad(context: GatewayContext, encoded: Uint8Array): Uint8Array {
  const length = paddedLength(context.config.responsePadding, encoded.length);
  if (length === encoded.length) return encoded;
  const padded = new Uint8Array(length);
  padded.set(encoded);
  return padded;
}

/** An encapsulated answer and what to call it in metrics. */
interface InsideAnswer {
  readonly outcome: GatewayOutcome;
  readonly response: BinaryResponse;
}

/** From here on nothing may be answered in clear. */
async function answerInside(
  context: GatewayContext,
  request: RoleRequest,
  enc: Uint8Array,
  plaintext: Uint8Array,
): Promise<InsideAnswer> {
  try {
    const inner = decodeRequest(plaintext, context.decodeLimits);
    const { verdict, refusal } = await context.guard.judge(enc, inner);
    if (refusal !== undefined) return { outcome: REPLAY_OUTCOMES[verdict], response: refusal };
    const plan = planRequest(inner, context.policy, false);
    if (plan.head === undefined) {
      return { outcome: plan.refusal === 'malformed' ? 'malformed-request' : plan.refusal, response: plan.answer };
    }
    return await askTarget(context, cancellationOf(request), plan.head, inner);
  } catch (error) {
    if (error instanceof DecodeError) {
      return {
        outcome: 'malformed-request',
        response: innerProblem(400, 'The encapsulated request is not valid Binary HTTP'),
      };
    }
    if (cancellationOf(request).aborted)
      return { outcome: 'aborted', response: innerProblem(500, 'The request was given up') };
    // A fault of ours is still an answer inside: in clear it would tell the relay which requests provoke it.
    return { outcome: 'fault', response: innerProblem(500, 'The gateway failed') };
  }
}

async function askTarget(
  context: GatewayContext,
  signal: Cancellation,
  head: TargetHead,
  inner: BinaryRequest,
): Promise<InsideAnswer> {
  const { ports, observer, config } = context;
  const informational: InformationalResponse[] = [];
  const started = ports.clock();
  try {
    const trailers = requestFields(inner.trailers);
    const response = await ports.fetchTarget(
      {
        ...head,
        body: inner.body.length > 0 ? inner.body : null,
        trailers: trailers.length > 0 ? () => trailers : undefined,
      },
      signal,
      (received) => {
        const interim = informationalResponse(received);
        if (interim !== undefined && informational.length < MAX_INFORMATIONAL) informational.push(interim);
      },
    );
    observer.targetAnswered(ports.clock() - started);
    const body = await response.body.read(config.limits.maxResponseBytes);
    return {
      outcome: 'answered',
      response: {
        informational,
        ...responseHead(response),
        body,
        trailers: responseFields(response.trailers()),
      },
    };
  } catch (error) {
    // Whoever asked is gone, and what the target did then says nothing about it.
    if (signal.aborted) throw error;
    return answerFailedTarget(error);
  }
}

/** As many as a client's decoder takes by default. */
const MAX_INFORMATIONAL = 8;

function answerFailedTarget(error: unknown): InsideAnswer {
  const answer = answerTargetError(error);
  if (answer !== undefined) return { outcome: 'target-failed', response: answer };
  if (!(error instanceof BodyError)) throw error;
  if (error.code === 'TOO_LARGE') {
    return { outcome: 'response-too-large', response: innerProblem(502, 'The response of the target is too large') };
  }
  const status = error.code === 'TIMEOUT' ? 504 : 502;
  return { outcome: 'target-failed', response: innerProblem(status, 'The response of the target broke off') };
}
