/** The slow obvious storage of an aggregator, which others are compared with. */

import type {
  AggregateShareRow,
  AggregatorStore,
  BatchFacts,
  BatchKeys,
  BucketPart,
  CollectedCommit,
  CollectedRow,
  CollectionJobRow,
  CommitOutcome,
  CounterName,
  Counters,
  GiveBack,
  HelperJobRow,
  HelperStepCommit,
  HpkeKeyRow,
  HpkeKeyState,
  LeaderJobRow,
  LeaderShare,
  LeaderStepCommit,
  Leased,
  LeasedKey,
  LeaseRequest,
  NewLeaderJob,
  NewReport,
  OutstandingQuery,
  PutOutcome,
  ReportBucket,
  ReportCounts,
  ReportFacts,
  ReportRow,
  SelectedBatchRow,
  TaskRow,
  WaitingQuery,
  WaitingReport,
} from '@privacy-edge/analytics-roles';
import { compareKeys } from '@privacy-edge/dap';
import {
  acquire,
  addPart,
  apply,
  collectionsOf,
  copy,
  end,
  factsOf,
  giveBack,
  hex,
  isCurrent,
  type MemoryJob,
  MemoryTables,
  type MemoryTask,
  memoryTask,
  newJob,
  outstanding,
  overlapping,
  owns,
  rememberedWith,
} from './memory-tables.ts';

/** Where a transaction can be made to wait or to fail: before anything has happened, or after all of it has. */
export type TransactionHook = (method: string, when: 'before' | 'after') => void | Promise<void>;

/** Keeps everything in maps. Each method runs without a pause, which makes it a transaction. */
export class MemoryAggregatorStore implements AggregatorStore {
  readonly tables: MemoryTables;
  /** May throw. */
  hook: TransactionHook | undefined;

  /** @param tables - shared with other stores over the same data */
  constructor(tables: MemoryTables = new MemoryTables()) {
    this.tables = tables;
  }

