/** Pieces of a stream, cut where the decoder needs them. */
import { tryReadVarint, Writer } from '@privacy-edge/bytes';

const EMPTY = new Uint8Array(0);

/**
 * Hands out integers and byte strings from chunks of any size. Only a piece that is cut by a chunk boundary is copied,
 * and each of its bytes a bounded number of times, so a stream costs the same however it is split. Memory grows with
 * what has arrived, never with what a length prefix promises.
 */
export class Intake {
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #consumed = 0;
  #partial: Writer | undefined;

  /** Takes the next chunk; the one before must be used up. It must not change while views of it are in use. */
  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Bytes of the stream used so far, including those kept of an unfinished piece. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Whether bytes of an unfinished piece are kept. */
  get isPartial(): boolean {
    return this.#partial !== undefined;
  }

  /** A variable-length integer, or undefined when more bytes are needed. @throws {@link DecodeError} `RANGE` */
  varint(): number | undefined {
    if (this.#partial === undefined) {
      const read = tryReadVarint(this.#chunk, this.#at);
      if (read !== undefined) {
        this.#advance(read.next - this.#at);
        return read.value;
      }
    }
    while (this.#at < this.#chunk.length) {
      const kept = this.#keep(1);
      const read = tryReadVarint(kept, 0);
      if (read !== undefined) {
        this.#partial = undefined;
        return read.value;
      }
    }
    return undefined;
  }

  /** Exactly `length` bytes, or undefined when more are needed; a view of the chunk where possible. */
  bytes(length: number): Uint8Array | undefined {
    if (this.#partial === undefined && this.#left() >= length) return this.#view(length);
    const have = this.#partial?.length ?? 0;
    if (this.#left() === 0) return undefined;
    const kept = this.#keep(Math.min(length - have, this.#left()));
    if (kept.length < length) return undefined;
    this.#partial = undefined;
    return kept;
  }

  /** Between 1 and `limit` bytes as a view of the chunk, or undefined when it is used up. */
  some(limit: number): Uint8Array | undefined {
    const length = Math.min(limit, this.#left());
    return length === 0 ? undefined : this.#view(length);
  }

  #left(): number {
    return this.#chunk.length - this.#at;
  }

  #advance(length: number): void {
    this.#at += length;
    this.#consumed += length;
  }

  #view(length: number): Uint8Array {
    const view = this.#chunk.subarray(this.#at, this.#at + length);
    this.#advance(length);
    return view;
  }

  /** Copies `length` bytes behind the unfinished piece; returns all that is kept. */
  #keep(length: number): Uint8Array {
    this.#partial ??= new Writer(16);
    this.#partial.bytes(this.#view(length));
    return this.#partial.finish();
  }
}
