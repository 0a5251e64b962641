/** Splits a chunked message into sealed chunks. Chunked OHTTP §6. */
import { concatBytes, tryReadVarint } from '@privacy-edge/bytes';
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
 */
export class ChunkFraming {
  readonly #tagLength: number;
  readonly #maxSealed: number;
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** Bytes of the current chunk; undefined while its length has not been read. */
  #wanted: number | undefined;
  #final = false;

  constructor(tagLength: number, maxSealed: number) {
    this.#tagLength = tagLength;
    this.#maxSealed = maxSealed;
  }

  /** Takes any piece of the message and returns the chunks that it completes, except the final one. */
  push(bytes: Uint8Array): SealedChunk[] {
    const complete: SealedChunk[] = [];
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#final) {
        this.#hold(rest);
        if (this.#held > this.#maxSealed) throw tooLarge();
        break;
      }
      rest = this.#wanted === undefined ? this.#readLength(rest) : this.#readChunk(rest, this.#wanted, complete);
    }
    return complete;
  }

  /** The final chunk; throws `TRUNCATED` when the message ended before it. */
  end(): SealedChunk {
    if (!this.#final) throw new OhttpError('TRUNCATED', 'Cannot open message: it ends before its final chunk');
    if (this.#held < this.#tagLength) throw openFailed();
    return { bytes: this.#takeHeld(), final: true };
  }

  #readLength(rest: Uint8Array): Uint8Array {
    // A length is at most 8 bytes and may be split anywhere: join just enough of it.
    const before = this.#held;
    const window = before === 0 ? rest : concatBytes(...this.#pieces, rest.subarray(0, 8 - before));
    const read = readLength(window);
    if (read === undefined) {
      this.#hold(rest);
      return rest.subarray(rest.length);
    }
    this.#takeHeld();
    if (read.value === 0) this.#final = true;
    else if (read.value < this.#tagLength) throw openFailed();
    else if (read.value > this.#maxSealed) throw tooLarge();
    else this.#wanted = read.value;
    return rest.subarray(read.next - before);
  }

  #readChunk(rest: Uint8Array, wanted: number, complete: SealedChunk[]): Uint8Array {
    const missing = wanted - this.#held;
    if (rest.length < missing) {
      this.#hold(rest);
      return rest.subarray(rest.length);
    }
    this.#hold(rest.subarray(0, missing));
    complete.push({ bytes: this.#takeHeld(), final: false });
    this.#wanted = undefined;
    return rest.subarray(missing);
  }

  #hold(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#held += piece.length;
  }

  #takeHeld(): Uint8Array {
    const only = this.#pieces.length === 1 ? this.#pieces[0] : undefined;
    const joined = only ?? concatBytes(...this.#pieces);
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
