/** Which VDAF a statistic is measured with. */
import type { VdafConfiguration } from '@privacy-edge/dap';
import type { VdafConfiguration as VdafChoice } from '@privacy-edge/vdaf';
import {
  bucketCount,
  dictionaryOf,
  flagsOf,
  linearModel,
  type PrefixState,
  roundBuckets,
  scaleOf,
} from '../statistics/index.ts';
import { branchesOf } from '../statistics/prefix-path.ts';
import { invalidTask } from './fields.ts';
import type { PrefixRoundStatistic, Statistic, StatisticKind, StatisticOf } from './statistic.ts';

type Rows = { readonly [K in StatisticKind]: (statistic: StatisticOf<K>) => VdafChoice };

const ROWS: Rows = {
  count: () => ({ kind: 'count' }),
  mean: (statistic) => ({ kind: 'sum', maxMeasurement: scaleOf(statistic).max }),
  histogram: ({ buckets }) => ({ kind: 'histogram', length: bucketCount(buckets) }),
  flags: ({ names, maxWeight }) =>
    maxWeight === undefined
      ? { kind: 'sumVec', length: names.length, maxMeasurement: 1 }
      : { kind: 'multihotCountVec', length: names.length, maxWeight },
  'common-words': ({ words, ignoreCase }) => ({
    kind: 'histogram',
    length: bucketCount(dictionaryOf(words, ignoreCase).buckets),
  }),
  'prefix-round': (statistic) => ({
    kind: 'histogram',
    length: roundBuckets(statistic.plan, prefixStateOf(statistic)),
  }),
  poplar1: (statistic) => ({ kind: 'poplar1', bits: poplar1Bits(statistic) }),
  'linear-regression': ({ features, target }) => {
    const model = linearModel(features, target);
    return { kind: 'linReg', maxValues: [...model.features, model.target].map(({ max }) => max) };
  },
};

/** The state before a round, without what earlier rounds have found: that is not for everybody. */
export function prefixStateOf({ round, prefixes }: PrefixRoundStatistic): PrefixState {
  return { round, prefixes, found: [], history: [] };
}

/** Length of the strings of bits that texts are padded to. */
export function poplar1Bits({ maxBytes }: Pick<StatisticOf<'poplar1'>, 'maxBytes'>): number {
  return 8 * (maxBytes + 1);
}

/** How often a batch has to be collected to get to the end of the strings. */
export function poplar1Rounds(statistic: StatisticOf<'poplar1'>): number {
  return Math.ceil(poplar1Bits(statistic) / statistic.bitsPerRound);
}

/**
 * The VDAF of a statistic; its chunk length is for whoever makes the task to choose.
 *
 * @throws `StatisticsError` `MAPPING_INVALID`
 */
export function vdafOf(statistic: Statistic): VdafChoice {
  // The row of its own kind takes it.
  const row = ROWS[statistic.kind] as (statistic: Statistic) => VdafChoice;
  return row(statistic);
}

/** Whether a task's VDAF measures a statistic. */
export function measures(configuration: VdafConfiguration, statistic: Statistic): boolean {
  const chosen = vdafOf(statistic);
  const has = new Map<string, unknown>(Object.entries(configuration));
  return Object.entries(chosen).every(([name, value]) => String(has.get(name)) === String(value));
}

/**
 * Checks what the mapping functions take for granted.
 *
 * @throws {@link AnalyticsError} `TASK_INVALID`
 * @throws `StatisticsError` `MAPPING_INVALID`
 */
export function requireUsable(statistic: Statistic, path: string): void {
  vdafOf(statistic);
  if (statistic.kind === 'flags') {
    flagsOf(statistic.names, []);
    if ((statistic.maxWeight ?? 1) > statistic.names.length) {
      throw invalidTask(`${path}.maxWeight`, 'is more than there are flags');
    }
  }
  if (statistic.kind === 'prefix-round') requirePrefixes(statistic, `${path}.prefixes`);
}

function requirePrefixes({ plan, round, prefixes }: PrefixRoundStatistic, path: string): void {
  const branches = branchesOf(plan);
  const isFit = prefixes.every((prefix) => prefix.length === round && prefix.every((symbol) => symbol < branches));
  const distinct = new Set(prefixes.map((prefix) => prefix.join())).size === prefixes.length;
  if (prefixes.length === 0 || prefixes.length > plan.maxPrefixes || !isFit || !distinct) {
    throw invalidTask(path, 'are not those of a round');
  }
}
