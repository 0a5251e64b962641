/**
 * Coins with an exact bias. Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy", Algorithm 1.
 *
 * Every function exists twice: on integers that a double holds exactly, and on integers of any size. The narrow ones
 * only multiply and subtract whole numbers below 2^53; nothing is ever rounded.
 */
import type { RandomBits } from './random-bits.ts';

/** Largest denominator of the narrow functions: with a digit of 16 bits, every product stays below 2^53. */
export const NARROW_LIMIT: number = 2 ** 37;

/**
 * True with probability `n/d`.
 *
 * Compares the digits, base 2^16, of a uniform number below one with those of `n/d`, and stops at the first that
 * differs: mostly the first.
 *
 * @param n - at least 0
 * @param d - from 1 to `NARROW_LIMIT`
 */
export function bernoulli(bits: RandomBits, n: number, d: number): boolean {
  let rest = n;
  while (rest > 0) {
    if (rest >= d) return true;
    rest = rest * 0x10000 - bits.uint16() * d;
  }
  return false;
}

/** `bernoulli` on integers of any size, with digits base 2^32. */
export function bernoulliWide(bits: RandomBits, n: bigint, d: bigint): boolean {
  let rest = n;
  while (rest > 0n) {
    if (rest >= d) return true;
    rest = (rest << 32n) - BigInt(bits.uint32()) * d;
  }
  return false;
}

/**
 * True with probability `exp(-n/d)`, for `n` up to `d`.
 *
 * Tosses coins of bias `n/d`, `n/2d`, `n/3d`, ... until one fails, and looks at how many were tossed: the alternating
 * series of the exponential.
 */
export function bernoulliExp(bits: RandomBits, n: number, d: number): boolean {
  let k = 1;
  while (bernoulli(bits, 1, k) && bernoulli(bits, n, d)) k++;
  return k % 2 === 1;
}

/** `bernoulliExp` on integers of any size, for any `n` from 0: `exp(-1)` for each whole part first. */
export function bernoulliExpWide(bits: RandomBits, n: bigint, d: bigint): boolean {
  for (let whole = n / d; whole > 0n; whole--) {
    if (!bernoulliExp(bits, 1, 1)) return false;
  }
  const part = n % d;
  // Found once: the digit that decides all but one toss in 2^32.
  const digit = Number((part << 32n) / d);
  let k = 1;
  while (bernoulli(bits, 1, k) && bernoulliDigit(bits, digit, part, d)) k++;
  return k % 2 === 1;
}

/** How often `exp(-1)` comes true before it fails. */
export function geometricExp(bits: RandomBits): number {
  let count = 0;
  while (bernoulliExp(bits, 1, 1)) count++;
  return count;
}

function bernoulliDigit(bits: RandomBits, digit: number, n: bigint, d: bigint): boolean {
  const word = bits.uint32();
  if (word !== digit) return word < digit;
  return bernoulliWide(bits, (n << 32n) - BigInt(digit) * d, d);
}
