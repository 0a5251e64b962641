/** One chunked exchange: request and response flow at the same time. Chunked OHTTP §6. */
import {
  type BinaryResponse,
  getField,
  type InformationalResponse,
  RequestDecoder,
  type RequestHead,
} from '@privacy-edge/bhttp';
import { concatBytes, DecodeError } from '@privacy-edge/bytes';
import {
  MEDIA_TYPE_CHUNKED_RESPONSE,
  OhttpError,
  type OpenedChunkedRequest,
  type ReceivedChunkedRequest,
  receiveChunkedRequest,
} from '@privacy-edge/ohttp';
import { clearStatus } from './clear-answer.ts';
import { BodyError, type RoleRequest, type RoleResponse } from './exchange.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { GatewayOutcome } from './gateway-outcome.ts';
import { innerProblem } from './inner-answer.ts';
import { InnerRequestReader } from './inner-request-reader.ts';
import { InnerResponseWriter } from './inner-response-writer.ts';
import type { TargetResponse } from './ports.ts';
import { REPLAY_OUTCOMES } from './replay-guard.ts';
import { answerTargetError, planRequest, responseFields, type TargetHead } from './target-exchange.ts';

const RESPONSE_FIELDS = [
  ['content-type', MEDIA_TYPE_CHUNKED_RESPONSE],
  // The relay must not wait for the whole response. RFC 10036 §3.
  ['incremental', '?1'],
] as const;

/**
 * @throws {BodyError} and {OhttpError} from before the first chunk authenticated, for the caller to answer in clear
 */
export async function handleChunked(context: GatewayContext, request: RoleRequest): Promise<RoleResponse> {
  const { config, guard, observer } = context;
  const input = request.body.stream()[Symbol.asyncIterator]();
  const received = await readBeginning(context, input);
  if (await guard.isKnown(received.enc)) {
    await input.return?.();
    observer.ended('replay-known', true);
    return clearStatus(config.keyProblemStatus);
  }
  const opened = await received.open();
  const decoder = new RequestDecoder(context.decodeLimits);
  const reader = new InnerRequestReader(input, received.rest, opened.request, decoder, config.limits.maxRequestBytes);
  const start = await readStart(context, reader, received.enc);
  const exchange: Exchange = { context, reader, opened, signal: request.signal };
  const body = start.head === undefined ? refuse(exchange, start) : answer(exchange, start.head, start.expectsContinue);
  return { status: 200, fields: RESPONSE_FIELDS, body };
}

/** What the steps of one chunked exchange share. */
interface Exchange {
  readonly context: GatewayContext;
  readonly reader: InnerRequestReader;
  readonly opened: OpenedChunkedRequest;
  readonly signal: AbortSignal;
}

/** Waits for header and encapsulated key. The key is looked up first, which bounds how much is held: at most one `Nenc`. */
async function readBeginning(
  context: GatewayContext,
  input: AsyncIterator<Uint8Array>,
): Promise<ReceivedChunkedRequest> {
  const ring = await context.ports.keys.ringAt(context.ports.clock());
  let beginning: Uint8Array = new Uint8Array(0);
  for (;;) {
    const received = receiveChunkedRequest(beginning, (keyId) => ring.find(keyId));
    if (received !== undefined) return received;
    const { done, value } = await input.next();
    if (done === true) throw new OhttpError('MALFORMED', 'Cannot open request: it ends before its first chunk');
    beginning = beginning.length === 0 ? value : concatBytes(beginning, value);
  }
}

/** A request that may go on, or the answer that ends it. */
type Start =
  | { readonly head: TargetHead; readonly expectsContinue: boolean }
  | { readonly head: undefined; readonly outcome: GatewayOutcome; readonly response: BinaryResponse };

async function readStart(context: GatewayContext, reader: InnerRequestReader, enc: Uint8Array): Promise<Start> {
  try {
    const event = await reader.next();
    if (event.type !== 'head') return malformed();
    return await judge(context, enc, event.head);
  } catch (error) {
    if (!reader.authenticated) throw error;
    if (error instanceof OhttpError || error instanceof BodyError || error instanceof DecodeError) return malformed();
    return { head: undefined, outcome: 'fault', response: innerProblem(500, 'The gateway failed') };
  }
}

async function judge(context: GatewayContext, enc: Uint8Array, head: RequestHead): Promise<Start> {
  const { verdict, refusal } = await context.guard.judge(enc, head);
  if (refusal !== undefined) return { head: undefined, outcome: REPLAY_OUTCOMES[verdict], response: refusal };
  const plan = planRequest(head, context.policy, true);
  if (plan.head !== undefined)
    return { head: plan.head, expectsContinue: getField(head.fields, 'expect') !== undefined };
  return {
    head: undefined,
    outcome: plan.refusal === 'malformed' ? 'malformed-request' : plan.refusal,
    response: plan.answer,
  };
}

function malformed(): Start {
  return {
    head: undefined,
    outcome: 'malformed-request',
    response: innerProblem(400, 'The encapsulated request is not valid'),
  };
}

