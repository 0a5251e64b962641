/**
 * AES-128 encryption without any memory access or branch that depends on data. FIPS 197.
 *
 * A byte is kept as two elements of GF(16). GF(256) is GF(16)[t] with t² = t + ν; an element is i·t + j·(t + 1) and is
 * stored as the nibbles (i, k) with k = i + j, so that every table has 16 entries and a lookup is one `swizzle`. With
 * a = 1/ν the nibbles io = 1/(1/i + a/k) + j and jo = 1/(1/j + a/k) + i determine the inverse of the element: it is a
 * linear function of 1/io and 1/jo. The last two tables of each pair hold that function together with the linear part
 * of the S-box, the doubling that MixColumns needs, and the way back into nibbles. Zero has no inverse: its entry is
 * 0x80, which stays out of range for the next `swizzle`, which then gives zero as it should. The constant of the S-box
 * is part of the round keys. The idea is Hamburg's, "Accelerating AES with Vector Permute Instructions", CHES 2009.
 */

/** Nibbles of a byte in its usual form. */
const IN_LOW: usize = memory.data<i8>([0, 16, 2, 18, 100, 116, 102, 118, -60, -44, -58, -42, -96, -80, -94, -78], 16);
const IN_HIGH: usize = memory.data<i8>([0, -61, 93, -98, 67, -128, 30, -35, 94, -99, 3, -64, 29, -34, 64, -125], 16);

/** 1/x and a/x in GF(2)[u]/(u⁴ + u + 1), with ν = u³. */
const INVERSE: usize = memory.data<i8>([-128, 1, 9, 14, 13, 11, 7, 6, 15, 2, 12, 5, 10, 4, 3, 8], 16);
const INVERSE_A: usize = memory.data<i8>([-128, 15, 14, 5, 7, 3, 11, 4, 10, 13, 8, 6, 12, 9, 2, 1], 16);

/** The S-box without its constant, as nibbles; and the same doubled. */
const SUB_I: usize = memory.data<i8>([0, 122, 73, -63, 52, -58, -120, -14, -69, -113, 78, 7, -68, 125, -11, 51], 16);
const SUB_J: usize = memory.data<i8>([0, 11, -64, 46, 104, -115, -18, -27, 37, 77, 99, -93, -122, -88, 70, -53], 16);
const DOUBLE_I: usize = memory.data<i8>([0, -39, -119, 57, -50, -89, -80, 105, -32, 46, 23, -98, 126, 71, -9, 80], 16);
const DOUBLE_J: usize = memory.data<i8>([0, -27, 11, 27, -65, 74, 16, -11, -2, 65, 90, 81, -81, -76, -92, -18], 16);

/** The S-box without its constant, as bytes in their usual form. */
const LAST_I: usize = memory.data<i8>(
  [0, 100, -103, 18, -27, 10, -117, -17, 118, -109, -127, 24, 110, 124, -9, -3],
  16,
);
const LAST_J: usize = memory.data<i8>([0, 123, -80, 61, 103, -111, -115, -10, 70, 33, 28, -84, -22, -41, 90, -53], 16);

/** ShiftRows, followed by no, one, two or three steps down the column. */
const ROWS_0: usize = memory.data<i8>([0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11], 16);
const ROWS_1: usize = memory.data<i8>([5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8, 1, 6, 11, 12], 16);
const ROWS_2: usize = memory.data<i8>([10, 15, 0, 5, 14, 3, 4, 9, 2, 7, 8, 13, 6, 11, 12, 1], 16);
const ROWS_3: usize = memory.data<i8>([15, 0, 5, 10, 3, 4, 9, 14, 7, 8, 13, 2, 11, 12, 1, 6], 16);

/** Bytes of an expanded key: 11 round keys in the form that {@link encryptBlock} takes. */
export const ROUND_KEYS_SIZE: usize = 176;

/** 0x0f in every byte. */
const LOW: usize = memory.data<i8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);

@inline
function lowNibbles(x: v128): v128 {
  return v128.and(x, v128.load(LOW));
}

@inline
function highNibbles(x: v128): v128 {
  return lowNibbles(i16x8.shr_u(x, 4));
}

@inline
function toNibbles(x: v128): v128 {
  return v128.xor(i8x16.swizzle(v128.load(IN_LOW), lowNibbles(x)), i8x16.swizzle(v128.load(IN_HIGH), highNibbles(x)));
}

/** `io` and `jo` share the first half of their computation; the caller splits the nibbles. */
@inline
function half(first: v128, second: v128, ak: v128): v128 {
  return v128.xor(i8x16.swizzle(v128.load(INVERSE), v128.xor(i8x16.swizzle(v128.load(INVERSE), first), ak)), second);
}

