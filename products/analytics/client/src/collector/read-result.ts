/** From an aggregate to the result of a statistic. */
import { AnalyticsError } from '../analytics-error.ts';
import {
  type Aggregate,
  type CommonStringsResult,
  commonWordsOf,
  dictionaryOf,
  type FlagCount,
  type FlagsResult,
  fitLinear,
  flagCountsOf,
  type HistogramResult,
  histogramOf,
  type LinearFit,
  type LinearFitOptions,
  linearModel,
  type MeanResult,
  meanOf,
  nextRound,
  type PrefixState,
  scaleOf,
} from '../statistics/index.ts';
import { StatisticsError } from '../statistics/statistics-error.ts';
import type { Statistic, StatisticKind, StatisticOf } from '../task/statistic.ts';
import { prefixStateOf } from '../task/statistic-vdaf.ts';

/** How many said yes. */
export interface CountResult extends Omit<FlagCount, 'name'> {
  readonly kind: 'count';
  readonly reports: number;
}

/** What one round of a search for common strings found. */
export interface PrefixRoundResult {
  readonly kind: 'prefix-round';
  readonly reports: number;
  /** The state after a search of this round alone: what was found in it, and which prefixes to follow. */
  readonly next: PrefixState;
}

interface Results {
  readonly count: CountResult;
  readonly mean: MeanResult;
  readonly histogram: HistogramResult;
  readonly flags: FlagsResult;
  readonly 'common-words': CommonStringsResult;
  readonly 'prefix-round': PrefixRoundResult;
  readonly poplar1: CommonStringsResult;
  readonly 'linear-regression': LinearFit;
}

/** What a collector of a statistic gets. Plain data that JSON can hold. */
export type ResultOf<S extends Statistic> = Results[S['kind']];

/** A statistic that one aggregate is enough for. */
export type OneShotStatistic = Exclude<Statistic, { readonly kind: 'poplar1' }>;

type Rows = {
  readonly [K in Exclude<StatisticKind, 'poplar1'>]: (
    statistic: StatisticOf<K>,
    aggregate: Aggregate,
    fit: LinearFitOptions,
  ) => Results[K];
};

const ROWS: Rows = {
  count: (_statistic, aggregate) => countOf(aggregate),
  mean: (statistic, aggregate) => meanOf(scaleOf(statistic), aggregate),
  histogram: ({ buckets }, aggregate) => histogramOf(buckets, aggregate),
  flags: ({ names }, aggregate) => flagCountsOf(names, aggregate),
  'common-words': ({ words, ignoreCase }, aggregate) => commonWordsOf(dictionaryOf(words, ignoreCase), aggregate),
  'prefix-round': (statistic, aggregate) => ({
    kind: 'prefix-round',
    reports: aggregate.reports,
    next: nextRound(statistic.plan, prefixStateOf(statistic), aggregate),
  }),
  'linear-regression': ({ features, target }, aggregate, fit) =>
    fitLinear(linearModel(features, target), aggregate, fit),
};

/**
 * Reads an aggregate.
 *
 * @throws {@link AnalyticsError} `RESULT_INVALID`
 */
export function readResult<S extends OneShotStatistic>(
  statistic: S,
  aggregate: Aggregate,
  fit: LinearFitOptions,
): ResultOf<S> {
  // Shares that were not made by honest aggregators add up to anything; without noise nothing is below zero.
  if (aggregate.noise === undefined && aggregate.totals.some((total) => total < 0)) {
    throw new AnalyticsError('RESULT_INVALID', 'Cannot read result: a sum is negative');
  }
  // The row of its own kind takes it.
  const row = ROWS[statistic.kind] as (
    statistic: OneShotStatistic,
    aggregate: Aggregate,
    fit: LinearFitOptions,
  ) => ResultOf<S>;
  try {
    return row(statistic, aggregate, fit);
  } catch (cause) {
    if (!(cause instanceof StatisticsError)) throw cause;
    throw new AnalyticsError('RESULT_INVALID', cause.message, { cause });
  }
}

/** One flag. */
function countOf(aggregate: Aggregate): CountResult {
  const [flag] = flagCountsOf(['yes'], aggregate).flags;
  const { count = 0, share = null, noiseHalfWidth = 0, standardError = null } = flag ?? {};
  return { kind: 'count', reports: aggregate.reports, count, share, noiseHalfWidth, standardError };
}
