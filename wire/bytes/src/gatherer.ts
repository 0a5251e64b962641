import { Writer } from './writer.ts';

/**
 * Joins the pieces of a byte string as they arrive. What it holds is bytes, not pieces, so a peer that sends one byte at a
 * time costs no more than one that sends all at once: about twice the bytes in memory, and linear time.
 */
export class Gatherer {
  /** The only piece so far. */
  #first: Uint8Array | undefined;
  #joined: Writer | undefined;

  /** Bytes gathered and not taken. */
  get length(): number {
    return this.#joined?.length ?? this.#first?.length ?? 0;
  }

  /**
   * Adds a piece behind those before.
   *
   * @param bytes - any length, may be attacker-controlled; copied, except that a first piece which is most of its buffer is
   *   kept by reference while it is the only one, so it must not change before it is taken
   */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.length === 0 && 2 * bytes.length >= bytes.buffer.byteLength) {
      this.#first = bytes;
      return;
    }
    this.#joined ??= new Writer().bytes(this.#first ?? bytes.subarray(0, 0));
    this.#first = undefined;
    this.#joined.bytes(bytes);
  }

  /**
   * All bytes in order, as a view that belongs to the caller from now on; the gatherer is empty again.
   *
   * @returns at least half as long as its buffer, except for short ones
   */
  take(): Uint8Array {
    const taken = this.#joined?.finish() ?? this.#first ?? new Uint8Array(0);
    this.#joined = undefined;
    this.#first = undefined;
    return taken;
  }
}
