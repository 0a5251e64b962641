/** Tables of roots of unity and the number theoretic transform over Field128. VDAF §6.1.2. */
import {
  butterfly,
  copyLimbs,
  cross,
  inverseOfPower,
  LIMBS,
  multiply,
  normalise,
  rootOfUnity,
  setOne,
  subtractLimbs,
} from './field128';
import { reversed } from './reversal';
import { KEPT, STEP } from './scratch';

/** Levels of doubling after which limbs are normalised again. */
const LEVELS_BEFORE_CARRY: i32 = 5;

/**
 * The tables for polynomials of p values; ω is the root of order 2p, α = ω² that of order p. All times R, in limbs.
 *
 * roots:   2p, ω^i
 * weights: p, α^i/p
 * kappas:  2p, ω^i·(ω^i - 1/ω)/2p
 * inverse: p, at h + i the i-th power of the inverse root of order 2h, for h = 1, 2, … p/2 and i < h
 * coset:   p, at h + i the power 2i + 1 of the root of order 4h
 */
@inline
export function roots128(table: usize): usize {
  return table;
}

@inline
export function weights128(table: usize, p: usize): usize {
  return table + 2 * p * LIMBS;
}

@inline
export function kappas128(table: usize, p: usize): usize {
  return table + 3 * p * LIMBS;
}

@inline
export function inverse128(table: usize, p: usize): usize {
  return table + 5 * p * LIMBS;
}

@inline
export function coset128(table: usize, p: usize): usize {
  return table + 6 * p * LIMBS;
}

/** Bytes of the tables for p values. */
export function tableSize128(log: i32): usize {
  return ((<usize>7) << log) * LIMBS;
}

/** Fills the tables for 2^log values. */
export function table128(log: i32, table: usize): void {
  const p = (<usize>1) << log;
  const n: usize = 2 * p;
  rootOfUnity(log + 1, STEP);
  setOne(table);
  for (let i: usize = 1; i < n; i++) multiply(table + LIMBS * i, table + LIMBS * (i - 1), STEP);
  inverseOfPower(log, STEP);
  for (let i: usize = 0; i < p; i++) multiply(weights128(table, p) + LIMBS * i, table + LIMBS * 2 * i, STEP);
  inverseOfPower(log + 1, STEP);
  for (let i: usize = 0; i < n; i++) {
    const kappa = kappas128(table, p) + LIMBS * i;
    subtractLimbs(kappa, table + LIMBS * i, table + LIMBS * (n - 1));
    multiply(kappa, kappa, table + LIMBS * i);
    multiply(kappa, kappa, STEP);
  }
  for (let h: usize = 1; h < p; h *= 2) {
    for (let i: usize = 0; i < h; i++) {
      copyLimbs(inverse128(table, p) + LIMBS * (h + i), table + LIMBS * ((n - (p / h) * i) % n));
      copyLimbs(coset128(table, p) + LIMBS * (h + i), table + LIMBS * ((p / (2 * h)) * (2 * i + 1)));
    }
  }
}

/**
 * p times the coefficients of the polynomial with these values at the powers of α.
 *
 * @param values - limbs in bit-reversed order; becomes the coefficients in natural order
 */
export function interpolate128(values: usize, log: i32, table: usize): void {
  const p = (<usize>1) << log;
  const end = values + LIMBS * p;
  const twiddles = inverse128(table, p);
  let level = 0;
  for (let h: usize = 1; h < p; h *= 2) {
    const half = LIMBS * h;
    for (let u = values; u < end; u += 2 * half) cross(u, u + half);
    for (let i: usize = 1; i < h; i++) {
      const w = twiddles + LIMBS * (h + i);
      for (let u = values + LIMBS * i; u < end; u += 2 * half) butterfly(u, u + half, w);
    }
    if (++level === LEVELS_BEFORE_CARRY) {
      for (let u = values; u < end; u += LIMBS) normalise(u);
      level = 0;
    }
  }
}

/**
 * Values at ω·α^i of a polynomial, in natural order.
 *
 * @param coefficients - limbs in bit-reversed order; becomes the values
 */
export function evaluateOnCoset128(coefficients: usize, log: i32, table: usize): void {
  const p = (<usize>1) << log;
  const end = coefficients + LIMBS * p;
  const twiddles = coset128(table, p);
  for (let h: usize = 1; h < p; h *= 2) {
    const half = LIMBS * h;
    for (let i: usize = 0; i < h; i++) {
      const w = twiddles + LIMBS * (h + i);
      for (let u = coefficients + LIMBS * i; u < end; u += 2 * half) butterfly(u, u + half, w);
    }
  }
}

/** Puts coefficients into bit-reversed order, normalised. */
export function reverse128(values: usize, log: i32): void {
  const p: u32 = 1 << log;
  for (let i: u32 = 0; i < p; i++) {
    const a = values + LIMBS * i;
    const j = reversed(i, log);
    const b = values + LIMBS * j;
    normalise(a);
    if (i < j) {
      // The other one is normalised when its turn comes.
      copyLimbs(KEPT, a);
      copyLimbs(a, b);
      copyLimbs(b, KEPT);
      normalise(a);
    }
  }
}

/** From values at the powers of α, in bit-reversed order, to p times the values at ω·α^i, in natural order. */
export function toOdd128(values: usize, log: i32, table: usize): void {
  interpolate128(values, log, table);
  reverse128(values, log);
  evaluateOnCoset128(values, log, table);
}

