/**
 * Most common strings that nobody knows beforehand, on any DAP deployment: a descent through the tree of all strings.
 *
 * Each round is a histogram task of its own over other reports: its buckets are the children of the prefixes that were
 * common enough in the round before. Rare strings never have a bucket, so nobody learns them.
 */
import { noiseHalfWidth } from '@privacy-edge/dp';
import { type Aggregate, noiseScale, numbersOf } from './aggregate.ts';
import { type CommonString, type CommonStringsResult, commonString } from './common-strings.ts';
import { branchesOf, endOf, type PathShape, pathOf, requireShape } from './prefix-path.ts';
import { StatisticsError } from './statistics-error.ts';

/** What stays the same over all rounds. Plain data: belongs into what reporters and collectors share. */
export interface PrefixPlan extends PathShape {
  /** Smallest count with which a prefix is followed. */
  readonly minCount: number;
  /** Smallest share of the reports of a round with which a prefix is followed; default 0. */
  readonly minShare?: number | undefined;
  /** Most prefixes that are followed to the next round: the most common ones. */
  readonly maxPrefixes: number;
}

/** What is known before a round. Plain data; reporters of the round need it. */
export interface PrefixState {
  /** Rounds that are done. */
  readonly round: number;
  /** Paths whose children are the buckets of this round; empty when there is nothing left to ask. */
  readonly prefixes: readonly (readonly number[])[];
  /** Whole strings found so far, in the order found. */
  readonly found: readonly CommonString[];
  /** What each round did. */
  readonly history: readonly PrefixRound[];
}

/** One round that is done. */
export interface PrefixRound {
  readonly reports: number;
  readonly buckets: number;
  /** Count that was needed: the plan's, or more where noise reaches as high. */
  readonly threshold: number;
  /** Prefixes that are followed. */
  readonly followed: number;
  /** Prefixes that were common enough and are not followed, because there are too many. */
  readonly cut: number;
}

/** A child that was common enough. */
interface Heavy {
  readonly path: readonly number[];
  readonly index: number;
  readonly count: number;
}

/**
 * The state before the first round.
 *
 * @throws {StatisticsError} `MAPPING_INVALID` when the plan cannot be used
 */
export function firstRound(plan: PrefixPlan): PrefixState {
  requireShape(plan);
  const { minCount, minShare = 0, maxPrefixes } = plan;
  // Without a threshold, every string of one report would be printed.
  if (!(minCount >= 2) || !(minShare >= 0 && minShare <= 1) || !Number.isInteger(maxPrefixes) || maxPrefixes < 1) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use rounds: minCount below 2, or another limit is unusable');
  }
  return { round: 0, prefixes: [[]], found: [], history: [] };
}

/** Buckets of a round: the children of all prefixes, and one for everything else. */
export function roundBuckets(plan: PrefixPlan, state: PrefixState): number {
  return state.prefixes.length * branchesOf(plan) + 1;
}

/**
 * The measurement of a string in a round.
 *
 * @param text - from the application
 * @returns the bucket; the last one when no prefix of this round leads to the string
 */
export function roundBucketOf(plan: PrefixPlan, state: PrefixState, text: string): number {
  const other = roundBuckets(plan, state) - 1;
  const path = pathOf(plan, text);
  if (path === undefined) return other;
  const at = state.prefixes.findIndex((prefix) => prefix.every((symbol, i) => symbol === path[i]));
  const child = path[state.prefixes[at]?.length ?? path.length];
  return child === undefined ? other : at * branchesOf(plan) + child;
}

/**
 * The state after a round: which prefixes are followed, which strings are found.
 *
 * With noise, the threshold is raised to where noise alone would lift one empty bucket in two rounds.
 *
 * @param aggregate - the counts of the round's histogram
 * @throws {StatisticsError} `RESULT_INVALID` when the aggregate is of another round or the descent is over
 */
export function nextRound(plan: PrefixPlan, state: PrefixState, aggregate: Aggregate): PrefixState {
  if (state.prefixes.length === 0) throw new StatisticsError('RESULT_INVALID', 'Cannot go on: all rounds are done');
  const buckets = roundBuckets(plan, state);
  const counts = numbersOf(aggregate, buckets);
  const threshold = thresholdOf(plan, aggregate, buckets);
  const heavy = heavyChildren(plan, state, counts, threshold);
  const found: CommonString[] = [];
  const open: Heavy[] = [];
  for (const child of heavy) {
    const end = endOf(plan, child.path);
    if (end === undefined) open.push(child);
    else if (end !== null) {
      const { deviation, halfWidth } = noiseScale(aggregate, child.index);
      found.push(commonString(end.text, child.count, aggregate.reports, deviation, halfWidth, end.truncated));
    }
  }
  const followed = open.slice(0, plan.maxPrefixes).toSorted((a, b) => a.index - b.index);
  const done: PrefixRound = {
    reports: aggregate.reports,
    buckets,
    threshold,
    followed: followed.length,
    cut: open.length - followed.length,
  };
  return {
    round: state.round + 1,
    prefixes: followed.map((child) => child.path),
    found: [...state.found, ...found],
    history: [...state.history, done],
  };
}

/**
 * What was found, the largest share first: rounds can have different numbers of reports.
 *
 * @param state - after any round
 */
export function commonStringsOf(state: PrefixState): CommonStringsResult {
  const strings = state.found.toSorted((a, b) => (b.share ?? 0) - (a.share ?? 0));
  const reports = state.history.reduce((sum, round) => sum + round.reports, 0);
  return { kind: 'common-strings', reports, strings, other: null };
}

/** Children that reach the threshold, the most common first, equal ones in the order of their buckets. */
function heavyChildren(plan: PrefixPlan, state: PrefixState, counts: readonly number[], threshold: number): Heavy[] {
  const branches = branchesOf(plan);
  const heavy = state.prefixes.flatMap((prefix, at) =>
    counts
      .slice(at * branches, (at + 1) * branches)
      .map((count, child): Heavy => ({ path: [...prefix, child], index: at * branches + child, count }))
      .filter(({ count }) => count >= threshold),
  );
  return heavy.sort((a, b) => b.count - a.count || a.index - b.index);
}

function thresholdOf(plan: PrefixPlan, aggregate: Aggregate, buckets: number): number {
  const noise = aggregate.noise?.[0];
  // Both sides of the interval share one over the number of buckets: the upper one has half of it.
  const reach = noise === undefined ? 0 : noiseHalfWidth(noise, 2, 1 - 1 / buckets);
  return Math.max(plan.minCount, (plan.minShare ?? 0) * aggregate.reports, reach);
}
