/** Extendable output functions. VDAF §6.2. */
import { fromLittleEndian } from './bytes.ts';
import type { Field } from './field.ts';

/** A stream of pseudorandom bytes. */
export interface Stream {
  next(length: number): Uint8Array;
}

/** A function from seed, domain separation tag and binder string to a stream. */
export interface Xof {
  /** Length of a seed, bytes. */
  readonly seedSize: number;
  start(seed: Uint8Array, dst: Uint8Array, binder: Uint8Array): Stream;
}

/** A new seed. */
export function deriveSeed(xof: Xof, seed: Uint8Array, dst: Uint8Array, binder: Uint8Array): Uint8Array {
  return xof.start(seed, dst, binder).next(xof.seedSize);
}

/** The next field elements of a stream, by rejection. */
export function nextVector(stream: Stream, field: Field, length: number): bigint[] {
  const mask = (1n << BigInt(field.modulus.toString(2).length)) - 1n;
  const vector: bigint[] = [];
  while (vector.length < length) {
    const value = fromLittleEndian(stream.next(field.size)) & mask;
    if (value < field.modulus) vector.push(value);
  }
  return vector;
}

/** The first field elements of a stream. */
export function expandIntoVector(
  xof: Xof,
  field: Field,
  seed: Uint8Array,
  dst: Uint8Array,
  binder: Uint8Array,
  length: number,
): bigint[] {
  return nextVector(xof.start(seed, dst, binder), field, length);
}
