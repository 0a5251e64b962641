/**
 * TurboSHAKE128: Keccak-p[1600, 12] and its sponge, for one message or for two of one length at once. RFC 9861 §2.
 *
 * One source serves both: a lane of the state is an `u64`, or the two lanes of a `v128`. The same words are always read
 * and written in the same order, so time depends on lengths alone.
 */
import { STATE } from './scratch';

/** Bytes that one permutation absorbs or gives. */
const RATE: usize = 168;

/** Words of 8 bytes in {@link RATE}. */
export const RATE_WORDS: usize = 21;

/** The last bit of a padded block. */
const PADDING: u64 = 0x8000000000000000;

/** The last twelve round constants of Keccak-f[1600]. */
const ROUND_CONSTANTS: usize = memory.data<u64>([
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
  0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
]);

@inline
function xor<T>(a: T, b: T): T {
  if (isVector<T>()) return v128.xor(a, b);
  return a ^ b;
}

@inline
function xor5<T>(a: T, b: T, c: T, d: T, e: T): T {
  return xor<T>(xor<T>(xor<T>(a, b), xor<T>(c, d)), e);
}

@inline
function rotate<T>(a: T, bits: i32): T {
  if (isVector<T>()) return v128.or(i64x2.shl(a, bits), i64x2.shr_u(a, 64 - bits));
  return rotl<u64>(a, bits);
}

/** `a ^ (~b & c)`. */
@inline
function chi<T>(a: T, b: T, c: T): T {
  if (isVector<T>()) return v128.xor(a, v128.andnot(c, b));
  return a ^ (~b & c);
}

@inline
function constant<T>(round: usize): T {
  if (isVector<T>()) return v128.load64_splat(ROUND_CONSTANTS + 8 * round);
  return load<u64>(ROUND_CONSTANTS + 8 * round);
}

@inline
function lane<T>(index: usize): T {
  return load<T>(STATE + index * sizeof<T>());
}

@inline
function put<T>(index: usize, value: T): void {
  store<T>(STATE + index * sizeof<T>(), value);
}

/** Keccak-p[1600, 12] over the state. */
function permute<T>(): void {
  let a0 = lane<T>(0);
  let a1 = lane<T>(1);
  let a2 = lane<T>(2);
  let a3 = lane<T>(3);
  let a4 = lane<T>(4);
  let a5 = lane<T>(5);
  let a6 = lane<T>(6);
  let a7 = lane<T>(7);
  let a8 = lane<T>(8);
  let a9 = lane<T>(9);
  let a10 = lane<T>(10);
  let a11 = lane<T>(11);
  let a12 = lane<T>(12);
  let a13 = lane<T>(13);
  let a14 = lane<T>(14);
  let a15 = lane<T>(15);
  let a16 = lane<T>(16);
  let a17 = lane<T>(17);
  let a18 = lane<T>(18);
  let a19 = lane<T>(19);
  let a20 = lane<T>(20);
  let a21 = lane<T>(21);
  let a22 = lane<T>(22);
  let a23 = lane<T>(23);
  let a24 = lane<T>(24);
  for (let round: usize = 0; round < 12; round++) {
    const c0 = xor5<T>(a0, a5, a10, a15, a20);
    const c1 = xor5<T>(a1, a6, a11, a16, a21);
    const c2 = xor5<T>(a2, a7, a12, a17, a22);
    const c3 = xor5<T>(a3, a8, a13, a18, a23);
    const c4 = xor5<T>(a4, a9, a14, a19, a24);
    const d0 = xor<T>(c4, rotate<T>(c1, 1));
    const d1 = xor<T>(c0, rotate<T>(c2, 1));
    const d2 = xor<T>(c1, rotate<T>(c3, 1));
    const d3 = xor<T>(c2, rotate<T>(c4, 1));
    const d4 = xor<T>(c3, rotate<T>(c0, 1));
    const b0 = xor<T>(a0, d0);
    const b10 = rotate<T>(xor<T>(a1, d1), 1);
    const b20 = rotate<T>(xor<T>(a2, d2), 62);
    const b5 = rotate<T>(xor<T>(a3, d3), 28);
    const b15 = rotate<T>(xor<T>(a4, d4), 27);
    const b16 = rotate<T>(xor<T>(a5, d0), 36);
    const b1 = rotate<T>(xor<T>(a6, d1), 44);
    const b11 = rotate<T>(xor<T>(a7, d2), 6);
    const b21 = rotate<T>(xor<T>(a8, d3), 55);
    const b6 = rotate<T>(xor<T>(a9, d4), 20);
    const b7 = rotate<T>(xor<T>(a10, d0), 3);
    const b17 = rotate<T>(xor<T>(a11, d1), 10);
    const b2 = rotate<T>(xor<T>(a12, d2), 43);
    const b12 = rotate<T>(xor<T>(a13, d3), 25);
    const b22 = rotate<T>(xor<T>(a14, d4), 39);
    const b23 = rotate<T>(xor<T>(a15, d0), 41);
    const b8 = rotate<T>(xor<T>(a16, d1), 45);
    const b18 = rotate<T>(xor<T>(a17, d2), 15);
    const b3 = rotate<T>(xor<T>(a18, d3), 21);
    const b13 = rotate<T>(xor<T>(a19, d4), 8);
    const b14 = rotate<T>(xor<T>(a20, d0), 18);
    const b24 = rotate<T>(xor<T>(a21, d1), 2);
    const b9 = rotate<T>(xor<T>(a22, d2), 61);
    const b19 = rotate<T>(xor<T>(a23, d3), 56);
    const b4 = rotate<T>(xor<T>(a24, d4), 14);
    a0 = xor<T>(chi<T>(b0, b1, b2), constant<T>(round));
    a1 = chi<T>(b1, b2, b3);
    a2 = chi<T>(b2, b3, b4);
    a3 = chi<T>(b3, b4, b0);
    a4 = chi<T>(b4, b0, b1);
    a5 = chi<T>(b5, b6, b7);
    a6 = chi<T>(b6, b7, b8);
    a7 = chi<T>(b7, b8, b9);
    a8 = chi<T>(b8, b9, b5);
    a9 = chi<T>(b9, b5, b6);
    a10 = chi<T>(b10, b11, b12);
    a11 = chi<T>(b11, b12, b13);
    a12 = chi<T>(b12, b13, b14);
    a13 = chi<T>(b13, b14, b10);
    a14 = chi<T>(b14, b10, b11);
    a15 = chi<T>(b15, b16, b17);
    a16 = chi<T>(b16, b17, b18);
    a17 = chi<T>(b17, b18, b19);
    a18 = chi<T>(b18, b19, b15);
    a19 = chi<T>(b19, b15, b16);
    a20 = chi<T>(b20, b21, b22);
    a21 = chi<T>(b21, b22, b23);
    a22 = chi<T>(b22, b23, b24);
    a23 = chi<T>(b23, b24, b20);
    a24 = chi<T>(b24, b20, b21);
  }
  put<T>(0, a0);
  put<T>(1, a1);
  put<T>(2, a2);
  put<T>(3, a3);
  put<T>(4, a4);
  put<T>(5, a5);
  put<T>(6, a6);
  put<T>(7, a7);
  put<T>(8, a8);
  put<T>(9, a9);
  put<T>(10, a10);
  put<T>(11, a11);
  put<T>(12, a12);
  put<T>(13, a13);
  put<T>(14, a14);
  put<T>(15, a15);
  put<T>(16, a16);
  put<T>(17, a17);
  put<T>(18, a18);
  put<T>(19, a19);
  put<T>(20, a20);
  put<T>(21, a21);
  put<T>(22, a22);
  put<T>(23, a23);
  put<T>(24, a24);
}

