/** Polynomials, by coefficients and by values at powers of a root of unity. VDAF §6.1.3. All by definition, in square time. */
import type { Field } from './field.ts';

/** Value at `x` of the polynomial with these coefficients, the constant one first. */
export function evaluate(field: Field, coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, coefficient) => field.add(field.mul(value, x), coefficient), 0n);
}

/**
 * Values at `x` of the Lagrange polynomials of the points: the polynomial with values `ys` at the points has the value
 * `dot(basis, ys)` at `x`.
 */
export function lagrangeBasis(field: Field, points: readonly bigint[], x: bigint): bigint[] {
  // The products below say the same, only more slowly.
  if (points.includes(x)) return points.map((point) => (point === x ? 1n : 0n));
  return points.map((point, i) => {
    const others = points.filter((_, j) => j !== i);
    const numerator = field.product(others.map((other) => field.sub(x, other)));
    const denominator = field.product(others.map((other) => field.sub(point, other)));
    return field.mul(numerator, field.inv(denominator));
  });
}

/** Value at `x` of the polynomial with values `ys` at the points. */
export function evaluateLagrange(field: Field, points: readonly bigint[], ys: readonly bigint[], x: bigint): bigint {
  return field.dot(lagrangeBasis(field, points, x), ys);
}

/** Values at the n-th roots of unity, or at these times a 2n-th root. */
export function ntt(field: Field, coefficients: readonly bigint[], n: number, shifted: boolean = false): bigint[] {
  const shift = shifted ? field.root(2 * n) : 1n;
  return field.rootPowers(n).map((power) => evaluate(field, coefficients, field.mul(shift, power)));
}

/** Coefficients of the polynomial with these values at the n-th roots of unity. */
export function inverseNtt(field: Field, values: readonly bigint[]): bigint[] {
  const n = values.length;
  const scale = field.inv(BigInt(n));
  return field.rootPowers(n).map((power) => field.mul(scale, evaluate(field, values, field.inv(power))));
}

/** Further values up to the n-th power of the n-th root of unity. */
export function extend(field: Field, values: readonly bigint[], n: number): bigint[] {
  const points = field.rootPowers(n, values.length);
  return field.rootPowers(n).map((x) => evaluateLagrange(field, points, values, x));
}

/** Values at the 2n-th roots of unity of a polynomial given by those at the n-th. */
export function double(field: Field, values: readonly bigint[]): bigint[] {
  const points = field.rootPowers(values.length);
  return field.rootPowers(2 * values.length).map((x) => evaluateLagrange(field, points, values, x));
}

/** Product of two polynomials given by values at the n-th roots of unity, as values at the 2n-th. */
export function multiply(field: Field, left: readonly bigint[], right: readonly bigint[]): bigint[] {
  const others = double(field, right);
  return double(field, left).map((value, i) => field.mul(value, others[i]!));
}

/** The smallest power of two that is not smaller. */
export function nextPowerOfTwo(n: number): number {
  return n <= 1 ? 1 : 2 * nextPowerOfTwo(Math.ceil(n / 2));
}
