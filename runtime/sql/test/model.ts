/**
 * Random work on a store, which a store that keeps everything in maps does as well: every answer of the one must be that of the
 * other. Part numbers are the only thing that may differ, so each store is told its own.
 */

import assert from 'node:assert/strict';
import type { AggregatorStore, BatchKeys, Commit, Commitment, LeasedKey } from '@privacy-edge/analytics-roles';
import { bucketOf } from '@privacy-edge/dap';
import { MemoryAggregatorStore } from '@privacy-edge/testing';
import fc from 'fast-check';
import { id, NO_BYTES, newReport, taskRow } from './stores.ts';

/** What the work knows; nothing of it comes from a store. */
interface World {
  readonly taskId: Uint8Array;
  readonly isChosen: boolean;
  now: number;
  serial: number;
}

type Step = (store: AggregatorStore, world: World) => Promise<unknown>;

const PARAMETERS = [NO_BYTES, id(1, 4)];
const TIMES = { min: 0, max: 5 };
const REPORTS = 14;

const number = (max: number): fc.Arbitrary<number> => fc.nat({ max: max - 1 });
const time = fc.integer(TIMES);
const parameter = fc.constantFrom(...PARAMETERS);
const jobNumber = number(4);
const batchNumber = number(3);

function bucketAt(world: World, at: number, batch: number): Uint8Array {
  return bucketOf(at, world.isChosen ? batchId(batch) : undefined);
}

function batchId(batch: number): Uint8Array {
  return id(100 + batch, 32);
}

function keysOf(world: World, from: number, to: number, batch: number): BatchKeys {
  if (world.isChosen) return { first: batchId(batch), last: batchId(batch), times: undefined };
  const [first, last] = from < to ? [from, to] : [to, from];
  return { first: bucketOf(first, undefined), last: bucketOf(last, undefined), times: { first, last } };
}

const date = (at: number): Date => new Date(at);

async function commitOf(
  store: AggregatorStore,
  world: World,
  reportIds: readonly Uint8Array[],
  rememberedAs: Uint8Array,
  batch: number,
  mistake: number,
): Promise<Commit> {
  const known = reportIds.map((reportId) => {
    const at = (reportId[15] ?? 0) % (TIMES.max + 1);
    return { reportId, time: at, bucket: bucketAt(world, at, batch) };
  });
  const facts = await store.readCommitmentFacts(world.taskId, known);
  const same = (other: Uint8Array): boolean => Buffer.compare(other, rememberedAs) === 0;
  const reports = known.map((report, i): Commitment => {
    const plain = {
      ...report,
      aggregated: (facts[i]?.aggregated.length ?? 0) + (mistake === 1 && i === 0 ? 1 : 0),
      collected: (facts[i]?.collected.length ?? 0) + (mistake === 2 && i === 0 ? 1 : 0),
    };
    if (mistake === 3) return { ...plain, claim: 'make' };
    const claimed = facts[i]?.claimed.some(same) === true;
    if (!claimed && !(mistake === 5 && i === 0)) return plain;
    return { ...plain, aggregated: facts[i]?.aggregated.findLastIndex(same) ?? 0, claim: 'use' };
  });
  if (mistake === 3) return { rememberedAs, reports, buckets: [] };
  const buckets = [...Map.groupBy(known, ({ bucket }) => Buffer.from(bucket).toString('hex')).values()].map(
    (group) => ({
      bucket: group[0]?.bucket ?? NO_BYTES,
      aggregationParameter: rememberedAs,
      aggregateShare: id(group.length, 24),
      reportCount: group.length,
      checksum: id(group.length, 32),
      interval: { start: Math.min(...group.map((report) => report.time)), duration: 1 },
    }),
  );
  return { rememberedAs, reports, buckets };
}

const upload = fc.record({ ids: fc.array(number(REPORTS), { maxLength: 6 }), count: number(3) }).map(
  ({ ids, count }): Step =>
    (store, world) => {
      const reports = ids.map((n) => newReport(n, n % (TIMES.max + 1)));
      return store.putReports(world.taskId, reports, date(world.now), !world.isChosen, { upload_other: count });
    },
);