  async #transact<T>(method: string, run: () => T): Promise<T> {
    await this.hook?.(method, 'before');
    const result = run();
    await this.hook?.(method, 'after');
    return result;
  }

  #inTask<T>(method: string, taskId: Uint8Array, otherwise: T, run: (task: MemoryTask) => T): Promise<T> {
    return this.#transact(method, () => {
      const task = this.tables.tasks.get(hex(taskId));
      return task === undefined ? otherwise : run(task);
    });
  }

  /** See {@link AggregatorStore.putTask}. */
  putTask(row: TaskRow): Promise<'created' | 'same' | 'different'> {
    return this.#transact('putTask', () => {
      const key = hex(row.task.taskId);
      const there = this.tables.tasks.get(key);
      if (there !== undefined) return fingerprint(there.row) === fingerprint(row) ? 'same' : 'different';
      this.tables.tasks.set(key, memoryTask(copy(row)));
      return 'created';
    });
  }

  /** See {@link AggregatorStore.readTask}. */
  readTask(taskId: Uint8Array): Promise<TaskRow | undefined> {
    return this.#inTask('readTask', taskId, undefined, ({ row }) => copy(row));
  }

  /** See {@link AggregatorStore.listTasks}. */
  listTasks(after: Uint8Array | undefined, limit: number): Promise<readonly TaskRow[]> {
    return this.#transact('listTasks', () =>
      [...this.tables.tasks.values()]
        .map(({ row }) => row)
        .filter(({ task }) => after === undefined || compareKeys(task.taskId, after) > 0)
        .sort((a, b) => compareKeys(a.task.taskId, b.task.taskId))
        .slice(0, limit)
        .map(copy),
    );
  }

  /** See {@link AggregatorStore.deleteTask}. */
  deleteTask(taskId: Uint8Array): Promise<boolean> {
    return this.#transact('deleteTask', () => this.tables.tasks.delete(hex(taskId)));
  }

  /** See {@link AggregatorStore.addCounters}. */
  addCounters(taskId: Uint8Array, counters: Counters): Promise<void> {
    return this.#inTask('addCounters', taskId, undefined, (task) => count(task, counters));
  }

  /** See {@link AggregatorStore.readCounters}. */
  readCounters(taskId: Uint8Array): Promise<Counters> {
    return this.#inTask<Counters>('readCounters', taskId, {}, ({ counters }) => Object.fromEntries(counters));
  }

  /** See {@link AggregatorStore.putHpkeKey}. */
  putHpkeKey(row: HpkeKeyRow): Promise<boolean> {
    return this.#transact('putHpkeKey', () => {
      if (this.tables.keys.has(row.configId)) return false;
      this.tables.keys.set(row.configId, copy(row));
      return true;
    });
  }

  /** See {@link AggregatorStore.readHpkeKeys}. */
  readHpkeKeys(): Promise<readonly HpkeKeyRow[]> {
    return this.#transact('readHpkeKeys', () =>
      [...this.tables.keys.values()].sort((a, b) => b.since.getTime() - a.since.getTime()).map(copy),
    );
  }

  /** See {@link AggregatorStore.moveHpkeKey}. */
  moveHpkeKey(configId: number, from: HpkeKeyState, to: HpkeKeyState, since: Date): Promise<boolean> {
    return this.#transact('moveHpkeKey', () => {
      const row = this.tables.keys.get(configId);
      if (row?.state !== from) return false;
      this.tables.keys.set(configId, copy({ ...row, state: to, since }));
      return true;
    });
  }

  /** See {@link AggregatorStore.deleteHpkeKey}. */
  deleteHpkeKey(configId: number): Promise<boolean> {
    return this.#transact(
      'deleteHpkeKey',
      () => this.tables.keys.get(configId)?.state === 'expired' && this.tables.keys.delete(configId),
    );
  }

  /** See {@link AggregatorStore.putReports}. */
  putReports(
    taskId: Uint8Array,
    reports: readonly NewReport[],
    uploadedAt: Date,
    timesAreBuckets: boolean,
    counters: Counters,
  ): Promise<readonly PutOutcome[]> {
    const otherwise = reports.map((): PutOutcome => 'forgotten');
    return this.#inTask<readonly PutOutcome[]>('putReports', taskId, otherwise, (task) => {
      count(task, counters);
      const outcomes = reports.map((report): PutOutcome => {
        const key = hex(report.reportId);
        if (task.reports.has(key)) return 'replayed';
        if (report.time < task.row.rememberedSince) return 'forgotten';
        if (timesAreBuckets && collectionsOf(task, timeKey(report.time)).length > 0) return 'collected';
        task.reports.set(key, {
          ...copy(report),
          uploadedAt: new Date(uploadedAt),
          state: 'waiting',
          hasBody: true,
          notBefore: new Date(0),
          attempts: 0,
        });
        return 'stored';
      });
      const uploaded = outcomes.filter((outcome) => outcome === 'stored').length;
      count(task, { uploaded, upload_duplicate: outcomes.filter((outcome) => outcome === 'replayed').length });
      return outcomes;
    });
  }

  /** See {@link AggregatorStore.waitingReports}. */
  waitingReports({ taskId, times, rememberedAs, now, limit }: WaitingQuery): Promise<readonly WaitingReport[]> {
    return this.#inTask<readonly WaitingReport[]>('waitingReports', taskId, [], (task) =>
      [...task.reports.values()]
        .filter(
          ({ state, time, notBefore, reportId }) =>
            state === 'waiting' &&
            notBefore <= now &&
            (times === undefined || (times.first <= time && time <= times.last)) &&
            !rememberedWith(task, reportId, rememberedAs),
        )
        .sort((a, b) => a.uploadedAt.getTime() - b.uploadedAt.getTime())
        .slice(0, limit)
        .map(({ reportId, time, uploadedAt }) => copy({ reportId, time, uploadedAt })),
    );
  }

  /** See {@link AggregatorStore.createLeaderJobs}. */
  createLeaderJobs(taskId: Uint8Array, jobs: readonly NewLeaderJob[], now: Date): Promise<'created' | 'conflict'> {
    return this.#inTask<'created' | 'conflict'>('createLeaderJobs', taskId, 'conflict', (task) => {
      const ids = jobs.flatMap(({ reportIds }) => reportIds.map(hex));
      const isFree =
        new Set(ids).size === ids.length &&
        ids.every((id) => task.reports.get(id)?.state === 'waiting') &&
        jobs.every(
          ({ jobId, batchId }) =>
            !task.leaderJobs.has(hex(jobId)) &&
            (batchId === undefined || task.batches.get(hex(batchId))?.isCollected !== true),
        );
      if (!isFree) return 'conflict';
      for (const { jobId, aggregationParameter, batchId, reportIds } of jobs) {
        for (const id of reportIds) must(task.reports.get(hex(id))).state = 'assigned';
        if (batchId !== undefined) assign(task, batchId, aggregationParameter, reportIds.length);
        const row: LeaderJobRow = {
          taskId,
          jobId,
          aggregationParameter,
          batchId,
          reportIds,
          progress: undefined,
          location: undefined,
        };
        task.leaderJobs.set(hex(jobId), newJob(row, now, true));
      }
      return 'created';
    });
  }

  /** See {@link AggregatorStore.readReports}. */
  readReports(taskId: Uint8Array, reportIds: readonly Uint8Array[]): Promise<readonly (ReportRow | undefined)[]> {
    return this.#inTask<readonly (ReportRow | undefined)[]>(
      'readReports',
      taskId,
      reportIds.map(() => undefined),
      (task) =>
        reportIds.map((id) => {
          const row = task.reports.get(hex(id));
          if (row === undefined || !row.hasBody) return undefined;
          const { reportId, time, report, attempts } = row;
          return copy({ reportId, time, report, attempts });
        }),
    );
  }

  /** See {@link AggregatorStore.selectedBatches}. */
  selectedBatches(taskId: Uint8Array, aggregationParameter: Uint8Array): Promise<readonly SelectedBatchRow[]> {
    return this.#inTask<readonly SelectedBatchRow[]>('selectedBatches', taskId, [], ({ batches }) =>
      [...batches.values()]
        .filter((row) => !row.isCollected && compareKeys(row.aggregationParameter, aggregationParameter) === 0)
        .map(({ batchId, aggregationParameter: parameter, assigned }) =>
          copy({ batchId, aggregationParameter: parameter, assigned }),
        ),
    );
  }

  /** See {@link AggregatorStore.countReports}. */
  countReports(taskId: Uint8Array): Promise<ReportCounts> {
    const none = { waiting: 0, assigned: 0, aggregated: 0, rejected: 0 };
    return this.#inTask<ReportCounts>('countReports', taskId, none, ({ reports }) => {
      const counts = { ...none };
      for (const { state } of reports.values()) counts[state] += 1;
      return counts;
    });
  }

  /** See {@link AggregatorStore.readCommitmentFacts}. */
  readCommitmentFacts(taskId: Uint8Array, reports: readonly ReportBucket[]): Promise<readonly ReportFacts[]> {
    return this.#inTask<readonly ReportFacts[]>(
      'readCommitmentFacts',
      taskId,
      reports.map(() => ({ aggregated: [], collected: [], claimed: [] })),
      (task) => reports.map((report) => factsOf(task, report)),
    );
  }

  /** See {@link AggregatorStore.readBatchFacts}. */
  readBatchFacts(taskId: Uint8Array, keys: BatchKeys, query: OutstandingQuery): Promise<BatchFacts> {
    const otherwise: BatchFacts = { parts: [], collected: [], outstanding: 0, rememberedSince: 0 };
    return this.#inTask('readBatchFacts', taskId, otherwise, (task) => ({
      parts: copy(partsOf(task, keys)),
      collected: copy(overlapping(task, keys)),
      outstanding: outstanding(task, keys, query),
      rememberedSince: task.row.rememberedSince,
    }));
  }

  /** See {@link AggregatorStore.bucketsToMerge}. */
  bucketsToMerge(taskId: Uint8Array, moreThan: number, limit: number): Promise<readonly (readonly BucketPart[])[]> {
    return this.#inTask<readonly (readonly BucketPart[])[]>('bucketsToMerge', taskId, [], ({ parts }) => {
      const groups = Map.groupBy(parts, (part) => `${hex(part.bucket)} ${hex(part.aggregationParameter)}`);
      return [...groups.values()]
        .filter((group) => group.length > moreThan)
        .slice(0, limit)
        .map(copy);
    });
  }

  /** See {@link AggregatorStore.replaceParts}. */
  replaceParts(taskId: Uint8Array, parts: readonly number[], merged: Omit<BucketPart, 'part'>): Promise<boolean> {
    return this.#inTask('replaceParts', taskId, false, (task) => {
      if (!parts.every((part) => task.parts.some((there) => there.part === part))) return false;
      task.parts = task.parts.filter(({ part }) => !parts.includes(part));
      addPart(task, merged);
      return true;
    });
  }

  #acquire<Row>(
    method: string,
    request: LeaseRequest,
    jobsOf: (task: MemoryTask) => ReadonlyMap<string, MemoryJob<Row>>,
  ): Promise<readonly Leased<Row>[]> {
    return this.#transact(method, () =>
      acquire(
        [...this.tables.tasks.values()].flatMap((task) => [...jobsOf(task).values()]),
        request,
      ),
    );
  }

  #giveBack<Row>(
    method: string,
    { taskId, jobId, token }: LeasedKey,
    how: GiveBack,
    jobsOf: (task: MemoryTask) => ReadonlyMap<string, MemoryJob<Row>>,
    change: (row: Row) => Row = (row) => row,
  ): Promise<boolean> {
    return this.#inTask(method, taskId, false, (task) => {
      const job = jobsOf(task).get(hex(jobId));
      if (!owns(job, token)) return false;
      job.row = change(job.row);
      giveBack(job, how);
      return true;
    });
  }

  /** See {@link AggregatorStore.acquireLeaderJobs}. */
  acquireLeaderJobs(request: LeaseRequest): Promise<readonly Leased<LeaderJobRow>[]> {
    return this.#acquire('acquireLeaderJobs', request, ({ leaderJobs }) => leaderJobs);
  }

  /** See {@link AggregatorStore.giveBackLeaderJob}. */
  giveBackLeaderJob(key: LeasedKey, how: GiveBack): Promise<boolean> {
    return this.#giveBack('giveBackLeaderJob', key, how, ({ leaderJobs }) => leaderJobs);
  }

  /** See {@link AggregatorStore.commitLeaderStep}. */
  commitLeaderStep({ key, commit, reports, next, counters }: LeaderStepCommit): Promise<CommitOutcome> {
    return this.#inTask<CommitOutcome>('commitLeaderStep', key.taskId, 'stale', (task) => {
      const job = task.leaderJobs.get(hex(key.jobId));
      if (!owns(job, key.token)) return 'stale';
      if (!isCurrent(task, commit)) return 'conflict';
      apply(task, commit);
      for (const outcome of reports) {
        const report = task.reports.get(hex(outcome.reportId));
        if (report?.state === 'assigned') move(report, outcome);
      }
      const lost = reports.filter(({ state }) => state !== 'aggregated').length;
      if (job.row.batchId !== undefined) assign(task, job.row.batchId, job.row.aggregationParameter, -lost);
      if (next.state === 'active') {
        job.row = { ...job.row, progress: copy(next.progress), location: next.location };
        if (next.giveBack !== undefined) giveBack(job, next.giveBack);
      } else {
        job.row = { ...job.row, progress: undefined, reportIds: [] };
        end(job, next.at);
      }
      count(task, counters);
      return 'committed';
    });
  }

  /** See {@link AggregatorStore.readHelperJob}. */
  readHelperJob(taskId: Uint8Array, jobId: Uint8Array): Promise<HelperJobRow | undefined> {
    return this.#inTask('readHelperJob', taskId, undefined, ({ helperJobs }) => copy(helperJobs.get(hex(jobId))?.row));
  }

  /** See {@link AggregatorStore.commitHelperStep}. */
  commitHelperStep({ at, job, commit, counters, now }: HelperStepCommit): Promise<CommitOutcome> {
    return this.#inTask<CommitOutcome>('commitHelperStep', job.taskId, 'stale', (task) => {
      const there = task.helperJobs.get(hex(job.jobId));
      if (at === undefined ? there !== undefined : there === undefined) return 'stale';
      if (at !== undefined && there !== undefined) {
        if (there.row.step !== at.step || there.row.state !== at.state) return 'stale';
        if (at.state === 'processing' && !owns(there, at.token)) return 'stale';
      }
      if (!isCurrent(task, commit)) return 'conflict';
      apply(task, commit);
      task.helperJobs.set(hex(job.jobId), newJob(job, now, job.state === 'processing'));
      count(task, counters);
      return 'committed';
    });
  }

  /** See {@link AggregatorStore.acquireHelperJobs}. */
  acquireHelperJobs(request: LeaseRequest): Promise<readonly Leased<HelperJobRow>[]> {
    return this.#acquire('acquireHelperJobs', request, ({ helperJobs }) => helperJobs);
  }

  /** See {@link AggregatorStore.giveBackHelperJob}. */
  giveBackHelperJob(key: LeasedKey, how: GiveBack): Promise<boolean> {
    return this.#giveBack('giveBackHelperJob', key, how, ({ helperJobs }) => helperJobs);
  }

  /** See {@link AggregatorStore.deleteHelperJob}. */
  deleteHelperJob(taskId: Uint8Array, jobId: Uint8Array, now: Date): Promise<boolean> {
    return this.#inTask('deleteHelperJob', taskId, false, ({ helperJobs }) => {
      const job = helperJobs.get(hex(jobId));
      if (job === undefined || job.row.state === 'deleted') return false;
      const pending = new Uint8Array(0);
      job.row = { ...job.row, state: 'deleted', request: undefined, response: undefined, pending };
      end(job, now);
      return true;
    });
  }

  /** See {@link AggregatorStore.findCollectionJob}. */
  findCollectionJob(
    taskId: Uint8Array,
    requestDigest: Uint8Array,
  ): Promise<{ readonly job: CollectionJobRow | undefined; readonly nextGeneration: number }> {
    const otherwise: { job: CollectionJobRow | undefined; nextGeneration: number } = {
      job: undefined,
      nextGeneration: 0,
    };
    return this.#inTask('findCollectionJob', taskId, otherwise, ({ collectionJobs }) => {
      const rows = [...collectionJobs.values()]
        .map(({ row }) => row)
        .filter((row) => compareKeys(row.requestDigest, requestDigest) === 0);
      return {
        job: copy(rows.find(({ state }) => state !== 'deleted')),
        nextGeneration: Math.max(-1, ...rows.map(({ generation }) => generation)) + 1,
      };
    });
  }

  /** See {@link AggregatorStore.createCollectionJob}. */
  createCollectionJob(row: CollectionJobRow): Promise<boolean> {
    return this.#inTask('createCollectionJob', row.taskId, false, ({ collectionJobs }) => {
      if (collectionJobs.has(hex(row.jobId))) return false;
      collectionJobs.set(hex(row.jobId), newJob(row, row.createdAt, true));
      return true;
    });
  }

  /** See {@link AggregatorStore.readCollectionJob}. */
  readCollectionJob(taskId: Uint8Array, jobId: Uint8Array): Promise<CollectionJobRow | undefined> {
    return this.#inTask('readCollectionJob', taskId, undefined, ({ collectionJobs }) =>
      copy(collectionJobs.get(hex(jobId))?.row),
    );
  }

  /** See {@link AggregatorStore.waitingCollectionJobs}. */
  waitingCollectionJobs(taskId: Uint8Array): Promise<readonly CollectionJobRow[]> {
    return this.#inTask<readonly CollectionJobRow[]>('waitingCollectionJobs', taskId, [], ({ collectionJobs }) =>
      [...collectionJobs.values()]
        .map(({ row }) => row)
        .filter(({ state, share }) => state === 'waiting' && share === undefined)
        .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
        .map(copy),
    );
  }

  /** See {@link AggregatorStore.acquireCollectionJobs}. */
  acquireCollectionJobs(request: LeaseRequest): Promise<readonly Leased<CollectionJobRow>[]> {
    return this.#acquire('acquireCollectionJobs', request, ({ collectionJobs }) => collectionJobs);
  }

  /** See {@link AggregatorStore.collectBatch}. */
  collectBatch(
    key: LeasedKey,
    batch: CollectedCommit,
    query: OutstandingQuery,
    share: LeaderShare,
  ): Promise<CommitOutcome | 'outstanding'> {
    return this.#inTask<CommitOutcome | 'outstanding'>('collectBatch', key.taskId, 'stale', (task) => {
      const job = task.collectionJobs.get(hex(key.jobId));
      if (!owns(job, key.token) || job.row.share !== undefined) return 'stale';
      if (outstanding(task, batch.keys, query) > 0) return 'outstanding';
      if (!markCollected(task, batch)) return 'conflict';
      job.row = copy({ ...job.row, keys: batch.keys, share });
      return 'committed';
    });
  }

  /** See {@link AggregatorStore.giveBackCollectionJob}. */
  giveBackCollectionJob(key: LeasedKey, location: string | undefined, how: GiveBack): Promise<boolean> {
    return this.#giveBack(
      'giveBackCollectionJob',
      key,
      how,
      ({ collectionJobs }) => collectionJobs,
      (row) => ({ ...row, location }),
    );
  }

  /** See {@link AggregatorStore.endCollectionJob}. */
  endCollectionJob(
    { taskId, jobId, token }: LeasedKey,
    ending: Parameters<AggregatorStore['endCollectionJob']>[1],
    now: Date,
    counters: Counters,
  ): Promise<boolean> {
    return this.#inTask('endCollectionJob', taskId, false, (task) => {
      const job = task.collectionJobs.get(hex(jobId));
      if (!owns(job, token)) return false;
      job.row =
        'response' in ending
          ? { ...job.row, state: 'ready', response: copy(ending.response) }
          : { ...job.row, state: 'failed', problem: ending.problem };
      end(job, now);
      count(task, counters);
      return true;
    });
  }

  /** See {@link AggregatorStore.deleteCollectionJob}. */
  deleteCollectionJob(taskId: Uint8Array, jobId: Uint8Array, now: Date): Promise<boolean> {
    return this.#inTask('deleteCollectionJob', taskId, false, ({ collectionJobs }) => {
      const job = collectionJobs.get(hex(jobId));
      if (job === undefined || job.row.state === 'deleted') return false;
      job.row = { ...job.row, state: 'deleted', share: undefined, response: undefined };
      end(job, now);
      return true;
    });
  }

  /** See {@link AggregatorStore.readAggregateShare}. */
  readAggregateShare(taskId: Uint8Array, shareId: Uint8Array): Promise<AggregateShareRow | undefined> {
    return this.#inTask('readAggregateShare', taskId, undefined, ({ shares }) => copy(shares.get(hex(shareId))?.row));
  }

  /** See {@link AggregatorStore.commitAggregateShare}. */
  commitAggregateShare(
    row: AggregateShareRow,
    batch: CollectedCommit,
    now: Date,
    counters: Counters,
  ): Promise<CommitOutcome> {
    return this.#inTask<CommitOutcome>('commitAggregateShare', row.taskId, 'stale', (task) => {
      if (task.shares.has(hex(row.shareId))) return 'stale';
      if (!markCollected(task, batch)) return 'conflict';
      task.shares.set(hex(row.shareId), { row: copy(row), changedAt: new Date(now) });
      count(task, counters);
      return 'committed';
    });
  }

  /** See {@link AggregatorStore.deleteAggregateShare}. */
  deleteAggregateShare(taskId: Uint8Array, shareId: Uint8Array, now: Date): Promise<boolean> {
    return this.#inTask('deleteAggregateShare', taskId, false, ({ shares }) => {
      const share = shares.get(hex(shareId));
      if (share?.row.response === undefined) return false;
      shares.set(hex(shareId), { row: { ...share.row, response: undefined }, changedAt: new Date(now) });
      return true;
    });
  }

  /** See {@link AggregatorStore.forgetBefore}. */
  forgetBefore(taskId: Uint8Array, time: number, _limit: number): Promise<boolean> {
    return this.#inTask('forgetBefore', taskId, true, (task) => {
      const since = Math.max(task.row.rememberedSince, time);
      task.row = { ...task.row, rememberedSince: since };
      for (const [key, { time: at, state }] of task.reports) {
        if (at < since && state !== 'assigned') task.reports.delete(key);
      }
      for (const [key, entries] of task.remembered) {
        const kept = entries.filter((entry) => entry.time >= since);
        if (kept.length > 0) task.remembered.set(key, kept);
        else task.remembered.delete(key);
      }
      const isOld = ({ first, last }: CollectedRow): boolean =>
        first.length === 8 && compareKeys(last, timeKey(since)) < 0;
      const oldBatches = new Set(
        [...Map.groupBy(task.parts, ({ bucket }) => hex(bucket))]
          .filter(([, parts]) => parts.every(({ interval }) => interval.start + interval.duration <= since))
          .map(([key]) => key),
      );
      task.parts = task.parts.filter(({ bucket }) => {
        if (!oldBatches.has(hex(bucket))) return true;
        return bucket.length === 8 && overlapping(task, { first: bucket, last: bucket }).some((row) => !isOld(row));
      });
      // A collection goes when nothing is left of it, never before.
      task.collected = task.collected.filter((row) => !isOld(row) || partsOf(task, row).length > 0);
      task.collected = task.collected.filter(({ first }) => first.length === 8 || !oldBatches.has(hex(first)));
      for (const key of oldBatches) task.batches.delete(key);
      return true;
    });
  }

  /** See {@link AggregatorStore.deleteEnded}. */
  deleteEnded(taskId: Uint8Array, endedBefore: Date, _limit: number): Promise<boolean> {
    return this.#inTask('deleteEnded', taskId, true, (task) => {
      for (const jobs of [task.leaderJobs, task.helperJobs, task.collectionJobs]) {
        for (const [key, { isOpen, changedAt }] of jobs) if (!isOpen && changedAt < endedBefore) jobs.delete(key);
      }
      for (const [key, { changedAt }] of task.shares) if (changedAt < endedBefore) task.shares.delete(key);
      return true;
    });
  }
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('It was checked before that it is there');
  return value;
}

