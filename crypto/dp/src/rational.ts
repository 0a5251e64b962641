/** Exact fractions: budgets, scales and units, where a rounded number would be another number. */
import { DpError } from './dp-error.ts';

/** A fraction in lowest terms. Two equal fractions have equal parts. */
export interface Rational {
  readonly numerator: bigint;
  /** Above zero. */
  readonly denominator: bigint;
}

/**
 * A fraction in lowest terms.
 *
 * @param denominator - not zero; default 1
 * @throws RangeError when the denominator is zero
 */
export function rational(numerator: bigint, denominator = 1n): Rational {
  if (denominator === 0n) throw new RangeError('Cannot make fraction: the denominator is zero');
  const divisor = greatestCommonDivisor(numerator, denominator) * (denominator < 0n ? -1n : 1n);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/**
 * Reads `3/4`, `0.75`, `1e-6` or `12` without rounding.
 *
 * @param text - from an operator
 * @throws {DpError} `RATIONAL_INVALID` for anything else, and for exponents beyond 400
 */
export function parseRational(text: string): Rational {
  const fraction = /^([+-]?\d{1,400})\/(\d{1,400})$/.exec(text);
  if (fraction?.[1] !== undefined && fraction[2] !== undefined && !/^0+$/.test(fraction[2])) {
    return rational(BigInt(fraction[1].replace('+', '')), BigInt(fraction[2]));
  }
  const decimal = /^([+-]?)(\d{1,400})(?:\.(\d{1,400}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  const exponent = Number(decimal?.[4] ?? 0) - (decimal?.[3]?.length ?? 0);
  if (decimal === null || Math.abs(exponent) > 800) {
    throw new DpError('RATIONAL_INVALID', 'Cannot read fraction: expected digits such as 3/4, 0.75 or 1e-6');
  }
  const digits = BigInt(`${decimal[2]}${decimal[3] ?? ''}`) * (decimal[1] === '-' ? -1n : 1n);
  return exponent < 0 ? rational(digits, 10n ** BigInt(-exponent)) : rational(digits * 10n ** BigInt(exponent));
}

/**
 * The fraction that a person means who types this number: 0.1 becomes 1/10, not the nearest double.
 *
 * @throws {DpError} `RATIONAL_INVALID` when it is not finite
 */
export function rationalFrom(value: number): Rational {
  return parseRational(String(value));
}

/** Sum of two fractions. */
export function add(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

/** Difference of two fractions. */
export function subtract(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator - b.numerator * a.denominator, a.denominator * b.denominator);
}

/** Product of two fractions. */
export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

/**
 * Quotient of two fractions.
 *
 * @throws RangeError when `b` is zero
 */
export function divide(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

/**
 * The nearest double, for showing; infinite where doubles end.
 *
 * Both parts may be far longer than a double: the quotient is taken to 64 bits or more before it is rounded, and a
 * remainder is kept as a last bit, so that it is rounded once.
 */
export function toNumber({ numerator, denominator }: Rational): number {
  const size = numerator < 0n ? -numerator : numerator;
  if (size === 0n) return 0;
  const shift = Math.max(0, 66 + bitLength(denominator) - bitLength(size));
  const scaled = size << BigInt(shift);
  const quotient = scaled / denominator;
  const sticky = quotient * denominator === scaled ? quotient : quotient | 1n;
  const half = shift >> 1;
  const nearest = (Number(sticky) / 2 ** half) * 2 ** (half - shift);
  return numerator < 0n ? -nearest : nearest;
}

/** Whole part of a positive fraction's square root. */
export function floorSqrt({ numerator, denominator }: Rational): bigint {
  const target = numerator / denominator;
  if (target < 2n) return target;
  // Newton from above: falls until it has passed the root.
  let root = 1n << BigInt((bitLength(target) + 1) >> 1);
  for (;;) {
    const next = (root + target / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

function bitLength(value: bigint): number {
  const text = value.toString(16);
  return (text.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(text[0] ?? '0', 16)));
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