const createJobs = fc
  .record({ limit: fc.integer({ min: 1, max: 5 }), batch: batchNumber, parameter, stray: number(5) })
  .map(
    ({ limit, batch, parameter: rememberedAs, stray }): Step =>
      async (store, world) => {
        const waiting = await store.waitingReports({
          taskId: world.taskId,
          times: stray === 1 ? { first: 1, last: 3 } : undefined,
          rememberedAs,
          now: date(world.now),
          limit,
        });
        const reportIds = waiting.map(({ reportId }) => reportId);
        if (stray === 2) reportIds.push(id(3));
        if (reportIds.length === 0) return waiting;
        const job = {
          jobId: id(++world.serial),
          aggregationParameter: rememberedAs,
          batchId: world.isChosen ? batchId(batch) : undefined,
          reportIds,
        };
        return [waiting, await store.createLeaderJobs(world.taskId, [job], date(world.now))];
      },
  );

/** Acquires jobs, takes one step of each, and ends them or gives them back. */
const driveLeader = fc
  .record({ parameter, ending: number(5), mistake: number(6), batch: batchNumber, wrong: number(6) })
  .map(
    ({ parameter: rememberedAs, ending, mistake, batch, wrong }): Step =>
      async (store, world) => {
        const token = id(++world.serial);
        const leased = await store.acquireLeaderJobs({
          now: date(world.now),
          until: date(world.now + 3),
          token,
          limit: 2,
        });
        const said: unknown[] = [leased];
        for (const { job } of leased) {
          const key: LeasedKey = { taskId: job.taskId, jobId: job.jobId, token: wrong === 1 ? id(0) : token };
          if (ending === 4) continue;
          if (ending === 3) {
            said.push(await store.giveBackLeaderJob(key, { notBefore: date(world.now + 1), isProgress: wrong === 2 }));
            continue;
          }
          const done = job.progress?.[0] ?? 0;
          const rest = job.reportIds.slice(done);
          const now = ending === 0 ? rest : rest.slice(0, 1);
          const commit = await commitOf(store, world, now.slice(0, 2), rememberedAs, batch, mistake);
          const reports = now.map((reportId, i) => {
            if (i < 2) return { reportId, state: 'aggregated' as const };
            if (i === 2) return { reportId, state: 'rejected' as const, error: 6 };
            return { reportId, state: 'waiting' as const, notBefore: date(world.now + 2), attempts: i };
          });
          const progress = Uint8Array.of(done + now.length);
          const giveBack = ending === 2 ? undefined : { notBefore: date(world.now + 1), isProgress: true };
          const next =
            ending === 0 || now.length === rest.length
              ? { state: wrong === 3 ? ('abandoned' as const) : ('finished' as const), at: date(world.now) }
              : { state: 'active' as const, progress, location: wrong === 4 ? '/jobs/1' : undefined, giveBack };
          const counters = { aggregated: commit.reports.length };
          said.push(await store.commitLeaderStep({ key, commit, reports, next, counters }));
        }
        return said;
      },
  );

const helper = fc
  .record({
    job: jobNumber,
    kind: number(6),
    ids: fc.uniqueArray(number(REPORTS), { maxLength: 4 }),
    parameter,
    batch: batchNumber,
    mistake: number(6),
  })
  .map(
    ({ job, kind, ids, parameter: rememberedAs, batch, mistake }): Step =>
      async (store, world) => {
        const jobId = id(job);
        const there = await store.readHelperJob(world.taskId, jobId);
        if (kind === 0) return [there, await store.deleteHelperJob(world.taskId, jobId, date(world.now))];
        const isDeferred = kind === 1;
        const commit = await commitOf(
          store,
          world,
          isDeferred ? [] : ids.map((n) => id(n)),
          rememberedAs,
          batch,
          mistake,
        );
        const step = there === undefined ? 0 : there.step + 1;
        const row = {
          taskId: world.taskId,
          jobId,
          aggregationParameter: rememberedAs,
          batchId: world.isChosen ? batchId(batch) : undefined,
          step,
          requestDigest: id(step, 32),
          request: isDeferred ? id(8, 40) : undefined,
          response: isDeferred ? undefined : id(9, 30),
          pending: Uint8Array.of(kind),
          state: isDeferred ? ('processing' as const) : ('ready' as const),
        };
        const at = there === undefined || kind === 2 ? undefined : { step: there.step, state: 'ready' as const };
        const commitStep = { job: row, commit, counters: { aggregated: ids.length }, now: date(world.now) };
        if (kind !== 3) return [there, await store.commitHelperStep({ ...commitStep, at })];
        const token = id(++world.serial);
        const leased = await store.acquireHelperJobs({
          now: date(world.now),
          until: date(world.now + 2),
          token,
          limit: 1,
        });
        const first = leased[0];
        if (first === undefined) return leased;
        const key = { taskId: world.taskId, jobId: first.job.jobId, token };
        if (mistake === 5) {
          return [leased, await store.giveBackHelperJob(key, { notBefore: date(world.now), isProgress: false })];
        }
        const owned = { step: first.job.step, state: 'processing' as const, token: mistake === 4 ? id(0) : token };
        const done = { ...row, jobId: first.job.jobId, step: first.job.step };
        return [leased, await store.commitHelperStep({ ...commitStep, job: done, at: owned })];
      },
  );

