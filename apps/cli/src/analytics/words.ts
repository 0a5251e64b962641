/** Statistics, times and noise in words. */
import type { Statistic, StatisticKind, StatisticOf } from '@privacy-edge/analytics';
import type { NoiseDocument } from '@privacy-edge/analytics/task';

type ScaleWords = Pick<StatisticOf<'mean'>, 'lo' | 'hi' | 'step' | 'outside'>;

type Rows = { readonly [K in StatisticKind]: (statistic: StatisticOf<K>) => string };

const ROWS: Rows = {
  count: () => 'how many say yes',
  mean: (statistic) => `sum and mean of a number ${scaleWords(statistic)}${unitWords(statistic.unit)}`,
  histogram: ({ buckets, unit }) =>
    buckets.kind === 'numbers'
      ? `histogram of a number${unitWords(unit)}, ${buckets.boundaries.length - 1} buckets from ${buckets.boundaries[0]} to ${buckets.boundaries.at(-1)}; values outside: ${buckets.outside}`
      : `histogram of ${buckets.categories.length} categories${buckets.other ? ' and one for all others' : ''}`,
  flags: ({ names, maxWeight }) =>
    `how often each of ${names.length} flags is set${maxWeight === undefined ? '' : `, at most ${maxWeight} in one report`}`,
  'common-words': ({ words, ignoreCase }) =>
    `most common of ${words.length} known words${ignoreCase === true ? ', in any case' : ''}`,
  'prefix-round': ({ plan, round, prefixes }) =>
    `round ${round + 1} of a search for common strings of up to ${plan.maxLength} symbols, below ${prefixes.length} ${prefixes.length === 1 ? 'prefix' : 'prefixes'}`,
  poplar1: ({ maxBytes, minCount }) =>
    `common strings of up to ${maxBytes} bytes that ${minCount} or more report, which nobody has to know before`,
  'linear-regression': ({ features, target }) =>
    `regression of ${target.name} on ${features.map(({ name }) => name).join(', ')}`,
};

/** What a statistic measures, as a phrase. */
export function statisticWords(statistic: Statistic): string {
  // The row of its own kind takes it.
  const row = ROWS[statistic.kind] as (statistic: Statistic) => string;
  return row(statistic);
}

/** Bounds and step of a quantity, as a phrase. */
function scaleWords({ lo, hi, step, outside = 'clip' }: ScaleWords): string {
  const what = outside === 'clip' ? 'count as the nearest bound' : 'are refused';
  return `from ${lo} to ${hi} in steps of ${step}; values outside ${what}`;
}

/** Mechanism, budget and adjacency, as a phrase. */
export function noiseWords({ mechanism, epsilon, rho, adjacency }: NoiseDocument): string {
  const change = adjacency === 'substitution' ? 'another value in one report' : 'one report more or less';
  const budget =
    mechanism === 'laplace' ? `discrete Laplace, epsilon ${epsilon}` : `discrete Gaussian, rho ${rho} (zCDP)`;
  return `${budget}, of each aggregator and for each collection; hides ${change}`;
}

/** A time without its milliseconds. */
export function timeText(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}

/** A number for people: six digits that count, a dash where there is none. */
export function numberText(value: number | null, digits = 6): string {
  if (value === null) return '\u2013';
  // More digits are right before the decimal point, where they are counts.
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
}

/** A share as a percentage. */
export function percentText(share: number | null): string {
  return share === null ? '\u2013' : `${(100 * share).toFixed(1)} %`;
}

/** A p-value. */
export function probabilityText(value: number | null): string {
  if (value === null) return '\u2013';
  return value < 0.0001 ? '< 0.0001' : value.toFixed(4);
}

function unitWords(unit: string | undefined): string {
  return unit === undefined ? '' : ` (${unit})`;
}
