/** What a collector gets, as far as every statistic is concerned. */
import { type Noise, noiseDeviation, noiseHalfWidth } from '@privacy-edge/dp';
import { StatisticsError } from './statistics-error.ts';

/** Coordinates of an aggregate, signed where noise was added. */
export type Totals = readonly (number | bigint)[];

/** An aggregate with what is known about it. */
export interface Aggregate {
  /** One number for each coordinate; signed, see `toSigned`. */
  readonly totals: Totals;
  /** How many reports are in it; told by the leader. */
  readonly reports: number;
  /** Noise of one aggregator for each coordinate, when the task has noise; both add their own. */
  readonly noise?: readonly Noise[] | undefined;
}

/** Noise of one coordinate for people, in counts; zeros without noise. */
export interface NoiseScale {
  /** Standard deviation. */
  readonly deviation: number;
  /** Half of an interval that holds the value without noise with 95 % confidence. */
  readonly halfWidth: number;
}

/** Two-sided 95 % point of the normal distribution. */
export const NORMAL_95 = 1.959963984540054;

/**
 * Coordinates as numbers.
 *
 * @param length - how many the statistic has
 * @throws {StatisticsError} `RESULT_INVALID` when there are more or fewer, or the number of reports is no count
 */
export function numbersOf(aggregate: Aggregate, length: number): number[] {
  requireShape(aggregate, length);
  return aggregate.totals.map(Number);
}

/**
 * Coordinates as integers.
 *
 * @param length - how many the statistic has
 * @throws {StatisticsError} `RESULT_INVALID` when there are more or fewer, or the number of reports is no count
 */
export function integersOf(aggregate: Aggregate, length: number): bigint[] {
  requireShape(aggregate, length);
  return aggregate.totals.map(BigInt);
}

/** The noise of coordinate `index`, both aggregators together. */
export function noiseScale(aggregate: Aggregate, index: number): NoiseScale {
  const noise = aggregate.noise?.[index];
  if (noise === undefined) return { deviation: 0, halfWidth: 0 };
  return { deviation: noiseDeviation(noise), halfWidth: noiseHalfWidth(noise) };
}

function requireShape({ totals, reports, noise }: Aggregate, length: number): void {
  if (totals.length !== length || (noise !== undefined && noise.length !== length)) {
    throw new StatisticsError('RESULT_INVALID', `Cannot read aggregate: it does not have ${length} coordinates`);
  }
  const whole = totals.every((total) => typeof total === 'bigint' || Number.isSafeInteger(total));
  if (!whole || !Number.isSafeInteger(reports) || reports < 0) {
    throw new StatisticsError(
      'RESULT_INVALID',
      'Cannot read aggregate: a total or the number of reports is no integer',
    );
  }
}
