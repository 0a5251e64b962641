/**
 * What every storage of an aggregator must do: run it with a factory, in a test file of its own.
 *
 * @example
 * testAggregatorStore('memory', async () => { const tables = new MemoryTables(); … });
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  AggregateShareRow,
  AggregatorStore,
  BatchKeys,
  CollectionJobRow,
  Commit,
  HelperJobRow,
  LeaderShare,
  LeaderStepCommit,
  LeaseRequest,
  NewReport,
  OutstandingQuery,
  TaskRow,
} from '@privacy-edge/analytics-roles';
import type { Bucket, Interval } from '@privacy-edge/dap';

/** A storage under test, empty when it is opened. */
export interface StoreHarness {
  /** Two instances over the same data, such as two connections or two processes would have. */
  readonly stores: readonly [AggregatorStore, AggregatorStore];
  /**
   * Makes the next transaction of the first instance fail after all of its statements and before it is durable. Absent where
   * that cannot be arranged.
   */
  failNextCommit?(): void;
  close(): Promise<void>;
}

/** Opens an empty storage. */
export type OpenStore = () => Promise<StoreHarness>;

const TASK = bytes(32, 1);
const OTHER_TASK = bytes(32, 2);
const NONE = new Uint8Array(0);
const T0 = 1_800_000_000_000;

function bytes(length: number, ...fill: readonly number[]): Uint8Array {
  const made = new Uint8Array(length);
  made.set(fill, length - fill.length);
  return made;
}

function at(seconds: number): Date {
  return new Date(T0 + 1000 * seconds);
}

function id(n: number): Uint8Array {
  return bytes(16, n >> 8, n & 255);
}

function timeKey(time: number): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, BigInt(time));
  return key;
}

function taskRow(taskId: Uint8Array = TASK): TaskRow {
  return {
    task: {
      taskId,
      version: 'dap-18',
      role: 2,
      configuration: bytes(40, 7),
      verifyKey: bytes(32, 8),
      collectorConfig: bytes(41, 9),
      clockToleranceSeconds: 300,
    },
    access: {
      peerAuthorization: 'Bearer secret',
      peerTokenHashes: [bytes(32, 3)],
      collectorTokenHashes: [bytes(32, 4), bytes(32, 5)],
      peerNames: ['helper.example'],
      collectorNames: [],
    },
    processing: 'synchronous',
    isAdvertised: false,
    rememberedSince: 0,
    createdAt: at(0),
  };
}

function report(n: number, time: number = 100): NewReport {
  return { reportId: id(n), time, report: bytes(50, n) };
}

function interval(first: number, last: number): BatchKeys {
  return { first: timeKey(first), last: timeKey(last), times: { first, last } };
}

function selected(batchId: Uint8Array): BatchKeys {
  return { first: batchId, last: batchId, times: undefined };
}

function bucketFor(key: Uint8Array, reportCount: number, span: Interval): Bucket {
  return {
    bucket: key,
    aggregationParameter: NONE,
    aggregateShare: bytes(16, reportCount),
    reportCount,
    checksum: bytes(32, reportCount),
    interval: span,
  };
}

/** A commitment to reports that nothing is known about yet, all of one time. */
function commitTo(ns: readonly number[], time: number = 100, changes: Partial<Commit> = {}): Commit {
  const bucket = timeKey(time);
  return {
    rememberedAs: NONE,
    reports: ns.map((n) => ({ reportId: id(n), time, bucket, aggregated: 0, collected: 0 })),
    buckets: ns.length === 0 ? [] : [bucketFor(bucket, ns.length, { start: time, duration: 1 })],
    ...changes,
  };
}

const NO_COMMIT: Commit = { rememberedAs: NONE, reports: [], buckets: [] };
const QUERY: OutstandingQuery = { rememberedAs: NONE, uploadedBefore: undefined };

function lease(token: number, now: Date, changes: Partial<LeaseRequest> = {}): LeaseRequest {
  return { now, until: new Date(now.getTime() + 60_000), token: bytes(16, token), limit: 10, ...changes };
}

const JOB = bytes(16, 77);
const SHARE: LeaderShare = {
  aggregateShareReq: bytes(20, 1),
  sealedShare: bytes(20, 2),
  reportCount: 2,
  interval: { start: 100, duration: 1 },
};

function collectionJob(changes: Partial<CollectionJobRow> = {}): CollectionJobRow {
  return {
    taskId: TASK,
    jobId: bytes(16, 50),
    requestDigest: bytes(32, 51),
    generation: 0,
    request: bytes(12, 52),
    aggregationParameter: NONE,
    keys: interval(100, 100),
    share: undefined,
    location: undefined,
    response: undefined,
    problem: undefined,
    state: 'waiting',
    createdAt: at(10),
    ...changes,
  };
}

function helperJob(changes: Partial<HelperJobRow> = {}): HelperJobRow {
  return {
    taskId: TASK,
    jobId: bytes(16, 60),
    aggregationParameter: NONE,
    batchId: undefined,
    step: 0,
    requestDigest: bytes(32, 61),
    request: undefined,
    response: bytes(9, 62),
    pending: NONE,
    state: 'ready',
    ...changes,
  };
}

function shareRow(changes: Partial<AggregateShareRow> = {}): AggregateShareRow {
  return { taskId: TASK, shareId: bytes(16, 70), requestDigest: bytes(32, 71), response: bytes(8, 72), ...changes };
}

