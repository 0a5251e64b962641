/** Reads the request inside a chunked message while the message arrives. Chunked OHTTP §6.1. */
import type { RequestDecoder, RequestEvent } from '@privacy-edge/bhttp';
import type { ChunkOpener } from '@privacy-edge/ohttp';
import { BodyError } from './exchange.ts';

/** Turns pieces of a chunked message into the events of the request in it. One consumer, one call at a time. */
export class InnerRequestReader {
  readonly #input: AsyncIterator<Uint8Array>;
  readonly #opener: ChunkOpener;
  readonly #decoder: RequestDecoder;
  readonly #events: RequestEvent[] = [];
  readonly #maxBytes: number;
  #first: Uint8Array | undefined;
  #bytes = 0;

  /**
   * @param input - the message from where `first` ends
   * @param first - bytes after the encapsulated key that have arrived already
   * @param maxBytes - of plaintext
   */
  constructor(
    input: AsyncIterator<Uint8Array>,
    first: Uint8Array,
    opener: ChunkOpener,
    decoder: RequestDecoder,
    maxBytes: number,
  ) {
    this.#input = input;
    this.#first = first;
    this.#opener = opener;
    this.#decoder = decoder;
    this.#maxBytes = maxBytes;
  }

  /** True once a chunk has authenticated: from then on the sender is known to hold the request's keys. */
  get authenticated(): boolean {
    return this.#opener.authenticated;
  }

  /**
   * The next event; after `end` there is none.
   *
   * @throws {OhttpError}, {DecodeError} or {BodyError}; the request is then lost
   */
  async next(): Promise<RequestEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await this.#pull();
    }
  }

  /** Stops reading; what has not arrived is not waited for. */
  cancel(): void {
    closeInput(this.#input);
  }

  async #pull(): Promise<void> {
    const piece = await this.#nextPiece();
    const chunks = piece === undefined ? await this.#opener.end() : await this.#opener.push(piece);
    for (const chunk of chunks) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#maxBytes)
        throw new BodyError('TOO_LARGE', 'Cannot read request: it is larger than allowed');
      this.#events.push(...this.#decoder.push(chunk));
    }
    if (piece === undefined) this.#events.push(...this.#decoder.end());
  }

  async #nextPiece(): Promise<Uint8Array | undefined> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && first.length > 0) return first;
    const { done, value } = await this.#input.next();
    return done === true ? undefined : value;
  }
}

/** Tells the source of a message that nobody reads on. Not awaited: a source that waits for its peer would hold us here. */
export function closeInput(input: AsyncIterator<Uint8Array>): void {
  input.return?.().then(ignore, ignore);
}

function ignore(): void {}
