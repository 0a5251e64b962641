/** Splits a chunked message into sealed chunks. Chunked OHTTP §4 and §5. */
import { Gatherer, tryReadVarint } from '@privacy-edge/bytes';
import { OhttpError, openFailed } from './ohttp-error.ts';

/** A chunk as it travels, and whether it stands behind the zero length that announces the last one. */
export interface SealedChunk {
  readonly bytes: Uint8Array;
  readonly final: boolean;
}

/**
 * Incremental reader of `[length, sealed chunk]* 0, final sealed chunk`.
 *
 * What a piece leaves unfinished is gathered as bytes, so time and memory are linear in the input however it is cut, and an
 * announced length reserves no memory. Lengths are not authenticated; they only decide where chunks end.
 * Chunks are taken one by one, so that an error behind a chunk is met after that chunk was opened, however the input is cut.
 */
export class ChunkFraming {
  readonly #tagLength: number;
  readonly #maxSealed: number;
  #rest: Uint8Array = new Uint8Array(0);
  /** Of the current length or chunk, what came with the pieces before. */
  readonly #held = new Gatherer();
  /** Bytes of the current chunk; undefined while its length has not been read. */
  #wanted: number | undefined;
  #final = false;

  constructor(tagLength: number, maxSealed: number) {
    this.#tagLength = tagLength;
    this.#maxSealed = maxSealed;
  }

  /** Adds any piece of the message, once {@link ChunkFraming.next} has nothing left of the piece before. */
  push(bytes: Uint8Array): void {
    this.#rest = bytes;
  }

  /** The next chunk that is complete, except the final one. */
  next(): SealedChunk | undefined {
    while (this.#rest.length > 0) {
      if (this.#final) {
        if (this.#held.length + this.#rest.length > this.#maxSealed) throw tooLarge();
        this.#held.push(this.#takeRest(this.#rest.length));
      } else if (this.#wanted === undefined) {
        this.#readLength();
      } else {
        const chunk = this.#readChunk(this.#wanted);
        if (chunk !== undefined) return chunk;
      }
    }
    return undefined;
  }

  /** The final chunk; throws `TRUNCATED` when the message ended before it. */
  end(): SealedChunk {
    if (!this.#final) throw new OhttpError('TRUNCATED', 'Cannot open message: it ends before its final chunk');
    if (this.#held.length < this.#tagLength) throw openFailed();
    return { bytes: this.#held.take(), final: true };
  }

  #readLength(): void {
    const read = this.#held.length === 0 ? this.#tryLength(this.#rest, 0) : this.#tryCutLength();
    if (read === undefined || read === 0) this.#final = read === 0;
    else if (read < this.#tagLength) throw openFailed();
    else if (read > this.#maxSealed) throw tooLarge();
    else this.#wanted = read;
  }

  /** A length is at most 8 bytes and may be cut anywhere: joins just enough of it. */
  #tryCutLength(): number | undefined {
    const before = this.#held.length;
    this.#held.push(this.#rest.subarray(0, MAX_LENGTH_BYTES - before));
    return this.#tryLength(this.#held.take(), before);
  }

  /** @param before - bytes of the window that are no longer in the rest */
  #tryLength(window: Uint8Array, before: number): number | undefined {
    const read = readLength(window);
    this.#takeRest((read?.next ?? window.length) - before);
    if (read === undefined) this.#held.push(window);
    return read?.value;
  }

  #readChunk(wanted: number): SealedChunk | undefined {
    const part = this.#takeRest(Math.min(wanted - this.#held.length, this.#rest.length));
    if (part.length < wanted) {
      this.#held.push(part);
      if (this.#held.length < wanted) return undefined;
    }
    this.#wanted = undefined;
    return { bytes: part.length < wanted ? this.#held.take() : part, final: false };
  }

  #takeRest(length: number): Uint8Array {
    const part = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return part;
  }
}

const MAX_LENGTH_BYTES = 8;

function readLength(window: Uint8Array): { value: number; next: number } | undefined {
  try {
    return tryReadVarint(window, 0);
  } catch {
    throw tooLarge();
  }
}

function tooLarge(): OhttpError {
  return new OhttpError('LIMIT', 'Cannot open message: a chunk is larger than this receiver takes');
}
