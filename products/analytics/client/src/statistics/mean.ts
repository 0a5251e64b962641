/** Sums and means of a bounded quantity. */
import { type Aggregate, NORMAL_95, noiseScale, numbersOf } from './aggregate.ts';
import { fromSteps, type Scale } from './scale.ts';

/** A mean. All numbers in the unit of the quantity. */
export interface MeanResult {
  readonly kind: 'mean';
  readonly reports: number;
  /** Sum of all values as they were rounded. */
  readonly sum: number;
  /** Null without reports. */
  readonly mean: number | null;
  /**
   * Standard error of the mean as an estimate for a larger population: at most this, since a sum does not tell the
   * spread. Exact for a quantity with two values. Null for fewer than two reports.
   */
  readonly standardErrorAtMost: number | null;
  /** Standard deviation of the noise in the mean; 0 without noise. */
  readonly noiseDeviation: number | null;
  /** Half of the 95 % interval of the noise in the mean: how far the mean of these reports may be off. */
  readonly noiseHalfWidth: number | null;
  /** 95 % interval for the mean of a larger population, noise included, from the bounds above. */
  readonly interval: readonly [low: number, high: number] | null;
}

/**
 * Reads an aggregate of Prio3Sum over steps of a scale.
 *
 * @param aggregate - one coordinate
 * @throws {StatisticsError} `RESULT_INVALID`
 */
export function meanOf(scale: Scale, aggregate: Aggregate): MeanResult {
  const [total = 0] = numbersOf(aggregate, 1);
  return meanOfTotal(scale, aggregate, total, 0);
}

/**
 * Reads an aggregate of Prio3SumVec in which each coordinate is a quantity of its own.
 *
 * @param scales - one for each coordinate
 * @throws {StatisticsError} `RESULT_INVALID`
 */
export function meansOf(scales: readonly Scale[], aggregate: Aggregate): MeanResult[] {
  const totals = numbersOf(aggregate, scales.length);
  return scales.map((scale, i) => meanOfTotal(scale, aggregate, totals[i] ?? 0, i));
}

function meanOfTotal(scale: Scale, aggregate: Aggregate, total: number, index: number): MeanResult {
  const { reports } = aggregate;
  const lo = fromSteps(scale, 0);
  const step = Number(scale.step.numerator) / Number(scale.step.denominator);
  const sum = lo * reports + step * total;
  const base = { kind: 'mean', reports, sum } as const;
  if (reports === 0) {
    return {
      ...base,
      mean: null,
      standardErrorAtMost: null,
      noiseDeviation: null,
      noiseHalfWidth: null,
      interval: null,
    };
  }
  const steps = total / reports;
  const mean = fromSteps(scale, steps);
  const noise = noiseScale(aggregate, index);
  const noiseDeviation = (noise.deviation * step) / reports;
  const noiseHalfWidth = (noise.halfWidth * step) / reports;
  // Of all values within bounds that have this mean, those on the bounds spread the most.
  const spread = step * Math.sqrt(Math.max(0, steps * (scale.max - steps)));
  const standardErrorAtMost = reports > 1 ? spread / Math.sqrt(reports - 1) : null;
  const reach = standardErrorAtMost === null ? null : Math.hypot(NORMAL_95 * standardErrorAtMost, noiseHalfWidth);
  const interval = reach === null ? null : ([mean - reach, mean + reach] as const);
  return { ...base, mean, standardErrorAtMost, noiseDeviation, noiseHalfWidth, interval };
}
