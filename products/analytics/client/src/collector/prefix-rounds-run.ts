/** The search for common strings by rounds: each one a histogram task of its own, over reports of its own. */
import {
  type CommonStringsResult,
  commonStringsOf,
  firstRound,
  type PrefixPlan,
  type PrefixState,
} from '../statistics/index.ts';
import type { StatisticOf } from '../task/statistic.ts';
import type { PrefixRoundResult } from './read-result.ts';

/** What a search needs of the world. `R` is what a round is known by, for instance its task. */
export interface PrefixRoundPorts<R> {
  /**
   * Makes a task for a round and gives it to aggregators and clients.
   *
   * @param statistic - of the task
   */
  createRound(statistic: StatisticOf<'prefix-round'>, signal: AbortSignal | undefined): Promise<R>;
  /** Waits until clients have reported, and collects. */
  collect(round: R, signal: AbortSignal | undefined): Promise<PrefixRoundResult>;
  /** Called after each round, with everything that a search can go on from; the place to write it down. */
  save?(state: PrefixState): Promise<void> | void;
}

/** Options of a search. */
export interface PrefixRoundsOptions {
  /** Where an earlier search stopped; default the beginning. */
  readonly state?: PrefixState | undefined;
  /** Ends the search between two rounds, and whatever the ports do with it. */
  readonly signal?: AbortSignal | undefined;
}

/** What a search found. */
export interface PrefixSearch {
  readonly result: CommonStringsResult;
  readonly state: PrefixState;
}

/**
 * Runs round after round until no prefix is left to follow.
 *
 * @throws {StatisticsError} `MAPPING_INVALID` for an unusable plan; whatever the ports throw, when `save` has been called
 *   for all rounds that are done
 */
export async function runPrefixRounds<R>(
  plan: PrefixPlan,
  ports: PrefixRoundPorts<R>,
  { state = firstRound(plan), signal }: PrefixRoundsOptions = {},
): Promise<PrefixSearch> {
  let reached = state;
  while (reached.prefixes.length > 0) {
    signal?.throwIfAborted();
    const { round, prefixes } = reached;
    const created = await ports.createRound({ kind: 'prefix-round', plan, round, prefixes }, signal);
    const { next } = await ports.collect(created, signal);
    reached = {
      ...next,
      found: [...reached.found, ...next.found],
      history: [...reached.history, ...next.history],
    };
    await ports.save?.(reached);
  }
  return { result: commonStringsOf(reached), state: reached };
}
