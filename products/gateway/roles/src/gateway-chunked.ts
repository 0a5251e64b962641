/** One chunked exchange: request and response flow at the same time. Chunked OHTTP §3. */

import { getField, RequestDecoder, type RequestHead } from '@privacy-edge/bhttp';
import { concatBytes } from '@privacy-edge/bytes';
import { BodyError, type RoleRequest, type RoleResponse } from '@privacy-edge/http-exchange';
import {
  MEDIA_TYPE_CHUNKED_RESPONSE,
  OhttpError,
  type ReceivedChunkedRequest,
  receiveChunkedRequest,
} from '@privacy-edge/ohttp';
import { beginStream } from './begun-stream.ts';
import { clearStatus } from './clear-answer.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { GatewayOutcome } from './gateway-outcome.ts';
import { closeInput, InnerRequestReader } from './inner-request-reader.ts';
import { InnerResponseWriter } from './inner-response-writer.ts';
import type { TargetResponse } from './ports.ts';
import { brokenRequest, failedTarget, type Refusal } from './refusal.ts';
import { REPLAY_OUTCOMES } from './replay-guard.ts';
import { invalidResponse, planRequest, responseFields, responseHead, type TargetHead } from './target-exchange.ts';
import { startTarget } from './target-run.ts';

const RESPONSE_FIELDS = [
  ['content-type', MEDIA_TYPE_CHUNKED_RESPONSE],
  // The relay must not wait for the whole response. RFC 10036 §3.
  ['incremental', '?1'],
] as const;

/**
 * @throws {BodyError} and {OhttpError} from before the first chunk authenticated, for the caller to answer in clear
 */
export async function handleChunked(context: GatewayContext, request: RoleRequest): Promise<RoleResponse> {
  const input = request.body.stream()[Symbol.asyncIterator]();
  try {
    return await beginExchange(context, request, input);
  } catch (error) {
    closeInput(input);
    throw error;
  }
}

async function beginExchange(
  context: GatewayContext,
  request: RoleRequest,
  input: AsyncIterator<Uint8Array>,
): Promise<RoleResponse> {
  const { config, guard, observer } = context;
  const received = await readBeginning(context, input);
  if (await guard.isKnown(received.enc)) {
    closeInput(input);
    observer.ended('replay-known', true);
    return clearStatus(config.keyProblemStatus);
  }
  const opened = await received.open();
  const decoder = new RequestDecoder(context.decodeLimits);
  const reader = new InnerRequestReader(input, received.rest, opened.request, decoder, config.limits.maxRequestBytes);
  const start = await readStart(context, reader, received.enc);
  // A sender that holds the request's keys may be silent for as long as its target lets it. Chunked OHTTP §3.
  if (start.head !== undefined) request.body.relax?.();
  const { nonce, sealer } = await opened.startResponse(context.ports.random);
  const writer = new InnerResponseWriter(sealer, config.responsePadding);
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, request.signal]);
  const exchange: Exchange = { context, reader, nonce, writer, abort, signal };
  const pieces =
    start.head === undefined ? refuse(exchange, start) : answer(exchange, start.head, start.expectsContinue);
  const body = await beginStream(pieces, request.signal, () => {
    abort.abort();
    reader.cancel();
  });
  return { status: 200, fields: RESPONSE_FIELDS, body };
}

/** What the steps of one chunked exchange share. */
interface Exchange {
  readonly context: GatewayContext;
  readonly reader: InnerRequestReader;
  /** First bytes of the response. */
  readonly nonce: Uint8Array;
  readonly writer: InnerResponseWriter;
  /** Ends the request to the target. */
  readonly abort: AbortController;
  /** Fires when the exchange is given up, by us or by the peer. */
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
  | ({ readonly head: undefined } & Refusal);

async function readStart(context: GatewayContext, reader: InnerRequestReader, enc: Uint8Array): Promise<Start> {
  try {
    const event = await reader.next();
    if (event.type !== 'head') return { head: undefined, ...brokenRequest(undefined) };
    return await judge(context, enc, event.head);
  } catch (error) {
    if (!reader.authenticated) throw error;
    return { head: undefined, ...brokenRequest(error) };
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

async function* refuse(exchange: Exchange, refusal: Refusal): AsyncGenerator<Uint8Array, void, undefined> {
  const { context, nonce, reader, writer } = exchange;
  let outcome: GatewayOutcome = 'aborted';
  try {
    yield nonce;
    yield* writer.whole(refusal.response);
    outcome = refusal.outcome;
  } finally {
    reader.cancel();
    context.observer.ended(outcome, true);
  }
}

/** Sends the request while it arrives, and the response while that arrives. */
async function* answer(
  exchange: Exchange,
  head: TargetHead,
  expectsContinue: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { context, nonce, reader, writer, abort, signal } = exchange;
  // What it stays when the reader closes the stream, wherever that happens.
  let outcome: GatewayOutcome = 'aborted';
  try {
    yield nonce;
    // The gateway is the server that the expectation is about, so it gives the interim response itself.
    if (expectsContinue) yield* writer.informational({ status: 100, fields: [] });
    const target = startTarget(context, head, reader, signal);
    for await (const interim of target.informational()) yield* encodable(() => writer.informational(interim)) ?? [];
    if (signal.aborted) return;
    const result = await target.response;
    const start = 'response' in result ? encodable(() => writer.head(responseHead(result.response))) : undefined;
    if ('refusal' in result || start === undefined) {
      const refusal = 'refusal' in result ? result.refusal : failedTarget(invalidResponse());
      yield* writer.whole(refusal.response);
      outcome = refusal.outcome;
      return;
    }
    try {
      yield* start;
      yield* copyContent(writer, result.response, context.config.limits.maxResponseBytes);
    } catch (error) {
      outcome = brokenResponse(error, signal);
      throw error;
    }
    outcome = 'answered';
  } finally {
    abort.abort();
    reader.cancel();
    context.observer.ended(outcome, true);
  }
}

/** Undefined when the target sent something that HTTP does not allow. */
function encodable(encode: () => AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> | undefined {
  try {
    return encode();
  } catch {
    return undefined;
  }
}

function brokenResponse(error: unknown, signal: AbortSignal): GatewayOutcome {
  if (signal.aborted) return 'aborted';
  return error instanceof BodyError && error.code === 'TOO_LARGE' ? 'response-too-large' : 'target-failed';
}

async function* copyContent(
  writer: InnerResponseWriter,
  response: TargetResponse,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const piece of response.body.stream()) {
    bytes += piece.length;
    // The head is out already, so the only honest end is none: without a final chunk the client knows that it was cut.
    if (bytes > maxBytes) throw new BodyError('TOO_LARGE', 'Cannot forward response: it is larger than allowed');
    yield* writer.data(piece);
  }
  yield* writer.end(responseFields(response.trailers()));
}
