/** Bytes from outside. */
import type { RandomSource } from './types.ts';

/**
 * Bytes from the caller's generator, as an own copy.
 *
 * @throws RangeError when the generator gives another number of bytes
 */
export function drawBytes(random: RandomSource, length: number): Uint8Array {
  const bytes = random(length);
  if (bytes.length !== length) throw new RangeError(`A random source gave ${bytes.length} bytes instead of ${length}`);
  return new Uint8Array(bytes);
}
