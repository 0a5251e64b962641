import { DecodeError } from './decode-error.ts';

/**
 * Reads a buffer from front to back. Every length is checked against what is left before anything is sliced, and nothing
 * is copied: what {@link Reader.bytes} returns shares memory with the input.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #offset = 0;

  /**
   * @param bytes - attacker-controlled; must not change while the reader or its slices are in use
   * @param what - name of the structure for error messages, such as "key configuration"
   */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(length: number): number {
    // A negative length is what "total minus fixed part" gives for a structure that is too short.
    if (!(length >= 0 && length <= this.remaining)) {
      throw new DecodeError('TRUNCATED', `The ${this.#what} ends early, at byte ${this.#bytes.length}`);
    }
    const at = this.#offset;
    this.#offset += length;
    return at;
  }

  /** Unsigned 8-bit integer. */
  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Unsigned 16-bit integer, network order. */
  u16(): number {
    return this.#uint(2);
  }

  /** Unsigned 32-bit integer, network order. */
  u32(): number {
    return this.#uint(4);
  }

  /** Unsigned 64-bit integer, network order; `RANGE` above 2^53 - 1. */
  u64(): number {
    return this.#uint(8);
  }

  /** QUIC variable-length integer, RFC 9000 §16; `RANGE` above 2^53 - 1. */
  varint(): number {
    const first = this.u8();
    return first < 0x40 ? first : this.#uint((1 << (first >> 6)) - 1, first & 0x3f);
  }

  /** The next `length` bytes, as a view of the input. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Moves past `length` bytes; returns the offset of the first of them. For callers that hold the input themselves. */
  skip(length: number): number {
    return this.#take(length);
  }

  /** A vector with a length prefix of 1, 2 or 4 bytes, as a view of the input (RFC 8446 §3.4). */
  vector(prefixBytes: 1 | 2 | 4): Uint8Array {
    return this.bytes(this.#uint(prefixBytes));
  }

  /** Everything that is left, as a view of the input. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** Asserts that nothing is left: `TRAILING` otherwise. */
  end(): void {
    if (this.remaining !== 0) throw new DecodeError('TRAILING', `${this.remaining} bytes follow the ${this.#what}`);
  }

  /** @param high - what comes before the next `length` bytes */
  #uint(length: number, high = 0): number {
    const at = this.#take(length);
    let value = high;
    for (let i = at; i < at + length; i++) value = value * 256 + (this.#bytes[i] as number);
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new DecodeError('RANGE', `A number in the ${this.#what} is above 2^53 - 1`);
    }
    return value;
  }
}
