/** Random integers from random bytes. */

/**
 * Random bytes from the caller.
 *
 * Must be a cryptographic generator: whoever can predict it can subtract the noise. Either fresh at every call, or the
 * output of `seededRandom`.
 */
export type RandomSource = (length: number) => Uint8Array;

/** Bytes asked for at a time: eight blocks of TurboSHAKE128. */
const CHUNK = 1344;

/**
 * Consumes a random source in whole words. What it gives depends on the bytes only: little-endian, in order.
 *
 * Takes more bytes from the source than it uses, so that one object serves a whole vector.
 */
export class RandomBits {
  readonly #random: RandomSource;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** @param random - asked for 1344 bytes at a time */
  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** Uniform below 2^16. */
  uint16(): number {
    if (this.#at + 2 > this.#bytes.length) this.#refill();
    const low = this.#bytes[this.#at++] ?? 0;
    return low | ((this.#bytes[this.#at++] ?? 0) << 8);
  }

  /** Uniform below 2^32. */
  uint32(): number {
    const low = this.uint16();
    return this.uint16() * 0x10000 + low;
  }

  /** True half of the time. */
  coin(): boolean {
    return (this.uint16() & 1) === 1;
  }

  /**
   * Uniform below a bound.
   *
   * @param bound - from 1 to 2^48
   */
  below(bound: number): number {
    const words = bound <= 0x10000 ? 1 : bound <= 0x1_0000_0000 ? 2 : 3;
    const range = 0x10000 ** words;
    // A multiple of the bound: what lies above it would favour small results.
    const limit = range - (range % bound);
    for (;;) {
      const value = this.#words(words);
      if (value < limit) return value % bound;
    }
  }

  /** Uniform below a bound above zero of any size. */
  belowWide(bound: bigint): bigint {
    const words = Math.ceil(bound.toString(16).length / 8);
    const range = 1n << BigInt(words * 32);
    const limit = range - (range % bound);
    for (;;) {
      let value = 0n;
      for (let i = 0; i < words; i++) value = (value << 32n) | BigInt(this.uint32());
      if (value < limit) return value % bound;
    }
  }

  #words(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 0x10000 + this.uint16();
    return value;
  }

  #refill(): void {
    const bytes = this.#random(CHUNK);
    if (bytes.length !== CHUNK) {
      throw new RangeError(`A random source gave ${bytes.length} bytes instead of ${CHUNK}`);
    }
    this.#bytes = bytes;
    this.#at = 0;
  }
}
