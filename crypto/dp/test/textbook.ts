/** The algorithms as the paper prints them, on fractions of big integers, without any care for speed. */
import type { RandomBits } from '../src/random-bits.ts';

function bernoulli(bits: RandomBits, n: bigint, d: bigint): boolean {
  return bits.belowWide(d) < n;
}

function bernoulliExp(bits: RandomBits, n: bigint, d: bigint): boolean {
  if (n > d) return bernoulliExp(bits, 1n, 1n) && bernoulliExp(bits, n - d, d);
  let k = 1n;
  while (bernoulli(bits, n, d * k)) k++;
  return k % 2n === 1n;
}

/** Algorithm 2 with parameters `t` and `s`. */
export function textbookLaplace(bits: RandomBits, t: bigint, s: bigint): bigint {
  for (;;) {
    const u = bits.belowWide(t);
    if (!bernoulliExp(bits, u, t)) continue;
    let v = 0n;
    while (bernoulliExp(bits, 1n, 1n)) v++;
    const y = (u + t * v) / s;
    const negative = bernoulli(bits, 1n, 2n);
    if (negative && y === 0n) continue;
    return negative ? -y : y;
  }
}

/** Algorithm 3 with variance `a / b`; `t` found by counting. */
export function textbookGaussian(bits: RandomBits, a: bigint, b: bigint): bigint {
  let t = 1n;
  while (t * t * b <= a) t++;
  for (;;) {
    const y = textbookLaplace(bits, t, 1n);
    const size = y < 0n ? -y : y;
    const top = size * b * t - a;
    if (bernoulliExp(bits, top * top, 2n * a * b * t * t)) return y;
  }
}

/**
 * Discrete Laplace from the same words as the narrow sampler reads: every comparison of digits is made on an exact
 * fraction that is collected until it is decided.
 */
export function laplaceByWords(words: () => bigint, t: bigint, s: bigint): bigint {
  const below = (bound: bigint): bigint => {
    const count = bound <= 1n << 16n ? 1 : bound <= 1n << 32n ? 2 : 3;
    const range = 1n << BigInt(16 * count);
    for (;;) {
      let value = 0n;
      for (let i = 0; i < count; i++) value = value * 65536n + words();
      if (value < (range / bound) * bound) return value % bound;
    }
  };
  const toss = (n: bigint, d: bigint): boolean => {
    let [low, scale] = [0n, 1n];
    // The uniform number lies within low/scale and (low + 1)/scale.
    while (low * d < n * scale) {
      if ((low + 1n) * d <= n * scale) return true;
      [low, scale] = [low * 65536n + words(), scale * 65536n];
    }
    return false;
  };
  const exponential = (n: bigint, d: bigint): boolean => {
    let k = 1n;
    while (toss(1n, k) && toss(n, d)) k++;
    return k % 2n === 1n;
  };
  for (;;) {
    let u = below(t);
    while (!exponential(u, t)) u = below(t);
    let v = 0n;
    while (exponential(1n, 1n)) v++;
    const y = (u + t * v) / s;
    for (;;) {
      const negative = words() % 2n === 1n;
      if (!negative) return y;
      if (y !== 0n) return -y;
      break;
    }
  }
}