/** Adds a word to the state: of one message, or of two. */
@inline
function mix<T>(index: usize, first: u64, second: u64): void {
  if (isVector<T>()) {
    put<T>(index, v128.xor(lane<T>(index), i64x2.replace_lane(i64x2.splat(first), 1, second)));
  } else {
    put<T>(index, lane<T>(index) ^ first);
  }
}

@inline
function mixWords<T>(first: usize, second: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    mix<T>(i, load<u64>(first + 8 * i), isVector<T>() ? load<u64>(second + 8 * i) : 0);
  }
}

/** The last, incomplete word of a message, with the domain byte behind it. */
@inline
function lastWord(message: usize, length: usize, domain: u64): u64 {
  let last: u64 = domain;
  for (let i = length; i > 0; i--) last = (last << 8) | load<u8>(message + i - 1);
  return last;
}

@inline
function clear<T>(): void {
  for (let i: usize = 0; i < 25; i++) {
    if (isVector<T>()) put<T>(i, i64x2.splat(0));
    else put<T>(i, 0);
  }
}

/** Absorbs messages of one length; the first block of output is in the state afterwards. */
@inline
function absorb<T>(first: usize, second: usize, length: usize, domain: u8): void {
  clear<T>();
  while (length >= RATE) {
    mixWords<T>(first, second, RATE_WORDS);
    permute<T>();
    first += RATE;
    second += RATE;
    length -= RATE;
  }
  const words = length >> 3;
  const rest = length & 7;
  mixWords<T>(first, second, words);
  const firstRest = lastWord(first + 8 * words, rest, domain);
  mix<T>(words, firstRest, isVector<T>() ? lastWord(second + 8 * words, rest, domain) : 0);
  mix<T>(RATE_WORDS - 1, PADDING, PADDING);
  permute<T>();
}

/**
 * Starts the stream of one message.
 *
 * @param message - address; need not be aligned
 * @param length - bytes
 * @param domain - the domain separation byte, 1 to 127
 */
export function start(message: usize, length: usize, domain: u8): void {
  absorb<u64>(message, 0, length, domain);
}

/** Starts the streams of two messages of one length. */
export function startPair(first: usize, second: usize, length: usize, domain: u8): void {
  absorb<v128>(first, second, length, domain);
}

/** The word of the stream's block at the given index. */
@inline
export function word(index: usize): u64 {
  return load<u64>(STATE + 8 * index);
}

/** Like {@link word}, of the first stream. */
@inline
export function firstWord(index: usize): u64 {
  return load<u64>(STATE + 16 * index);
}

/** Like {@link word}, of the second stream. */
@inline
export function secondWord(index: usize): u64 {
  return load<u64>(STATE + 16 * index + 8);
}

/** Moves the stream to its next block. */
export function nextBlock(): void {
  permute<u64>();
}

/** Moves both streams to their next block. */
export function nextBlockPair(): void {
  permute<v128>();
}

/**
 * TurboSHAKE128 at once.
 *
 * @param message - address
 * @param length - bytes
 * @param domain - the domain separation byte, 1 to 127
 * @param out - address
 * @param outLength - bytes
 */
export function turboShake128(message: usize, length: usize, domain: u8, out: usize, outLength: usize): void {
  start(message, length, domain);
  while (outLength > RATE) {
    memory.copy(out, STATE, RATE);
    out += RATE;
    outLength -= RATE;
    nextBlock();
  }
  memory.copy(out, STATE, outLength);
}
