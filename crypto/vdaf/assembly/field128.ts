/**
 * Field128, p = 2^128 - 28·2^64 + 1. VDAF §6.1.2.
 *
 * In memory an element is its encoding: 16 bytes, little-endian, below p. For arithmetic it is five limbs of 26 bits in
 * signed words of 64, at weights 2^0, 2^26, …, 2^104, which need not be normalised: sums and differences of limbs carry
 * nothing, and there is room for 2^33.
 *
 * Products are Montgomery's with R = 2^130: `multiply(a, b)` is a·b/R. Since p = 1 mod 2^64 the quotient's digits are
 * the limbs themselves, and what is left of their multiples of p is shifts and products by 28. Known values, such as
 * roots and powers of randomness, are kept times R, so that their product with a plain element is plain.
 *
 * No branch and no address depends on the value of an element.
 */
import { CONSTANT, HALF, PARTIAL } from './scratch';

/** Bytes of an element. */
export const SIZE: usize = 16;

/** Bytes of an element in limbs. */
export const LIMBS: usize = 40;

const MASK: i64 = 0x3ffffff;

/** 28·2^12: 28·2^64 relative to the limb at 2^52. */
const FOLD: i64 = 114688;

/** R mod p. */
const R_LOW: u64 = 0xfffffffffffffffc;
const R_HIGH: u64 = 0x6f;

/** R² mod p. */
const R2_LOW: u64 = 0xffffffffffffcf10;
const R2_HIGH: u64 = 0x5587f;

/** The root of unity of order 2^20. */
const ROOT_LOW: u64 = 0xe6a552dc85f6a79d;
const ROOT_HIGH: u64 = 0xaabc226e50ff87e0;
const ROOT_ORDER_LOG: i32 = 20;

/** 1/2. */
const HALF_LOW: u64 = 1;
const HALF_HIGH: u64 = 0x7ffffffffffffff2;

const MODULUS_HIGH: u64 = 0xffffffffffffffe4;

/** How many products of normalised limbs a column can hold. */
const DOT_BLOCK: usize = 256;

@inline
export function limb(a: usize, index: usize): i64 {
  return load<i64>(a + 8 * index);
}

@inline
export function setLimb(a: usize, index: usize, value: i64): void {
  store<i64>(a + 8 * index, value);
}

@inline
function setLimbs(out: usize, r0: i64, r1: i64, r2: i64, r3: i64, r4: i64): void {
  setLimb(out, 0, r0);
  setLimb(out, 1, r1);
  setLimb(out, 2, r2);
  setLimb(out, 3, r3);
  setLimb(out, 4, r4);
}

/** Limbs of a number of 128 bits. */
@inline
function split(low: u64, high: u64, out: usize): void {
  setLimbs(
    out,
    i64(low) & MASK,
    i64(low >> 26) & MASK,
    i64((low >> 52) | (high << 12)) & MASK,
    i64(high >> 14) & MASK,
    i64(high >> 40),
  );
}

/** Limbs of an element. */
export function unpack(element: usize, out: usize): void {
  split(load<u64>(element), load<u64>(element + 8), out);
}

/**
 * Montgomery reduction of nine columns into normalised limbs: takes multiples of p off until the lower half is zero,
 * and leaves it out. The value r is above -p, and below p when |a| and |b| are.
 *
 * @param out - receives r, or u - r when crossed
 * @param u - receives u + r when crossed
 * @param crossed - known when this is compiled
 */
