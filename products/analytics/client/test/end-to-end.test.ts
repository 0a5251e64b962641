/** Every statistic from the person's value to the result, against the same statistic over the values in the clear. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRational } from '@privacy-edge/dp';
import { createCollector, type PrefixRoundResult, runPrefixRounds } from '../src/collector/index.ts';
import { createReporter } from '../src/index.ts';
import {
  type Aggregate,
  bucketOf,
  commonStringsOf,
  commonWordsOf,
  dictionaryOf,
  firstRound,
  fitLinear,
  flagCountsOf,
  flagsOf,
  histogramOf,
  linearModel,
  meanOf,
  nextRound,
  numberBuckets,
  type PrefixPlan,
  roundBucketOf,
  roundBuckets,
  scaleOf,
  toSteps,
  wordIndex,
} from '../src/statistics/index.ts';
import { createPrivateTask, systemRandom } from '../src/task/index.ts';
import { FakeAggregators } from './fake-aggregators.ts';
import { FIRST_HOUR, MAY, parties, taskOptions } from './parties.ts';
import { linearTotals } from './statistics/totals.ts';

/** Counts of indices. */
function countsOf(length: number, indices: readonly number[]): number[] {
  const counts = new Array<number>(length).fill(0);
  for (const index of indices) counts[index]! += 1;
  return counts;
}

