/** Discrete Gaussian noise. Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy", Algorithm 3. */
import { bernoulliExpWide } from './bernoulli.ts';
import { discreteLaplace, type NoiseSampler } from './discrete-laplace.ts';
import { DpError } from './dp-error.ts';
import { floorSqrt, type Rational, rational } from './rational.ts';

/**
 * The distribution on the integers with probability proportional to `exp(-x^2 / (2 sigma^2))`, sampled exactly.
 *
 * @param sigmaSquared - above zero; the square is what must be rational
 * @throws {DpError} `PARAMETER_INVALID` when it is not above zero
 */
export function discreteGaussian(sigmaSquared: Rational): NoiseSampler {
  const { numerator: a, denominator: b } = sigmaSquared;
  if (a <= 0n) throw new DpError('PARAMETER_INVALID', 'Cannot sample noise: the variance is not above zero');
  const t = floorSqrt(sigmaSquared) + 1n;
  const proposal = discreteLaplace(rational(t));
  // (|y| - sigma^2 / t)^2 / (2 sigma^2) with all fractions cleared.
  const bt = b * t;
  const denominator = 2n * a * bt * t;
  return (bits) => {
    for (;;) {
      const y = proposal(bits);
      const distance = (y < 0n ? -y : y) * bt - a;
      if (bernoulliExpWide(bits, distance * distance, denominator)) return y;
    }
  };
}
