/**
 * Bodies on their way through the relay. Small ones are read whole and sent in one piece, which is cheaper and is what
 * makes the one permitted retry possible; larger ones and incremental ones are passed on as they arrive. Either way bytes
 * are counted, because an announced length is only a claim.
 */

import { Gatherer } from '@privacy-edge/bytes';
import { BodyError, type BodySource } from '@privacy-edge/http-exchange';

/** Up to this many bytes are held to be sent in one piece. */
export const BUFFERED_BYTES = 65_536;

/** A request body ready to be forwarded. */
export interface OutgoingBody {
  /** Bytes are complete and can be sent again; a stream can be consumed once. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** Bytes read from the client so far. */
  count(): number;
  /** Why the client's stream ended early; undefined while it did not. */
  failure(): BodyError | undefined;
}

/**
 * Starts reading a request body, and returns once there is something worth forwarding.
 *
 * @param source - client-controlled
 * @param maxBytes - the most that is forwarded
 * @param incremental - forward from the first byte on instead of gathering up to {@link BUFFERED_BYTES}
 * @throws {@link BodyError} `TOO_LARGE` as soon as that is certain, `TIMEOUT`, `ABORTED`
 */
export async function startRequestBody(
  source: BodySource,
  maxBytes: number,
  incremental: boolean,
): Promise<OutgoingBody> {
  const announced = source.announcedLength;
  if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
  if (!incremental && announced !== undefined && announced <= BUFFERED_BYTES) {
    return wholeBody(await source.read(Math.min(maxBytes, BUFFERED_BYTES)));
  }
  const stream = source.stream()[Symbol.asyncIterator]();
  const held = new Gatherer();
  const enough = incremental ? 1 : BUFFERED_BYTES + 1;
  while (held.length < enough) {
    const next = await stream.next();
    if (next.done === true) return wholeBody(held.take());
    if (held.length + next.value.length > maxBytes) {
      await stream.return?.();
      throw tooLarge(maxBytes);
    }
    held.push(next.value);
  }
  return new RestOfBody(held.take(), stream, maxBytes);
}

function wholeBody(content: Uint8Array): OutgoingBody {
  return { content, count: () => content.length, failure: () => undefined };
}

class RestOfBody implements OutgoingBody {
  readonly content: AsyncIterable<Uint8Array>;
  #count: number;
  #failure: BodyError | undefined;

  constructor(beginning: Uint8Array, stream: AsyncIterator<Uint8Array>, maxBytes: number) {
    this.#count = beginning.length;
    this.content = this.#run(beginning, stream, maxBytes);
  }

  count(): number {
    return this.#count;
  }

  failure(): BodyError | undefined {
    return this.#failure;
  }

  async *#run(
    beginning: Uint8Array,
    stream: AsyncIterator<Uint8Array>,
    maxBytes: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield beginning;
      for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
        this.#count += next.value.length;
        if (this.#count > maxBytes) throw tooLarge(maxBytes);
        yield next.value;
      }
    } catch (error) {
      // Whoever sends this stream reports only that sending broke; the reason is kept for the answer to the client.
      if (error instanceof BodyError) this.#failure = error;
      throw error;
    } finally {
      await stream.return?.();
    }
  }
}

/** How a response body ended. */
export interface ResponseEnd {
  readonly bytes: number;
  /** False when it was broken off, by either side or by the limit. */
  readonly complete: boolean;
}

/**
 * A response body passed on under a byte limit. The status is already with the client, so exceeding the limit can only
 * break the stream off, which the client sees as truncation.
 *
 * It is no generator, because closing a generator that never started would leave the gateway's stream open.
 */
export class LimitedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #maxBytes: number;
  #ended: ((end: ResponseEnd) => void) | undefined;
  #bytes = 0;

  /**
   * @param source - gateway-controlled
   * @param maxBytes - the most that is passed on
   * @param ended - called once, when nothing more will come
   */
  constructor(source: AsyncIterable<Uint8Array>, maxBytes: number, ended: (end: ResponseEnd) => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
    this.#ended = ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      const next = await this.#source.next();
      if (next.done === true) {
        this.#end(true);
        return { done: true, value: undefined };
      }
      this.#bytes += next.value.length;
      if (this.#bytes > this.#maxBytes) {
        await this.#source.return?.();
        throw tooLarge(this.#maxBytes);
      }
      return next;
    } catch (error) {
      this.#end(false);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#end(false);
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  #end(complete: boolean): void {
    const ended = this.#ended;
    this.#ended = undefined;
    ended?.({ bytes: this.#bytes, complete });
  }
}

function tooLarge(maxBytes: number): BodyError {
  return new BodyError('TOO_LARGE', `Cannot pass body on: it is longer than ${maxBytes} bytes`);
}
