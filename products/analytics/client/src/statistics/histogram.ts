/** Histograms on the reading side: counts, shares, error bars, quantiles. */
import { type Aggregate, noiseScale, numbersOf } from './aggregate.ts';
import { type Buckets, bucketCount, type NumberBuckets } from './buckets.ts';
import { StatisticsError } from './statistics-error.ts';

/** One bar. */
export interface HistogramBar {
  readonly label: string;
  /** Boundaries of a number bucket, null at an open end; absent for categories. */
  readonly range?: readonly [low: number | null, high: number | null];
  /** As aggregated; with noise it can be below zero. */
  readonly count: number;
  /** Of all reports; null without reports. */
  readonly share: number | null;
  /** Half of the 95 % interval of the noise in the count; 0 without noise. */
  readonly noiseHalfWidth: number;
  /** Standard error of the share as an estimate for a larger population, noise included; null below two reports. */
  readonly standardError: number | null;
}

/** A histogram. */
export interface HistogramResult {
  readonly kind: 'histogram';
  readonly reports: number;
  readonly bars: readonly HistogramBar[];
}

/** Where a share of all values lies below. */
export interface Quantile {
  /** The share, from 0 to 1. */
  readonly probability: number;
  /** Interpolated within its bucket; null in a bucket without end. */
  readonly value: number | null;
  /** The bucket that holds it for certain, null at an open end. */
  readonly range: readonly [low: number | null, high: number | null];
}

/**
 * Reads an aggregate of Prio3Histogram.
 *
 * @param aggregate - a count for each bucket
 * @throws {StatisticsError} `RESULT_INVALID`
 */
export function histogramOf(buckets: Buckets, aggregate: Aggregate): HistogramResult {
  const counts = numbersOf(aggregate, bucketCount(buckets));
  const { reports } = aggregate;
  const bars = counts.map((count, i): HistogramBar => {
    const noise = noiseScale(aggregate, i);
    const share = reports > 0 ? count / reports : null;
    return {
      ...labelOf(buckets, i),
      count,
      share,
      noiseHalfWidth: noise.halfWidth,
      standardError: share === null ? null : shareError(share, reports, noise.deviation),
    };
  });
  return { kind: 'histogram', reports, bars };
}

/**
 * Standard error of a share: of sampling, and of noise in its count.
 *
 * @param deviation - of the noise, in counts
 * @returns null below two reports
 */
export function shareError(share: number, reports: number, deviation: number): number | null {
  if (reports < 2) return null;
  return Math.hypot(Math.sqrt(Math.max(0, share * (1 - share)) / (reports - 1)), deviation / reports);
}

/**
 * Quantiles, found in the running total and interpolated within a bucket as if its values were spread evenly. Counts
 * that noise has pushed below zero count as zero.
 *
 * @param probabilities - from 0 to 1, for instance 0.5 for the median
 * @returns one for each; none when there is nothing to count
 * @throws {StatisticsError} `RESULT_INVALID` when the buckets are not on a number line, or a probability is out of range
 */
export function quantilesOf({ bars }: HistogramResult, probabilities: readonly number[]): Quantile[] {
  const counts = bars.map((bar) => Math.max(0, bar.count));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (bars.some((bar) => bar.range === undefined) || probabilities.some((p) => !(p >= 0 && p <= 1))) {
    throw new StatisticsError(
      'RESULT_INVALID',
      'Cannot find quantiles: buckets or probabilities are not on a number line',
    );
  }
  if (total === 0) return [];
  return probabilities.map((probability) => quantileAt(bars, counts, probability * total, probability));
}

function quantileAt(
  bars: readonly HistogramBar[],
  counts: readonly number[],
  rank: number,
  probability: number,
): Quantile {
  let below = 0;
  let last = 0;
  for (const [i, count] of counts.entries()) {
    if (count === 0) continue;
    last = i;
    if (below + count >= rank) break;
    below += count;
  }
  const range = bars[last]?.range ?? [null, null];
  const [low, high] = range;
  const part = Math.min(1, Math.max(0, (rank - below) / (counts[last] ?? 1)));
  return { probability, value: low === null || high === null ? null : low + (high - low) * part, range };
}

function labelOf(buckets: Buckets, index: number): Pick<HistogramBar, 'label' | 'range'> {
  if (buckets.kind === 'categories') return { label: buckets.categories[index] ?? '(other)' };
  const range = rangeOf(buckets, index);
  const [low, high] = range;
  if (low === null) return { label: `< ${high}`, range };
  return { label: high === null ? `> ${low}` : `${low} to ${high}`, range };
}

function rangeOf({ boundaries, outside }: NumberBuckets, index: number): [number | null, number | null] {
  const at = outside === 'separate' ? index - 1 : index;
  return [boundaries[at] ?? null, boundaries[at + 1] ?? null];
}
