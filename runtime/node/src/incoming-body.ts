/** The body of a message that node:http or node:http2 receives, as a {@link BodySource}. */
import type { Readable } from 'node:stream';
import { BodyError, type BodySource } from '@privacy-edge/gateway-roles';

/** What the owner of the stream adds. */
export interface IncomingBodyOptions {
  /** Length the peer announced, bytes. */
  readonly announcedLength: number | undefined;
  /** Milliseconds for the whole of `read`, and for each wait of `stream`. */
  readonly timeoutMs: number;
  /** Called before the first byte is waited for, such as to send 100 (Continue). */
  readonly onFirstRead?: (() => void) | undefined;
}

const EMPTY = new Uint8Array(0);

/** Reads a Node stream once. */
export class IncomingBody implements BodySource {
  readonly announcedLength: number | undefined;
  readonly #stream: Readable;
  readonly #timeoutMs: number;
  #onFirstRead: (() => void) | undefined;

  constructor(stream: Readable, options: IncomingBodyOptions) {
    this.announcedLength = options.announcedLength;
    this.#stream = stream;
    this.#timeoutMs = options.timeoutMs;
    this.#onFirstRead = options.onFirstRead;
  }

  read(maxBytes: number): Promise<Uint8Array> {
    if (this.announcedLength === 0) return Promise.resolve(EMPTY);
    if (this.announcedLength !== undefined && this.announcedLength > maxBytes) return Promise.reject(tooLarge());
    this.#begin();
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      let first: Uint8Array | undefined;
      let more: Uint8Array[] | undefined;
      let length = 0;
      const timer = setTimeout(() => fail(timedOut()), this.#timeoutMs);
      const onData = (chunk: Uint8Array): void => {
        length += chunk.length;
        if (length > maxBytes) fail(tooLarge());
        else if (first === undefined) first = chunk;
        else if (more === undefined) more = [first, chunk];
        else more.push(chunk);
      };
      const fail = (error: BodyError): void => {
        clearTimeout(timer);
        // What is still coming is left in the socket: the peer waits.
        stream.off('data', onData).pause();
        first = undefined;
        more = undefined;
        reject(error);
      };
      stream
        .on('data', onData)
        .on('end', () => {
          clearTimeout(timer);
          resolve(more === undefined ? (first ?? EMPTY) : Buffer.concat(more, length));
        })
        .on('error', () => fail(aborted()))
        .on('close', () => {
          if (!stream.readableEnded) fail(aborted());
        });
      if (stream.destroyed && !stream.readableEnded) fail(aborted());
    });
  }

  async *stream(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.announcedLength === 0) return;
    this.#begin();
    const stream = this.#stream;
    // Destroying a request would take the connection, and so the answer, with it.
    const chunks = stream.iterator({ destroyOnReturn: false });
    try {
      for (;;) {
        const next = await this.#inTime(chunks.next());
        if (next.done === true) return;
        yield next.value as Uint8Array;
      }
    } catch (error) {
      throw error instanceof BodyError ? error : aborted(error);
    } finally {
      stream.on('error', () => undefined);
    }
  }

  #begin(): void {
    const onFirstRead = this.#onFirstRead;
    this.#onFirstRead = undefined;
    onFirstRead?.();
  }

  #inTime<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(timedOut()), this.#timeoutMs);
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

function tooLarge(): BodyError {
  return new BodyError('TOO_LARGE', 'The body is longer than allowed');
}

function timedOut(): BodyError {
  return new BodyError('TIMEOUT', 'The body did not arrive in time');
}

function aborted(cause?: unknown): BodyError {
  return new BodyError('ABORTED', 'The body ended early', { cause });
}

/**
 * The value of a Content-Length field; undefined for anything but decimal digits (RFC 9110 §8.6). A number too large to be
 * exact is still a length, and larger than any limit.
 */
export function contentLength(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** Reads and drops what is still to come, whoever was reading it: a stream that is paused, or half iterated, never ends. */
export function dropRest(stream: Readable): void {
  stream.removeAllListeners('readable').resume();
}
