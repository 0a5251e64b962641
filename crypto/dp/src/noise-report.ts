/**
 * What noise means for people who read results. Everything here is rounded and shown; nothing here is used to sample.
 */
import type { Noise } from './mechanism.ts';
import { type Rational, toNumber } from './rational.ts';

/** How many aggregators have added noise independently: the share of one, or the result of both. */
export type Aggregators = 1 | 2;

/**
 * Variance of the noise in one coordinate.
 *
 * @param noise - of one aggregator
 */
export function noiseVariance(noise: Noise, aggregators: Aggregators = 2): number {
  return aggregators * (noise.kind === 'laplace' ? laplaceVariance(noise.scale) : gaussianVariance(noise.sigmaSquared));
}

/** Standard deviation of the noise in one coordinate, for an error bar of one sigma. */
export function noiseDeviation(noise: Noise, aggregators: Aggregators = 2): number {
  return Math.sqrt(noiseVariance(noise, aggregators));
}

/**
 * Half of the width of an interval around a noisy coordinate that holds the value without noise.
 *
 * Takes the noise as continuous, which is off by less than one. Laplace noise has longer tails than a normal
 * distribution with the same deviation, and the sum of two is no Laplace distribution; both are taken into account.
 *
 * @param confidence - between 0 and 1, default 0.95
 * @throws RangeError when it is not
 */
export function noiseHalfWidth(noise: Noise, aggregators: Aggregators = 2, confidence = 0.95): number {
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError('Cannot find interval: confidence is not within 0 and 1');
  const outside = 1 - confidence;
  if (noise.kind === 'gaussian') {
    return noiseDeviation(noise, aggregators) * solve((x) => normalTails(x), outside);
  }
  const scale = toNumber(noise.scale);
  // P(|x| > s scale) is exp(-s) for one, (1 + s/2) exp(-s) for the sum of two.
  return aggregators === 1 ? -scale * Math.log(outside) : scale * solve((s) => (1 + s / 2) * Math.exp(-s), outside);
}

/**
 * Epsilon that rho-zero-concentrated differential privacy implies together with delta. Canonne, Kamath and Steinke,
 * "The Discrete Gaussian for Differential Privacy", Corollary 13, minimised over the order.
 *
 * @param rho - above zero
 * @param delta - above 0 and below 1; should be well below one over the number of people
 * @throws RangeError when one of them is not
 */
export function epsilonOfRho(rho: number, delta: number): number {
  if (!(rho > 0 && Number.isFinite(rho) && delta > 0 && delta < 1)) {
    throw new RangeError('Cannot convert budget: rho must be above 0, delta within 0 and 1');
  }
  const epsilon = (logExcess: number): number => {
    const excess = Math.exp(logExcess);
    const alpha = 1 + excess;
    return rho * alpha + (Math.log(1 / delta) - Math.log(alpha)) / excess + Math.log(excess / alpha);
  };
  // One minimum over the order; the search runs over its logarithm, since orders differ by magnitudes.
  let [low, high] = [-20, 40];
  for (let i = 0; i < 200; i++) {
    const third = (high - low) / 3;
    if (epsilon(low + third) < epsilon(high - third)) high -= third;
    else low += third;
  }
  return Math.max(0, epsilon((low + high) / 2));
}

function laplaceVariance(scale: Rational): number {
  const half = 1 / (2 * toNumber(scale));
  return half > 300 ? 0 : 1 / (2 * Math.sinh(half) ** 2);
}

/** Equal to the parameter as soon as that is above a few; below, the sum over the integers. */
function gaussianVariance(sigmaSquared: Rational): number {
  const parameter = toNumber(sigmaSquared);
  if (parameter > 16) return parameter;
  let [mass, square] = [1, 0];
  for (let x = 1; x < 64; x++) {
    const weight = 2 * Math.exp((-x * x) / (2 * parameter));
    mass += weight;
    square += x * x * weight;
  }
  return square / mass;
}

/**
 * Probability that a normal variable is more than `x` deviations off, on either side.
 *
 * @param x - at least 0
 */
export function normalTails(x: number): number {
  const half = (x * x) / 2;
  // The series near the middle, the continued fraction in the tails.
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let k = 1; k < 60; k++) {
      term *= (-half * (2 * k - 1)) / (k * (2 * k + 1));
      sum += term;
    }
    return 1 - sum * Math.sqrt(2 / Math.PI);
  }
  let fraction = x;
  for (let k = 60; k > 0; k--) fraction = x + k / fraction;
  return (Math.sqrt(2 / Math.PI) * Math.exp(-half)) / fraction;
}

/** Where a falling function of a positive number reaches a value. */
function solve(falling: (x: number) => number, value: number): number {
  let [low, high] = [0, 1];
  while (falling(high) > value) high *= 2;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (falling(middle) > value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
