/** Solving a regression with doubles: for very many features, and where noise has to be repaired first. */
import { toNumber } from '@privacy-edge/dp';
import { correlationOf, type LinearMoments, type Matrix, ratio } from './linear-moments.ts';
import type { Solution } from './linear-solution.ts';
import { dot, eigenOf, fromEigen, invertPositive, times } from './symmetric.ts';

/** How features' correlations that noise has made impossible, or next to it, are made possible again. */
export type Repair = 'ridge' | 'clip';

/** Correlations of the features, by rows; 0 where one does not vary. */
export function featureCorrelations({ centred, variables }: LinearMoments): number[][] {
  const features = variables.slice(0, -1);
  return features.map((_, i) => features.map((__, j) => correlationOf(centred, i, j) ?? 0));
}

/**
 * Lifts all eigenvalues to a floor: by adding the same to each (ridge), or only those below it (clip).
 *
 * @param correlations - symmetric
 */
export function repaired(correlations: Matrix, floor: number, how: Repair): number[][] {
  const { values, vectors } = eigenOf(correlations);
  const lift = Math.max(0, floor - (values.at(-1) ?? 0));
  if (how === 'ridge') return correlations.map((row, i) => row.map((value, j) => (i === j ? value + lift : value)));
  return fromEigen(
    values.map((value) => Math.max(floor, value)),
    vectors,
  );
}

/**
 * Solves with the correlations of all variables, so that their units do not matter.
 *
 * @param correlations - of the features; may be repaired
 * @returns undefined when they are not positive definite
 */
export function scaledSolution(moments: LinearMoments, correlations: Matrix): Solution | undefined {
  const { variables, n, centred } = moments;
  const inverse = invertPositive(correlations);
  if (inverse === undefined) return undefined;
  const last = variables.length - 1;
  const spreads = centred.map((row, i) => Math.sqrt(Math.max(0, Number(row[i] ?? 0n))));
  const steps = variables.map(({ step }) => toNumber(step));
  const targetSpread = spreads[last] ?? 0;
  const withTarget = correlations.map((_, i) => correlationOf(centred, i, last) ?? 0);
  const standardised = times(inverse, withTarget);
  const inSteps = standardised.map((value, i) => (value * targetSpread) / (spreads[i] ?? 1));
  // Holds for repaired correlations too, where the shorter 1 - b.r does not.
  const unrepaired = featureCorrelations(moments);
  const left = 1 - 2 * dot(standardised, withTarget) + dot(standardised, times(unrepaired, standardised));
  const targetStep = steps[last] ?? 1;
  const coefficients = inSteps.map((value, i) => (value * targetStep) / (steps[i] ?? 1));
  const means = meansOf(moments);
  const featureMeans = means.slice(0, last);
  const inverseInSteps = inverse.map((row, i) =>
    row.map((value, j) => value / ((spreads[i] ?? 1) * (spreads[j] ?? 1))),
  );
  const count = Number(n);
  const scaledMeans = featureMeans.map((mean, i) => mean / (steps[i] ?? 1));
  return {
    coefficients,
    intercept: (means[last] ?? 0) - dot(coefficients, featureMeans),
    residualSum: (left * targetSpread * targetSpread * targetStep * targetStep) / count,
    unexplained: targetSpread === 0 ? null : left,
    leverage: inverseInSteps.map((row, i) => (count * (row[i] ?? 0)) / (steps[i] ?? 1) ** 2),
    interceptLeverage: 1 / count + count * dot(scaledMeans, times(inverseInSteps, scaledMeans)),
    inflation: inverse.map((row, i) => row[i] ?? 0),
    inverse: inverseInSteps,
  };
}

/** Mean of each variable in its own unit. */
export function meansOf({ variables, n, sums }: LinearMoments): number[] {
  return variables.map(({ lo, step }, i) => {
    const scale = n * step.denominator;
    return ratio(lo.numerator * scale + (sums[i] ?? 0n) * step.numerator * lo.denominator, scale * lo.denominator);
  });
}
