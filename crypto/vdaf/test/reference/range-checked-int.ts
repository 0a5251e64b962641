/** Integers in [0, max] as weighted sums of bits. VDAF §7.4.2. */
import type { Field } from './field.ts';
import { demand } from './refusal.ts';

/** The weights: powers of two, and a last one that makes the sum of all equal to `max`. */
function weights(max: bigint): bigint[] {
  const powers = Array.from({ length: bitLength(max) - 1 }, (_, i) => 2n ** BigInt(i));
  return [...powers, max - powers.reduce((sum, power) => sum + power, 0n)];
}

/** How many bits the numbers up to `max` have. */
export function bitLength(max: bigint): number {
  return max.toString(2).length;
}

/** Bits whose weighted sum is the value. The last is set only where the others do not suffice. */
export function encodeRangeChecked(value: bigint, max: bigint): bigint[] {
  demand(value >= 0n && value <= max, 'a number is out of range');
  const all = weights(max);
  const last = all.pop()!;
  const needsLast = value > all.reduce((sum, weight) => sum + weight, 0n);
  const rest = needsLast ? value - last : value;
  return [...all.map((weight) => (rest / weight) % 2n), needsLast ? 1n : 0n];
}

/** The weighted sum, of bits or of shares of bits. */
export function decodeRangeChecked(field: Field, bits: readonly bigint[], max: bigint): bigint {
  return field.dot(weights(max), bits);
}