/** Registers the tests. */
export function testAggregatorStore(name: string, open: OpenStore): void {
  const inStore = (title: string, run: (harness: StoreHarness) => Promise<void>): void => {
    test(title, async () => {
      const harness = await open();
      try {
        await harness.stores[0].putTask(taskRow());
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  };

  describe(`AggregatorStore: ${name}`, () => {
    tasksAndKeys(inStore);
    reportsAndJobs(inStore);
    commitments(inStore);
    helperJobs(inStore);
    collections(inStore);
    garbage(inStore);
    concurrency(inStore);
  });
}

type InStore = (title: string, run: (harness: StoreHarness) => Promise<void>) => void;

/** Uploads reports and puts them into one job. */
async function assign(store: AggregatorStore, ns: readonly number[], time = 100, batchId?: Uint8Array): Promise<void> {
  await store.putReports(
    TASK,
    ns.map((n) => report(n, time)),
    at(0),
    batchId === undefined,
    {},
  );
  const job = { jobId: JOB, aggregationParameter: NONE, batchId, reportIds: ns.map(id) };
  assert.equal(await store.createLeaderJobs(TASK, [job], at(1)), 'created');
}

function leaderStep(token: number, changes: Partial<LeaderStepCommit> = {}): LeaderStepCommit {
  return {
    key: { taskId: TASK, jobId: JOB, token: bytes(16, token) },
    commit: NO_COMMIT,
    reports: [],
    next: { state: 'finished', at: at(5) },
    counters: {},
    ...changes,
  };
}

function tasksAndKeys(inStore: InStore): void {
  inStore('putTask() tells a new task from the same and from a different one', async ({ stores: [a, b] }) => {
    assert.equal(await b.putTask(taskRow()), 'same');
    assert.equal(await b.putTask({ ...taskRow(), createdAt: at(99) }), 'same');
    assert.equal(await b.putTask({ ...taskRow(), processing: 'asynchronous' }), 'different');
    assert.equal(await b.putTask(taskRow(OTHER_TASK)), 'created');
    assert.deepEqual(plain(await a.readTask(TASK)), plain(taskRow()));
    assert.equal(await a.readTask(bytes(32, 9)), undefined);
  });

  inStore('listTasks() goes through all tasks in order', async ({ stores: [a] }) => {
    await a.putTask(taskRow(OTHER_TASK));
    const ids = async (after: Uint8Array | undefined, limit: number): Promise<(number | undefined)[]> =>
      (await a.listTasks(after, limit)).map(({ task }) => task.taskId.at(-1));
    assert.deepEqual(await ids(undefined, 10), [1, 2]);
    assert.deepEqual(await ids(undefined, 1), [1]);
    assert.deepEqual(await ids(TASK, 10), [2]);
    assert.deepEqual(await ids(OTHER_TASK, 10), []);
  });

  inStore('deleteTask() leaves nothing of a task', async ({ stores: [a, b] }) => {
    await assign(a, [1]);
    assert.equal(await b.deleteTask(TASK), true);
    assert.equal(await a.deleteTask(TASK), false);
    assert.deepEqual(await a.acquireLeaderJobs(lease(1, at(9))), []);
    assert.deepEqual(await a.putReports(TASK, [report(1)], at(2), true, {}), ['forgotten']);
    await a.putTask(taskRow());
    assert.deepEqual(await a.putReports(TASK, [report(1)], at(2), true, {}), ['stored']);
  });

  inStore('addCounters() adds up, and ignores an unknown task', async ({ stores: [a, b] }) => {
    await a.addCounters(TASK, { aggregated: 2, upload_other: 1 });
    await b.addCounters(TASK, { aggregated: 3 });
    await b.addCounters(OTHER_TASK, { aggregated: 3 });
    assert.deepEqual({ ...(await a.readCounters(TASK)) }, { aggregated: 5, upload_other: 1 });
    assert.deepEqual({ ...(await a.readCounters(OTHER_TASK)) }, {});
  });

  inStore('HPKE keys move only from the state they are in', async ({ stores: [a, b] }) => {
    const key = { configId: 7, config: bytes(9, 1), privateKey: bytes(32, 2), state: 'pending', since: at(1) } as const;
    assert.equal(await a.putHpkeKey(key), true);
    assert.equal(await b.putHpkeKey({ ...key, privateKey: bytes(32, 3) }), false);
    assert.equal(await a.putHpkeKey({ ...key, configId: 8, since: at(2) }), true);
    assert.deepEqual(
      (await b.readHpkeKeys()).map(({ configId }) => configId),
      [8, 7],
    );
    assert.equal(await b.moveHpkeKey(7, 'active', 'expired', at(3)), false);
    assert.equal(await b.moveHpkeKey(7, 'pending', 'active', at(3)), true);
    assert.deepEqual(plain((await a.readHpkeKeys())[0]), plain({ ...key, state: 'active', since: at(3) }));
    assert.equal(await a.deleteHpkeKey(7), false);
    assert.equal(await a.moveHpkeKey(7, 'active', 'expired', at(4)), true);
    assert.equal(await a.deleteHpkeKey(7), true);
    assert.equal(await a.deleteHpkeKey(7), false);
  });
}

function reportsAndJobs(inStore: InStore): void {
  inStore('putReports() stores each report once, also within a call', async ({ stores: [a, b] }) => {
    const outcomes = await a.putReports(TASK, [report(1), report(2), report(1)], at(1), true, { upload_other: 1 });
    assert.deepEqual([...outcomes], ['stored', 'stored', 'replayed']);
    assert.deepEqual([...(await b.putReports(TASK, [report(2), report(3)], at(2), true, {}))], ['replayed', 'stored']);
    assert.deepEqual({ ...(await b.readCounters(TASK)) }, { uploaded: 3, upload_duplicate: 2, upload_other: 1 });
    assert.deepEqual(plain(await b.countReports(TASK)), { waiting: 3, assigned: 0, aggregated: 0, rejected: 0 });
    const [first, missing] = await b.readReports(TASK, [id(1), id(9)]);
    assert.deepEqual(plain(first), plain({ ...report(1), attempts: 0 }));
    assert.equal(missing, undefined);
  });

  inStore('putReports() knows a report whose body is gone', async ({ stores: [a] }) => {
    await assign(a, [1]);
    await a.acquireLeaderJobs(lease(1, at(2)));
    const done = leaderStep(1, { commit: commitTo([1]), reports: [{ reportId: id(1), state: 'aggregated' }] });
    assert.equal(await a.commitLeaderStep(done), 'committed');
    assert.deepEqual(await a.readReports(TASK, [id(1)]), [undefined]);
    assert.deepEqual(await a.putReports(TASK, [report(1)], at(9), true, {}), ['replayed']);
  });

  inStore('waitingReports() shows what waits, by time, in the order of upload', async ({ stores: [a] }) => {
    await a.putReports(TASK, [report(3, 102)], at(1), true, {});
    await a.putReports(TASK, [report(1, 100), report(2, 101)], at(2), true, {});
    const query = { taskId: TASK, times: undefined, rememberedAs: NONE, now: at(3), limit: 10 };
    const ids = async (changes: object): Promise<(number | undefined)[]> =>
      (await a.waitingReports({ ...query, ...changes })).map(({ reportId }) => reportId.at(-1));
    assert.equal((await ids({}))[0], 3);
    assert.deepEqual((await ids({})).sort(byNumber), [1, 2, 3]);
    assert.deepEqual(await ids({ limit: 1 }), [3]);
    assert.deepEqual((await ids({ times: { first: 100, last: 101 } })).sort(byNumber), [1, 2]);
    await a.createLeaderJobs(
      TASK,
      [{ jobId: JOB, aggregationParameter: NONE, batchId: undefined, reportIds: [id(3)] }],
      at(3),
    );
    assert.deepEqual((await ids({})).sort(byNumber), [1, 2]);
  });

  inStore('createLeaderJobs() takes all reports or none', async ({ stores: [a, b] }) => {
    await a.putReports(TASK, [report(1), report(2)], at(1), true, {});
    const job = (jobId: number, ...ns: readonly number[]) => ({
      jobId: bytes(16, jobId),
      aggregationParameter: NONE,
      batchId: undefined,
      reportIds: ns.map(id),
    });
    assert.equal(await a.createLeaderJobs(TASK, [job(1, 1)], at(2)), 'created');
    assert.equal(await b.createLeaderJobs(TASK, [job(2, 2, 1)], at(2)), 'conflict');
    assert.equal(await b.createLeaderJobs(TASK, [job(2, 2), job(3, 2)], at(2)), 'conflict');
    assert.equal(await b.createLeaderJobs(TASK, [job(2, 9)], at(2)), 'conflict');
    assert.deepEqual(plain(await b.countReports(TASK)), { waiting: 1, assigned: 1, aggregated: 0, rejected: 0 });
    assert.equal((await a.acquireLeaderJobs(lease(1, at(3)))).length, 1);
  });

  inStore('createLeaderJobs() keeps count of batches of the leader’s choice', async ({ stores: [a] }) => {
    const batchId = bytes(32, 90);
    await assign(a, [1, 2, 3], 100, batchId);
    assert.deepEqual(
      plain(await a.selectedBatches(TASK, NONE)),
      plain([{ batchId, aggregationParameter: NONE, assigned: 3 }]),
    );
    assert.deepEqual(await a.selectedBatches(TASK, bytes(1, 1)), []);
    await a.acquireLeaderJobs(lease(1, at(2)));
    await a.commitLeaderStep(
      leaderStep(1, {
        reports: [
          { reportId: id(1), state: 'rejected', error: 6 },
          { reportId: id(2), state: 'waiting', notBefore: at(9), attempts: 1 },
          { reportId: id(3), state: 'aggregated' },
        ],
      }),
    );
    assert.equal((await a.selectedBatches(TASK, NONE))[0]?.assigned, 1);
    const query = { taskId: TASK, times: undefined, rememberedAs: NONE, limit: 10 };
    assert.deepEqual(await a.waitingReports({ ...query, now: at(8) }), []);
    assert.equal((await a.waitingReports({ ...query, now: at(9) })).length, 1);
    assert.equal((await a.readReports(TASK, [id(2)]))[0]?.attempts, 1);
  });

  inStore(
    'a lease keeps others out until it runs out, and then belongs to whoever takes it over',
    async ({ stores: [a, b] }) => {
      await assign(a, [1]);
      const [first] = await a.acquireLeaderJobs(lease(1, at(2)));
      assert.equal(first?.attempts, 1);
      assert.deepEqual(plain(first?.job.reportIds), plain([id(1)]));
      assert.deepEqual(await b.acquireLeaderJobs(lease(2, at(61))), []);
      const [second] = await b.acquireLeaderJobs(lease(2, at(62)));
      assert.equal(second?.attempts, 2);
      assert.equal(await a.commitLeaderStep(leaderStep(1, { commit: commitTo([1]) })), 'stale');
      assert.equal(await a.giveBackLeaderJob(leaderStep(1).key, { notBefore: at(0), isProgress: false }), false);
      assert.deepEqual((await a.readBatchFacts(TASK, interval(0, 999), QUERY)).parts, []);
      assert.equal(await b.commitLeaderStep(leaderStep(2, { commit: commitTo([1]) })), 'committed');
      assert.deepEqual(await a.acquireLeaderJobs(lease(3, at(999))), []);
    },
  );

  inStore('a lease that ran out works as long as nobody took it over', async ({ stores: [a] }) => {
    await assign(a, [1]);
    await a.acquireLeaderJobs(lease(1, at(2)));
    assert.equal(await a.giveBackLeaderJob(leaderStep(1).key, { notBefore: at(500), isProgress: false }), true);
    assert.deepEqual(await a.acquireLeaderJobs(lease(1, at(499))), []);
    assert.equal((await a.acquireLeaderJobs(lease(1, at(500))))[0]?.attempts, 2);
    assert.equal(await a.giveBackLeaderJob(leaderStep(1).key, { notBefore: at(501), isProgress: true }), true);
    assert.equal((await a.acquireLeaderJobs(lease(4, at(501))))[0]?.attempts, 1);
  });

  inStore('commitLeaderStep() keeps progress and lease between steps', async ({ stores: [a, b] }) => {
    await assign(a, [1]);
    await a.acquireLeaderJobs(lease(1, at(2)));
    const next = { state: 'active', progress: bytes(5, 5), location: 'https://helper.example/x' } as const;
    assert.equal(await a.commitLeaderStep(leaderStep(1, { next: { ...next, giveBack: undefined } })), 'committed');
    assert.deepEqual(await b.acquireLeaderJobs(lease(2, at(3))), []);
    const giveBack = { notBefore: at(3), isProgress: true };
    assert.equal(await a.commitLeaderStep(leaderStep(1, { next: { ...next, giveBack } })), 'committed');
    const [taken] = await b.acquireLeaderJobs(lease(2, at(3)));
    assert.equal(taken?.attempts, 1);
    assert.deepEqual([...(taken?.job.progress ?? [])], [...bytes(5, 5)]);
    assert.equal(taken?.job.location, next.location);
  });
}

function commitments(inStore: InStore): void {
  const facts = async (store: AggregatorStore, n: number, time = 100) =>
    plain(await store.readCommitmentFacts(TASK, [{ reportId: id(n), time, bucket: timeKey(time) }]));

  inStore('a commitment is remembered, and its bucket is there', async ({ stores: [a, b] }) => {
    const step = { at: undefined, job: helperJob(), commit: commitTo([1, 2]), counters: { aggregated: 2 }, now: at(1) };
    assert.equal(await a.commitHelperStep(step), 'committed');
    assert.deepEqual(await facts(b, 1), plain([{ aggregated: [NONE], collected: [], claimed: [] }]));
    assert.deepEqual(await facts(b, 3), plain([{ aggregated: [], collected: [], claimed: [] }]));
    const { parts, collected, outstanding } = await b.readBatchFacts(TASK, interval(100, 100), QUERY);
    assert.deepEqual(plain(parts.map(({ part: _part, ...bucket }) => bucket)), plain(commitTo([1, 2]).buckets));
    assert.deepEqual([collected.length, outstanding], [0, 0]);
    assert.deepEqual({ ...(await b.readCounters(TASK)) }, { aggregated: 2 });
  });

  inStore('a commitment that knew too little changes nothing', async ({ stores: [a, b] }) => {
    const step = (jobId: number, ns: readonly number[]) => ({
      at: undefined,
      job: helperJob({ jobId: bytes(16, jobId) }),
      commit: commitTo(ns),
      counters: { aggregated: ns.length },
      now: at(1),
    });
    assert.equal(await a.commitHelperStep(step(1, [1])), 'committed');
    const before = plain(await a.readBatchFacts(TASK, interval(0, 999), QUERY));
    assert.equal(await b.commitHelperStep(step(2, [2, 1])), 'conflict');
    assert.deepEqual(plain(await a.readBatchFacts(TASK, interval(0, 999), QUERY)), before);
    assert.equal(await a.readHelperJob(TASK, bytes(16, 2)), undefined);
    assert.deepEqual(await facts(a, 2), plain([{ aggregated: [], collected: [], claimed: [] }]));
    assert.deepEqual({ ...(await a.readCounters(TASK)) }, { aggregated: 1 });
  });

  inStore('a report is remembered with each parameter, in order', async ({ stores: [a] }) => {
    for (const [i, parameter] of [bytes(1, 5), bytes(1, 3)].entries()) {
      const commit = commitTo([1], 100, { rememberedAs: parameter });
      const reports = commit.reports.map((one) => ({ ...one, aggregated: i }));
      const job = helperJob({ jobId: bytes(16, i) });
      const step = { at: undefined, job, commit: { ...commit, reports }, counters: {}, now: at(1) };
      assert.equal(await a.commitHelperStep(step), 'committed');
    }
    assert.deepEqual(
      await facts(a, 1),
      plain([{ aggregated: [bytes(1, 5), bytes(1, 3)], collected: [], claimed: [] }]),
    );
  });

  claims(inStore, facts);

  inStore('replaceParts() puts one part in the place of those it is made from', async ({ stores: [a, b] }) => {
    for (const n of [1, 2, 3]) {
      const job = helperJob({ jobId: bytes(16, n) });
      await a.commitHelperStep({ at: undefined, job, commit: commitTo([n]), counters: {}, now: at(1) });
    }
    assert.deepEqual(await a.bucketsToMerge(TASK, 3, 10), []);
    const [parts = []] = await b.bucketsToMerge(TASK, 2, 10);
    assert.equal(parts.length, 3);
    const numbers = parts.map(({ part }) => part);
    const merged = bucketFor(timeKey(100), 3, { start: 100, duration: 1 });
    assert.equal(await a.replaceParts(TASK, numbers, merged), true);
    assert.equal(await b.replaceParts(TASK, numbers, merged), false);
    const after = await b.readBatchFacts(TASK, interval(100, 100), QUERY);
    assert.equal(after.parts.length, 1);
    assert.equal(after.parts[0]?.reportCount, 3);
    assert.equal(numbers.includes(after.parts[0]?.part ?? 0), false);
  });
}

/** A report is started at most once per level, whatever became of the job. */
function claims(inStore: InStore, facts: (store: AggregatorStore, n: number) => Promise<unknown>): void {
  const level = bytes(1, 5);
  const claim = (kind: 'make' | 'use', aggregated = 0, changes: Partial<Commit> = {}): Commit => {
    const { reports, buckets } = commitTo([1]);
    return {
      rememberedAs: level,
      reports: reports.map((one) => ({ ...one, aggregated, claim: kind })),
      buckets: kind === 'make' ? [] : buckets,
      ...changes,
    };
  };
  const start = (jobId: number, commit: Commit) => ({
    at: undefined,
    job: helperJob({ jobId: bytes(16, jobId), aggregationParameter: level, pending: bytes(5, 5) }),
    commit,
    counters: {},
    now: at(1),
  });
  const finish = (jobId: number, commit: Commit) => ({
    ...start(jobId, commit),
    at: { step: 0, state: 'ready' } as const,
    job: helperJob({ jobId: bytes(16, jobId), aggregationParameter: level, step: 1 }),
  });
  const known = (aggregated: readonly Uint8Array[], claimed: readonly Uint8Array[]) =>
    plain([{ aggregated, collected: [], claimed }]);
  const partsIn = async (store: AggregatorStore): Promise<number> =>
    (await store.readBatchFacts(TASK, interval(0, 999), QUERY)).parts.length;

  inStore('a claim is remembered without a bucket, and used once', async ({ stores: [a, b] }) => {
    assert.equal(await a.commitHelperStep(start(1, claim('make'))), 'committed');
    assert.deepEqual(await facts(b, 1), known([level], [level]));
    assert.equal(await partsIn(b), 0);
    assert.equal(await b.commitHelperStep(finish(1, claim('use'))), 'committed');
    assert.deepEqual(await facts(a, 1), known([level], []));
    assert.equal(await partsIn(a), 1);
    const again = { ...finish(1, claim('use')), at: { step: 1, state: 'ready' } as const };
    assert.equal(await a.commitHelperStep(again), 'conflict');
    assert.equal(await partsIn(a), 1);
  });

  inStore('a report is started at most once per level, whatever became of the job', async (harness) => {
    const [a, b] = harness.stores;
    const refused = async (jobId: number): Promise<void> => {
      assert.equal(await b.commitHelperStep(start(jobId, claim('make'))), 'conflict');
      assert.equal(await b.commitHelperStep(start(jobId, commitTo([1]))), 'conflict');
      assert.equal(await b.readHelperJob(TASK, bytes(16, jobId)), undefined);
      assert.deepEqual(await facts(b, 1), known([level], [level]));
    };
    assert.equal(await a.commitHelperStep(start(1, claim('make'))), 'committed');
    await refused(2);
    await a.deleteHelperJob(TASK, bytes(16, 1), at(2));
    await refused(3);
    while (!(await a.deleteEnded(TASK, at(900), 10)));
    assert.equal(await a.readHelperJob(TASK, bytes(16, 1)), undefined);
    await refused(1);
  });

  inStore(
    'a claim is used by its position and parameter, whatever was claimed after it',
    async ({ stores: [a, b] }) => {
      const next = bytes(1, 6);
      assert.equal(await a.commitHelperStep(start(1, claim('make'))), 'committed');
      assert.equal(await a.commitHelperStep(start(2, claim('make', 1, { rememberedAs: next }))), 'committed');
      assert.deepEqual(await facts(b, 1), known([level, next], [level, next]));
      assert.equal(await b.commitHelperStep(finish(1, claim('use', 1))), 'conflict');
      assert.equal(await b.commitHelperStep(finish(1, claim('use', 2))), 'conflict');
      assert.equal(await b.commitHelperStep(finish(1, claim('use', 0, { rememberedAs: next }))), 'conflict');
      assert.deepEqual(await facts(b, 1), known([level, next], [level, next]));
      assert.equal(await b.commitHelperStep(finish(1, claim('use'))), 'committed');
      assert.deepEqual(await facts(a, 1), known([level, next], [next]));
    },
  );

  inStore('a claim is forgotten with its time, and cannot be used any more', async ({ stores: [a, b] }) => {
    assert.equal(await a.commitHelperStep(start(1, claim('make'))), 'committed');
    while (!(await b.forgetBefore(TASK, 101, 10)));
    assert.deepEqual(await facts(a, 1), known([], []));
    assert.equal(await a.commitHelperStep(finish(1, claim('use'))), 'conflict');
    assert.equal(await a.commitHelperStep(start(2, claim('make'))), 'conflict');
  });

  inStore(
    'the leader claims with the first request, and keeps claims of what it gives up',
    async ({ stores: [a, b] }) => {
      await assign(a, [1]);
      await a.acquireLeaderJobs(lease(1, at(2)));
      const active = { state: 'active', progress: bytes(5, 5), location: undefined, giveBack: undefined } as const;
      assert.equal(await a.commitLeaderStep(leaderStep(1, { commit: claim('make'), next: active })), 'committed');
      assert.deepEqual(await facts(b, 1), known([level], [level]));
      const waiting = [{ reportId: id(1), state: 'waiting', notBefore: at(0), attempts: 1 }] as const;
      const given = leaderStep(1, { reports: waiting, next: { state: 'abandoned', at: at(3) } });
      assert.equal(await a.commitLeaderStep(given), 'committed');
      while (!(await b.deleteEnded(TASK, at(900), 10)));
      const query = { taskId: TASK, times: undefined, now: at(9), limit: 9 };
      assert.deepEqual(await b.waitingReports({ ...query, rememberedAs: level }), []);
      const job = { jobId: bytes(16, 5), aggregationParameter: level, batchId: undefined, reportIds: [id(1)] };
      assert.equal(await b.createLeaderJobs(TASK, [job], at(10)), 'created');
      await b.acquireLeaderJobs(lease(2, at(11)));
      const key = { taskId: TASK, jobId: job.jobId, token: bytes(16, 2) };
      assert.equal(
        await b.commitLeaderStep({ ...leaderStep(2, { commit: claim('make'), next: active }), key }),
        'conflict',
      );
    },
  );

  inStore('of two jobs that claim the same report at once, one does', async ({ stores: [a, b] }) => {
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map((n) => (n % 2 === 0 ? a : b).commitHelperStep(start(n, claim('make')))),
    );
    assert.deepEqual(outcomes.toSorted(), ['committed', 'conflict', 'conflict', 'conflict']);
    assert.deepEqual(await facts(a, 1), known([level], [level]));
  });
}

function helperJobs(inStore: InStore): void {
  inStore('a job is created once, and moves only from where it is', async ({ stores: [a, b] }) => {
    const step = { at: undefined, job: helperJob(), commit: NO_COMMIT, counters: {}, now: at(1) };
    assert.equal(await a.commitHelperStep(step), 'committed');
    assert.equal(await b.commitHelperStep(step), 'stale');
    assert.deepEqual(plain(await b.readHelperJob(TASK, helperJob().jobId)), plain(helperJob()));
    const next = helperJob({ step: 1, requestDigest: bytes(32, 63), response: bytes(9, 64) });
    const wrong = { ...step, job: next, at: { step: 1, state: 'ready' } as const };
    assert.equal(await b.commitHelperStep(wrong), 'stale');
    assert.equal(await b.commitHelperStep({ ...wrong, at: { step: 0, state: 'ready' } }), 'committed');
    assert.equal(await b.commitHelperStep({ ...wrong, at: { step: 0, state: 'ready' } }), 'stale');
    assert.deepEqual(plain(await a.readHelperJob(TASK, next.jobId)), plain(next));
  });

  inStore('a job that is processed is acquired, and stored by its owner alone', async ({ stores: [a, b] }) => {
    const queued = helperJob({ state: 'processing', request: bytes(30, 1), response: undefined });
    const queue = { at: undefined, job: queued, commit: NO_COMMIT, counters: {}, now: at(1) };
    assert.equal(await a.commitHelperStep(queue), 'committed');
    const [taken] = await b.acquireHelperJobs(lease(1, at(1)));
    assert.deepEqual(plain(taken?.job), plain(queued));
    const done = { ...queue, job: helperJob(), commit: commitTo([1]) };
    const owned = (token: number) => ({ step: 0, state: 'processing', token: bytes(16, token) }) as const;
    assert.equal(await a.commitHelperStep({ ...done, at: owned(2) }), 'stale');
    assert.equal(await a.commitHelperStep({ ...done, at: { step: 0, state: 'ready' } }), 'stale');
    assert.equal(await b.commitHelperStep({ ...done, at: owned(1) }), 'committed');
    assert.deepEqual(await b.acquireHelperJobs(lease(1, at(999))), []);
    const key = { taskId: TASK, jobId: queued.jobId, token: bytes(16, 1) };
    assert.equal(await b.giveBackHelperJob(key, { notBefore: at(9), isProgress: false }), false);
  });

  inStore('DELETE of a job keeps its reports remembered', async ({ stores: [a, b] }) => {
    const step = { at: undefined, job: helperJob(), commit: commitTo([1]), counters: {}, now: at(1) };
    await a.commitHelperStep(step);
    assert.equal(await b.deleteHelperJob(TASK, step.job.jobId, at(2)), true);
    assert.equal(await b.deleteHelperJob(TASK, step.job.jobId, at(2)), false);
    assert.equal(await b.deleteHelperJob(TASK, bytes(16, 99), at(2)), false);
    const row = await a.readHelperJob(TASK, step.job.jobId);
    assert.deepEqual([row?.state, row?.response, row?.request], ['deleted', undefined, undefined]);
    const again = { ...step, job: helperJob({ jobId: bytes(16, 98) }) };
    assert.equal(await a.commitHelperStep(again), 'conflict');
    assert.equal(await a.commitHelperStep({ ...step, commit: NO_COMMIT }), 'stale');
  });
}

function collections(inStore: InStore): void {
  const setUp = async (a: AggregatorStore): Promise<readonly number[]> => {
    await assign(a, [1, 2]);
    await a.acquireLeaderJobs(lease(1, at(2)));
    await a.commitLeaderStep(
      leaderStep(1, {
        commit: commitTo([1, 2]),
        reports: [1, 2].map((n) => ({ reportId: id(n), state: 'aggregated' as const })),
      }),
    );
    await a.createCollectionJob(collectionJob());
    return (await a.readBatchFacts(TASK, interval(100, 100), QUERY)).parts.map(({ part }) => part);
  };
  const key = (token: number) => ({ taskId: TASK, jobId: collectionJob().jobId, token: bytes(16, token) });
  const batch = (parts: readonly number[], collected = 0) => ({
    keys: interval(100, 100),
    aggregationParameter: NONE,
    parts,
    collected,
  });

  inStore('findCollectionJob() finds the job of a request, and counts generations', async ({ stores: [a, b] }) => {
    const { requestDigest } = collectionJob();
    assert.deepEqual(plain(await a.findCollectionJob(TASK, requestDigest)), { nextGeneration: 0 });
    assert.equal(await a.createCollectionJob(collectionJob()), true);
    assert.equal(await b.createCollectionJob(collectionJob()), false);
    const found = await b.findCollectionJob(TASK, requestDigest);
    assert.deepEqual(plain(found.job), plain(collectionJob()));
    assert.equal(await b.deleteCollectionJob(TASK, collectionJob().jobId, at(11)), true);
    assert.equal(await b.deleteCollectionJob(TASK, collectionJob().jobId, at(11)), false);
    assert.deepEqual(plain(await a.findCollectionJob(TASK, requestDigest)), { nextGeneration: 1 });
    assert.equal((await a.readCollectionJob(TASK, collectionJob().jobId))?.state, 'deleted');
    assert.deepEqual(await a.acquireCollectionJobs(lease(1, at(20))), []);
  });

  inStore('collectBatch() marks a batch as collected with the share that leaves', async ({ stores: [a, b] }) => {
    const parts = await setUp(a);
    assert.equal((await a.waitingCollectionJobs(TASK)).length, 1);
    assert.equal((await a.acquireCollectionJobs(lease(1, at(20)))).length, 1);
    assert.equal(await b.collectBatch(key(2), batch(parts), QUERY, SHARE), 'stale');
    assert.equal(await a.collectBatch(key(1), batch(parts), QUERY, SHARE), 'committed');
    assert.equal(await a.collectBatch(key(1), batch(parts), QUERY, SHARE), 'stale');
    const row = await b.readCollectionJob(TASK, collectionJob().jobId);
    assert.deepEqual(plain([row?.share, row?.state]), plain([SHARE, 'waiting']));
    assert.deepEqual(await b.waitingCollectionJobs(TASK), []);
    const { collected } = await b.readBatchFacts(TASK, interval(50, 100), QUERY);
    assert.deepEqual(
      plain(collected),
      plain([{ first: timeKey(100), last: timeKey(100), aggregationParameter: NONE }]),
    );
    assert.deepEqual((await b.readBatchFacts(TASK, interval(101, 900), QUERY)).collected, []);
    assert.deepEqual(
      plain(await b.readCommitmentFacts(TASK, [{ reportId: id(9), time: 100, bucket: timeKey(100) }])),
      plain([{ aggregated: [], collected: [NONE], claimed: [] }]),
    );
    assert.deepEqual(
      [...(await b.putReports(TASK, [report(1), report(8), report(9, 101)], at(30), true, {}))],
      ['replayed', 'collected', 'stored'],
    );
    assert.deepEqual(await b.putReports(TASK, [report(8)], at(30), false, {}), ['stored']);
    assert.equal(await a.endCollectionJob(key(2), { response: bytes(3, 3) }, at(31), {}), false);
    assert.equal(await a.giveBackCollectionJob(key(1), 'https://x/', { notBefore: at(31), isProgress: true }), true);
    const [taken] = await b.acquireCollectionJobs(lease(2, at(31)));
    assert.deepEqual([taken?.job.location, taken?.attempts], ['https://x/', 1]);
    assert.equal(await b.endCollectionJob(key(2), { response: bytes(3, 3) }, at(32), { collected: 1 }), true);
    assert.equal(await b.endCollectionJob(key(2), { problem: 'BATCH_MISMATCH' }, at(32), {}), false);
    const ended = await a.readCollectionJob(TASK, collectionJob().jobId);
    assert.deepEqual([ended?.state, [...(ended?.response ?? [])]], ['ready', [0, 0, 3]]);
  });

  inStore('collectBatch() refuses when there is more than was known', async ({ stores: [a, b] }) => {
    const parts = await setUp(a);
    await a.acquireCollectionJobs(lease(1, at(20)));
    const step = { at: undefined, job: helperJob(), commit: commitTo([7]), counters: {}, now: at(21) };
    await b.commitHelperStep(step);
    assert.equal(await a.collectBatch(key(1), batch(parts), QUERY, SHARE), 'conflict');
    assert.equal(await a.collectBatch(key(1), batch([]), QUERY, SHARE), 'conflict');
    const now = (await a.readBatchFacts(TASK, interval(100, 100), QUERY)).parts.map(({ part }) => part);
    assert.equal(await a.collectBatch(key(1), batch(now, 1), QUERY, SHARE), 'conflict');
    assert.equal((await b.readCollectionJob(TASK, collectionJob().jobId))?.share, undefined);
    assert.deepEqual((await b.readBatchFacts(TASK, interval(0, 900), QUERY)).collected, []);
    assert.equal(await a.collectBatch(key(1), batch(now.toReversed()), QUERY, SHARE), 'committed');
  });

  inStore('collectBatch() waits for reports of the batch, and for no others', async ({ stores: [a, b] }) => {
    const parts = await setUp(a);
    await a.acquireCollectionJobs(lease(1, at(20)));
    await b.putReports(TASK, [report(4, 101)], at(21), true, {});
    await b.putReports(TASK, [report(5, 100)], at(22), true, {});
    const counted = async (query: OutstandingQuery): Promise<number> =>
      (await a.readBatchFacts(TASK, interval(100, 100), query)).outstanding;
    assert.equal(await counted(QUERY), 1);
    assert.equal(await a.collectBatch(key(1), batch(parts), QUERY, SHARE), 'outstanding');
    const early = { ...QUERY, uploadedBefore: at(22) };
    assert.equal(await counted(early), 0);
    const job = { jobId: bytes(16, 5), aggregationParameter: NONE, batchId: undefined, reportIds: [id(5)] };
    await b.createLeaderJobs(TASK, [job], at(23));
    assert.equal(await counted(early), 1);
    assert.equal(await a.collectBatch(key(1), batch(parts), early, SHARE), 'outstanding');
  });

  inStore('a waiting report that is remembered with the parameter is not outstanding', async ({ stores: [a] }) => {
    const rememberedAs = bytes(1, 3);
    await assign(a, [1]);
    await a.acquireLeaderJobs(lease(1, at(2)));
    const commit = commitTo([1], 100, { rememberedAs });
    const reports = [{ reportId: id(1), state: 'waiting' as const, notBefore: at(0), attempts: 0 }];
    assert.equal(await a.commitLeaderStep(leaderStep(1, { commit, reports })), 'committed');
    const counted = async (parameter: Uint8Array): Promise<number> =>
      (await a.readBatchFacts(TASK, interval(100, 100), { ...QUERY, rememberedAs: parameter })).outstanding;
    assert.deepEqual([await counted(rememberedAs), await counted(bytes(1, 4))], [0, 1]);
    const query = { taskId: TASK, times: undefined, now: at(9), limit: 9 };
    assert.deepEqual(await a.waitingReports({ ...query, rememberedAs }), []);
    assert.equal((await a.waitingReports({ ...query, rememberedAs: bytes(1, 4) })).length, 1);
  });

  inStore('a collected batch of the leader’s choice takes no more reports', async ({ stores: [a, b] }) => {
    const batchId = bytes(32, 91);
    await assign(a, [1], 100, batchId);
    const keys = selected(batchId);
    assert.equal((await a.readBatchFacts(TASK, keys, QUERY)).outstanding, 1);
    await a.acquireLeaderJobs(lease(1, at(2)));
    const bucket = bucketFor(batchId, 1, { start: 100, duration: 1 });
    const commit: Commit = {
      rememberedAs: NONE,
      reports: [{ reportId: id(1), time: 100, bucket: batchId, aggregated: 0, collected: 0 }],
      buckets: [bucket],
    };
    await a.commitLeaderStep(leaderStep(1, { commit, reports: [{ reportId: id(1), state: 'aggregated' }] }));
    const { parts, outstanding } = await b.readBatchFacts(TASK, keys, QUERY);
    assert.deepEqual([parts.length, outstanding], [1, 0]);
    await a.createCollectionJob(collectionJob({ keys: undefined }));
    await a.acquireCollectionJobs(lease(1, at(20)));
    const commitBatch = { keys, aggregationParameter: NONE, parts: parts.map(({ part }) => part), collected: 0 };
    assert.equal(await a.collectBatch(key(1), commitBatch, QUERY, SHARE), 'committed');
    assert.deepEqual(plain((await b.readCollectionJob(TASK, collectionJob().jobId))?.keys), plain(keys));
    assert.deepEqual(await b.selectedBatches(TASK, NONE), []);
    await b.putReports(TASK, [report(2)], at(21), false, {});
    const late = { jobId: bytes(16, 5), aggregationParameter: NONE, batchId, reportIds: [id(2)] };
    assert.equal(await b.createLeaderJobs(TASK, [late], at(22)), 'conflict');
  });

  inStore('an aggregate share is released once, and its batch stays collected', async ({ stores: [a, b] }) => {
    await a.commitHelperStep({ at: undefined, job: helperJob(), commit: commitTo([1]), counters: {}, now: at(1) });
    const parts = (await a.readBatchFacts(TASK, interval(100, 100), QUERY)).parts.map(({ part }) => part);
    assert.equal(await a.commitAggregateShare(shareRow(), batch([...parts, 999]), at(2), {}), 'conflict');
    assert.equal(await a.commitAggregateShare(shareRow(), batch(parts, 1), at(2), {}), 'conflict');
    assert.equal(await a.commitAggregateShare(shareRow(), batch(parts), at(2), { collected: 1 }), 'committed');
    assert.equal(await b.commitAggregateShare(shareRow(), batch(parts, 1), at(2), {}), 'stale');
    assert.deepEqual(plain(await b.readAggregateShare(TASK, shareRow().shareId)), plain(shareRow()));
    const other = shareRow({ shareId: bytes(16, 73) });
    assert.equal(await b.commitAggregateShare(other, batch(parts), at(2), {}), 'conflict');
    const late = {
      at: undefined,
      job: helperJob({ jobId: bytes(16, 9) }),
      commit: commitTo([2]),
      counters: {},
      now: at(3),
    };
    assert.equal(await b.commitHelperStep(late), 'conflict');
    assert.equal(await b.deleteAggregateShare(TASK, shareRow().shareId, at(4)), true);
    assert.equal(await b.deleteAggregateShare(TASK, shareRow().shareId, at(4)), false);
    assert.equal((await a.readAggregateShare(TASK, shareRow().shareId))?.response, undefined);
    assert.equal((await a.readBatchFacts(TASK, interval(0, 900), QUERY)).collected.length, 1);
  });
}

function garbage(inStore: InStore): void {
  const commitHelper = async (store: AggregatorStore, n: number, time: number) =>
    store.commitHelperStep({
      at: undefined,
      job: helperJob({ jobId: id(n) }),
      commit: commitTo([n], time),
      counters: {},
      now: at(1),
    });
  const forgetAll = async (store: AggregatorStore, time: number): Promise<void> => {
    while (!(await store.forgetBefore(TASK, time, 2)));
  };

  inStore(
    'forgetBefore() refuses what it can no longer judge, in every commitment and upload',
    async ({ stores: [a, b] }) => {
      for (const [n, time] of [
        [1, 100],
        [2, 101],
        [3, 102],
      ] as const)
        assert.equal(await commitHelper(a, n, time), 'committed');
      await forgetAll(a, 101);
      assert.equal((await b.readTask(TASK))?.rememberedSince, 101);
      // The report is forgotten, so that nothing but its time stands against it.
      const known = await b.readCommitmentFacts(TASK, [{ reportId: id(1), time: 100, bucket: timeKey(100) }]);
      assert.deepEqual(plain(known), plain([{ aggregated: [], collected: [], claimed: [] }]));
      assert.equal(
        await b.commitHelperStep({
          at: undefined,
          job: helperJob({ jobId: id(9) }),
          commit: commitTo([1]),
          counters: {},
          now: at(1),
        }),
        'conflict',
      );
      assert.deepEqual(
        [...(await b.putReports(TASK, [report(8, 100), report(9, 101)], at(2), true, {}))],
        ['forgotten', 'stored'],
      );
      const left = await b.readBatchFacts(TASK, interval(0, 999), QUERY);
      assert.deepEqual(left.parts.map(({ interval: { start } }) => start).sort(byNumber), [101, 102]);
      await forgetAll(b, 50);
      assert.equal((await a.readTask(TASK))?.rememberedSince, 101);
    },
  );

  inStore('forgetBefore() keeps a collection as long as one of its buckets counts', async ({ stores: [a] }) => {
    await commitHelper(a, 1, 100);
    await commitHelper(a, 2, 101);
    const keys = interval(100, 101);
    const parts = (await a.readBatchFacts(TASK, keys, QUERY)).parts.map(({ part }) => part);
    const batch = { keys, aggregationParameter: NONE, parts, collected: 0 };
    assert.equal(await a.commitAggregateShare(shareRow(), batch, at(2), {}), 'committed');
    await forgetAll(a, 101);
    const kept = await a.readBatchFacts(TASK, keys, QUERY);
    assert.deepEqual([kept.collected.length, kept.parts.length], [1, 2]);
    await forgetAll(a, 102);
    const gone = await a.readBatchFacts(TASK, keys, QUERY);
    assert.deepEqual([gone.collected.length, gone.parts.length], [0, 0]);
  });

  inStore('forgetBefore() never leaves a bucket without its collection', async ({ stores: [a, b] }) => {
    const times = [100, 101, 102, 103, 104];
    for (const time of times) await commitHelper(a, time, time);
    const commit = async (keys: BatchKeys, n: number): Promise<string> => {
      const { parts, collected } = await b.readBatchFacts(TASK, keys, QUERY);
      const batch = { keys, aggregationParameter: NONE, parts: parts.map(({ part }) => part), collected: 0 };
      const known = n === 0 ? batch : { ...batch, collected: collected.length };
      return b.commitAggregateShare(shareRow({ shareId: id(n) }), known, at(2), {});
    };
    assert.equal(await commit(interval(100, 104), 0), 'committed');
    for (let isDone = false, pass = 1; !isDone; pass++) {
      isDone = await a.forgetBefore(TASK, 105, 2);
      const { parts, collected, rememberedSince } = await b.readBatchFacts(TASK, interval(100, 104), QUERY);
      assert.equal(rememberedSince, 105);
      assert.ok(parts.length === 0 || collected.length === 1, `pass ${pass}`);
      // A smaller cut of it is no batch, with or without what says that it was collected.
      assert.equal(await commit(interval(103, 104), pass), 'conflict');
      assert.equal(await commit(interval(104, 106), pass + 100), 'conflict');
    }
    assert.equal((await b.readBatchFacts(TASK, interval(100, 104), QUERY)).collected.length, 0);
    assert.equal(await commit(interval(105, 106), 200), 'committed');
  });

  inStore('a leader collects no batch that begins before what is remembered', async ({ stores: [a, b] }) => {
    await commitHelper(a, 1, 100);
    await a.createCollectionJob(collectionJob());
    await a.acquireCollectionJobs(lease(1, at(20)));
    const parts = (await a.readBatchFacts(TASK, interval(100, 100), QUERY)).parts.map(({ part }) => part);
    const key = { taskId: TASK, jobId: collectionJob().jobId, token: bytes(16, 1) };
    const batch = (keys: BatchKeys, known: readonly number[]) =>
      ({ keys, aggregationParameter: NONE, parts: known, collected: 0 }) as const;
    await forgetAll(b, 101);
    for (const known of [parts, []]) {
      assert.equal(await a.collectBatch(key, batch(interval(100, 100), known), QUERY, SHARE), 'conflict');
    }
    assert.equal(await a.collectBatch(key, batch(interval(101, 101), []), QUERY, SHARE), 'committed');
  });

  inStore('forgetBefore() takes a batch of the leader’s choice whole or not at all', async ({ stores: [a] }) => {
    const batchId = bytes(32, 92);
    const keys = selected(batchId);
    for (const [n, time] of [
      [1, 100],
      [2, 105],
    ] as const) {
      const commit: Commit = {
        rememberedAs: NONE,
        reports: [{ reportId: id(n), time, bucket: batchId, aggregated: 0, collected: 0 }],
        buckets: [bucketFor(batchId, 1, { start: time, duration: 1 })],
      };
      const job = helperJob({ jobId: id(n), batchId });
      assert.equal(await a.commitHelperStep({ at: undefined, job, commit, counters: {}, now: at(1) }), 'committed');
    }
    await forgetAll(a, 103);
    const kept = await a.readBatchFacts(TASK, keys, QUERY);
    assert.equal(kept.parts.length, 2);
    const batch = { keys, aggregationParameter: NONE, parts: kept.parts.map(({ part }) => part), collected: 0 };
    assert.equal(await a.commitAggregateShare(shareRow(), batch, at(2), {}), 'committed');
    await forgetAll(a, 105);
    assert.equal((await a.readBatchFacts(TASK, keys, QUERY)).collected.length, 1);
    await forgetAll(a, 106);
    const gone = await a.readBatchFacts(TASK, keys, QUERY);
    assert.deepEqual([gone.collected.length, gone.parts.length], [0, 0]);
  });

  inStore('forgetBefore() deletes old reports, but none that a job has', async ({ stores: [a] }) => {
    await assign(a, [1]);
    await a.putReports(TASK, [report(2, 100), report(3, 200)], at(1), true, {});
    await forgetAll(a, 150);
    assert.deepEqual(plain(await a.countReports(TASK)), { waiting: 1, assigned: 1, aggregated: 0, rejected: 0 });
    await a.acquireLeaderJobs(lease(1, at(2)));
    assert.equal(await a.commitLeaderStep(leaderStep(1, { commit: commitTo([1]) })), 'conflict');
  });

  inStore('deleteEnded() deletes jobs that have ended, and nothing that is remembered', async ({ stores: [a, b] }) => {
    await assign(a, [1]);
    await commitHelper(a, 2, 100);
    await a.createCollectionJob(collectionJob());
    const parts = (await a.readBatchFacts(TASK, interval(100, 100), QUERY)).parts.map(({ part }) => part);
    const batch = { keys: interval(100, 100), aggregationParameter: NONE, parts, collected: 0 };
    await a.commitAggregateShare(shareRow(), batch, at(3), {});
    while (!(await b.deleteEnded(TASK, at(2), 1)));
    assert.equal(await a.readHelperJob(TASK, id(2)), undefined);
    assert.notEqual(await a.readAggregateShare(TASK, shareRow().shareId), undefined);
    while (!(await b.deleteEnded(TASK, at(900), 1)));
    assert.equal(await a.readAggregateShare(TASK, shareRow().shareId), undefined);
    assert.equal((await a.readBatchFacts(TASK, interval(0, 999), QUERY)).collected.length, 1);
    assert.equal(await commitHelper(a, 2, 100), 'conflict');
    assert.equal((await a.acquireLeaderJobs(lease(1, at(901)))).length, 1);
    assert.equal((await a.acquireCollectionJobs(lease(1, at(901)))).length, 1);
  });
}

function concurrency(inStore: InStore): void {
  inStore('of two uploads of the same reports at once, one stores them', async ({ stores: [a, b] }) => {
    const reports = Array.from({ length: 20 }, (_, n) => report(n));
    const outcomes = await Promise.all([
      a.putReports(TASK, reports, at(1), true, {}),
      b.putReports(TASK, reports.toReversed(), at(1), true, {}),
    ]);
    assert.equal(outcomes.flat().filter((outcome) => outcome === 'stored').length, 20);
    assert.equal((await a.countReports(TASK)).waiting, 20);
  });

  inStore('of many drivers at once, one gets a job', async ({ stores: [a, b] }) => {
    const reports = Array.from({ length: 8 }, (_, n) => report(n));
    await a.putReports(TASK, reports, at(1), true, {});
    const jobs = reports.map(({ reportId }, n) => ({
      jobId: bytes(16, n + 1),
      aggregationParameter: NONE,
      batchId: undefined,
      reportIds: [reportId],
    }));
    await a.createLeaderJobs(TASK, jobs, at(2));
    const taken = await Promise.all(
      Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? a : b).acquireLeaderJobs(lease(n + 1, at(3), { limit: 3 }))),
    );
    const ids = taken.flat().map(({ job }) => job.jobId.at(-1));
    assert.equal(new Set(ids).size, ids.length);
    const rest = await a.acquireLeaderJobs(lease(99, at(3), { limit: 99 }));
    assert.equal(ids.length + rest.length, 8);
  });

  inStore('of two jobs with the same report that commit at once, one does', async ({ stores: [a, b] }) => {
    const step = (n: number) => ({
      at: undefined,
      job: helperJob({ jobId: bytes(16, n) }),
      commit: commitTo([1, n + 10]),
      counters: {},
      now: at(1),
    });
    const outcomes = await Promise.all([1, 2, 3, 4].map((n) => (n % 2 === 0 ? a : b).commitHelperStep(step(n))));
    assert.deepEqual(outcomes.toSorted(), ['committed', 'conflict', 'conflict', 'conflict']);
    const { parts } = await a.readBatchFacts(TASK, interval(0, 999), QUERY);
    assert.deepEqual(
      parts.map(({ reportCount }) => reportCount),
      [2],
    );
  });

  inStore('of a commitment and a collection at once, the second finds the first', async ({ stores: [a, b] }) => {
    for (let round = 0; round < 10; round++) {
      const time = 1000 + round;
      const keys = interval(time, time);
      const batch = { keys, aggregationParameter: NONE, parts: [], collected: 0 };
      const job = helperJob({ jobId: id(round) });
      const step = { at: undefined, job, commit: commitTo([round], time), counters: {}, now: at(1) };
      const row = shareRow({ shareId: id(round) });
      const outcomes = await Promise.all([a.commitHelperStep(step), b.commitAggregateShare(row, batch, at(1), {})]);
      assert.deepEqual(outcomes.toSorted(), ['committed', 'conflict']);
    }
  });

  inStore('of two collections of overlapping batches at once, one takes place', async ({ stores: [a, b] }) => {
    const share = (n: number, keys: BatchKeys) =>
      [shareRow({ shareId: id(n) }), { keys, aggregationParameter: NONE, parts: [], collected: 0 }, at(1), {}] as const;
    const outcomes = await Promise.all([
      a.commitAggregateShare(...share(1, interval(100, 110))),
      b.commitAggregateShare(...share(2, interval(110, 120))),
      b.commitAggregateShare(...share(3, interval(50, 200))),
    ]);
    assert.deepEqual(outcomes.toSorted(), ['committed', 'conflict', 'conflict']);
  });

  inStore(
    'of forgetting and a commitment to what is forgotten at once, no report counts twice',
    async ({ stores: [a, b] }) => {
      const step = (jobId: number) => ({
        at: undefined,
        job: helperJob({ jobId: id(jobId) }),
        commit: commitTo([1]),
        counters: {},
        now: at(1),
      });
      assert.equal(await a.commitHelperStep(step(1)), 'committed');
      const [, outcome] = await Promise.all([a.forgetBefore(TASK, 101, 100), b.commitHelperStep(step(2))]);
      assert.equal(outcome, 'conflict');
      assert.equal(await b.commitHelperStep(step(3)), 'conflict');
    },
  );

  inStore('a transaction that fails leaves nothing behind', async (harness) => {
    const [a, b] = harness.stores;
    if (harness.failNextCommit === undefined) return;
    await a.putReports(TASK, [report(1), report(2)], at(1), true, {});
    const snapshot = async () =>
      plain([
        await b.countReports(TASK),
        await b.readBatchFacts(TASK, interval(0, 999), QUERY),
        await b.readCounters(TASK),
        await b.readHelperJob(TASK, helperJob().jobId),
        await b.readAggregateShare(TASK, shareRow().shareId),
      ]);
    const before = await snapshot();
    const step = { at: undefined, job: helperJob(), commit: commitTo([1]), counters: { aggregated: 1 }, now: at(1) };
    const batch = { keys: interval(500, 500), aggregationParameter: NONE, parts: [], collected: 0 };
    const job = { jobId: JOB, aggregationParameter: NONE, batchId: undefined, reportIds: [id(1)] };
    const runs: readonly (() => Promise<unknown>)[] = [
      () => a.putReports(TASK, [report(3)], at(1), true, { upload_other: 1 }),
      () => a.createLeaderJobs(TASK, [job], at(2)),
      () => a.commitHelperStep(step),
      () => a.commitAggregateShare(shareRow(), batch, at(2), { collected: 1 }),
    ];
    for (const run of runs) {
      harness.failNextCommit();
      await assert.rejects(run());
      assert.deepEqual(await snapshot(), before);
    }
    for (const run of runs) await run();
    assert.notDeepEqual(await snapshot(), before);
  });
}

function byNumber(a: number | undefined, b: number | undefined): number {
  return (a ?? 0) - (b ?? 0);
}

/** Without what bytes are made of: engines give buffers. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, member: unknown) => {
      if (member instanceof Uint8Array) return Array.from(member);
      const buffer = member as { readonly type?: unknown; readonly data?: unknown } | null;
      return buffer?.type === 'Buffer' ? buffer.data : member;
    }) ?? 'null',
  );
}
