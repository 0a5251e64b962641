/** The body of a message that node:http or node:http2 receives, as a {@link BodySource}. */

import type { Readable } from 'node:stream';
import { Gatherer } from '@privacy-edge/bytes';
import { BodyError, type BodySource } from '@privacy-edge/http-exchange';
import { aborted, IncomingStream, timedOut } from './incoming-stream.ts';

/** What the owner of the stream adds. */
export interface IncomingBodyOptions {
  /** Length the peer announced, bytes. */
  readonly announcedLength: number | undefined;
  /** Milliseconds for the whole of `read`, and for each wait of `stream`. */
  readonly timeoutMs: number;
  /**
   * Bytes per second that `stream` must have delivered after its first `timeoutMs` of waiting, until {@link IncomingBody.relax};
   * default none.
   */
  readonly minBytesPerSecond?: number | undefined;
  /** Destroys the stream when its body is given up. Not for a server: the answer would go with it. */
  readonly ownsStream?: boolean | undefined;
  /** Called before the first byte is waited for, such as to send 100 (Continue). */
  readonly onFirstRead?: (() => void) | undefined;
}

const EMPTY = new Uint8Array(0);
const NOTHING: AsyncIterableIterator<Uint8Array> = {
  [Symbol.asyncIterator]: () => NOTHING,
  next: () => Promise.resolve({ done: true, value: undefined }),
};

/** Reads a Node stream once. */
export class IncomingBody implements BodySource {
  readonly announcedLength: number | undefined;
  readonly #stream: Readable;
  readonly #timeoutMs: number;
  readonly #minBytesPerSecond: number | undefined;
  readonly #ownsStream: boolean;
  #onFirstRead: (() => void) | undefined;
  #streamed: IncomingStream | undefined;
  #relaxed = false;

  constructor(stream: Readable, options: IncomingBodyOptions) {
    this.announcedLength = options.announcedLength;
    this.#stream = stream;
    this.#timeoutMs = options.timeoutMs;
    this.#minBytesPerSecond = options.minBytesPerSecond;
    this.#ownsStream = options.ownsStream ?? false;
    this.#onFirstRead = options.onFirstRead;
  }

  async read(maxBytes: number): Promise<Uint8Array> {
    if (this.announcedLength === 0) return EMPTY;
    if (this.announcedLength !== undefined && this.announcedLength > maxBytes) {
      this.#giveUp();
      throw tooLarge();
    }
    this.#begin();
    // Whoever is called from inside of the parser is called before it has come to the body.
    await undefined;
    const arrived = arrivedWhole(this.#stream);
    if (arrived === undefined) return this.#gather(maxBytes);
    if (arrived.length <= maxBytes) return arrived;
    this.#giveUp();
    throw tooLarge();
  }

  stream(): AsyncIterableIterator<Uint8Array> {
    if (this.announcedLength === 0) return NOTHING;
    this.#streamed = new IncomingStream(this.#stream, {
      timeoutMs: this.#timeoutMs,
      minBytesPerSecond: this.#minBytesPerSecond,
      onFirstRead: () => this.#begin(),
      onGivenUp: () => this.#giveUp(),
    });
    if (this.#relaxed) this.#streamed.relax();
    return this.#streamed;
  }

  relax(): void {
    this.#relaxed = true;
    this.#streamed?.relax();
  }

  #gather(maxBytes: number): Promise<Uint8Array> {
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      let first: Uint8Array | undefined;
      let gathered: Gatherer | undefined;
      let length = 0;
      const timer = setTimeout(() => fail(timedOut()), this.#timeoutMs);
      const onData = (chunk: Uint8Array): void => {
        length += chunk.length;
        if (length > maxBytes) fail(tooLarge());
        else if (first === undefined) first = chunk;
        else {
          // One buffer, because every piece kept would cost the peer one byte and us an object.
          if (gathered === undefined) {
            gathered = new Gatherer();
            gathered.push(first);
          }
          gathered.push(chunk);
        }
      };
      const fail = (error: BodyError): void => {
        clearTimeout(timer);
        // What is still coming is left in the socket: the peer waits.
        stream.off('data', onData).pause();
        first = undefined;
        gathered = undefined;
        this.#giveUp();
        reject(error);
      };
      stream
        .on('data', onData)
        .on('end', () => {
          clearTimeout(timer);
          resolve(gathered === undefined ? (first ?? EMPTY) : gathered.take());
        })
        .on('error', () => fail(aborted()))
        .on('close', () => {
          if (!stream.readableEnded) fail(aborted());
        });
      if (stream.destroyed && !stream.readableEnded) fail(aborted());
    });
  }

  #giveUp(): void {
    if (this.#ownsStream) this.#stream.destroy();
  }

  #begin(): void {
    const onFirstRead = this.#onFirstRead;
    this.#onFirstRead = undefined;
    onFirstRead?.();
  }
}

/**
 * A message that has arrived already is read without a wait: its timer and listeners would cost more than all the rest.
 *
 * @returns undefined when anything is still to come
 */
function arrivedWhole(stream: Readable): Uint8Array | undefined {
  if (!('complete' in stream) || stream.complete !== true || stream.destroyed || stream.readableLength === 0) {
    return undefined;
  }
  const gathered = new Gatherer();
  // A stream that was paused in the middle gives one piece at a time.
  for (let piece = stream.read(); piece !== null; piece = stream.read()) gathered.push(piece as Uint8Array);
  return gathered.take();
}

function tooLarge(): BodyError {
  return new BodyError('TOO_LARGE', 'The body is longer than allowed');
}

/**
 * The value of a Content-Length field; undefined for anything but decimal digits (RFC 9110 §8.6). A number too large to be
 * exact is still a length, and larger than any limit.
 */
export function contentLength(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** Reads and drops what is still to come, whoever was reading it: a stream that is paused never ends. */
export function dropRest(stream: Readable): void {
  stream.removeAllListeners('data').resume();
}
