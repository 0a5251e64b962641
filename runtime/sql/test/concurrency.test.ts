/** Invariants of stores that work on the same data at once: no report counts twice, and a collected batch takes nothing more. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AggregatorStore, BatchKeys } from '@privacy-edge/analytics-roles';
import { bucketOf } from '@privacy-edge/dap';
import type { SqlStore } from '../src/index.ts';
import { backends, openStore } from './backends.ts';
import { id, NO_BYTES, newReport, taskRow } from './stores.ts';

const { taskId } = taskRow(1).task;
const OUTSTANDING = { rememberedAs: NO_BYTES, uploadedBefore: undefined };

function hourKeys(hour: number): BatchKeys {
  const bucket = bucketOf(hour, undefined);
  return { first: bucket, last: bucket, times: { first: hour, last: hour } };
}

/** A helper's job with reports: reads what is known, leaves out what may not be committed to, commits, repeats on conflict. */
async function commit(store: AggregatorStore, job: number, numbers: readonly number[], hour: number): Promise<number> {
  const bucket = bucketOf(hour, undefined);
  const reports = numbers.map((n) => ({ reportId: id(n), time: hour, bucket }));
  for (;;) {
    const facts = await store.readCommitmentFacts(taskId, reports);
    const free = reports.filter((_, i) => facts[i]?.aggregated.length === 0 && facts[i]?.collected.length === 0);
    const row = {
      taskId,
      jobId: id(job),
      aggregationParameter: NO_BYTES,
      batchId: undefined,
      step: 0,
      requestDigest: id(job, 32),
      request: undefined,
      response: id(job, 40),
      pending: NO_BYTES,
      state: 'ready' as const,
    };
    const part = {
      bucket,
      aggregationParameter: NO_BYTES,
      aggregateShare: id(1, 16),
      reportCount: free.length,
      checksum: id(1, 32),
      interval: { start: hour, duration: 1 },
    };
    const outcome = await store.commitHelperStep({
      at: undefined,
      job: row,
      commit: {
        rememberedAs: NO_BYTES,
        reports: free.map((report) => ({ ...report, aggregated: 0, collected: 0 })),
        buckets: free.length === 0 ? [] : [part],
      },
      counters: { aggregated: free.length },
      now: new Date(1),
    });
    if (outcome === 'committed') return free.length;
    assert.equal(outcome, 'conflict');
  }
}

/** Collects an hour once it has reports, and says how many. */
async function collect(store: AggregatorStore, hour: number): Promise<number> {
  for (;;) {
    const keys = hourKeys(hour);
    const { parts, collected } = await store.readBatchFacts(taskId, keys, OUTSTANDING);
    const reports = parts.reduce((sum, { reportCount }) => sum + reportCount, 0);
    if (reports === 0) continue;
    const batch = {
      keys,
      aggregationParameter: NO_BYTES,
      parts: parts.map(({ part }) => part),
      collected: collected.length,
    };
    const row = { taskId, shareId: id(hour), requestDigest: id(hour, 32), response: id(hour, 50) };
    const outcome = await store.commitAggregateShare(row, batch, new Date(1), { collected: 1 });
    if (outcome === 'committed') return reports;
    assert.equal(outcome, 'conflict');
  }
}

