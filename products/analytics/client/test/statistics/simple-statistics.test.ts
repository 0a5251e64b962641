/** Means, histograms, flags, dictionaries: how values are measured and what is read from aggregates. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Noise, rational } from '@privacy-edge/dp';
import * as fc from 'fast-check';
import {
  boundariesBetween,
  bucketCount,
  bucketOf,
  categoryBuckets,
  commonWordsOf,
  dictionaryOf,
  flagCountsOf,
  flagsOf,
  fromSteps,
  histogramOf,
  meanOf,
  meansOf,
  numberBuckets,
  quantilesOf,
  StatisticsError,
  type StatisticsErrorCode,
  scaleOf,
  toSteps,
  wordIndex,
} from '../../src/statistics/index.ts';
import { agrees, FUZZ_RUNS, sequence } from './totals.ts';

const numRuns = Math.round(FUZZ_RUNS / 4);
const LAPLACE: Noise = { kind: 'laplace', scale: rational(10n) };

function failure(code: StatisticsErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof StatisticsError && error.code === code;
}

describe('scaleOf()', () => {
  it('counts steps of decimals as they are typed', () => {
    assert.equal(scaleOf({ lo: 0, hi: 1, step: 0.1 }).max, 10);
    assert.equal(scaleOf({ lo: 0.1, hi: 0.7, step: 0.2 }).max, 3);
    assert.equal(scaleOf({ lo: -1e-7, hi: 1e-7, step: 1e-9 }).max, 200);
  });

  it('refuses bounds that the step does not reach, and others', () => {
    for (const [lo, hi, step] of [
      [0, 1, 0.3],
      [1, 1, 1],
      [2, 1, 1],
      [0, 1, 0],
      [0, 1, -1],
      [0, Number.POSITIVE_INFINITY, 1],
      [Number.NaN, 1, 1],
      [0, 1e300, 1],
    ] as const) {
      assert.throws(() => scaleOf({ lo, hi, step }), failure('MAPPING_INVALID'), `${lo} ${hi} ${step}`);
    }
  });

  it('rounds values to the nearest step and back', () => {
    const steps = fc.constantFrom(1, 0.1, 0.25, 7, 1e-3);
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (step, first, count, part) => {
          const lo = Number((first * step).toPrecision(12));
          const scale = scaleOf({ lo, hi: Number((lo + count * step).toPrecision(12)), step });
          assert.equal(scale.max, count);
          const value = lo + part * count * step;
          const steps = toSteps(scale, value);
          assert.ok(Number.isInteger(steps) && steps >= 0 && steps <= count);
          assert.ok(Math.abs(fromSteps(scale, steps) - value) <= (step / 2) * (1 + 1e-6) + 1e-12);
          assert.equal(toSteps(scale, fromSteps(scale, steps)), steps);
        },
      ),
      { numRuns },
    );
  });

  it('clips or refuses what is outside', () => {
    const clip = scaleOf({ lo: -5, hi: 5, step: 0.5 });
    assert.deepEqual(
      [-100, -5.1, 5.1, 1e300].map((x) => toSteps(clip, x)),
      [0, 0, 20, 20],
    );
    const refuse = scaleOf({ lo: -5, hi: 5, step: 0.5, outside: 'refuse' });
    for (const value of [-5.1, 5.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => toSteps(refuse, value), failure('VALUE_INVALID'));
    }
    assert.throws(() => toSteps(clip, Number.NaN), failure('VALUE_INVALID'));
  });
});

describe('meanOf()', () => {
  const scale = scaleOf({ lo: -10, hi: 40, step: 0.5 });

  it('is the mean of the rounded values, with an error that covers the true one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 80 }), { minLength: 2, maxLength: 50 }), (halves) => {
        const values = halves.map((half) => half / 2);
        const total = values.reduce((sum, value) => sum + toSteps(scale, value), 0);
        const result = meanOf(scale, { totals: [BigInt(total)], reports: values.length });
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        assert.ok(Math.abs(result.mean! - mean) < 1e-9 && Math.abs(result.sum - mean * values.length) < 1e-6);
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
        assert.ok(result.standardErrorAtMost! >= Math.sqrt(variance / values.length) - 1e-9);
        assert.equal(result.noiseDeviation, 0);
      }),
      { numRuns },
    );
  });

  it('has the exact error for two values', () => {
    const yesNo = scaleOf({ lo: 0, hi: 1, step: 1 });
    const { mean, standardErrorAtMost } = meanOf(yesNo, { totals: [30], reports: 100 });
    assert.equal(mean, 0.3);
    assert.ok(agrees(standardErrorAtMost, Math.sqrt((0.3 * 0.7) / 99), 14));
  });

  it('counts noise in', () => {
    const { noiseDeviation, noiseHalfWidth, interval, mean } = meanOf(scale, {
      totals: [-7],
      reports: 50,
      noise: [LAPLACE],
    });
    // Two times the variance of discrete Laplace noise, 199.83, in halves, over 50.
    assert.ok(agrees(noiseDeviation, (0.5 * Math.sqrt(2 * 199.8333958)) / 50, 6));
    assert.ok(noiseHalfWidth! > 1.9 * noiseDeviation! && noiseHalfWidth! < 2.3 * noiseDeviation!);
    assert.ok(agrees(mean, -10.07, 12));
    // Below the lower bound there is nothing that could spread.
    assert.deepEqual(interval, [mean! - noiseHalfWidth!, mean! + noiseHalfWidth!]);
  });

  it('claims nothing without reports', () => {
    const none = meanOf(scale, { totals: [0n], reports: 0 });
    assert.deepEqual([none.mean, none.standardErrorAtMost, none.interval], [null, null, null]);
    const one = meanOf(scale, { totals: [3n], reports: 1 });
    assert.deepEqual([one.mean, one.standardErrorAtMost, one.interval], [-8.5, null, null]);
  });

  it('reads several quantities from one vector', () => {
    const [a, b] = meansOf([scale, scaleOf({ lo: 0, hi: 9, step: 3 })], { totals: [40, 4], reports: 4 });
    assert.deepEqual([a!.mean, b!.mean], [-5, 3]);
    assert.throws(() => meansOf([scale], { totals: [1, 2], reports: 3 }), failure('RESULT_INVALID'));
    assert.throws(() => meanOf(scale, { totals: [1], reports: 3, noise: [] }), failure('RESULT_INVALID'));
  });
});

describe('number buckets', () => {
  it('hold what is at least their lower boundary, and the last one its upper', () => {
    const separate = numberBuckets([0, 10, 20, 50]);
    assert.equal(bucketCount(separate), 5);
    const values = [-0.001, 0, 9.99, 10, 20, 49, 50, 50.001, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    assert.deepEqual(
      values.map((value) => bucketOf(separate, value)),
      [0, 1, 1, 2, 3, 3, 3, 4, 4, 0],
    );
    const clip = numberBuckets([0, 10, 20, 50], 'clip');
    assert.equal(bucketCount(clip), 3);
    assert.deepEqual(
      values.map((value) => bucketOf(clip, value)),
      [0, 0, 0, 1, 2, 2, 2, 2, 2, 0],
    );
    const refuse = numberBuckets([0, 10, 20, 50], 'refuse');
    assert.equal(bucketOf(refuse, 50), 2);
    for (const value of [-1, 51, Number.NaN, '12'])
      assert.throws(() => bucketOf(refuse, value), failure('VALUE_INVALID'));
    assert.throws(() => bucketOf(clip, Number.NaN), failure('VALUE_INVALID'));
  });

  it('are found as a plain search finds them', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 30 }),
        fc.integer({ min: -120, max: 120 }),
        (list, value) => {
          const edges = list.toSorted((a, b) => a - b);
          const expected = value === edges.at(-1) ? edges.length - 1 : edges.filter((edge) => edge <= value).length;
          assert.equal(bucketOf(numberBuckets(edges), value), expected);
        },
      ),
      { numRuns },
    );
  });

  it('need rising boundaries', () => {
    for (const bad of [[], [1], [1, 1], [2, 1], [0, Number.NaN], [0, Number.POSITIVE_INFINITY]]) {
      assert.throws(() => numberBuckets(bad), failure('MAPPING_INVALID'));
    }
  });

  it('can be placed evenly, on either scale', () => {
    assert.deepEqual(boundariesBetween(0, 1, 4), [0, 0.25, 0.5, 0.75, 1]);
    const decades = boundariesBetween(1, 1000, 3, 'log');
    assert.ok(decades.every((value, i) => agrees(value, 10 ** i, 14)) && decades[3] === 1000);
    for (const [lo, hi, count, spacing] of [
      [1, 0, 3, 'linear'],
      [0, 1, 0, 'linear'],
      [0, 1, 1.5, 'linear'],
      [0, 1, 3, 'log'],
    ] as const) {
      assert.throws(() => boundariesBetween(lo, hi, count, spacing), failure('MAPPING_INVALID'));
    }
  });
});

describe('category buckets', () => {
  it('have one for everything else, or refuse it', () => {
    const open = categoryBuckets(['a', 'b', '__proto__']);
    assert.equal(bucketCount(open), 4);
    assert.deepEqual(
      ['a', 'b', '__proto__', 'toString'].map((name) => bucketOf(open, name)),
      [0, 1, 2, 3],
    );
    const closed = categoryBuckets(['a', 'b'], false);
    assert.equal(bucketCount(closed), 2);
    assert.throws(() => bucketOf(closed, 'c'), failure('VALUE_INVALID'));
    assert.throws(() => categoryBuckets(['a', 'a']), failure('MAPPING_INVALID'));
    assert.throws(() => categoryBuckets([]), failure('MAPPING_INVALID'));
  });
});

describe('histogramOf()', () => {
  it('labels bars, computes shares and draws error bars', () => {
    const result = histogramOf(numberBuckets([0, 10, 20]), { totals: [1n, 50n, 45n, 4n], reports: 100 });
    assert.deepEqual(
      result.bars.map(({ label }) => label),
      ['< 0', '0 to 10', '10 to 20', '> 20'],
    );
    assert.deepEqual(
      result.bars.map(({ range }) => range),
      [
        [null, 0],
        [0, 10],
        [10, 20],
        [20, null],
      ],
    );
    assert.deepEqual(
      result.bars.map(({ share }) => share),
      [0.01, 0.5, 0.45, 0.04],
    );
    assert.ok(agrees(result.bars[1]!.standardError, Math.sqrt(0.25 / 99), 14));
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
    const names = histogramOf(categoryBuckets(['x']), { totals: [-3n, 8n], reports: 2, noise: [LAPLACE, LAPLACE] });
    assert.deepEqual(
      names.bars.map(({ label, count, share }) => [label, count, share]),
      [
        ['x', -3, -1.5],
        ['(other)', 8, 4],
      ],
    );
    assert.ok(names.bars[0]!.noiseHalfWidth > 39 && names.bars[0]!.noiseHalfWidth < 45);
    assert.equal(histogramOf(categoryBuckets(['x']), { totals: [0, 0], reports: 0 }).bars[0]!.share, null);
    assert.throws(() => histogramOf(categoryBuckets(['x']), { totals: [1], reports: 1 }), failure('RESULT_INVALID'));
  });

  it('gives quantiles that lie within a bucket of the true ones', () => {
    const random = sequence(4);
    const values = Array.from({ length: 999 }, () => 100 * random() ** 2);
    const buckets = numberBuckets(boundariesBetween(0, 100, 50), 'clip');
    const totals = new Array<number>(50).fill(0);
    for (const value of values) totals[bucketOf(buckets, value)]! += 1;
    const sorted = values.toSorted((a, b) => a - b);
    for (const { probability, value, range } of quantilesOf(
      histogramOf(buckets, { totals, reports: 999 }),
      [0, 0.1, 0.5, 0.9, 1],
    )) {
      const truth = sorted[Math.min(998, Math.floor(probability * 999))]!;
      assert.ok(
        Math.abs(value! - truth) <= 2 && range[0]! <= truth + 2 && truth <= range[1]! + 2,
        `${probability}: ${value} for ${truth}`,
      );
    }
  });

  it('does not make up quantiles in open buckets, of negative counts, or of categories', () => {
    const open = histogramOf(numberBuckets([0, 10]), { totals: [5, 1, 4], reports: 10 });
    assert.deepEqual(
      quantilesOf(open, [0.2, 0.55, 0.9]).map(({ value, range }) => [value === null, range]),
      [
        [true, [null, 0]],
        [false, [0, 10]],
        [true, [10, null]],
      ],
    );
    assert.ok(agrees(quantilesOf(open, [0.55])[0]!.value, 5, 12));
    const noisy = histogramOf(numberBuckets([0, 10, 20], 'clip'), { totals: [-4, 6], reports: 2 });
    assert.deepEqual(
      quantilesOf(noisy, [0, 0.5, 1]).map(({ value }) => value),
      [10, 15, 20],
    );
    assert.deepEqual(quantilesOf(histogramOf(numberBuckets([0, 1]), { totals: [0, -1, 0], reports: 0 }), [0.5]), []);
    assert.throws(
      () => quantilesOf(histogramOf(categoryBuckets(['x']), { totals: [1, 1], reports: 2 }), [0.5]),
      failure('RESULT_INVALID'),
    );
    assert.throws(() => quantilesOf(open, [1.1]), failure('RESULT_INVALID'));
  });
});

describe('flags', () => {
  const names = ['dark mode', 'sync', 'beta'];

  it('are a bit for each name', () => {
    assert.deepEqual(flagsOf(names, ['beta', 'dark mode', 'beta']), [true, false, true]);
    assert.deepEqual(flagsOf(names, []), [false, false, false]);
    assert.throws(() => flagsOf(names, ['alpha']), failure('VALUE_INVALID'));
    assert.throws(() => flagsOf(names, ['sync', 'beta'], 1), failure('VALUE_INVALID'));
    assert.throws(() => flagsOf(['a', 'a'], []), failure('MAPPING_INVALID'));
    assert.throws(() => flagsOf([], []), failure('MAPPING_INVALID'));
  });

  it('are read as shares with exact errors', () => {
    const { flags } = flagCountsOf(names, { totals: [10n, 0n, 40n], reports: 40 });
    assert.deepEqual(
      flags.map(({ name, share }) => [name, share]),
      [
        ['dark mode', 0.25],
        ['sync', 0],
        ['beta', 1],
      ],
    );
    assert.ok(agrees(flags[0]!.standardError, Math.sqrt((0.25 * 0.75) / 39), 14));
    assert.equal(flags[2]!.standardError, 0);
  });
});

describe('dictionaries', () => {
  it('find words in normal form, and everything else in the last bucket', () => {
    const dictionary = dictionaryOf(['caf\u00e9', 'Tea', 'water']);
    assert.deepEqual(
      ['cafe\u0301', 'Tea', 'tea', 'water', ''].map((text) => wordIndex(dictionary, text)),
      [0, 1, 3, 2, 3],
    );
    const folded = dictionaryOf(['caf\u00e9', 'Tea'], true);
    assert.deepEqual(
      ['CAFE\u0301', 'tEA', 'x'].map((text) => wordIndex(folded, text)),
      [0, 1, 2],
    );
    assert.throws(() => dictionaryOf(['\u00e9', 'e\u0301']), failure('MAPPING_INVALID'));
    assert.throws(() => dictionaryOf(['A', 'a'], true), failure('MAPPING_INVALID'));
  });

  it('are read most common first', () => {
    const result = commonWordsOf(dictionaryOf(['a', 'b', 'c']), { totals: [2, 7, 2, 9], reports: 20 });
    assert.deepEqual(
      result.strings.map(({ text, count, share }) => [text, count, share]),
      [
        ['b', 7, 0.35],
        ['a', 2, 0.1],
        ['c', 2, 0.1],
      ],
    );
    assert.equal(result.other, 9);
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
  });
});
