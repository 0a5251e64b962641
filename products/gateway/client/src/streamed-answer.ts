/** A response that is opened as it arrives. Chunked OHTTP §6.2. */
import { ResponseDecoder, type ResponseHead } from '@privacy-edge/bhttp';
import { Gatherer } from '@privacy-edge/bytes';
import type { ChunkedResponseOpener } from '@privacy-edge/ohttp';
import { type Answer, openingFailed } from './answer.ts';
import type { BodyReader } from './outer.ts';
import type { Scope } from './scope.ts';

/** Reads, opens and decodes piece by piece, no further than somebody wants. */
export class StreamedAnswer implements Answer {
  readonly #reader: BodyReader;
  readonly #opener: ChunkedResponseOpener;
  readonly #scope: Scope;
  readonly #decoder = new ResponseDecoder();
  #head: ResponseHead | undefined;
  /** Content that has arrived and nobody has taken. */
  readonly #content = new Gatherer();
  #done = false;

  private constructor(reader: BodyReader, opener: ChunkedResponseOpener, scope: Scope) {
    this.#reader = reader;
    this.#opener = opener;
    this.#scope = scope;
  }

  /**
   * Waits until the head is there.
   *
   * @param reader - what the relay passes on; owned by the answer from now on
   * @param opener - of the request that this answers
   * @param scope - ends the wait, and the stream
   * @throws {@link ObliviousError} `OPEN_FAILED`, `TRUNCATED`, `TOO_LARGE`
   */
  static async receive(reader: BodyReader, opener: ChunkedResponseOpener, scope: Scope): Promise<StreamedAnswer> {
    const answer = new StreamedAnswer(reader, opener, scope);
    // A read that is cancelled reports the end of the body; `#step` looks at the signal to tell the two apart.
    scope.signal.addEventListener('abort', () => reader.cancel(), { once: true });
    while (answer.#head === undefined) await answer.#step();
    return answer;
  }

  get head(): ResponseHead {
    return this.#head as ResponseHead;
  }

  content(): Uint8Array | ReadableStream<Uint8Array> {
    this.#scope.settle();
    if (this.#done) {
      this.#scope.close();
      return this.#content.take();
    }
    return streamOf(this.#rest(), () => this.#end());
  }

  async peek(maxBytes: number): Promise<Uint8Array> {
    while (!this.#done && this.#content.length <= maxBytes) await this.#step();
    const content = this.#content.take();
    this.#content.push(content);
    return content;
  }

  cancel(): void {
    this.#reader.cancel();
  }

  #end(): void {
    this.#reader.cancel();
    this.#scope.close();
  }

  async *#rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (this.#content.length > 0) yield this.#content.take();
      if (this.#done) return this.#scope.close();
      await this.#step();
    }
  }

  async #step(): Promise<void> {
    const { signal } = this.#scope;
    try {
      const sealed = await this.#reader.read();
      signal.throwIfAborted();
      const opened = await (sealed === undefined ? this.#opener.end() : this.#opener.push(sealed));
      for (const plaintext of opened) this.#take(this.#decoder.push(plaintext));
      // The final chunk has authenticated, so the binary message must be complete too.
      if (sealed === undefined) this.#take(this.#decoder.end());
      this.#done = sealed === undefined;
    } catch (cause) {
      this.#end();
      throw signal.aborted ? signal.reason : openingFailed(cause);
    }
  }

  #take(events: ReturnType<ResponseDecoder['push']>): void {
    for (const event of events) {
      if (event.type === 'head') this.#head = event.head;
      if (event.type === 'data') this.#content.push(event.bytes);
    }
  }
}

/**
 * A stream of what a generator yields, pulled one by one: nothing is produced before it is wanted.
 *
 * @param source - owned by the stream
 * @param cancelled - called when the consumer gives up, even before it began
 */
export function streamOf(
  source: AsyncGenerator<Uint8Array, void, undefined>,
  cancelled: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const next = await source.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: cancelled,
    },
    { highWaterMark: 0 },
  );
}
