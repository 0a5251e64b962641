/** From a privacy budget to the noise of every coordinate. */
import { discreteGaussian } from './discrete-gaussian.ts';
import { discreteLaplace, type NoiseSampler } from './discrete-laplace.ts';
import { DpError } from './dp-error.ts';
import type { RandomBits } from './random-bits.ts';
import { divide, type Rational, rational } from './rational.ts';
import type { Sensitivity } from './sensitivity.ts';

/**
 * How noise is made, and what it promises about one aggregate share. Each aggregator adds its own, so that the promise
 * holds as long as one of them is honest; the collector sees the sum of both.
 */
export type Mechanism =
  /** Discrete Laplace: epsilon-differential privacy. */
  | { readonly kind: 'laplace'; readonly epsilon: Rational }
  /** Discrete Gaussian: rho-zero-concentrated differential privacy. */
  | { readonly kind: 'gaussian'; readonly rho: Rational };

/** Distribution of the noise of one coordinate, of one aggregator. */
export type Noise =
  /** Probability of x in proportion to `exp(-|x| / scale)`. */
  | { readonly kind: 'laplace'; readonly scale: Rational }
  /** Probability of x in proportion to `exp(-x^2 / (2 sigmaSquared))`. */
  | { readonly kind: 'gaussian'; readonly sigmaSquared: Rational };

/**
 * The distribution of each coordinate's noise: `length` entries.
 *
 * @throws {DpError} `PARAMETER_INVALID` when the budget is not above zero
 */
export function noiseFor(mechanism: Mechanism, sensitivity: Sensitivity): Noise[] {
  const { length, units } = sensitivity;
  if (units !== undefined) return units.map((unit) => coordinateNoise(mechanism, sensitivity, unit));
  // One object for all: a sampler is prepared once for each.
  return new Array<Noise>(length).fill(coordinateNoise(mechanism, sensitivity, 1n));
}

/**
 * Draws a vector of noise, one integer for each distribution, in order.
 *
 * The same bits give the same noise as long as this package does not change how it samples; to repeat an answer for
 * ever, keep the answer.
 */
export function drawNoise(noise: readonly Noise[], bits: RandomBits): bigint[] {
  const samplers = new Map<Noise, NoiseSampler>();
  return noise.map((item) => {
    let sampler = samplers.get(item);
    if (sampler === undefined) {
      sampler = samplerOf(item);
      samplers.set(item, sampler);
    }
    return sampler(bits);
  });
}

/** Draws one integer of a distribution at each call. */
export function samplerOf(noise: Noise): NoiseSampler {
  return noise.kind === 'laplace' ? discreteLaplace(noise.scale) : discreteGaussian(noise.sigmaSquared);
}

function coordinateNoise(mechanism: Mechanism, { l1, l2Squared }: Sensitivity, unit: bigint): Noise {
  const budget = mechanism.kind === 'laplace' ? mechanism.epsilon : mechanism.rho;
  if (budget.numerator <= 0n) {
    throw new DpError('PARAMETER_INVALID', 'Cannot choose noise: the budget is not above zero');
  }
  return mechanism.kind === 'laplace'
    ? { kind: 'laplace', scale: divide(rational(l1 * unit), budget) }
    : { kind: 'gaussian', sigmaSquared: divide(rational(l2Squared * unit * unit, 2n), budget) };
}
