/**
 * The reporter: what an application needs to take part in private measurements. Tasks are under `./task`, collecting under
 * `./collector`, mappings and results under `./statistics`, the module of the worker under `./worker`.
 *
 * @example
 * const task = await parseTask(await (await fetch('/reading-time.json')).json());
 * const reporter = createReporter(taskOf(task, 'mean'));
 * await reporter.report(12.5);
 */
export { AnalyticsError, type AnalyticsErrorCode, type AnalyticsErrorOptions } from './analytics-error.ts';
export type { Fetch, Wait } from './platform.ts';
export type { Admission, ReporterEvent, ReporterOptions } from './reporter/options.ts';
export {
  createReporter,
  type RefusedValue,
  type Reporter,
  type ReportManyOptions,
  type ReportManyResult,
  type ReportOptions,
} from './reporter/reporter.ts';
export type { WorkerLike } from './reporter/worker-like.ts';
export { type PrivateTask, taskOf } from './task/private-task.ts';
export type { Statistic, StatisticKind, StatisticOf, ValueOf } from './task/statistic.ts';
export { parseTask } from './task/task-document.ts';
