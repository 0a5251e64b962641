/** Means, variances and covariances of a regression's variables, from exact sums. */
import { type Rational, toNumber } from '@privacy-edge/dp';
import { type Aggregate, integersOf } from './aggregate.ts';
import { type LinearModel, type Variable, variablesOf } from './linear-model.ts';

/** A square matrix of integers, by rows. */
export type IntegerMatrix = readonly (readonly bigint[])[];

/** A square matrix of numbers, by rows. */
export type Matrix = readonly (readonly number[])[];

/** Exact moments, in steps. Features first, target last. */
export interface LinearMoments {
  readonly variables: readonly Variable[];
  /** How many reports. */
  readonly n: bigint;
  /** Sum of each variable. */
  readonly sums: readonly bigint[];
  /** n times the sum of products, minus the product of sums: n^2 times the covariance, without any rounding. */
  readonly centred: IntegerMatrix;
}

/** One variable, in its own unit. */
export interface VariableSummary {
  readonly name: string;
  /** Null without reports. */
  readonly mean: number | null;
  /** With n - 1; null below two reports, or when noise has made it negative. */
  readonly deviation: number | null;
  /** Standard error of the mean as an estimate for a larger population, without noise; null like `deviation`. */
  readonly standardError: number | null;
}

/** What the sums of a regression tell without any model. Features first, target last, everywhere. */
export interface MomentsSummary {
  readonly variables: readonly VariableSummary[];
  /** With n - 1, in the units of both variables; empty below two reports. */
  readonly covariance: Matrix;
  /** Null where a variable does not vary; empty below two reports. */
  readonly correlation: readonly (readonly (number | null)[])[];
}

/**
 * Reads an aggregate of Prio3LinReg, or of the same numbers in a Prio3SumVec.
 *
 * @param aggregate - sums of all variables, then of products of each variable with itself and all after it
 * @throws {StatisticsError} `RESULT_INVALID`
 */
export function linearMoments(model: LinearModel, aggregate: Aggregate): LinearMoments {
  const variables = variablesOf(model);
  const size = variables.length;
  const totals = integersOf(aggregate, size + (size * (size + 1)) / 2);
  const n = BigInt(aggregate.reports);
  const sums = totals.slice(0, size);
  const centred = sums.map((left, i) =>
    sums.map((right, j) => n * (totals[productIndex(size, i, j)] ?? 0n) - left * right),
  );
  return { variables, n, sums, centred };
}

/**
 * Where the sum of products of two variables stands in the aggregate.
 *
 * @param size - number of variables
 */
export function productIndex(size: number, i: number, j: number): number {
  const [low, high] = i < j ? [i, j] : [j, i];
  return size + low * size - (low * (low - 1)) / 2 + (high - low);
}

/** The moments of some of the features, and of the target. */
export function selectMoments(moments: LinearMoments, features: readonly number[]): LinearMoments {
  const kept = [...features, moments.variables.length - 1];
  const pick = <T>(list: readonly T[]): T[] => kept.flatMap((i) => list.slice(i, i + 1));
  return {
    variables: pick(moments.variables),
    n: moments.n,
    sums: pick(moments.sums),
    centred: pick(moments.centred).map(pick),
  };
}

/** What the moments say about each variable and each pair. */
export function summarise(moments: LinearMoments): MomentsSummary {
  const { variables, n, sums, centred } = moments;
  const several = n > 1n;
  return {
    variables: variables.map((variable, i) => variableSummary(variable, n, sums[i] ?? 0n, centred[i]?.[i] ?? 0n)),
    covariance: several ? centred.map((row, i) => row.map((_, j) => covarianceOf(moments, i, j))) : [],
    correlation: several ? centred.map((row, i) => row.map((_, j) => correlationOf(centred, i, j))) : [],
  };
}

/**
 * Correlation of two variables; the quotient is exact until the root is taken.
 *
 * @returns null when one of them does not vary
 */
export function correlationOf(centred: IntegerMatrix, i: number, j: number): number | null {
  const both = centred[i]?.[j] ?? 0n;
  const spread = (centred[i]?.[i] ?? 0n) * (centred[j]?.[j] ?? 0n);
  if (spread <= 0n || (centred[i]?.[i] ?? 0n) < 0n) return null;
  return i === j ? 1 : Math.sign(Number(both)) * Math.sqrt(ratio(both * both, spread));
}

/**
 * The nearest double to a quotient of integers of any size, with any signs.
 *
 * @param denominator - not zero
 */
export function ratio(numerator: bigint, denominator: bigint): number {
  return toNumber(denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator });
}

function covarianceOf({ variables, n, centred }: LinearMoments, i: number, j: number): number {
  const a = stepOf(variables[i]);
  const b = stepOf(variables[j]);
  return ratio((centred[i]?.[j] ?? 0n) * a.numerator * b.numerator, n * (n - 1n) * a.denominator * b.denominator);
}

function variableSummary(variable: Variable, n: bigint, sum: bigint, centred: bigint): VariableSummary {
  const { name, lo, step } = variable;
  if (n === 0n) return { name, mean: null, deviation: null, standardError: null };
  const scale = n * step.denominator;
  const mean = ratio(lo.numerator * scale + sum * step.numerator * lo.denominator, scale * lo.denominator);
  if (n === 1n || centred < 0n) return { name, mean, deviation: null, standardError: null };
  const deviation = Math.sqrt(ratio(centred * step.numerator ** 2n, n * (n - 1n) * step.denominator ** 2n));
  return { name, mean, deviation, standardError: deviation / Math.sqrt(Number(n)) };
}

function stepOf(variable: Variable | undefined): Rational {
  return variable?.step ?? { numerator: 1n, denominator: 1n };
}
