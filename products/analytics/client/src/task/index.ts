/**
 * Tasks: what is measured, by whom, under which promises. One document that everybody joins with, and one for each party
 * with its secrets.
 *
 * @example
 * const key = await generateCollectorKey();
 * const task = await createPrivateTask(
 *   {
 *     title: 'Reading time',
 *     statistic: { kind: 'mean', lo: 0, hi: 60, step: 0.5, unit: 'min' },
 *     leader: 'https://leader.example/dap',
 *     helper: 'https://helper.example',
 *     collectorConfig: key.config,
 *     minBatchSize: 100,
 *   },
 *   systemRandom,
 * );
 * const documents = splitTask(task, createTaskSecrets(task, systemRandom));
 * await publish(JSON.stringify(documents.public, null, 2));
 */
export { type DpParameters, type HpkeConfig, type HpkeKey, type RandomSource, systemRandom } from '@privacy-edge/dap';
export { AnalyticsError, type AnalyticsErrorCode, type AnalyticsErrorOptions } from '../analytics-error.ts';
export type { HpkeConfigDocument } from './hpke-document.ts';
export type { BatchMode, IntervalDocument, NoiseDocument, ParametersDocument } from './parameters-document.ts';
export { createPrivateTask, type PrivateTask, type PrivateTaskOptions, taskOf } from './private-task.ts';
export {
  type CollectorDocument,
  type CollectorTask,
  createTaskSecrets,
  type HelperDocument,
  type HelperTask,
  type LeaderDocument,
  type LeaderTask,
  parseCollectorTask,
  parseHelperTask,
  parseLeaderTask,
  type SplitTask,
  splitTask,
  type TaskSecrets,
} from './split-task.ts';
export type {
  CommonWordsStatistic,
  CountStatistic,
  FlagsStatistic,
  HistogramStatistic,
  LinearRegressionStatistic,
  MeanStatistic,
  Poplar1Statistic,
  PrefixRoundStatistic,
  Statistic,
  StatisticKind,
  StatisticOf,
  ValueOf,
} from './statistic.ts';
export { STATISTIC_KINDS } from './statistic-document.ts';
export { formatTask, parseTask, TASK_FORMAT, type TaskDocument } from './task-document.ts';
