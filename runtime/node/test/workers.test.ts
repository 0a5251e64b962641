import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  createReplayTable,
  silentLog,
  startWorkers,
  systemClock,
  systemRandom,
  type WorkerOptions,
  type Workers,
} from '../src/index.ts';

const module = new URL('./worker-role.ts', import.meta.url);

async function start(t: TestContext, change: Partial<WorkerOptions<unknown>> = {}): Promise<Workers> {
  const workers = await startWorkers({ module, count: 2, data: () => ({}), log: silentLog, ...change });
  t.after(() => workers.close(0));
  return workers;
}

/** Collects messages and lets a test wait for a number of them. */
function inbox() {
  const messages: unknown[] = [];
  let check: (() => void) | undefined;
  return {
    messages,
    onMessage: (message: unknown) => {
      messages.push(message);
      check?.();
    },
    until: (count: number) =>
      new Promise<void>((resolve) => {
        check = () => (messages.length >= count ? resolve() : undefined);
        check();
      }),
  };
}

describe('startWorkers', () => {
  it('shares a replay table: of all threads one finds a nonce fresh', async (t) => {
    const table = createReplayTable({ capacity: 100, windowMs: 60_000, clock: systemClock, random: systemRandom });
    const { messages, onMessage, until } = inbox();
    const workers = await start(t, { count: 3, data: () => ({ replay: table.handle }), onMessage });
    assert.equal(workers.ready, 3);
    workers.broadcast({ remember: 'AAAA' });
    await until(3);
    assert.deepEqual(
      messages.map(String).sort((a, b) => a.localeCompare(b)),
      ['fresh', 'seen', 'seen'],
    );
    assert.equal(table.has(Buffer.from('AAAA')), true);
  });

  it('merges metrics of all threads', async (t) => {
    const workers = await start(t);
    const snapshots = await workers.metrics();
    assert.equal(snapshots.length, 2);
    assert.equal(snapshots[0]?.[0]?.name, 'worker_total');
  });

  it('restarts a thread that dies, with data made for that start', async (t) => {
    const { onMessage, until, messages } = inbox();
    const events: string[] = [];
    let starts = 0;
    const workers = await start(t, {
      count: 1,
      data: () => ({ say: `start ${++starts}` }),
      onMessage,
      log: (_level, name) => events.push(name),
    });
    await until(1);
    workers.broadcast({ crash: true });
    await until(2);
    assert.deepEqual(messages, ['start 1', 'start 2']);
    assert.deepEqual(events, ['worker_failed', 'worker_ended']);
  });

  it('fails to start when a thread ends before it is ready', async () => {
    await assert.rejects(startWorkers({ module, count: 2, data: () => ({ fail: true }), log: silentLog }), {
      code: 'WORKER_FAILED',
    });
  });

  it('drains, and ends threads that do not', async () => {
    const polite = await startWorkers({ module, count: 2, data: () => ({}), log: silentLog });
    assert.equal(await polite.close(5000), true);
    const stubborn = await startWorkers({ module, count: 1, data: () => ({ stubborn: true }), log: silentLog });
    assert.equal(await stubborn.close(20), false);
  });
});