describe('from values to results', () => {
  it('count', async () => {
    const { reporter, collector } = await parties({ kind: 'count' });
    await reporter.report(true);
    await reporter.reportMany([false, true, true, false]);
    const { result, reports, interval, noise } = await collector.collect(FIRST_HOUR);
    assert.deepEqual(
      { count: result.count, share: result.share, reports: result.reports },
      { count: 3, share: 0.6, reports: 5 },
    );
    assert.equal(reports, 5);
    assert.deepEqual(interval, FIRST_HOUR);
    assert.equal(noise, null);
  });

  it('mean', async () => {
    const statistic = { kind: 'mean', lo: -10, hi: 40, step: 0.1, unit: '°C' } as const;
    const values = [-20, 3.14, 3.16, 21.97, 40, 99];
    const { reporter, collector } = await parties<'mean'>(statistic);
    await reporter.reportMany(values);
    const { result } = await collector.collect(FIRST_HOUR);
    const scale = scaleOf(statistic);
    const total = values.reduce((sum, value) => sum + toSteps(scale, value), 0);
    assert.deepEqual(result, meanOf(scale, { totals: [total], reports: values.length }));
    assert.ok(Math.abs(result.mean! - (-10 + 3.1 + 3.2 + 22 + 40 + 40) / 6) < 1e-9);
  });

  it('histogram of numbers and of categories', async () => {
    const buckets = numberBuckets([0, 1, 10, 100]);
    const values = [-1, 0, 0.5, 5, 5, 100, 1000];
    const numbers = await parties<'histogram'>({ kind: 'histogram', buckets, unit: 's' });
    await numbers.reporter.reportMany(values);
    assert.deepEqual(
      (await numbers.collector.collect(FIRST_HOUR)).result,
      histogramOf(buckets, {
        totals: countsOf(
          5,
          values.map((value) => bucketOf(buckets, value)),
        ),
        reports: 7,
      }),
    );
    const categories = { kind: 'categories', categories: ['a', 'b'], other: true } as const;
    const named = await parties<'histogram'>({ kind: 'histogram', buckets: categories });
    await named.reporter.reportMany(['a', 'b', 'b', 'zebra']);
    assert.deepEqual(
      (await named.collector.collect(FIRST_HOUR)).result.bars.map(({ label, count }) => [label, count]),
      [
        ['a', 1],
        ['b', 2],
        ['(other)', 1],
      ],
    );
  });

  for (const maxWeight of [undefined, 2]) {
    it(`flags, ${maxWeight === undefined ? 'any number of them' : `at most ${maxWeight}`}`, async () => {
      const names = ['x', 'y', 'z'];
      const values = [['x'], ['x', 'z'], [], ['y', 'x']];
      const { reporter, collector } = await parties<'flags'>({
        kind: 'flags',
        names,
        ...(maxWeight !== undefined && { maxWeight }),
      });
      await reporter.reportMany(values);
      const totals = names.map((_, i) => values.filter((value) => flagsOf(names, value)[i]).length);
      assert.deepEqual((await collector.collect(FIRST_HOUR)).result, flagCountsOf(names, { totals, reports: 4 }));
    });
  }

  it('most common word of a dictionary', async () => {
    const words = ['Café', 'tea', 'milk'];
    const values = ['cafe\u0301', 'TEA', 'tea', 'wine', 'Tea', 'CAFÉ'];
    const { reporter, collector } = await parties<'common-words'>({ kind: 'common-words', words, ignoreCase: true });
    await reporter.reportMany(values);
    const dictionary = dictionaryOf(words, true);
    const totals = countsOf(
      4,
      values.map((value) => wordIndex(dictionary, value)),
    );
    const { result } = await collector.collect(FIRST_HOUR);
    assert.deepEqual(result, commonWordsOf(dictionary, { totals, reports: 6 }));
    assert.deepEqual(
      result.strings.map(({ text, count }) => [text, count]),
      [
        ['tea', 3],
        ['café', 2],
        ['milk', 0],
      ],
    );
  });

  it('linear regression', async () => {
    const statistic = {
      kind: 'linear-regression',
      features: [
        { name: 'age', lo: 18, hi: 98, step: 1 },
        { name: 'smoker', lo: 0, hi: 1, step: 1, outside: 'refuse' },
      ],
      target: { name: 'pressure', lo: 50, hi: 250, step: 0.5 },
    } as const;
    const rows = Array.from({ length: 25 }, (_, i) => {
      const [age, smoker] = [20 + ((i * 37) % 60), i % 3 === 0 ? 1 : 0];
      return { age, smoker, pressure: 80 + 0.7 * age + 9 * smoker + ((i * 13) % 7) };
    });
    const { reporter, collector } = await parties<'linear-regression'>(statistic);
    await reporter.reportMany(rows);
    const { result } = await collector.collect(FIRST_HOUR);
    const model = linearModel(statistic.features, statistic.target);
    assert.deepEqual(result, fitLinear(model, { totals: linearTotals(model, rows), reports: 25 }));
    assert.equal(result.status, 'fitted');
  });

  it('common strings that nobody knows, with Poplar1', async () => {
    const statistic = { kind: 'poplar1', maxBytes: 3, bitsPerRound: 8, minCount: 2, maxPrefixes: 16 } as const;
    const values = ['hi', 'hi', 'hi', 'ho', 'ho', 'he', 'é', 'é', '', ''];
    const { reporter, collector, collectorEvents, aggregators } = await parties<'poplar1'>(statistic);
    await reporter.reportMany(values);
    const { result, reports } = await collector.collect(FIRST_HOUR);
    assert.equal(reports, 10);
    const found = Object.fromEntries(result.strings.map(({ text, count }) => [text, count]));
    assert.deepEqual(found, { hi: 3, ho: 2, é: 2, '': 2 });
    assert.equal(result.other, 1);
    assert.deepEqual(collectorEvents.filter(({ type }) => type === 'round').length, 4);
    assert.deepEqual(aggregators.rejected, []);
  });

  it('common strings with Poplar1, cut to the most common prefixes; none at all when all are rare', async () => {
    const base = { kind: 'poplar1', maxBytes: 1, bitsPerRound: 4, minCount: 2, maxPrefixes: 1 } as const;
    const cut = await parties<'poplar1'>(base);
    await cut.reporter.reportMany(['a', 'a', 'b', 'b', 'b', 'z', 'z']);
    assert.deepEqual(
      (await cut.collector.collect(FIRST_HOUR)).result.strings.map(({ text }) => text),
      ['b'],
    );
    const rare = await parties<'poplar1'>({ ...base, maxPrefixes: 100 });
    await rare.reporter.reportMany(['a', 'q', '\u0001']);
    assert.deepEqual((await rare.collector.collect(FIRST_HOUR)).result.strings, []);
  });

  it('common strings that nobody knows, by rounds over successive tasks', async () => {
    const plan: PrefixPlan = { alphabet: { kind: 'bits', bits: 8 }, maxLength: 4, minCount: 3, maxPrefixes: 8 };
    const values = ['cat', 'cat', 'cat', 'car', 'car', 'car', 'car', 'dog', 'dog', 'horse', 'horse', 'horse'];
    const key = (await parties({ kind: 'count' })).key;
    const saved: number[] = [];
    const { result, state } = await runPrefixRounds(plan, {
      createRound: (statistic) => createPrivateTask(taskOptions(statistic, key), systemRandom),
      async collect(task): Promise<PrefixRoundResult> {
        const now = (): number => MAY;
        const { fetch } = await FakeAggregators.create(task, now);
        await createReporter(task, { fetch, now }).reportMany(values);
        return (await createCollector(task, { fetch, now, key }).collect(FIRST_HOUR)).result;
      },
      save: ({ round }) => {
        saved.push(round);
      },
    });
    let expected = firstRound(plan);
    while (expected.prefixes.length > 0) {
      const buckets = values.map((value) => roundBucketOf(plan, expected, value));
      const aggregate: Aggregate = { totals: countsOf(roundBuckets(plan, expected), buckets), reports: values.length };
      expected = nextRound(plan, expected, aggregate);
    }
    assert.deepEqual(state, expected);
    assert.deepEqual(result, commonStringsOf(expected));
    assert.deepEqual(
      result.strings.map(({ text, count, truncated }) => [text, count, truncated]),
      [
        ['car', 4, false],
        ['cat', 3, false],
        ['hors', 3, true],
      ],
    );
    assert.deepEqual(saved, [1, 2, 3, 4]);
  });

  it('leader-selected batches, one after the other', async () => {
    const { reporter, collector, aggregators } = await parties<'count'>(
      { kind: 'count' },
      { task: { batchMode: 'leader-selected' } },
    );
    await reporter.reportMany([true, true, false]);
    const kept: number[] = [];
    const first = await collector.collect('next', { keep: ({ result }) => void kept.push(result.count) });
    await reporter.reportMany([false, true]);
    const second = await collector.collect('next');
    assert.deepEqual([first.result.count, first.reports, second.result.count, second.reports], [2, 3, 1, 2]);
    assert.deepEqual(kept, [2]);
    assert.equal(aggregators.requests.filter(({ method }) => method === 'DELETE').length, 2);
  });

  for (const mechanism of [
    { kind: 'laplace', epsilon: parseRational('1/2') },
    { kind: 'gaussian', rho: parseRational('1/8') },
  ] as const) {
    it(`noise: ${mechanism.kind}, told with the result, sums below zero included`, async () => {
      const buckets = numberBuckets(
        Array.from({ length: 41 }, (_, i) => i),
        'clip',
      );
      const { reporter, collector, task } = await parties<'histogram'>(
        { kind: 'histogram', buckets },
        { task: { noise: { mechanism, adjacency: 'substitution' } } },
      );
      assert.deepEqual(task.task.extensions.dp, { mechanism, adjacency: 'substitution' });
      await reporter.reportMany(Array.from({ length: 30 }, (_, i) => i % 4));
      const { result, noise } = await collector.collect(FIRST_HOUR);
      assert.ok(result.bars.some(({ count }) => count < 0));
      assert.ok(result.bars.every(({ noiseHalfWidth, count }) => noiseHalfWidth > 0 && Math.abs(count) < 100));
      assert.equal(noise?.mechanism, mechanism.kind);
      assert.equal(
        mechanism.kind === 'laplace' ? noise?.epsilon : noise?.rho,
        mechanism.kind === 'laplace' ? '1/2' : '1/8',
      );
      assert.equal(noise?.collections, 1);
      assert.equal(noise?.deviations.length, 40);
      // Laplace of scale 4 from each: variance 2 * 2 * 16; Gaussian: 2 * 2 / (2 / 8).
      const variance = mechanism.kind === 'laplace' ? 64 : 16;
      assert.ok(Math.abs(noise!.deviations[0]! ** 2 - variance) < 0.5);
    });
  }

  it('noise in Poplar1 is paid for in every collection', async () => {
    const { reporter, collector } = await parties<'poplar1'>(
      { kind: 'poplar1', maxBytes: 1, bitsPerRound: 8, minCount: 5, maxPrefixes: 16 },
      { task: { noise: { mechanism: { kind: 'laplace', epsilon: parseRational('20') }, adjacency: 'substitution' } } },
    );
    await reporter.reportMany(new Array<string>(9).fill('q'));
    const { result, noise } = await collector.collect(FIRST_HOUR);
    assert.deepEqual(
      result.strings.map(({ text }) => text),
      ['q'],
    );
    assert.ok(Math.abs(result.strings[0]!.count - 9) <= 3);
    assert.equal(noise?.collections, 2);
  });
});
