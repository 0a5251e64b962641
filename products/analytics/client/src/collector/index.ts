/**
 * The collector of the results, in Node and in a page: its key opens them where it is, and goes nowhere.
 *
 * @example
 * const collector = createCollector(await parseTask(document), { key, token });
 * const { result, reports, noise } = await collector.collect('next');
 */
export { AnalyticsError, type AnalyticsErrorCode, type AnalyticsErrorOptions } from '../analytics-error.ts';
export type { Fetch, Wait } from '../platform.ts';
export {
  type Collected,
  type CollectOptions,
  type Collector,
  createCollector,
} from './collector.ts';
export {
  type CollectorKeyDocument,
  formatCollectorKey,
  generateCollectorKey,
  parseCollectorKey,
} from './collector-key.ts';
export type { NoiseSummary } from './noise-summary.ts';
export type { CollectorEvent, CollectorOptions } from './options.ts';
export {
  type PrefixRoundPorts,
  type PrefixRoundsOptions,
  type PrefixSearch,
  runPrefixRounds,
} from './prefix-rounds-run.ts';
export type { BatchQuery } from './query.ts';
export type { CountResult, PrefixRoundResult, ResultOf } from './read-result.ts';
