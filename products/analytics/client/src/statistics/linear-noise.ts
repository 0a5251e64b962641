/** What noise in the sums of a regression does to its coefficients. */
import { noiseVariance, toNumber } from '@privacy-edge/dp';
import type { Aggregate } from './aggregate.ts';
import { type LinearMoments, productIndex } from './linear-moments.ts';
import type { Solution } from './linear-solution.ts';
import { meansOf } from './scaled-solution.ts';
import { dot } from './symmetric.ts';

/** How strong the noise is against the data. */
export interface NoiseLevel {
  /** Features whose spread cannot be told from noise. */
  readonly drowned: readonly string[];
  /** How far noise moves eigenvalues of the features' correlations: a bound for the typical case. */
  readonly eigenvalue: number;
}

/** Standard deviations of what noise does to a solution, to first order: valid while noise is small. */
export interface NoiseEffect {
  readonly coefficients: readonly number[];
  readonly intercept: number;
}

/** Deviations of noise that a feature's spread must exceed. */
const CLEAR = 3;

/** Variance of the noise in each coordinate of both aggregators together; undefined without noise. */
export function noiseVariances({ noise }: Aggregate): number[] | undefined {
  const variances = noise?.map((item) => noiseVariance(item));
  return variances?.some((variance) => variance > 0) ? variances : undefined;
}

/**
 * Compares noise with the spread of the features.
 *
 * @param variances - of the noise, in steps
 */
export function noiseLevel(moments: LinearMoments, variances: readonly number[]): NoiseLevel {
  const features = moments.variables.slice(0, -1);
  const spread = (i: number): number => Number(moments.centred[i]?.[i] ?? 0n);
  const drowned = features.filter((_, i) => spread(i) <= CLEAR * Math.sqrt(centredVariance(moments, variances, i, i)));
  const rows = features.map((_, i) =>
    features.reduce((sum, __, j) => sum + centredVariance(moments, variances, i, j) / (spread(i) * spread(j)), 0),
  );
  return { drowned: drowned.map((variable) => variable.name), eigenvalue: 2 * Math.sqrt(Math.max(0, ...rows)) };
}

/**
 * Carries the noise of every sum through to the solution.
 *
 * @param variances - of the noise, in steps
 */
export function noiseEffect(moments: LinearMoments, solution: Solution, variances: readonly number[]): NoiseEffect {
  const { variables } = moments;
  const size = variables.length;
  const last = size - 1;
  const steps = variables.map(({ step }) => toNumber(step));
  const count = Number(moments.n);
  const sums = moments.sums.map(Number);
  // Weights of the residual: one for the target, minus the coefficient for each feature, in steps.
  const weights = variables.map((_, i) =>
    i === last ? 1 : (-(solution.coefficients[i] ?? 0) * (steps[i] ?? 1)) / (steps[last] ?? 1),
  );
  const means = meansOf(moments).map((mean, i) => mean / (steps[i] ?? 1));
  const residual = dot(weights, sums);
  const squares = new Array<number>(last).fill(0);
  let interceptSquare = 0;
  const collect = (gradient: readonly number[], direct: number, variance: number): void => {
    for (const [m, value] of gradient.entries()) squares[m] = (squares[m] ?? 0) + value * value * variance;
    interceptSquare += (direct - dot(gradient, means)) ** 2 * variance;
  };
  for (let a = 0; a < size; a++) {
    const onSum = solution.inverse.map((row) => -(row[a] ?? 0) * residual - (weights[a] ?? 0) * dot(row, sums));
    collect(onSum, (weights[a] ?? 0) / count, variances[a] ?? 0);
    for (let b = a; b < size; b++) {
      const twice = a === b ? 0 : 1;
      const onProduct = solution.inverse.map(
        (row) => count * ((row[a] ?? 0) * (weights[b] ?? 0) + twice * (row[b] ?? 0) * (weights[a] ?? 0)),
      );
      collect(onProduct, 0, variances[productIndex(size, a, b)] ?? 0);
    }
  }
  return {
    coefficients: squares.map((square, i) => (Math.sqrt(square) * (steps[last] ?? 1)) / (steps[i] ?? 1)),
    intercept: Math.sqrt(interceptSquare) * (steps[last] ?? 1),
  };
}

/** Variance that noise gives to a centred moment, to first order. */
function centredVariance(
  { n, sums, variables }: LinearMoments,
  variances: readonly number[],
  i: number,
  j: number,
): number {
  const ofProduct = Number(n) ** 2 * (variances[productIndex(variables.length, i, j)] ?? 0);
  const [left, right] = [Number(sums[i] ?? 0n), Number(sums[j] ?? 0n)];
  if (i === j) return ofProduct + 4 * left * left * (variances[i] ?? 0);
  return ofProduct + left * left * (variances[j] ?? 0) + right * right * (variances[i] ?? 0);
}