@inline
function reduce(
  out: usize,
  u: usize,
  crossed: bool,
  t0: i64,
  t1: i64,
  t2: i64,
  t3: i64,
  t4: i64,
  t5: i64,
  t6: i64,
  t7: i64,
  t8: i64,
): void {
  const q0 = t0 & MASK;
  t1 += t0 >> 26;
  const q1 = t1 & MASK;
  t2 += (t1 >> 26) + q0 * FOLD;
  const q2 = t2 & MASK;
  t3 += (t2 >> 26) + q1 * FOLD;
  const q3 = t3 & MASK;
  t4 += (t3 >> 26) + q2 * FOLD - (q0 << 24);
  const q4 = t4 & MASK;
  t5 += (t4 >> 26) + q3 * FOLD - (q1 << 24);
  t6 += (t5 >> 26) + q4 * FOLD - (q2 << 24);
  t7 += (t6 >> 26) - (q3 << 24);
  t8 += (t7 >> 26) - (q4 << 24);
  const r0 = t5 & MASK;
  const r1 = t6 & MASK;
  const r2 = t7 & MASK;
  const r3 = t8 & MASK;
  const r4 = t8 >> 26;
  if (crossed) crossWith(u, out, r0, r1, r2, r3, r4);
  else setLimbs(out, r0, r1, r2, r3, r4);
}

/** {@link multiply} or {@link butterfly}. */
@inline
function multiplyAnd(out: usize, u: usize, crossed: bool, a: usize, b: usize): void {
  const a0 = limb(a, 0);
  const a1 = limb(a, 1);
  const a2 = limb(a, 2);
  const a3 = limb(a, 3);
  const a4 = limb(a, 4);
  const b0 = limb(b, 0);
  const b1 = limb(b, 1);
  const b2 = limb(b, 2);
  const b3 = limb(b, 3);
  const b4 = limb(b, 4);
  reduce(
    out,
    u,
    crossed,
    a0 * b0,
    a0 * b1 + a1 * b0,
    a0 * b2 + a1 * b1 + a2 * b0,
    a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0,
    a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0,
    a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1,
    a2 * b4 + a3 * b3 + a4 * b2,
    a3 * b4 + a4 * b3,
    a4 * b4,
  );
}

/** a·b/R. Limbs of `a` may have 33 bits when those of `b` are normalised. `out` may be `a` or `b`. */
export function multiply(out: usize, a: usize, b: usize): void {
  multiplyAnd(out, 0, false, a, b);
}

/** (u, v) becomes (u + v·w/R, u - v·w/R). */
@inline
export function butterfly(u: usize, v: usize, w: usize): void {
  multiplyAnd(v, u, true, v, w);
}

@inline
export function addLimbs(out: usize, a: usize, b: usize): void {
  setLimbs(
    out,
    limb(a, 0) + limb(b, 0),
    limb(a, 1) + limb(b, 1),
    limb(a, 2) + limb(b, 2),
    limb(a, 3) + limb(b, 3),
    limb(a, 4) + limb(b, 4),
  );
}

@inline
export function copyLimbs(out: usize, a: usize): void {
  setLimbs(out, limb(a, 0), limb(a, 1), limb(a, 2), limb(a, 3), limb(a, 4));
}

/** u becomes u + r, and v becomes u - r. */
@inline
function crossWith(u: usize, v: usize, r0: i64, r1: i64, r2: i64, r3: i64, r4: i64): void {
  const u0 = limb(u, 0);
  const u1 = limb(u, 1);
  const u2 = limb(u, 2);
  const u3 = limb(u, 3);
  const u4 = limb(u, 4);
  setLimbs(u, u0 + r0, u1 + r1, u2 + r2, u3 + r3, u4 + r4);
  setLimbs(v, u0 - r0, u1 - r1, u2 - r2, u3 - r3, u4 - r4);
}

/** (u, v) becomes (u + v, u - v). */
@inline
export function cross(u: usize, v: usize): void {
  crossWith(u, v, limb(v, 0), limb(v, 1), limb(v, 2), limb(v, 3), limb(v, 4));
}

@inline
export function subtractLimbs(out: usize, a: usize, b: usize): void {
  setLimbs(
    out,
    limb(a, 0) - limb(b, 0),
    limb(a, 1) - limb(b, 1),
    limb(a, 2) - limb(b, 2),
    limb(a, 3) - limb(b, 3),
    limb(a, 4) - limb(b, 4),
  );
}

/**
 * Carries, and brings a value within 2^k·p of zero to within 1.01·p of it, for k up to 40. Limbs have 26 bits
 * afterwards, except that the third may have k + 18.
 */