const collect = fc
  .record({
    request: number(3),
    from: time,
    to: time,
    batch: batchNumber,
    parameter,
    kind: number(7),
    mistake: number(5),
    before: number(3),
  })
  .map(
    ({ request, from, to, batch, parameter: aggregationParameter, kind, mistake, before }): Step =>
      async (store, world) => {
        const { taskId } = world;
        const requestDigest = id(request, 32);
        const found = await store.findCollectionJob(taskId, requestDigest);
        if (kind === 0) {
          const jobId = id(1000 * request + found.nextGeneration);
          const row = {
            taskId,
            jobId,
            requestDigest,
            generation: found.nextGeneration,
            request: id(request, 60),
            aggregationParameter,
            keys: world.isChosen ? undefined : keysOf(world, from, to, batch),
            share: undefined,
            location: undefined,
            response: undefined,
            problem: undefined,
            state: 'waiting' as const,
            createdAt: date(world.now),
          };
          return [found, await store.createCollectionJob(row), await store.createCollectionJob(row)];
        }
        if (kind === 1 && found.job !== undefined) {
          const { jobId } = found.job;
          const deleted = await store.deleteCollectionJob(taskId, jobId, date(world.now));
          return [found, deleted, await store.readCollectionJob(taskId, jobId)];
        }
        const token = id(++world.serial);
        const leased = await store.acquireCollectionJobs({
          now: date(world.now),
          until: date(world.now + 2),
          token,
          limit: 3,
        });
        const said: unknown[] = [found, leased];
        for (const { job } of leased) {
          const key = { taskId, jobId: job.jobId, token };
          const keys = job.keys ?? keysOf(world, from, to, batch);
          const outstanding = {
            rememberedAs: aggregationParameter,
            uploadedBefore: before === 0 ? undefined : date(world.now - before),
          };
          const facts = await store.readBatchFacts(taskId, keys, outstanding);
          const parts = facts.parts.map(({ part }) => part);
          if (mistake === 1) parts.push(1_000_000);
          const known = {
            keys,
            aggregationParameter,
            parts,
            collected: facts.collected.length + (mistake === 2 ? 1 : 0),
          };
          const share = {
            aggregateShareReq: id(5, 50),
            sealedShare: id(6, 70),
            reportCount: 3,
            interval: { start: 1, duration: 2 },
          };
          said.push(withoutParts(facts), await store.collectBatch(key, known, outstanding, share));
          const giveBack = { notBefore: date(world.now + 1), isProgress: mistake === 0 };
          if (kind === 2) said.push(await store.giveBackCollectionJob(key, '/shares/1', giveBack));
          if (kind === 3)
            said.push(await store.endCollectionJob(key, { response: id(7, 90) }, date(world.now), { collected: 1 }));
          if (kind === 4)
            said.push(await store.endCollectionJob(key, { problem: 'BATCH_MISMATCH' }, date(world.now), {}));
        }
        return said;
      },
  );

const share = fc
  .record({
    request: number(3),
    from: time,
    to: time,
    batch: batchNumber,
    parameter,
    kind: number(3),
    mistake: number(5),
  })
  .map(
    ({ request, from, to, batch, parameter: aggregationParameter, kind, mistake }): Step =>
      async (store, world) => {
        const { taskId } = world;
        const shareId = id(request);
        if (kind === 0) return store.deleteAggregateShare(taskId, shareId, date(world.now));
        const keys = keysOf(world, from, to, batch);
        const facts = await store.readBatchFacts(taskId, keys, { rememberedAs: NO_BYTES, uploadedBefore: undefined });
        const parts = facts.parts.slice(mistake === 1 ? 1 : 0).map(({ part }) => part);
        const row = { taskId, shareId, requestDigest: id(request, 32), response: id(9, 80) };
        const known = { keys, aggregationParameter, parts, collected: facts.collected.length };
        return [
          withoutParts(facts),
          await store.commitAggregateShare(row, known, date(world.now), { collected: 1 }),
          await store.readAggregateShare(taskId, shareId),
        ];
      },
  );

