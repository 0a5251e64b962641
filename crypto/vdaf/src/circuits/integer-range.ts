/** Integers from 0 to a bound, as bits whose weights sum up to the bound. VDAF §7.4.2. */
import type { Field } from '../field.ts';
import type { Arena } from '../prio3-arena.ts';
import { bitLength, checkInteger } from './limits.ts';

/** Bytes of {@link IntegerRange.constants}. */
export const RANGE_CONSTANTS_SIZE = 32;

/** The encoding for one bound. Its constants lie in kernel memory, where the caller says. */
export class IntegerRange {
  readonly bound: bigint;
  /** Elements of one integer. */
  readonly bits: number;
  /** The weight of the last bit as an element, and the bound as 64 bits. */
  readonly constants: Uint8Array;
  readonly #field: Field;
  readonly #boundNumber: number;

  /** @param bound - checked by the caller */
  constructor(field: Field, bound: bigint) {
    this.bound = bound;
    this.bits = bitLength(bound);
    this.#field = field;
    this.#boundNumber = Number(bound);
    const words = new BigUint64Array(4);
    words[0] = bound - (2n ** BigInt(this.bits - 1) - 1n);
    words[2] = bound;
    this.constants = new Uint8Array(words.buffer);
  }

  /**
   * encode_range_checked_int for each value.
   *
   * @param values - integers, checked here; secret
   * @param constants - address of {@link IntegerRange.constants}
   * @param temporary - room for 8 bytes for each value
   * @param out - receives `bits` elements for each value
   * @throws {@link VdafError} `MEASUREMENT_INVALID`
   */
  encode(arena: Arena, values: readonly (number | bigint)[], constants: number, temporary: number, out: number): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number | bigint;
      checkInteger(value, this.bound, this.#boundNumber);
      arena.writeInteger(temporary + 8 * i, value);
    }
    arena.kernel.encodeIntegers(temporary, values.length, this.bits, constants + 16, this.#field.size, out);
  }

  /** decode_range_checked_int for `count` integers or shares of them. */
  decode(elements: number, count: number, constants: number, out: number): void {
    this.#field.weigh(elements, count, this.bits, constants, out);
  }
}
