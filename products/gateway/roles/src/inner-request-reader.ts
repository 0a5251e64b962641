/** Reads the request inside a chunked message while the message arrives. Chunked OHTTP §6.1. */

import type { RequestDecoder, RequestEvent } from '@privacy-edge/bhttp';
import { joinBytes } from '@privacy-edge/bytes';
import { BodyError } from '@privacy-edge/http-exchange';
import type { ChunkOpener } from '@privacy-edge/ohttp';

/** Turns pieces of a chunked message into the events of the request in it. One consumer, one call at a time. */
export class InnerRequestReader {
  readonly #input: AsyncIterator<Uint8Array>;
  readonly #opener: ChunkOpener;
  readonly #decoder: RequestDecoder;
  /** Of one piece, which is at most a head, one content, trailers and the end, however the client cut the message. */
  #events: readonly RequestEvent[] = [];
  #at = 0;
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
      const event = this.#events[this.#at++];
      if (event !== undefined) return event;
      this.#events = await this.#pull();
      this.#at = 0;
    }
  }

  /** Stops reading; what has not arrived is not waited for. */
  cancel(): void {
    closeInput(this.#input);
  }

  async #pull(): Promise<readonly RequestEvent[]> {
    const piece = await this.#nextPiece();
    const chunks = piece === undefined ? await this.#opener.end() : await this.#opener.push(piece);
    const plaintext = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : joinBytes(chunks);
    this.#bytes += plaintext.length;
    if (this.#bytes > this.#maxBytes)
      throw new BodyError('TOO_LARGE', 'Cannot read request: it is larger than allowed');
    const events = this.#decoder.push(plaintext);
    return piece === undefined ? [...events, ...this.#decoder.end()] : events;
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
