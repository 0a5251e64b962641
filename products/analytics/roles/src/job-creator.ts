/** Puts waiting reports into aggregation jobs. DAP §4.5.2 and §5.2. */
import { equalBytes } from '@privacy-edge/bytes';
import { BATCH_ID_BYTES, BATCH_MODE_LEADER_SELECTED, maxInitBytes, ROLE_LEADER } from '@privacy-edge/dap';
import { type AggregatorContext, nowOf, tasksOf } from './aggregator-context.ts';
import type { NewLeaderJob } from './store.ts';
import type { BatchKeys, CollectionJobRow, WaitingReport } from './store-rows.ts';
import { rememberedAs, type TaskContext } from './task-context.ts';

/**
 * Looks at all tasks once.
 *
 * @returns how many jobs were created
 */
export async function createJobs(context: AggregatorContext): Promise<number> {
  let created = 0;
  for await (const taskContext of tasksOf(context, ROLE_LEADER)) {
    created += await new JobCreator(context, taskContext).run();
  }
  return created;
}

const NOTHING = new Uint8Array(0);
const JOB_ID_BYTES = 16;

/** One look at one task. */
class JobCreator {
  readonly #context: AggregatorContext;
  readonly #taskContext: TaskContext;

  constructor(context: AggregatorContext, taskContext: TaskContext) {
    this.#context = context;
    this.#taskContext = taskContext;
  }

  async run(): Promise<number> {
    const { task, isEager } = this.#taskContext;
    const asked = await this.#context.store.waitingCollectionJobs(task.taskId);
    const isSelected = task.configuration.batchMode === BATCH_MODE_LEADER_SELECTED;
    let created = 0;
    for (const parameter of isEager ? [NOTHING] : distinct(asked)) {
      const jobs = asked.filter(({ aggregationParameter }) => equalBytes(aggregationParameter, parameter));
      created += isSelected
        ? await this.#fillBatches(parameter, jobs.length > 0)
        : await this.#fillIntervals(parameter, jobs);
    }
    return created;
  }

  /** In the time-interval mode: what somebody waits for goes at once, the rest when there is enough of it. */
  async #fillIntervals(parameter: Uint8Array, asked: readonly CollectionJobRow[]): Promise<number> {
    const hurried = asked.flatMap(({ keys }) => keys?.times ?? []);
    const jobs: NewLeaderJob[] = [];
    const taken = new Set<WaitingReport>();
    const take = (reports: readonly WaitingReport[]): void => {
      for (const group of this.#groups(reports)) jobs.push(this.#job(parameter, undefined, group));
      for (const report of reports) taken.add(report);
    };
    if (this.#taskContext.isEager) {
      const waiting = await this.#waiting(parameter, undefined);
      take(waiting.filter(({ time }) => hurried.some(({ first, last }) => first <= time && time <= last)));
      const rest = waiting.filter((report) => !taken.has(report));
      take(this.#enough(rest));
    }
    // More may wait than one look shows, or nothing is aggregated before it is asked for.
    if (jobs.length === 0) {
      for (const times of hurried) {
        if (jobs.length === 0) take(await this.#waiting(parameter, times));
      }
    }
    return this.#create(jobs);
  }

  /** In the leader-selected mode: batches are filled one after another. */
  async #fillBatches(parameter: Uint8Array, isAsked: boolean): Promise<number> {
    const { store, settings, random } = this.#context;
    const { taskId, configuration } = this.#taskContext.task;
    const all = await this.#waiting(parameter, undefined);
    const waiting = isAsked ? all : this.#enough(all);
    if (waiting.length === 0) return 0;
    const target = Math.max(configuration.minBatchSize, settings.targetBatchSize);
    const open = await store.selectedBatches(taskId, parameter);
    const rooms = open
      .map(({ batchId, assigned }) => ({ batchId, room: target - assigned }))
      .filter(({ room }) => room > 0);
    const jobs: NewLeaderJob[] = [];
    for (let at = 0; at < waiting.length; ) {
      const { batchId, room } = rooms.shift() ?? { batchId: random(BATCH_ID_BYTES).slice(), room: target };
      const reports = waiting.slice(at, at + room);
      for (const group of this.#groups(reports)) jobs.push(this.#job(parameter, batchId, group));
      at += reports.length;
    }
    return this.#create(jobs);
  }

  #waiting(parameter: Uint8Array, times: BatchKeys['times']): Promise<readonly WaitingReport[]> {
    const { task } = this.#taskContext;
    const { store, settings } = this.#context;
    return store.waitingReports({
      taskId: task.taskId,
      times,
      rememberedAs: rememberedAs(task, parameter),
      now: nowOf(this.#context),
      limit: settings.jobWindow,
    });
  }

  /** All when the oldest has waited for long; otherwise as many as fill jobs that are large enough. */
  #enough(waiting: readonly WaitingReport[]): readonly WaitingReport[] {
    const { settings, clock } = this.#context;
    const oldest = Math.min(...waiting.map(({ uploadedAt }) => uploadedAt.getTime()));
    if (clock() - oldest >= settings.maxReportWaitMs) return waiting;
    const rest = waiting.length % this.#jobSize();
    return rest >= settings.minJobSize ? waiting : waiting.slice(0, waiting.length - rest);
  }

  /**
   * As many as there may be, and as fit into half of the longest message however long they are: the helper's limit is not
   * known here, and is hardly less than that.
   */
  #jobSize(): number {
    const { maxJobSize, maxMessageBytes } = this.#context.settings;
    const fitting = Math.floor(maxMessageBytes / 2 / maxInitBytes(this.#taskContext.task));
    return Math.max(1, Math.min(maxJobSize, fitting));
  }

  /** In the order of time, so that a job touches few buckets. */
  #groups(reports: readonly WaitingReport[]): WaitingReport[][] {
    const size = this.#jobSize();
    const sorted = reports.toSorted((a, b) => a.time - b.time);
    const groups: WaitingReport[][] = [];
    for (let at = 0; at < sorted.length; at += size) groups.push(sorted.slice(at, at + size));
    return groups;
  }

  #job(
    aggregationParameter: Uint8Array,
    batchId: Uint8Array | undefined,
    reports: readonly WaitingReport[],
  ): NewLeaderJob {
    const jobId = this.#context.random(JOB_ID_BYTES).slice();
    return { jobId, aggregationParameter, batchId, reportIds: reports.map(({ reportId }) => reportId) };
  }

  /** On a conflict somebody else has taken some of the reports: the next look sees what is left. */
  async #create(jobs: readonly NewLeaderJob[]): Promise<number> {
    if (jobs.length === 0) return 0;
    const { taskId } = this.#taskContext.task;
    const outcome = await this.#context.store.createLeaderJobs(taskId, jobs, nowOf(this.#context));
    return outcome === 'created' ? jobs.length : 0;
  }
}

function distinct(jobs: readonly CollectionJobRow[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const { aggregationParameter } of jobs) {
    if (!found.some((other) => equalBytes(other, aggregationParameter))) found.push(aggregationParameter);
  }
  return found;
}