function fingerprint({ createdAt: _createdAt, rememberedSince: _rememberedSince, ...rest }: TaskRow): string {
  return JSON.stringify(rest, (_key, value: unknown) => (value instanceof Uint8Array ? hex(value) : value));
}

function timeKey(time: number): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, BigInt(time));
  return key;
}

function count(task: MemoryTask, counters: Counters): void {
  for (const [name, by] of Object.entries(counters) as [CounterName, number][]) {
    if (by > 0) task.counters.set(name, (task.counters.get(name) ?? 0) + by);
  }
}

function assign(task: MemoryTask, batchId: Uint8Array, aggregationParameter: Uint8Array, by: number): void {
  const row =
    task.batches.get(hex(batchId)) ?? copy({ batchId, aggregationParameter, assigned: 0, isCollected: false });
  task.batches.set(hex(batchId), { ...row, assigned: row.assigned + by });
}

function move(
  report: MemoryTask['reports'] extends Map<string, infer R> ? R : never,
  outcome: LeaderStepCommit['reports'][number],
): void {
  report.state = outcome.state;
  if (outcome.state === 'waiting') {
    report.notBefore = new Date(outcome.notBefore);
    report.attempts = outcome.attempts;
  } else {
    report.hasBody = false;
  }
}

function partsOf(task: MemoryTask, { first, last }: Pick<BatchKeys, 'first' | 'last'>): BucketPart[] {
  return task.parts.filter(({ bucket }) => compareKeys(first, bucket) <= 0 && compareKeys(bucket, last) <= 0);
}

function markCollected(task: MemoryTask, { keys, aggregationParameter, parts, collected }: CollectedCommit): boolean {
  if (keys.times !== undefined && keys.times.first < task.row.rememberedSince) return false;
  const there = partsOf(task, keys).map(({ part }) => part);
  const isSame = there.length === parts.length && there.every((part) => parts.includes(part));
  if (!isSame || overlapping(task, keys).length !== collected) return false;
  const { first, last } = keys;
  task.collected.push(copy({ first, last, aggregationParameter }));
  const batch = keys.times === undefined ? task.batches.get(hex(first)) : undefined;
  if (batch !== undefined) batch.isCollected = true;
  return true;
}
