/** Splits a chunked message into sealed chunks. Chunked OHTTP §4 and §5. */
import { joinBytes, tryReadVarint } from '@privacy-edge/bytes';
import { OhttpError, openFailed } from './ohttp-error.ts';

/** A chunk as it travels, and whether it stands behind the zero length that announces the last one. */
export interface SealedChunk {
  readonly bytes: Uint8Array;
  readonly final: boolean;
}

/**
 * Incremental reader of `[length, sealed chunk]* 0, final sealed chunk`.
 *
 * Pieces are kept by reference and joined once their chunk is complete, so the cost is linear in the input however it is
 * cut, and an announced length reserves no memory. Lengths are not authenticated; they only decide where chunks end.
 * Chunks are taken one by one, so that an error behind a chunk is met after that chunk was opened, however the input is cut.
 */
export class ChunkFraming {
  readonly #tagLength: number;
  readonly #maxSealed: number;
  #rest: Uint8Array = new Uint8Array(0);
  #pieces: Uint8Array[] = [];
  #held = 0;
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
        this.#hold(this.#rest.length);
        if (this.#held > this.#maxSealed) throw tooLarge();
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
    if (this.#held < this.#tagLength) throw openFailed();
    return { bytes: this.#takeHeld(), final: true };
  }

  #readLength(): void {
    // A length is at most 8 bytes and may be split anywhere: join just enough of it.
    const before = this.#held;
    const window = before === 0 ? this.#rest : joinBytes([...this.#pieces, this.#rest.subarray(0, 8 - before)]);
    const read = readLength(window);
    if (read === undefined) {
      this.#hold(this.#rest.length);
      return;
    }
    this.#takeHeld();
    this.#rest = this.#rest.subarray(read.next - before);
    if (read.value === 0) this.#final = true;
    else if (read.value < this.#tagLength) throw openFailed();
    else if (read.value > this.#maxSealed) throw tooLarge();
    else this.#wanted = read.value;
  }

  #readChunk(wanted: number): SealedChunk | undefined {
    const missing = wanted - this.#held;
    this.#hold(Math.min(missing, this.#rest.length));
    if (this.#held < wanted) return undefined;
    this.#wanted = undefined;
    return { bytes: this.#takeHeld(), final: false };
  }

  /** Keeps the next bytes for later. */
  #hold(length: number): void {
    this.#pieces.push(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    this.#held += length;
  }

  #takeHeld(): Uint8Array {
    const only = this.#pieces.length === 1 ? this.#pieces[0] : undefined;
    const joined = only ?? joinBytes(this.#pieces);
    this.#pieces = [];
    this.#held = 0;
    return joined;
  }
}

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