@inline
function round(x: v128, key: v128): v128 {
  const i = highNibbles(x);
  const k = lowNibbles(x);
  const j = v128.xor(i, k);
  const ak = i8x16.swizzle(v128.load(INVERSE_A), k);
  const io = half(i, j, ak);
  const jo = half(j, i, ak);
  const once = v128.xor(i8x16.swizzle(v128.load(SUB_I), io), i8x16.swizzle(v128.load(SUB_J), jo));
  const twice = v128.xor(i8x16.swizzle(v128.load(DOUBLE_I), io), i8x16.swizzle(v128.load(DOUBLE_J), jo));
  const thrice = v128.xor(once, twice);
  const left = v128.xor(i8x16.swizzle(twice, v128.load(ROWS_0)), i8x16.swizzle(thrice, v128.load(ROWS_1)));
  const right = v128.xor(i8x16.swizzle(once, v128.load(ROWS_2)), i8x16.swizzle(once, v128.load(ROWS_3)));
  return v128.xor(v128.xor(left, right), key);
}

/** SubBytes without its constant, from nibbles to bytes. */
@inline
function substitute(x: v128): v128 {
  const i = highNibbles(x);
  const k = lowNibbles(x);
  const j = v128.xor(i, k);
  const ak = i8x16.swizzle(v128.load(INVERSE_A), k);
  return v128.xor(i8x16.swizzle(v128.load(LAST_I), half(i, j, ak)), i8x16.swizzle(v128.load(LAST_J), half(j, i, ak)));
}

@inline
function lastRound(x: v128, key: v128): v128 {
  return v128.xor(i8x16.swizzle(substitute(x), v128.load(ROWS_0)), key);
}

@inline
function roundKey(keys: usize, index: usize): v128 {
  return v128.load(keys + index * 16);
}

/** Expands the 16-byte key at `key` into ROUND_KEYS_SIZE bytes at `keys`. */
export function expandKey(key: usize, keys: usize): void {
  let current = v128.load(key);
  v128.store(keys, toNibbles(current));
  let constant: i32 = 1;
  for (let index: usize = 1; index <= 10; index++) {
    // RotWord and SubWord of the last column, in all columns at once; the S-box constant is added here in clear.
    const last = i8x16.swizzle(current, i8x16(13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12));
    const word = v128.xor(substitute(toNibbles(last)), v128.xor(i8x16.splat(0x63), i32x4.splat(constant)));
    // Each column adds all the columns before it.
    const shifted = i32x4.shuffle(current, i32x4.splat(0), 4, 0, 1, 2);
    current = v128.xor(current, shifted);
    current = v128.xor(current, i32x4.shuffle(current, i32x4.splat(0), 4, 4, 0, 1));
    current = v128.xor(current, word);
    constant = (constant << 1) ^ ((constant >> 7) * 0x11b);
    const withConstant = v128.xor(current, i8x16.splat(0x63));
    v128.store(keys + index * 16, index == 10 ? withConstant : toNibbles(withConstant));
  }
}

/** AES-128 of one block. */
@inline
function encryptBlock(block: v128, keys: usize): v128 {
  let x = v128.xor(toNibbles(block), roundKey(keys, 0));
  for (let index: usize = 1; index < 10; index++) x = round(x, roundKey(keys, index));
  return lastRound(x, roundKey(keys, 10));
}

/**
 * Replaces each of the `count` blocks x at `blocks` by AES(x) + x. Four at a time: a single block waits for its own
 * lookups most of the time.
 */
export function hashBlocks(keys: usize, blocks: usize, count: usize): void {
  const end = blocks + count * 16;
  while (blocks + 64 <= end) {
    const key = roundKey(keys, 0);
    let a = v128.xor(toNibbles(v128.load(blocks)), key);
    let b = v128.xor(toNibbles(v128.load(blocks, 16)), key);
    let c = v128.xor(toNibbles(v128.load(blocks, 32)), key);
    let d = v128.xor(toNibbles(v128.load(blocks, 48)), key);
    for (let index: usize = 1; index < 10; index++) {
      const next = roundKey(keys, index);
      a = round(a, next);
      b = round(b, next);
      c = round(c, next);
      d = round(d, next);
    }
    const last = roundKey(keys, 10);
    v128.store(blocks, v128.xor(v128.load(blocks), lastRound(a, last)));
    v128.store(blocks, v128.xor(v128.load(blocks, 16), lastRound(b, last)), 16);
    v128.store(blocks, v128.xor(v128.load(blocks, 32), lastRound(c, last)), 32);
    v128.store(blocks, v128.xor(v128.load(blocks, 48), lastRound(d, last)), 48);
    blocks += 64;
  }
  for (; blocks < end; blocks += 16) {
    const block = v128.load(blocks);
    v128.store(blocks, v128.xor(block, encryptBlock(block, keys)));
  }
}
