/**
 * Field64, p = 2^64 - 2^32 + 1. VDAF §6.1.2.
 *
 * In memory an element is its encoding: 8 bytes, little-endian, below p. No branch and no address depends on the value
 * of an element.
 */

const MODULUS: u64 = 0xffffffff00000001;

/** 2^64 mod p. */
const EPSILON: u64 = 0xffffffff;

/** The root of unity of order 2^20. */
const ROOT: u64 = 0x30ba2ecd5e93e76d;
const ROOT_ORDER_LOG: i32 = 20;

/** 1/2. */
const HALF: u64 = 0x7fffffff80000001;

/** All ones when the condition holds, otherwise zero. */
@inline
function maskOf(condition: bool): u64 {
  return 0 - u64(condition);
}

/** a + b. */
@inline
export function add(a: u64, b: u64): u64 {
  // a - (p - b) borrows exactly when a + b is below p.
  const negated = MODULUS - b;
  return a - negated + (maskOf(a < negated) & MODULUS);
}

/** a - b. */
@inline
export function subtract(a: u64, b: u64): u64 {
  return a - b + (maskOf(a < b) & MODULUS);
}

/** a·b; the factors may be any words of 64 bits. */
@inline
export function multiply(a: u64, b: u64): u64 {
  const a0 = a & EPSILON;
  const a1 = a >> 32;
  const b0 = b & EPSILON;
  const b1 = b >> 32;
  const low = a0 * b0;
  const m0 = a1 * b0 + (low >> 32);
  const m1 = a0 * b1 + (m0 & EPSILON);
  const high = a1 * b1 + (m0 >> 32) + (m1 >> 32);
  return reduce((m1 << 32) | (low & EPSILON), high);
}

/** high·2^64 + low, with 2^64 = 2^32 - 1 and 2^96 = -1. */
@inline
function reduce(low: u64, high: u64): u64 {
  const top = high >> 32;
  const middle = ((high & EPSILON) << 32) - (high & EPSILON);
  const lessTop = low - top - (maskOf(low < top) & EPSILON);
  const sum = lessTop + middle;
  const folded = sum + (maskOf(sum < middle) & EPSILON);
  return folded - (maskOf(folded >= MODULUS) & MODULUS);
}

@inline
export function at(elements: usize, index: usize): u64 {
  return load<u64>(elements + 8 * index);
}

@inline
export function put(elements: usize, index: usize, value: u64): void {
  store<u64>(elements + 8 * index, value);
}

/** Whether all of `count` encodings are below p: 1 or 0. */
export function canonical64(elements: usize, count: usize): u32 {
  let above: u32 = 0;
  for (let i: usize = 0; i < count; i++) above |= u32(at(elements, i) >= MODULUS);
  return above ^ 1;
}

/** out[i] = a[i] + b[i]; `out` may be `a` or `b`. */
export function add64(out: usize, a: usize, b: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) put(out, i, add(at(a, i), at(b, i)));
}

/** out[i] = a[i] - b[i]; `out` may be `a` or `b`. */
export function subtract64(out: usize, a: usize, b: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) put(out, i, subtract(at(a, i), at(b, i)));
}

/** out[i] = a[i]·b[i]; `out` may be `a` or `b`. */
export function multiply64(out: usize, a: usize, b: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) put(out, i, multiply(at(a, i), at(b, i)));
}

/** The root of unity of order 2^log. */
export function rootOfUnity(log: i32): u64 {
  let root = ROOT;
  for (let i = log; i < ROOT_ORDER_LOG; i++) root = multiply(root, root);
  return root;
}

/** 1/2^log. */
export function inverseOfPower(log: i32): u64 {
  let inverse: u64 = 1;
  for (let i = 0; i < log; i++) inverse = multiply(inverse, HALF);
  return inverse;
}

/** Σ coefficients[i]·elements[i], where elements are `stride` bytes apart. */
@inline
export function dot(coefficients: usize, elements: usize, stride: usize, count: usize): u64 {
  let sum: u64 = 0;
  for (let i: usize = 0; i < count; i++) {
    sum = add(sum, multiply(at(coefficients, i), load<u64>(elements)));
    elements += stride;
  }
  return sum;
}