const merge = fc.record({ moreThan: fc.integer({ min: 1, max: 2 }), isGone: fc.boolean() }).map(
  ({ moreThan, isGone }): Step =>
    async (store, world) => {
      const groups = await store.bucketsToMerge(world.taskId, moreThan, 100);
      const said: unknown[] = [groups.map((group) => bare(group)).sort(byJson)];
      for (const group of [...groups].sort((a, b) => byJson(bare(a), bare(b)))) {
        const parts = group.map(({ part }) => part);
        if (isGone) parts.push(1_000_000);
        const [first] = group;
        if (first === undefined) continue;
        const { part: _part, ...bucket } = first;
        said.push(await store.replaceParts(world.taskId, parts, { ...bucket, reportCount: group.length }));
      }
      return said;
    },
);

const forget = fc.record({ before: time, kind: number(4) }).map(
  ({ before, kind }): Step =>
    (store, world) =>
      kind === 0
        ? store.forgetBefore(world.taskId, before, 1000)
        : store.deleteEnded(world.taskId, date(world.now - before), 1000),
);

const wait = fc.integer({ min: 1, max: 4 }).map(
  (by): Step =>
    async (_store, world) => {
      world.now += by;
    },
);

/** Lists of steps. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: upload },
    { weight: 5, arbitrary: createJobs },
    { weight: 6, arbitrary: driveLeader },
    { weight: 5, arbitrary: helper },
    { weight: 6, arbitrary: collect },
    { weight: 2, arbitrary: share },
    { weight: 1, arbitrary: merge },
    { weight: 1, arbitrary: forget },
    { weight: 4, arbitrary: wait },
  ),
  { minLength: 10, maxLength: 45 },
);

/** Does the same on a store and on the model, and compares every answer and all that can be read. */
export async function compare(
  store: AggregatorStore,
  list: readonly Step[],
  task: number,
  isChosen: boolean,
): Promise<void> {
  const model = new MemoryAggregatorStore();
  const row = taskRow(task);
  const taskId = row.task.taskId;
  assert.deepEqual(await store.putTask(row), await model.putTask(row));
  const ours: World = { taskId, isChosen, now: 100, serial: 0 };
  const theirs: World = { ...ours };
  try {
    for (const step of list) {
      assert.deepEqual(await step(store, ours), await step(model, theirs));
      assert.deepEqual(await everything(store, ours), await everything(model, theirs));
    }
  } finally {
    assert.equal(await store.deleteTask(taskId), true);
  }
  assert.deepEqual(await everything(store, ours), await everything(new MemoryAggregatorStore(), ours));
}

async function everything(store: AggregatorStore, world: World): Promise<unknown> {
  const { taskId } = world;
  const ids = Array.from({ length: REPORTS }, (_, n) => id(n));
  const known = ids.map((reportId, n) => {
    const at = n % (TIMES.max + 1);
    return { reportId, time: at, bucket: bucketAt(world, at, n % 3) };
  });
  const now = date(world.now);
  return {
    task: await store.readTask(taskId),
    counters: await store.readCounters(taskId),
    counts: await store.countReports(taskId),
    waiting: await store.waitingReports({ taskId, times: undefined, rememberedAs: NO_BYTES, now, limit: 100 }),
    reports: await store.readReports(taskId, ids),
    facts: await store.readCommitmentFacts(taskId, known),
    batches: await Promise.all(
      [0, 1, 2].map(async (n) => {
        const query = {
          rememberedAs: PARAMETERS[n % 2] ?? NO_BYTES,
          uploadedBefore: n === 2 ? undefined : date(world.now - n),
        };
        return withoutParts(await store.readBatchFacts(taskId, keysOf(world, n, TIMES.max, n), query));
      }),
    ),
    selected: await Promise.all(PARAMETERS.map((each) => store.selectedBatches(taskId, each))),
    helper: await Promise.all([0, 1, 2, 3].map((n) => store.readHelperJob(taskId, id(n)))),
    collections: await store.waitingCollectionJobs(taskId),
  };
}

function withoutParts<T extends { readonly parts: readonly { readonly part: number }[] }>(facts: T): unknown {
  return { ...facts, parts: bare(facts.parts) };
}

function bare(parts: readonly { readonly part: number }[]): unknown[] {
  return parts.map(({ part: _part, ...rest }) => rest);
}

function byJson(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
