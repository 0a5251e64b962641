/**
 * Elements of Field255, p = 2²⁵⁵ − 19, in memory: 32 bytes in little-endian order, canonical. No branch depends on a
 * value. Operands may be the result's own memory. VDAF §6.1.4.
 */

/** Bytes of an element. */
export const SIZE: usize = 32;

const TOP: u64 = 0x8000000000000000;

/** 29-bit limbs: nine of them hold 261 bits, and nine products of two fit in 64 bits. */
const LIMB: u64 = 0x1fffffff;

/** 2²⁶¹ mod p. */
const WRAP: u64 = 1216;

/** Stores a number below 2p as an element. */
@inline
function storeReduced(out: usize, x0: u64, x1: u64, x2: u64, x3: u64): void {
  // x + 19 reaches 2²⁵⁵ exactly when x reaches p, and the rest is then x − p.
  const y0 = x0 + 19;
  const y1 = x1 + u64(y0 < x0);
  const y2 = x2 + u64(y1 < x1);
  const y3 = x3 + u64(y2 < x2);
  const above = -(y3 >> 63);
  store<u64>(out, x0 ^ ((x0 ^ y0) & above), 0);
  store<u64>(out, x1 ^ ((x1 ^ y1) & above), 8);
  store<u64>(out, x2 ^ ((x2 ^ y2) & above), 16);
  store<u64>(out, (x3 ^ ((x3 ^ y3) & above)) & ~TOP, 24);
}

export function add(out: usize, a: usize, b: usize): void {
  const a0 = load<u64>(a, 0);
  const a1 = load<u64>(a, 8);
  const a2 = load<u64>(a, 16);
  const x0 = a0 + load<u64>(b, 0);
  const carry0 = u64(x0 < a0);
  const partial1 = a1 + load<u64>(b, 8);
  const x1 = partial1 + carry0;
  const carry1 = u64(partial1 < a1) | u64(x1 < partial1);
  const partial2 = a2 + load<u64>(b, 16);
  const x2 = partial2 + carry1;
  const carry2 = u64(partial2 < a2) | u64(x2 < partial2);
  storeReduced(out, x0, x1, x2, load<u64>(a, 24) + load<u64>(b, 24) + carry2);
}

/** p − a, which is p itself for zero: to be added to something and reduced. */
@inline
function storeComplement(out: usize, a: usize): void {
  const a0 = load<u64>(a, 0);
  const a1 = load<u64>(a, 8);
  const a2 = load<u64>(a, 16);
  // p is all ones but for its lowest byte and its highest bit, so that only the lowest word can borrow.
  const p0: u64 = 0xffffffffffffffed;
  const borrow0 = u64(p0 < a0);
  const x1 = ~a1 - borrow0;
  const borrow1 = borrow0 & u64(a1 == u64.MAX_VALUE);
  const x2 = ~a2 - borrow1;
  const borrow2 = borrow1 & u64(a2 == u64.MAX_VALUE);
  store<u64>(out, p0 - a0, 0);
  store<u64>(out, x1, 8);
  store<u64>(out, x2, 16);
  store<u64>(out, ~TOP - load<u64>(a, 24) - borrow2, 24);
}

const COMPLEMENT: usize = memory.data(32, 16);

export function sub(out: usize, a: usize, b: usize): void {
  storeComplement(COMPLEMENT, b);
  add(out, a, COMPLEMENT);
}

/** Replaces the element by its negative where `choice` is 1, and leaves it where it is 0. */
export function negateIf(a: usize, choice: u64): void {
  storeComplement(COMPLEMENT, a);
  storeReduced(
    COMPLEMENT,
    load<u64>(COMPLEMENT),
    load<u64>(COMPLEMENT, 8),
    load<u64>(COMPLEMENT, 16),
    load<u64>(COMPLEMENT, 24),
  );
  for (let at: usize = 0; at < SIZE; at += 8) {
    const word = load<u64>(a + at);
    store<u64>(a + at, word ^ ((word ^ load<u64>(COMPLEMENT + at)) & -choice));
  }
}

const MASKED: usize = memory.data(32, 16);

/** Adds `b` to the element at `a` where `choice` is 1, and adds zero where it is 0. */
export function addIf(a: usize, b: usize, choice: u64): void {
  for (let at: usize = 0; at < SIZE; at += 8) store<u64>(MASKED + at, load<u64>(b + at) & -choice);
  add(a, a, MASKED);
}

