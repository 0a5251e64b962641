/** The search for common strings with Poplar1: one batch, collected level by level. VDAF §8. */
import { fromUtf8, Reader } from '@privacy-edge/bytes';
import { noiseDeviation, noiseHalfWidth } from '@privacy-edge/dp';
import { firstPrefixes, heavyPrefixes, nextPrefixes, unpadString } from '@privacy-edge/vdaf';
import { AnalyticsError } from '../analytics-error.ts';
import { commonString } from '../statistics/common-strings.ts';
import type { CommonStringsResult } from '../statistics/index.ts';
import type { StatisticOf } from '../task/statistic.ts';
import { poplar1Bits, poplar1Rounds } from '../task/statistic-vdaf.ts';
import type { JoinedShares } from './collector.ts';
import type { CollectorEvent } from './options.ts';

/** What a search gave. */
export interface Search {
  readonly result: CommonStringsResult;
  /** The last collection. */
  readonly last: JoinedShares;
  /** How many there were. */
  readonly rounds: number;
}

/** Counts of a round as they are followed. */
interface Followed {
  readonly counts: readonly bigint[];
  readonly threshold: bigint;
}

/**
 * Goes down the tree of all strings.
 *
 * @param collect - collects the batch with an aggregation parameter
 * @throws what `collect` throws
 */
export async function searchStrings(
  statistic: StatisticOf<'poplar1'>,
  collect: (parameter: Uint8Array) => Promise<JoinedShares>,
  onEvent: (event: CollectorEvent) => void,
): Promise<Search> {
  const bits = poplar1Bits(statistic);
  const rounds = poplar1Rounds(statistic);
  let parameter = firstPrefixes(statistic.bitsPerRound);
  for (let round = 1; ; round++) {
    const last = await collect(parameter);
    requireCounts(last);
    const { counts, threshold } = followedOf(statistic, last);
    const heavy = heavyPrefixes(parameter, counts, threshold);
    onEvent({ type: 'round', round, rounds, followed: heavy.length });
    const next = nextPrefixes(bits, parameter, counts, threshold, statistic.bitsPerRound);
    if (next !== undefined) {
      parameter = next;
      continue;
    }
    const isWhole = levelOf(parameter) === bits - 1;
    return { result: stringsOf(isWhole ? heavy : [], last), last, rounds: round };
  }
}

/** Shares that were not made by honest aggregators add up to anything; without noise no count is above that of reports. */
function requireCounts({ totals, noise, reportCount }: JoinedShares): void {
  if (noise === undefined && totals.some((count) => count < 0n || count > reportCount)) {
    throw new AnalyticsError('RESULT_INVALID', 'Cannot read result: a count is not one of reports');
  }
}

/**
 * The counts with everything below the threshold, and all but the most common prefixes, out of the way. With noise the
 * threshold is where noise alone would lift one empty prefix in two rounds, if that is higher.
 */
function followedOf(statistic: StatisticOf<'poplar1'>, { totals, noise }: JoinedShares): Followed {
  const [first] = noise ?? [];
  const reach = first === undefined || totals.length < 2 ? 0 : noiseHalfWidth(first, 2, 1 - 1 / totals.length);
  const threshold = BigInt(Math.ceil(Math.max(statistic.minCount, reach)));
  const most = totals
    .map((count, index) => ({ count, index }))
    .filter(({ count }) => count >= threshold)
    .sort((a, b) => (a.count === b.count ? a.index - b.index : a.count > b.count ? -1 : 1))
    .slice(0, Math.min(statistic.maxPrefixes, 2 ** (16 - statistic.bitsPerRound)));
  const kept = new Set(most.map(({ index }) => index));
  return { counts: totals.map((count, index) => (kept.has(index) ? count : -1n)), threshold };
}

/** VDAF §8.2.6.6: a parameter begins with its level. */
function levelOf(parameter: Uint8Array): number {
  return new Reader(parameter, 'aggregation parameter').u16();
}

function stringsOf(
  heavy: readonly { readonly prefix: Uint8Array; readonly count: bigint }[],
  { reportCount: reports, noise }: JoinedShares,
): CommonStringsResult {
  const [first] = noise ?? [];
  const deviation = first === undefined ? 0 : noiseDeviation(first);
  const halfWidth = first === undefined ? 0 : noiseHalfWidth(first);
  const strings = heavy.flatMap(({ prefix, count }) => {
    const text = textOf(prefix);
    return text === undefined ? [] : [commonString(text, Number(count), reports, deviation, halfWidth, false)];
  });
  strings.sort((a, b) => b.count - a.count);
  const found = strings.reduce((sum, { count }) => sum + count, 0);
  return { kind: 'common-strings', reports, strings, other: reports - found };
}

/** Clients can report any bits: what is no text is counted among the others. */
function textOf(padded: Uint8Array): string | undefined {
  const bytes = unpadString(padded);
  try {
    return bytes && fromUtf8(bytes);
  } catch {
    return undefined;
  }
}