for (const backend of backends()) {
  describe(backend.name, () => {
    let isHere = false;
    let stores: SqlStore[] = [];
    before(async () => {
      isHere = await backend.start();
      if (!isHere) return;
      const address = await backend.create();
      // All of them migrate the same empty database.
      stores = await Promise.all([1, 2, 3].map(() => openStore(backend.name, address)));
      await stores[0]!.putTask(taskRow(1));
    });
    after(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await backend.stop();
    });

    test('reports in many jobs at once are committed to once, and not at all after their batch was collected', async (t) => {
      if (!isHere) return t.skip('there is no such database');
      const hours = [1, 2, 3];
      const jobs = Array.from({ length: 45 }, (_, job) => job);
      const commits = jobs.map((job) => {
        const hour = hours[job % 3]!;
        const numbers = Array.from({ length: 12 }, (_, i) => hour * 1000 + ((job * 5 + i) % 60));
        return commit(stores[job % stores.length]!, job, numbers, hour);
      });
      const collected = hours.map((hour) => collect(stores[hour % stores.length]!, hour));
      const counts = await Promise.all(commits);
      const shares = await Promise.all(collected);
      const store = stores[0]!;
      for (const hour of hours) {
        const all = await store.readBatchFacts(taskId, hourKeys(hour), OUTSTANDING);
        const inParts = all.parts.reduce((sum, { reportCount }) => sum + reportCount, 0);
        const known = Array.from({ length: 60 }, (_, i) => ({
          reportId: id(hour * 1000 + i),
          time: hour,
          bucket: bucketOf(hour, undefined),
        }));
        const facts = await store.readCommitmentFacts(taskId, known);
        assert.equal(facts.filter(({ aggregated }) => aggregated.length > 0).length, inParts);
        assert.ok(facts.every(({ aggregated }) => aggregated.length <= 1));
        assert.equal(shares[hour - 1], inParts);
      }
      const total = counts.reduce((sum, count) => sum + count, 0);
      assert.equal((await store.readCounters(taskId)).aggregated, total);
      assert.equal(
        shares.reduce((sum, count) => sum + count, 0),
        total,
      );
    });

    test('putReports() of the same reports by several stores takes each once', async (t) => {
      if (!isHere) return t.skip('there is no such database');
      const reports = Array.from({ length: 80 }, (_, n) => newReport(50_000 + n, 9));
      const calls = Array.from({ length: 30 }, (_, i) =>
        stores[i % stores.length]!.putReports(taskId, i % 2 === 0 ? reports : reports.toReversed(), new Date(1), true, {
          upload_other: 1,
        }),
      );
      const outcomes = (await Promise.all(calls)).flat();
      assert.equal(outcomes.filter((outcome) => outcome === 'stored').length, 80);
      assert.equal(outcomes.filter((outcome) => outcome === 'replayed').length, 29 * 80);
      assert.equal((await stores[0]!.readCounters(taskId)).upload_other, 30);
    });

    test('createLeaderJobs() gives a report to one of those that want it', async (t) => {
      if (!isHere) return t.skip('there is no such database');
      const jobs = Array.from({ length: 12 }, (_, n) => ({
        jobId: id(90_000 + n),
        aggregationParameter: NO_BYTES,
        batchId: id(5, 32),
        reportIds: [id(50_000), id(50_001 + n)],
      }));
      const outcomes = await Promise.all(
        jobs.map((job, i) => stores[i % stores.length]!.createLeaderJobs(taskId, [job], new Date(1))),
      );
      assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1);
      const [batch] = await stores[0]!.selectedBatches(taskId, NO_BYTES);
      assert.equal(batch?.assigned, 2);
      assert.equal((await stores[0]!.countReports(taskId)).assigned, 2);
    });

    test('deleteTask() while others write leaves nothing behind', async (t) => {
      if (!isHere) return t.skip('there is no such database');
      const { task } = taskRow(2);
      const store = stores[0]!;
      await store.putTask(taskRow(2));
      const puts = Array.from({ length: 40 }, (_, n) =>
        stores[n % stores.length]!.putReports(task.taskId, [newReport(n, 1)], new Date(1), true, { upload_other: 1 }),
      );
      assert.equal(await stores[1]!.deleteTask(task.taskId), true);
      await Promise.all(puts);
      await store.putTask(taskRow(2));
      assert.deepEqual(await store.readCounters(task.taskId), {});
      assert.deepEqual(await store.putReports(task.taskId, [newReport(1, 1)], new Date(1), true, {}), ['stored']);
    });
  });
}
