/** Discrete Laplace noise. Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy", Algorithm 2. */
import { bernoulliExp, bernoulliExpWide, geometricExp, NARROW_LIMIT } from './bernoulli.ts';
import { DpError } from './dp-error.ts';
import type { RandomBits } from './random-bits.ts';
import type { Rational } from './rational.ts';

/**
 * Draws one integer of noise.
 *
 * How long it takes depends on what it draws. Whoever can time single draws learns about the noise; draw whole vectors,
 * before the answer they belong to is due.
 */
export type NoiseSampler = (bits: RandomBits) => bigint;

/** Runs of whole scales beyond which doubles would not hold a draw; reached with probability `exp(-32768)`. */
const LONG_RUN = 0x8000;

/**
 * The distribution on the integers with probability proportional to `exp(-|x| / scale)`, sampled exactly.
 *
 * @param scale - above zero
 * @throws {DpError} `PARAMETER_INVALID` when it is not
 */
export function discreteLaplace(scale: Rational): NoiseSampler {
  if (scale.numerator <= 0n) throw new DpError('PARAMETER_INVALID', 'Cannot sample noise: the scale is not above zero');
  const magnitude =
    scale.numerator <= NARROW_LIMIT && scale.denominator <= NARROW_LIMIT
      ? narrowMagnitude(Number(scale.numerator), Number(scale.denominator))
      : wideMagnitude(scale.numerator, scale.denominator);
  return (bits) => {
    for (;;) {
      const size = magnitude(bits);
      const negative = bits.coin();
      // Minus zero is zero drawn twice as often as it should be.
      if (!negative) return size;
      if (size !== 0n) return -size;
    }
  };
}

/** Geometric on 0, 1, 2, ... with ratio `exp(-s/t)`: a geometric with ratio `exp(-1/t)`, of which `s` make one. */
function narrowMagnitude(t: number, s: number): NoiseSampler {
  return (bits) => {
    let low = bits.below(t);
    while (!bernoulliExp(bits, low, t)) low = bits.below(t);
    const runs = geometricExp(bits);
    if (runs >= LONG_RUN) return (BigInt(low) + BigInt(t) * BigInt(runs)) / BigInt(s);
    const x = low + t * runs;
    return BigInt((x - (x % s)) / s);
  };
}

function wideMagnitude(t: bigint, s: bigint): NoiseSampler {
  return (bits) => {
    let low = bits.belowWide(t);
    while (!bernoulliExpWide(bits, low, t)) low = bits.belowWide(t);
    return (low + t * BigInt(geometricExp(bits))) / s;
  };
}
