/**
 * Noise for differential privacy: exact discrete Laplace and Gaussian sampling on integers, after Canonne, Kamath and
 * Steinke, "The Discrete Gaussian for Differential Privacy" (2020).
 *
 * @example
 * const sensitivity = sensitivityOf({ type: 'histogram', length: 100 }, 'substitution');
 * const noise = noiseFor({ kind: 'laplace', epsilon: parseRational('1/2') }, sensitivity);
 * const noisy = addNoiseEncoded(aggregateShare, drawNoise(noise, new RandomBits(seededRandom(seed, context))), field);
 *
 * toSigned(result, field.modulus); // by the collector, once the shares of both are added
 */
export { discreteGaussian } from './discrete-gaussian.ts';
export { discreteLaplace, type NoiseSampler } from './discrete-laplace.ts';
export { DpError, type DpErrorCode } from './dp-error.ts';
export { drawNoise, type Mechanism, type Noise, noiseFor, samplerOf } from './mechanism.ts';
export {
  type Aggregators,
  epsilonOfRho,
  noiseDeviation,
  noiseHalfWidth,
  noiseVariance,
  normalTails,
} from './noise-report.ts';
export { addNoise, addNoiseEncoded, type FieldShape, requireNoiseFits, toSigned } from './noisy-share.ts';
export { RandomBits, type RandomSource } from './random-bits.ts';
export {
  add,
  divide,
  multiply,
  parseRational,
  type Rational,
  rational,
  rationalFrom,
  subtract,
  toNumber,
} from './rational.ts';
export { SEED_SIZE, seededRandom } from './seeded-random.ts';
export { type Adjacency, type MeasuredType, type Sensitivity, sensitivityOf } from './sensitivity.ts';
