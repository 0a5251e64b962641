/** Reports that are made in a worker: real threads, and workers that fail. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Reporter, WorkerLike } from '../src/index.ts';
import { numberBuckets } from '../src/statistics/index.ts';
import type { Statistic } from '../src/task/index.ts';
import { FIRST_HOUR, failure, type Parties, parties } from './parties.ts';

const buckets = numberBuckets(Array.from({ length: 1001 }, (_, i) => i));
const HISTOGRAM = { kind: 'histogram', buckets } as const;

const startThread = (): WorkerLike => new Worker(new URL('./report-worker.ts', import.meta.url));

describe('reports made in a worker', () => {
  const open: Reporter<never>[] = [];
  after(() => {
    for (const reporter of open) reporter.close();
  });

  async function large(worker: () => WorkerLike, workerThreshold = 1000): Promise<Parties<typeof HISTOGRAM>> {
    const all = await parties<'histogram'>(HISTOGRAM, { reporter: { worker, workerThreshold } });
    open.push(all.reporter as unknown as Reporter<never>);
    return all as unknown as Parties<typeof HISTOGRAM>;
  }

  it('are as good as others, also when they are made anew, and several at once', async () => {
    let starts = 0;
    const { reporter, collector, aggregators, reporterEvents } = await large(() => {
      starts += 1;
      return startThread();
    });
    await Promise.all([reporter.report(5), reporter.report(5), reporter.report(999)]);
    assert.equal((await collector.collect(FIRST_HOUR)).reports, 3);
    await aggregators.rotateKeys();
    await reporter.reportMany([1, 2, 3]);
    assert.equal(aggregators.uploaded.length, 6);
    assert.equal(starts, 1);
    assert.deepEqual(
      reporterEvents.filter(({ type }) => type === 'worker-lost'),
      [],
    );
    assert.deepEqual(aggregators.rejected, []);
    reporter.close();
    await reporter.report(4);
    assert.equal(starts, 2);
  });

  it('carry extensions and times', async () => {
    const { reporter, aggregators } = await large(startThread);
    await reporter.report(5, { time: new Date(7_200_000) });
    assert.equal(aggregators.uploaded[0]!.reportMetadata.time, 2);
  });

  it('are made here when they are small', async () => {
    const { reporter, collector } = await large(() => assert.fail('not needed'), 5000);
    await reporter.reportMany([1, 1]);
    assert.equal((await collector.collect(FIRST_HOUR)).reports, 2);
  });

  /** A worker that does what it is told to. */
  const fake = (
    onPost: (emit: (type: string, value?: unknown) => void, message: { id: number }) => void,
  ): WorkerLike => {
    const listeners = new Map<string, (event: { data: unknown }) => void>();
    return {
      addEventListener: (type: string, listener: (event: { data: unknown }) => void) => listeners.set(type, listener),
      postMessage: (message: unknown) =>
        onPost((type, data) => listeners.get(type)?.({ data }), message as { id: number }),
      terminate() {},
    } as WorkerLike;
  };

  const failing: Record<string, () => WorkerLike> = {
    'cannot be started': () => {
      throw new TypeError('blocked by policy');
    },
    'cannot be loaded': () => new Worker(new URL('./no-such-module.ts', import.meta.url)),
    exits: () => new Worker('process.exit(3)', { eval: true }),
    'reports an error': () => fake((emit) => emit('error')),
    'cannot read a message': () => fake((emit) => emit('messageerror')),
    'takes no messages': () =>
      fake(() => {
        throw new TypeError('DataCloneError');
      }),
  };
  for (const [how, start] of Object.entries(failing)) {
    it(`are made here when the worker ${how}, and it is not tried again`, async () => {
      let starts = 0;
      const { reporter, collector, reporterEvents } = await large(() => {
        starts += 1;
        return start();
      });
      await reporter.report(5);
      await reporter.reportMany([7, 7]);
      assert.equal((await collector.collect(FIRST_HOUR)).reports, 3);
      assert.equal(starts, 1);
      assert.equal(reporterEvents.filter(({ type }) => type === 'worker-lost').length, 1);
    });
  }

  it('are made here when the worker could not make them', async () => {
    const { reporter, collector } = await large(() =>
      fake((emit, { id }) => queueMicrotask(() => emit('message', { id, failed: true }))),
    );
    await reporter.reportMany([5, 5]);
    assert.equal((await collector.collect(FIRST_HOUR)).reports, 2);
  });

  it('end with the signal of the call', async () => {
    const abort = new AbortController();
    const { reporter } = await large(() => fake(() => abort.abort(new Error('enough'))));
    await assert.rejects(reporter.report(5, { signal: abort.signal }), /enough/);
  });

  it('refuse values before the worker sees them', async () => {
    const { reporter } = await large(() => assert.fail('not needed'));
    await failure(() => reporter.report('5' as never), 'VALUE_INVALID');
  });

  it('serve every statistic that is large enough', async () => {
    const statistics: readonly (readonly [Statistic, unknown])[] = [
      [{ kind: 'flags', names: ['a', 'b'] }, ['a']],
      [{ kind: 'flags', names: ['a', 'b'], maxWeight: 1 }, ['b']],
      [{ kind: 'poplar1', maxBytes: 2, bitsPerRound: 8, minCount: 2, maxPrefixes: 4 }, 'hi'],
      [{ kind: 'count' }, true],
      [
        {
          kind: 'linear-regression',
          features: [{ name: 'x', lo: 0, hi: 9, step: 1 }],
          target: { name: 'y', lo: 0, hi: 9, step: 1 },
        },
        { x: 1, y: 2 },
      ],
    ];
    for (const [statistic, value] of statistics) {
      const { reporter, aggregators, collector, reporterEvents } = await parties(statistic as never, {
        reporter: { worker: startThread, workerThreshold: 1 },
      });
      open.push(reporter as Reporter<never>);
      await reporter.reportMany([value, value] as never[]);
      assert.equal((await collector.collect(FIRST_HOUR)).reports, 2);
      assert.deepEqual(aggregators.rejected, []);
      assert.deepEqual(
        reporterEvents.map(({ type }) => type),
        ['keys', 'keys'],
      );
      reporter.close();
    }
  });
});
