import { writeLatin1 } from './text.ts';
import { varintLength, writeVarint } from './varint.ts';

/** Builds a buffer from front to back; grows by doubling, so writing n bytes costs O(n). */
export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  /** @param expectedBytes - first allocation; a good guess avoids copying */
  constructor(expectedBytes = 64) {
    this.#bytes = new Uint8Array(expectedBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  #reserve(more: number): number {
    const at = this.#length;
    const needed = at + more;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = needed;
    return at;
  }

  /** Unsigned integer in network order; `RangeError` when it does not fit in `size` bytes. */
  #uint(value: number, size: number): this {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 256 ** size) {
      throw new RangeError(`${value} does not fit in ${size} bytes`);
    }
    const at = this.#reserve(size);
    let rest = value;
    for (let i = at + size - 1; i >= at; i--) {
      this.#bytes[i] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
    return this;
  }

  /** Unsigned 8-bit integer. */
  u8(value: number): this {
    return this.#uint(value, 1);
  }

  /** Unsigned 16-bit integer, network order. */
  u16(value: number): this {
    return this.#uint(value, 2);
  }

  /** Unsigned 32-bit integer, network order. */
  u32(value: number): this {
    return this.#uint(value, 4);
  }

  /** Unsigned 64-bit integer up to 2^53 - 1, network order. */
  u64(value: number): this {
    return this.#uint(value, 8);
  }

  /** QUIC variable-length integer in its shortest form, RFC 9000 §16. */
  varint(value: number): this {
    const at = this.#reserve(varintLength(value));
    writeVarint(this.#bytes, at, value);
    return this;
  }

  /** Copies `bytes` in. */
  bytes(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Copies a string whose characters are all at most 0xff, one byte each; `RangeError` otherwise. */
  latin1(text: string): this {
    // Reserving may replace the buffer, so it comes first.
    const at = this.#reserve(text.length);
    writeLatin1(this.#bytes, at, text);
    return this;
  }

  /** A vector with a length prefix of 1, 2 or 4 bytes (RFC 8446 §3.4). */
  vector(prefixBytes: 1 | 2 | 4, bytes: Uint8Array): this {
    return this.#uint(bytes.length, prefixBytes).bytes(bytes);
  }

  /** `count` zero bytes. */
  zeros(count: number): this {
    this.#reserve(count);
    return this;
  }

  /** What was written, as a view; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
