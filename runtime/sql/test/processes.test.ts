/**
 * Invariants over processes: what was acknowledged survives a kill at any moment, no transaction is there in half, and no job has
 * two owners.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { backends, openStore } from './backends.ts';
import { id, NO_BYTES, newReport, taskRow } from './stores.ts';

const { taskId } = taskRow(1).task;
const CHILD = new URL('./child.ts', import.meta.url).pathname;

interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<void>;
  /** Resolves once it has said so much. */
  hasSaid(lines: number): Promise<void>;
}

function start(...args: string[]): Child {
  const process_ = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  const reader = createInterface({ input: process_.stdout });
  reader.on('line', (line) => {
    // A line that the kill has cut off was not said.
    if (line.length === 32) lines.push(line);
    for (const watcher of watchers) watcher();
  });
  return {
    process: process_,
    lines,
    ended: new Promise((resolve) => reader.once('close', resolve)),
    hasSaid: (count) =>
      new Promise((resolve) => {
        const watcher = (): void => {
          if (lines.length >= count) resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
  };
}

for (const backend of backends()) {
  describe(backend.name, () => {
    let isHere = false;
    before(async () => {
      isHere = await backend.start();
    });
    after(() => backend.stop());

    test('two writers that are killed lose nothing that they were told is stored', async (t) => {
      if (!isHere) return t.skip('there is no such database');
      const address = await backend.create();
      const first = await openStore(backend.name, address);
      await first.putTask(taskRow(1));
      await first.close();
      const acknowledged: string[] = [];
      for (const round of [1, 2, 3]) {
        const children = ['a', 'b'].map((name) => start('put', backend.name, address, `${name}${round}`));
        await Promise.all(children.map((child) => child.hasSaid(120)));
        for (const child of children) child.process.kill('SIGKILL');
        await Promise.all(children.map(({ ended }) => ended));
        acknowledged.push(...children.flatMap(({ lines }) => lines));
        const store = await openStore(backend.name, address);
        try {
          const ids = acknowledged.map((text) => Uint8Array.fromHex(text));
          const rows = await store.readReports(taskId, ids);
          assert.equal(rows.filter((row) => row === undefined).length, 0);
          const { waiting } = await store.countReports(taskId);
          assert.ok(waiting >= acknowledged.length);
          // The counters are of the same transaction as the reports.
          assert.deepEqual(await store.readCounters(taskId), { uploaded: waiting, upload_other: waiting });
          assert.equal(waiting % 3, 0);
        } finally {
          await store.close();
        }
      }
    });

    test('no job is acquired by two processes, and a lease that has run out is taken over', async (t) => {
      if (!isHere) return t.skip('there is no such database');
      const address = await backend.create();
      const store = await openStore(backend.name, address);
      try {
        const numbers = Array.from({ length: 60 }, (_, n) => n);
        await store.putTask(taskRow(1));
        await store.putReports(
          taskId,
          numbers.map((n) => newReport(n)),
          new Date(0),
          true,
          {},
        );
        const jobs = numbers.map((n) => ({
          jobId: id(n),
          aggregationParameter: NO_BYTES,
          batchId: undefined,
          reportIds: [id(n)],
        }));
        assert.equal(await store.createLeaderJobs(taskId, jobs, new Date(0)), 'created');
        const children = ['a', 'b'].map((name) => start('drive', backend.name, address, name));
        await Promise.all(children.map(({ ended }) => ended));
        const acquired = children.flatMap(({ lines }) => lines);
        assert.equal(acquired.length, 60);
        assert.equal(new Set(acquired).size, 60);
        const request = { now: new Date(2), until: new Date(9), token: id(77), limit: 100 };
        const taken = await store.acquireLeaderJobs(request);
        assert.deepEqual(
          taken.map(({ attempts }) => attempts),
          numbers.map(() => 2),
        );
        assert.deepEqual(await store.acquireLeaderJobs({ ...request, token: id(78) }), []);
      } finally {
        await store.close();
      }
    });
  });
}