export function normalise(a: usize): void {
  let r0 = limb(a, 0);
  let r1 = limb(a, 1);
  let r2 = limb(a, 2);
  let r3 = limb(a, 3);
  let r4 = limb(a, 4);
  r1 += r0 >> 26;
  r2 += r1 >> 26;
  r3 += r2 >> 26;
  r4 += r3 >> 26;
  const q = r4 >> 24;
  setLimbs(a, (r0 & MASK) - q, r1 & MASK, (r2 & MASK) + q * FOLD, r3 & MASK, r4 & 0xffffff);
}

/** Like {@link normalise}, and no limb has more than 27 bits afterwards. The value is in [0, 2^128). */
export function settle(a: usize): void {
  normalise(a);
  // The value is less than 2^(k + 69) outside of [0, 2^128), so the quotient is -1, 0 or 1 now.
  normalise(a);
}

/** The element that limbs within 2^40·p of zero stand for. Changes the limbs. */
export function pack(a: usize, element: usize): void {
  settle(a);
  const r0 = limb(a, 0);
  const r1 = limb(a, 1) + (r0 >> 26);
  const r2 = limb(a, 2) + (r1 >> 26);
  const r3 = limb(a, 3) + (r2 >> 26);
  const r4 = limb(a, 4) + (r3 >> 26);
  const low = u64(r0 & MASK) | (u64(r1 & MASK) << 26) | (u64(r2) << 52);
  const high = (u64(r2 & MASK) >> 12) | (u64(r3 & MASK) << 14) | (u64(r4) << 40);
  storeReduced(element, low, high, 0);
}

/** Stores carry·2^128 + high·2^64 + low, which is below 2p, as an element. */
@inline
function storeReduced(out: usize, low: u64, high: u64, carry: u64): void {
  const lowLess = low - 1;
  const borrow = u64(low === 0);
  const highLess = high - MODULUS_HIGH - borrow;
  const below = u64(high < MODULUS_HIGH) | (u64(high === MODULUS_HIGH) & borrow);
  const keep = 0 - (below & (carry ^ 1));
  store<u64>(out, (low & keep) | (lowLess & ~keep));
  store<u64>(out + 8, (high & keep) | (highLess & ~keep));
}

/** out = a + b, elements. */
@inline
export function addElement(out: usize, a: usize, b: usize): void {
  const a0 = load<u64>(a);
  const a1 = load<u64>(a + 8);
  const low = a0 + load<u64>(b);
  const carry = u64(low < a0);
  const sum = a1 + load<u64>(b + 8);
  const high = sum + carry;
  storeReduced(out, low, high, u64(sum < a1) | u64(high < sum));
}

/** out = a - b, elements. */
@inline
export function subtractElement(out: usize, a: usize, b: usize): void {
  const a0 = load<u64>(a);
  const a1 = load<u64>(a + 8);
  const b0 = load<u64>(b);
  const b1 = load<u64>(b + 8);
  const low = a0 - b0;
  const borrow = u64(a0 < b0);
  const difference = a1 - b1;
  const high = difference - borrow;
  const mask = 0 - (u64(a1 < b1) | u64(difference < borrow));
  // p has low half 1.
  const fixed = low + (mask & 1);
  store<u64>(out, fixed);
  store<u64>(out + 8, high + (mask & MODULUS_HIGH) + u64(fixed < low));
}

@inline
export function copyElement(out: usize, element: usize): void {
  store<u64>(out, load<u64>(element));
  store<u64>(out + 8, load<u64>(element + 8));
}

@inline
export function clearElement(out: usize): void {
  store<u64>(out, 0);
  store<u64>(out + 8, 0);
}

/** Whether all of `count` encodings are below p: 1 or 0. */
export function canonical128(elements: usize, count: usize): u32 {
  let above: u64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const low = load<u64>(elements + SIZE * i);
    const high = load<u64>(elements + SIZE * i + 8);
    above |= u64(high > MODULUS_HIGH) | (u64(high === MODULUS_HIGH) & u64(low !== 0));
  }
  return u32(above === 0);
}

/** out[i] = a[i] + b[i]; `out` may be `a` or `b`. */
export function add128(out: usize, a: usize, b: usize, count: usize): void {
  for (let at: usize = 0; at < SIZE * count; at += SIZE) addElement(out + at, a + at, b + at);
}

