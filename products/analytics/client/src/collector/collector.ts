/** The collector: from a query to a result. DAP §4.6. */

import { type Awaitable, equalBytes } from '@privacy-edge/bytes';
import {
  type AggregatedVdaf,
  BATCH_MODE_LEADER_SELECTED,
  type CollectedResult,
  createCollectionJobReq,
  createTaskVdaf,
  DapError,
  prepareResults,
  type ResultOpener,
  type Task,
  taskNoise,
} from '@privacy-edge/dap';
import type { Noise } from '@privacy-edge/dp';
import { type Prio3, VdafError } from '@privacy-edge/vdaf';
import { AnalyticsError } from '../analytics-error.ts';
import { invalidTask } from '../task/fields.ts';
import type { PrivateTask } from '../task/private-task.ts';
import type { Statistic } from '../task/statistic.ts';
import { deleteJob, type FinishedJob, runJob } from './collection-job.ts';
import { type NoiseSummary, noiseSummary } from './noise-summary.ts';
import { type CollectorOptions, type CollectorSettings, collectorSettings } from './options.ts';
import { searchStrings } from './poplar1-search.ts';
import { type BatchQuery, datesOf, isInside, queryOf } from './query.ts';
import { type OneShotStatistic, type ResultOf, readResult } from './read-result.ts';

/** A result. Plain data, but for the dates. */
export interface Collected<R> {
  readonly result: R;
  /** How many reports are in it, as the leader says. */
  readonly reports: number;
  /** The smallest interval that contains their times, as the leader says. */
  readonly interval: { readonly from: Date; readonly to: Date };
  /** Null for a task without noise. */
  readonly noise: NoiseSummary | null;
}

/** Options of one collection. */
export interface CollectOptions<R> {
  /** Ends the waiting; the job goes on at the leader, and the same query finds it again. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with the result before the leader is told to forget the job, which makes a batch that the leader selected gone
   * for good: the place to write the result down. When it throws, the job stays.
   */
  readonly keep?: ((collected: Collected<R>) => Awaitable<void>) | undefined;
}

/** Collects results of one task. */
export interface Collector<S extends Statistic> {
  /**
   * Collects a batch: creates a job, waits until it is done, opens and joins both shares, and reads what they say. A batch
   * with fewer reports than the task's minimum stays pending, or is refused with the problem `INVALID_BATCH_SIZE`.
   *
   * @param query - an interval of whole units of the time precision; `next` where the leader selects batches
   * @throws {@link AnalyticsError} `QUERY_INVALID`, `UNREACHABLE`, `TIMEOUT`, `REFUSED`, `ANSWER_INVALID`, `OPEN_FAILED`,
   *   `RESULT_INVALID`; the reason of an aborted signal
   */
  collect(query: BatchQuery, options?: CollectOptions<ResultOf<S>>): Promise<Collected<ResultOf<S>>>;
}

/**
 * Makes a collector. Its requests are POST, GET and DELETE of collection jobs at the leader, through `fetch`.
 *
 * @param task - from `parseTask`
 * @throws {@link AnalyticsError} `TASK_INVALID` when the key is not the one that results of the task are sealed to,
 *   or the task is one that nobody here can take part in
 *
 * @example
 * const collector = createCollector(taskOf(await parseTask(document), 'mean'), { key, token });
 * const { result } = await collector.collect({ from: new Date('2026-05-01'), to: new Date('2026-05-02') });
 */
export function createCollector<S extends Statistic>(task: PrivateTask<S>, options: CollectorOptions): Collector<S> {
  const { config } = options.key;
  const { id, publicKey } = task.collectorConfig;
  // Found now and not when the leader has given the batch away.
  if (config.id !== id || !equalBytes(config.publicKey, publicKey)) {
    throw invalidTask('collector.hpke', 'is not the public half of the key');
  }
  return new TaskCollector(task, collectorSettings(options));
}

/** One aggregate, joined. */
export interface JoinedShares extends Omit<CollectedResult<never>, 'result'> {
  /** One for each coordinate, signed. */
  readonly totals: readonly bigint[];
  /** Of one aggregator, for each coordinate; undefined for a task without noise. */
  readonly noise: readonly Noise[] | undefined;
}

class TaskCollector<S extends Statistic> implements Collector<S> {
  readonly #task: PrivateTask<S>;
  readonly #settings: CollectorSettings;
  readonly #vdaf: AggregatedVdaf;
  #opener: Promise<ResultOpener<unknown>> | undefined;

