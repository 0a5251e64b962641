/** What solving a regression gives, before anything is inferred from it; and the exact way to get it. */
import { exactSweep, type Sweep } from './exact-sweep.ts';
import type { Variable } from './linear-model.ts';
import { type LinearMoments, type Matrix, ratio } from './linear-moments.ts';

/** A solved regression. Units are those of the variables; `sigma^2` is the variance of the residuals. */
export interface Solution {
  /** Of each feature, in target units for each feature unit. */
  readonly coefficients: readonly number[];
  /** Where all features are zero. */
  readonly intercept: number;
  /** Sum of squared residuals. Below zero only with noise. */
  readonly residualSum: number;
  /** Share of the target's variance that is left: 1 - R^2. Null when the target does not vary. */
  readonly unexplained: number | null;
  /** Variance of each coefficient over `sigma^2`. */
  readonly leverage: readonly number[];
  /** Variance of the intercept over `sigma^2`. */
  readonly interceptLeverage: number;
  /** Variance inflation factor of each feature: how much larger the others make the variance of its coefficient. */
  readonly inflation: readonly number[];
  /** Inverse of the features' centred moments, in steps. */
  readonly inverse: Matrix;
}

/** Features up to which everything is exact: 0.4 s for 50 features of 31 bits, 10 s for twice as many. */
export const EXACT_FEATURES = 50;

/**
 * Solves with integers only. Every number of the solution is a quotient of two integers that is rounded once.
 *
 * @param sweep - of the same moments, with every feature swept
 */
export function exactSolution(moments: LinearMoments, sweep: Sweep = exactSweep(moments.centred)): Solution {
  const { variables, n, centred } = moments;
  const { entries, denominator } = sweep;
  const last = variables.length - 1;
  const features = variables.slice(0, last);
  const entry = (i: number, j: number): bigint => entries[i]?.[j] ?? 0n;
  const { numerator: top, denominator: bottom } = stepOf(variables[last]);
  const spread = centred[last]?.[last] ?? 0n;
  return {
    coefficients: features.map(({ step }, i) =>
      ratio(entry(i, last) * top * step.denominator, denominator * bottom * step.numerator),
    ),
    residualSum: ratio(entry(last, last) * top * top, denominator * n * bottom * bottom),
    unexplained: spread === 0n ? null : ratio(entry(last, last), denominator * spread),
    leverage: features.map(({ step }, i) =>
      ratio(-entry(i, i) * n * step.denominator ** 2n, denominator * step.numerator ** 2n),
    ),
    inflation: features.map((_, i) => ratio(-entry(i, i) * (centred[i]?.[i] ?? 0n), denominator)),
    inverse: features.map((_, i) => features.map((__, j) => ratio(-entry(i, j), denominator))),
    ...interceptOf(moments, sweep),
  };
}

/** Mean of each variable in steps above zero of its unit, not above its lower bound: the numerators over one denominator. */
function commonMeans({ variables, n, sums }: LinearMoments): { readonly means: bigint[]; readonly common: bigint } {
  // lo / step of each variable; decimal bounds make small denominators.
  const offsets = variables.map(({ lo, step }) => ({
    numerator: lo.numerator * step.denominator,
    denominator: lo.denominator * step.numerator,
  }));
  const common = offsets.reduce((all, { denominator }) => leastCommonMultiple(all, denominator), 1n);
  const means = offsets.map(
    ({ numerator, denominator }, i) => numerator * (common / denominator) * n + (sums[i] ?? 0n) * common,
  );
  return { means, common: common * n };
}

function interceptOf(moments: LinearMoments, sweep: Sweep): Pick<Solution, 'intercept' | 'interceptLeverage'> {
  const { entries, denominator } = sweep;
  const last = moments.variables.length - 1;
  const { numerator: top, denominator: bottom } = stepOf(moments.variables[last]);
  const { means, common } = commonMeans(moments);
  let explained = 0n;
  let quadratic = 0n;
  for (let i = 0; i < last; i++) {
    const mean = means[i] ?? 0n;
    explained += (entries[i]?.[last] ?? 0n) * mean;
    for (let j = 0; j < last; j++) quadratic -= (entries[i]?.[j] ?? 0n) * mean * (means[j] ?? 0n);
  }
  const rest = (means[last] ?? 0n) * denominator - explained;
  return {
    intercept: ratio(rest * top, denominator * common * bottom),
    // 1/n + n m' C^-1 m, with m the means.
    interceptLeverage: ratio(
      common * common * denominator + quadratic * moments.n * moments.n,
      moments.n * common * common * denominator,
    ),
  };
}

function stepOf(variable: Variable | undefined): Variable['step'] {
  return variable?.step ?? { numerator: 1n, denominator: 1n };
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return (a / x) * b;
}