async function* refuse(
  exchange: Exchange,
  refusal: { outcome: GatewayOutcome; response: BinaryResponse },
): AsyncGenerator<Uint8Array> {
  const { context, opened, reader } = exchange;
  try {
    const { nonce, sealer } = await opened.startResponse(context.ports.random);
    yield nonce;
    yield* new InnerResponseWriter(sealer, context.config.responsePadding).whole(refusal.response);
    context.observer.ended(refusal.outcome, true);
  } finally {
    await reader.cancel();
  }
}

/** Sends the request while it arrives, and the response while that arrives. Closing the generator aborts both. */
async function* answer(exchange: Exchange, head: TargetHead, expectsContinue: boolean): AsyncGenerator<Uint8Array> {
  const { context, opened, reader } = exchange;
  const { ports, config, observer } = context;
  const abort = new AbortController();
  let outcome: GatewayOutcome = 'aborted';
  try {
    const { nonce, sealer } = await opened.startResponse(ports.random);
    yield nonce;
    const writer = new InnerResponseWriter(sealer, config.responsePadding);
    // The gateway is the server that the expectation is about, so it gives the interim response itself.
    if (expectsContinue) yield* writer.informational({ status: 100, fields: [] });
    const content = new RequestContent(reader);
    const target = startTarget(exchange, head, content, AbortSignal.any([abort.signal, exchange.signal]));
    for await (const interim of target.informational()) yield* writer.informational(interim);
    const result = await target.response;
    if ('answer' in result) {
      yield* writer.whole(result.answer);
      outcome = content.failed ? 'malformed-request' : 'target-failed';
      return;
    }
    outcome = 'target-failed';
    yield* copyResponse(writer, result.response, config.limits.maxResponseBytes);
    outcome = 'answered';
  } finally {
    abort.abort();
    await reader.cancel();
    observer.ended(outcome, true);
  }
}

async function* copyResponse(
  writer: InnerResponseWriter,
  response: TargetResponse,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  yield* writer.head({ status: response.status, fields: responseFields(response.fields) });
  let bytes = 0;
  for await (const piece of response.body.stream()) {
    bytes += piece.length;
    // The head is out already, so the only honest end is none: without a final chunk the client knows that it was cut.
    if (bytes > maxBytes) throw new BodyError('TOO_LARGE', 'Cannot forward response: it is larger than allowed');
    yield* writer.data(piece);
  }
  yield* writer.end(responseFields(response.trailers()));
}

/** The content of the request, pulled by whoever sends it on. */
class RequestContent {
  readonly #reader: InnerRequestReader;
  #trailers: RequestHead['fields'] = [];
  /** True when the request broke off or was not valid. */
  failed = false;

  constructor(reader: InnerRequestReader) {
    this.#reader = reader;
  }

  trailers(): RequestHead['fields'] {
    return this.#trailers;
  }

  /**
   * The content, or null when there is none. A request without content is only sent once its final chunk has authenticated:
   * before that, an attacker in the path could have cut it.
   */
  async open(): Promise<AsyncIterable<Uint8Array> | null> {
    const first = await this.#next();
    return first === undefined ? null : this.#stream(first);
  }

  async *#stream(first: Uint8Array): AsyncGenerator<Uint8Array> {
    let piece: Uint8Array | undefined = first;
    while (piece !== undefined) {
      yield piece;
      piece = await this.#next();
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        const event = await this.#reader.next();
        if (event.type === 'data') return event.bytes;
        if (event.type === 'trailers') this.#trailers = event.fields;
        if (event.type === 'end') return undefined;
      }
    } catch (error) {
      this.failed = true;
      throw error;
    }
  }
}

/** Either the target's response, or the answer that takes its place. */
type TargetResult = { readonly response: TargetResponse } | { readonly answer: BinaryResponse };

/** A request on its way to the target. */
interface TargetRun {
  readonly response: Promise<TargetResult>;
  /** Informational responses as they come, until the final one is there. */
  informational(): AsyncGenerator<InformationalResponse>;
}

function startTarget(exchange: Exchange, head: TargetHead, content: RequestContent, signal: AbortSignal): TargetRun {
  const { ports, observer } = exchange.context;
  const queue: InformationalResponse[] = [];
  let wake: () => void = () => {};
  const send = async (): Promise<TargetResult> => {
    try {
      const body = await content.open();
      const started = ports.clock();
      const response = await ports.fetchTarget(
        { ...head, body, trailers: () => content.trailers() },
        signal,
        (interim) => {
          if (queue.length < MAX_QUEUED_INFORMATIONAL) queue.push(interim);
          wake();
        },
      );
      observer.targetAnswered(ports.clock() - started);
      return { response };
    } catch (error) {
      if (content.failed) return { answer: innerProblem(400, 'The encapsulated request is not complete and valid') };
      return { answer: answerTargetError(error) ?? innerProblem(500, 'The gateway failed') };
    }
  };
  let settled = false;
  const response = send().finally(() => {
    settled = true;
    wake();
  });
  return {
    response,
    async *informational() {
      for (;;) {
        const next = queue.shift();
        if (next !== undefined) yield next;
        else if (settled) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

/** A target that sends interim responses faster than the client reads loses some of them, not memory. */
const MAX_QUEUED_INFORMATIONAL = 8;