/** out[i] = a[i] - b[i]; `out` may be `a` or `b`. */
export function subtract128(out: usize, a: usize, b: usize, count: usize): void {
  for (let at: usize = 0; at < SIZE * count; at += SIZE) subtractElement(out + at, a + at, b + at);
}

/** Limbs of R, which is one. */
@inline
export function setOne(out: usize): void {
  split(R_LOW, R_HIGH, out);
}

@inline
export function setSquareOfR(out: usize): void {
  split(R2_LOW, R2_HIGH, out);
}

/** Limbs of an element, times R. */
export function toMontgomery(element: usize, out: usize): void {
  setSquareOfR(CONSTANT);
  unpack(element, out);
  multiply(out, out, CONSTANT);
}

/** Limbs of the root of unity of order 2^log, times R. */
export function rootOfUnity(log: i32, out: usize): void {
  split(ROOT_LOW, ROOT_HIGH, out);
  setSquareOfR(CONSTANT);
  multiply(out, out, CONSTANT);
  for (let i = log; i < ROOT_ORDER_LOG; i++) multiply(out, out, out);
}

/** Limbs of 1/2^log, times R. */
export function inverseOfPower(log: i32, out: usize): void {
  split(HALF_LOW, HALF_HIGH, HALF);
  setSquareOfR(CONSTANT);
  multiply(HALF, HALF, CONSTANT);
  setOne(out);
  for (let i = 0; i < log; i++) multiply(out, out, HALF);
}

/**
 * Adds Σ coefficients[i]·elements[i]/R to limbs; the sum should be settled before it is multiplied.
 *
 * @param coefficients - `count` times normalised limbs
 * @param elements - elements that are `stride` bytes apart
 */
export function dot128(sum: usize, coefficients: usize, elements: usize, stride: usize, count: usize): void {
  while (count > 0) {
    const block = count < DOT_BLOCK ? count : DOT_BLOCK;
    dotBlock(sum, coefficients, elements, stride, block);
    coefficients += LIMBS * block;
    elements += stride * block;
    count -= block;
  }
}

function dotBlock(sum: usize, coefficients: usize, elements: usize, stride: usize, count: usize): void {
  let t0: i64 = 0;
  let t1: i64 = 0;
  let t2: i64 = 0;
  let t3: i64 = 0;
  let t4: i64 = 0;
  let t5: i64 = 0;
  let t6: i64 = 0;
  let t7: i64 = 0;
  let t8: i64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const low = load<u64>(elements);
    const high = load<u64>(elements + 8);
    const a0 = i64(low) & MASK;
    const a1 = i64(low >> 26) & MASK;
    const a2 = i64((low >> 52) | (high << 12)) & MASK;
    const a3 = i64(high >> 14) & MASK;
    const a4 = i64(high >> 40);
    let b = limb(coefficients, 0);
    t0 += a0 * b;
    t1 += a1 * b;
    t2 += a2 * b;
    t3 += a3 * b;
    t4 += a4 * b;
    b = limb(coefficients, 1);
    t1 += a0 * b;
    t2 += a1 * b;
    t3 += a2 * b;
    t4 += a3 * b;
    t5 += a4 * b;
    b = limb(coefficients, 2);
    t2 += a0 * b;
    t3 += a1 * b;
    t4 += a2 * b;
    t5 += a3 * b;
    t6 += a4 * b;
    b = limb(coefficients, 3);
    t3 += a0 * b;
    t4 += a1 * b;
    t5 += a2 * b;
    t6 += a3 * b;
    t7 += a4 * b;
    b = limb(coefficients, 4);
    t4 += a0 * b;
    t5 += a1 * b;
    t6 += a2 * b;
    t7 += a3 * b;
    t8 += a4 * b;
    coefficients += LIMBS;
    elements += stride;
  }
  reduce(PARTIAL, 0, false, t0, t1, t2, t3, t4, t5, t6, t7, t8);
  addLimbs(sum, sum, PARTIAL);
}
