/**
 * XofTurboShake128: seeds and field elements out of a stream. VDAF §6.2.1.
 *
 * A message is the whole input of the sponge, which the caller has laid out. Elements are written in their canonical
 * encoding, which is also how they are kept in memory.
 */
import { firstWord, nextBlock, nextBlockPair, RATE_WORDS, secondWord, start, startPair, word } from './stream';

const DOMAIN: u8 = 1;

/** Modulus of Field64. */
const MODULUS_64: u64 = 0xffffffff00000001;

/** High half of the modulus of Field128, whose low half is 1. */
const MODULUS_128_HIGH: u64 = 0xffffffffffffffe4;

@inline
function below64(x: u64): bool {
  return x < MODULUS_64;
}

@inline
function below128(low: u64, high: u64): bool {
  return high < MODULUS_128_HIGH || (high === MODULUS_128_HIGH && low === 0);
}

/** derive_seed: 32 bytes. */
export function seed(message: usize, length: usize, out: usize): void {
  start(message, length, DOMAIN);
  for (let i: usize = 0; i < 4; i++) store<u64>(out + 8 * i, word(i));
}

/** derive_seed for two messages of one length. */
export function seedPair(first: usize, second: usize, length: usize, firstOut: usize, secondOut: usize): void {
  startPair(first, second, length, DOMAIN);
  for (let i: usize = 0; i < 4; i++) {
    store<u64>(firstOut + 8 * i, firstWord(i));
    store<u64>(secondOut + 8 * i, secondWord(i));
  }
}

/**
 * expand_into_vec over Field64. Which words are left out depends on nothing but the uniformly random stream, and says
 * nothing about the elements that are kept.
 *
 * @param count - elements
 */
export function expand64(message: usize, length: usize, out: usize, count: usize): void {
  start(message, length, DOMAIN);
  const end = out + 8 * count;
  for (let at: usize = 0; out < end; at++) {
    if (at === RATE_WORDS) {
      nextBlock();
      at = 0;
    }
    const x = word(at);
    store<u64>(out, x);
    out += 8 * usize(below64(x));
  }
}

/** {@link expand64} for two messages of one length. */
export function expandPair64(
  first: usize,
  second: usize,
  length: usize,
  firstOut: usize,
  secondOut: usize,
  count: usize,
): void {
  startPair(first, second, length, DOMAIN);
  const firstEnd = firstOut + 8 * count;
  const secondEnd = secondOut + 8 * count;
  for (let at: usize = 0; firstOut < firstEnd || secondOut < secondEnd; at++) {
    if (at === RATE_WORDS) {
      nextBlockPair();
      at = 0;
    }
    const x = firstWord(at);
    if (firstOut < firstEnd) {
      store<u64>(firstOut, x);
      firstOut += 8 * usize(below64(x));
    }
    const y = secondWord(at);
    if (secondOut < secondEnd) {
      store<u64>(secondOut, y);
      secondOut += 8 * usize(below64(y));
    }
  }
}

/** expand_into_vec over Field128; see {@link expand64}. */
export function expand128(message: usize, length: usize, out: usize, count: usize): void {
  start(message, length, DOMAIN);
  const end = out + 16 * count;
  let at: usize = 0;
  while (out < end) {
    if (at === RATE_WORDS) {
      nextBlock();
      at = 0;
    }
    const low = word(at++);
    if (at === RATE_WORDS) {
      nextBlock();
      at = 0;
    }
    const high = word(at++);
    store<u64>(out, low);
    store<u64>(out + 8, high);
    out += 16 * usize(below128(low, high));
  }
}

/** {@link expand128} for two messages of one length. */
export function expandPair128(
  first: usize,
  second: usize,
  length: usize,
  firstOut: usize,
  secondOut: usize,
  count: usize,
): void {
  startPair(first, second, length, DOMAIN);
  const firstEnd = firstOut + 16 * count;
  const secondEnd = secondOut + 16 * count;
  let at: usize = 0;
  while (firstOut < firstEnd || secondOut < secondEnd) {
    if (at === RATE_WORDS) {
      nextBlockPair();
      at = 0;
    }
    const x0 = firstWord(at);
    const y0 = secondWord(at);
    at++;
    if (at === RATE_WORDS) {
      nextBlockPair();
      at = 0;
    }
    const x1 = firstWord(at);
    const y1 = secondWord(at);
    at++;
    if (firstOut < firstEnd) {
      store<u64>(firstOut, x0);
      store<u64>(firstOut + 8, x1);
      firstOut += 16 * usize(below128(x0, x1));
    }
    if (secondOut < secondEnd) {
      store<u64>(secondOut, y0);
      store<u64>(secondOut + 8, y1);
      secondOut += 16 * usize(below128(y0, y1));
    }
  }
}