export function mul(out: usize, a: usize, b: usize): void {
  const aw0 = load<u64>(a, 0);
  const aw1 = load<u64>(a, 8);
  const aw2 = load<u64>(a, 16);
  const aw3 = load<u64>(a, 24);
  const a0 = aw0 & LIMB;
  const a1 = (aw0 >> 29) & LIMB;
  const a2 = ((aw0 >> 58) | (aw1 << 6)) & LIMB;
  const a3 = (aw1 >> 23) & LIMB;
  const a4 = ((aw1 >> 52) | (aw2 << 12)) & LIMB;
  const a5 = (aw2 >> 17) & LIMB;
  const a6 = ((aw2 >> 46) | (aw3 << 18)) & LIMB;
  const a7 = (aw3 >> 11) & LIMB;
  const a8 = aw3 >> 40;
  const bw0 = load<u64>(b, 0);
  const bw1 = load<u64>(b, 8);
  const bw2 = load<u64>(b, 16);
  const bw3 = load<u64>(b, 24);
  const b0 = bw0 & LIMB;
  const b1 = (bw0 >> 29) & LIMB;
  const b2 = ((bw0 >> 58) | (bw1 << 6)) & LIMB;
  const b3 = (bw1 >> 23) & LIMB;
  const b4 = ((bw1 >> 52) | (bw2 << 12)) & LIMB;
  const b5 = (bw2 >> 17) & LIMB;
  const b6 = ((bw2 >> 46) | (bw3 << 18)) & LIMB;
  const b7 = (bw3 >> 11) & LIMB;
  const b8 = bw3 >> 40;
  const c0 = a0 * b0;
  let c1 = a0 * b1 + a1 * b0;
  let c2 = a0 * b2 + a1 * b1 + a2 * b0;
  let c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0;
  let c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0;
  let c5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0;
  let c6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0;
  let c7 = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0;
  let c8 = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0;
  let c9 = a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1;
  let c10 = a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2;
  let c11 = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3;
  let c12 = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4;
  let c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5;
  let c14 = a6 * b8 + a7 * b7 + a8 * b6;
  let c15 = a7 * b8 + a8 * b7;
  let c16 = a8 * b8;
  c1 += c0 >> 29;
  c2 += c1 >> 29;
  c3 += c2 >> 29;
  c4 += c3 >> 29;
  c5 += c4 >> 29;
  c6 += c5 >> 29;
  c7 += c6 >> 29;
  c8 += c7 >> 29;
  c9 += c8 >> 29;
  c10 += c9 >> 29;
  c11 += c10 >> 29;
  c12 += c11 >> 29;
  c13 += c12 >> 29;
  c14 += c13 >> 29;
  c15 += c14 >> 29;
  c16 += c15 >> 29;
  const c17 = c16 >> 29;
  let r0 = (c0 & LIMB) + (c9 & LIMB) * WRAP;
  let r1 = (c1 & LIMB) + (c10 & LIMB) * WRAP;
  let r2 = (c2 & LIMB) + (c11 & LIMB) * WRAP;
  let r3 = (c3 & LIMB) + (c12 & LIMB) * WRAP;
  let r4 = (c4 & LIMB) + (c13 & LIMB) * WRAP;
  let r5 = (c5 & LIMB) + (c14 & LIMB) * WRAP;
  let r6 = (c6 & LIMB) + (c15 & LIMB) * WRAP;
  let r7 = (c7 & LIMB) + (c16 & LIMB) * WRAP;
  let r8 = (c8 & LIMB) + c17 * WRAP;
  r1 += r0 >> 29;
  r2 += r1 >> 29;
  r3 += r2 >> 29;
  r4 += r3 >> 29;
  r5 += r4 >> 29;
  r6 += r5 >> 29;
  r7 += r6 >> 29;
  r8 += r7 >> 29;
  r0 &= LIMB;
  r1 &= LIMB;
  r2 &= LIMB;
  r3 &= LIMB;
  r4 &= LIMB;
  r5 &= LIMB;
  r6 &= LIMB;
  r7 &= LIMB;
  // What is above 2²⁵⁵ counts 19 times.
  r0 += (r8 >> 23) * 19;
  r8 &= 0x7fffff;
  r1 += r0 >> 29;
  r0 &= LIMB;
  r2 += r1 >> 29;
  r1 &= LIMB;
  r3 += r2 >> 29;
  r2 &= LIMB;
  r4 += r3 >> 29;
  r3 &= LIMB;
  r5 += r4 >> 29;
  r4 &= LIMB;
  r6 += r5 >> 29;
  r5 &= LIMB;
  r7 += r6 >> 29;
  r6 &= LIMB;
  r8 += r7 >> 29;
  r7 &= LIMB;
  storeReduced(
    out,
    r0 | (r1 << 29) | (r2 << 58),
    (r2 >> 6) | (r3 << 23) | (r4 << 52),
    (r4 >> 12) | (r5 << 17) | (r6 << 46),
    (r6 >> 18) | (r7 << 11) | (r8 << 40),
  );
}

/** Whether the 32 bytes are below p. */
@inline
export function isCanonical(a: usize): bool {
  const x3 = load<u64>(a, 24);
  const ones = load<u64>(a, 8) & load<u64>(a, 16) & (x3 | TOP);
  const reachesModulus = u32(ones == u64.MAX_VALUE) & u32(load<u64>(a) >= 0xffffffffffffffed);
  return !(reachesModulus | u32(x3 >> 63));
}

/** Forgets what is left of the last computation. */
export function wipe(): void {
  memory.fill(COMPLEMENT, 0, SIZE);
  memory.fill(MASKED, 0, SIZE);
}