  constructor(task: PrivateTask<S>, settings: CollectorSettings) {
    this.#task = task;
    this.#settings = settings;
    this.#vdaf = vdafOfTask(task.task);
  }

  async collect(query: BatchQuery, options: CollectOptions<ResultOf<S>> = {}): Promise<Collected<ResultOf<S>>> {
    const { task, statistic } = this.#task;
    if (statistic.kind === 'poplar1') return this.#search(query, options);
    const { joined, job } = await this.#collectOnce(query, new Uint8Array(0), options.signal);
    const { totals, reportCount: reports, noise } = joined;
    const result = readResult(statistic as OneShotStatistic, { totals, reports, noise }, this.#settings.fit);
    const collected = { ...this.#describe(joined, 1), result: result as ResultOf<S> };
    await options.keep?.(collected);
    if (task.configuration.batchMode === BATCH_MODE_LEADER_SELECTED) await this.#release(job);
    return collected;
  }

  async #search(query: BatchQuery, options: CollectOptions<ResultOf<S>>): Promise<Collected<ResultOf<S>>> {
    const { statistic } = this.#task;
    if (statistic.kind !== 'poplar1') throw new TypeError('Only Poplar1 is collected in rounds');
    const collectOnce = async (parameter: Uint8Array): Promise<JoinedShares> =>
      (await this.#collectOnce(query, parameter, options.signal)).joined;
    const { result, last, rounds } = await searchStrings(statistic, collectOnce, this.#settings.onEvent);
    const collected = { ...this.#describe(last, rounds), result: result as ResultOf<S> };
    await options.keep?.(collected);
    return collected;
  }

  async #collectOnce(
    query: BatchQuery,
    parameter: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly joined: JoinedShares; readonly job: FinishedJob }> {
    const { task } = this.#task;
    const request = createCollectionJobReq(queryOf(task, query), parameter);
    signal?.throwIfAborted();
    const job = await runJob(this.#settings, task, request, signal);
    const joined = await this.#join(request, parameter, job.response);
    if (!isInside(task, query, joined.interval)) {
      throw new AnalyticsError('ANSWER_INVALID', 'Cannot collect: the leader tells of another interval');
    }
    return { joined, job };
  }

  async #join(request: Uint8Array, parameter: Uint8Array, response: Uint8Array): Promise<JoinedShares> {
    const { task } = this.#task;
    this.#opener ??= Promise.resolve(prepareResults(task, this.#vdaf, this.#settings.key));
    const opener = await this.#opener;
    try {
      const noise = taskNoise(task, parameter);
      if (parameter.length > 0) {
        const { result, ...rest } = await opener.open(request, response);
        return { ...rest, totals: result as readonly bigint[], noise };
      }
      const { aggregateShares, ...rest } = await opener.openShares(request, response);
      // All tasks but those of Poplar1 have it, and those have parameters.
      const prio3 = this.#vdaf as Prio3<never, unknown>;
      return { ...rest, totals: prio3.openShares(aggregateShares, rest.reportCount), noise };
    } catch (cause) {
      throw joinError(cause);
    }
  }

  #describe(joined: JoinedShares, collections: number): Omit<Collected<never>, 'result'> {
    const { task } = this.#task;
    const { reportCount: reports, interval, noise } = joined;
    const { dp } = task.extensions;
    const summary = dp === undefined || noise === undefined ? null : noiseSummary(dp, noise, collections);
    return { reports, interval: datesOf(task, interval), noise: summary };
  }

  /** The result is there whatever becomes of the job; a job that stays would be collected again, and says so by that. */
  async #release(job: FinishedJob): Promise<void> {
    if (await deleteJob(this.#settings, job)) return;
    this.#settings.onEvent({ type: 'kept' });
  }
}

function vdafOfTask(task: Task): AggregatedVdaf {
  try {
    return createTaskVdaf(task);
  } catch (cause) {
    throw cause instanceof DapError ? invalidTask('configuration', 'is not supported', cause) : cause;
  }
}

/** What aggregators send in a well-formed answer and is wrong all the same. */
function joinError(cause: unknown): unknown {
  if (cause instanceof VdafError) {
    return new AnalyticsError('RESULT_INVALID', 'Cannot join shares: they do not fit the task', { cause });
  }
  if (!(cause instanceof DapError)) return cause;
  return cause.code === 'OPEN_FAILED'
    ? new AnalyticsError('OPEN_FAILED', 'Cannot open shares: they are not for this key, task and query', { cause })
    : new AnalyticsError('ANSWER_INVALID', 'Cannot open shares: the answer is malformed', { cause });
}
