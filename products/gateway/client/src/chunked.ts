/** One try with chunked messages. Chunked OHTTP §3 and §6. */
import { RequestEncoder, type RequestHead } from '@privacy-edge/bhttp';
import { joinBytes } from '@privacy-edge/bytes';
import {
  type ChunkSealer,
  type EncapsulatedChunkedRequest,
  encapsulateChunked,
  MAX_CHUNK_PLAINTEXT,
  MEDIA_TYPE_CHUNKED_REQUEST,
  MEDIA_TYPE_CHUNKED_RESPONSE,
} from '@privacy-edge/ohttp';
import type { Answer } from './answer.ts';
import type { Attempt, ChunkedMode } from './options.ts';
import { BodyReader } from './outer.ts';
import { post } from './post.ts';
import { StreamedAnswer, streamOf } from './streamed-answer.ts';

/**
 * Chunked messages, with a request that is sent in one piece: the response arrives as a stream. Nothing of the request can
 * depend on the response, so this shows nobody a round-trip time (Chunked OHTTP §7.2).
 */
export const chunkedResponse: ChunkedMode = { interactive: false, sendWhole, sendStream };

/**
 * Chunked messages, with a request body that is a stream sent as it is produced. When what is sent depends on what was
 * received, relay and gateway can measure how far away the client is (Chunked OHTTP §7.2). Runtimes differ: browsers need
 * HTTP/2, and most cannot stream a request at all.
 */
export const interactive: ChunkedMode = { interactive: true, sendWhole, sendStream };

async function sendWhole(plaintext: Uint8Array, attempt: Attempt): Promise<Answer> {
  const encapsulated = await encapsulateChunked(attempt.encapsulator, attempt.settings.random);
  const message = [encapsulated.header];
  for await (const chunk of sealPieces(encapsulated.request, [plaintext])) message.push(chunk);
  return receive(joinBytes(message), encapsulated, attempt);
}

async function sendStream(head: RequestHead, body: ReadableStream<Uint8Array>, attempt: Attempt): Promise<Answer> {
  const encapsulated = await encapsulateChunked(attempt.encapsulator, attempt.settings.random);
  const reader = body.getReader();
  const sealed = sealStream(encapsulated, head, reader);
  return receive(
    streamOf(sealed, () => void reader.cancel().catch(() => {})),
    encapsulated,
    attempt,
  );
}

async function* sealStream(
  { header, request }: EncapsulatedChunkedRequest,
  head: RequestHead,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield header;
  yield* sealPieces(request, encodePieces(head, reader));
}

async function* encodePieces(
  head: RequestHead,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new RequestEncoder();
  yield encoder.head(head);
  for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) {
    yield encoder.data(next.value);
  }
  yield encoder.end();
}

/** Cuts pieces to what every receiver takes, and seals each as soon as it is there. */
async function* sealPieces(
  sealer: ChunkSealer,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += MAX_CHUNK_PLAINTEXT) {
      yield await sealer.seal(piece.subarray(at, at + MAX_CHUNK_PLAINTEXT));
    }
  }
  yield await sealer.sealFinal(new Uint8Array(0));
}

async function receive(
  body: Uint8Array | ReadableStream<Uint8Array>,
  { response }: EncapsulatedChunkedRequest,
  attempt: Attempt,
): Promise<Answer> {
  const outer = await post(body, MEDIA_TYPE_CHUNKED_REQUEST, MEDIA_TYPE_CHUNKED_RESPONSE, attempt);
  return StreamedAnswer.receive(new BodyReader(outer, attempt.settings.maxResponseBytes), response, attempt.scope);
}
