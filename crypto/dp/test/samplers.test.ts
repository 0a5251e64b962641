/** What the samplers draw, against the probabilities that define them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { bernoulli, bernoulliExp, bernoulliExpWide, bernoulliWide } from '../src/bernoulli.ts';
import { discreteGaussian } from '../src/discrete-gaussian.ts';
import { discreteLaplace, type NoiseSampler } from '../src/discrete-laplace.ts';
import { DpError } from '../src/dp-error.ts';
import { RandomBits } from '../src/random-bits.ts';
import { rational } from '../src/rational.ts';
import { seededRandom } from '../src/seeded-random.ts';
import { assertAlike, assertFits, draws, fixedBits, moments } from './goodness.ts';
import { laplaceByWords, textbookGaussian, textbookLaplace } from './textbook.ts';

const COUNT = 20_000;
const numRuns = Math.max(20, Math.round(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 20));

/** A source that gives these words, then only the last byte. */
function wordsThen(words: readonly number[], fill: number): RandomBits {
  const bytes = new Uint8Array(1344).fill(fill);
  for (const [i, word] of words.entries()) bytes.set([word & 0xff, word >> 8], 2 * i);
  return new RandomBits(() => bytes);
}

describe('bernoulli()', () => {
  for (const [n, d] of [
    [1, 3],
    [2, 7],
    [5, 8],
    [65535, 65536],
    [1, 65537],
    [123456789, 2 ** 37],
    [2 ** 37 - 1, 2 ** 37],
  ] as const) {
    it(`decides by exactly the first word's share of ${n}/${d}`, () => {
      // With low further words an undecided coin ends true, with high ones it ends false.
      let [surely, perhaps] = [0, 0];
      for (let word = 0; word < 0x10000; word += 1) {
        // Only words near the edge can be decided later; the rest is sampled.
        const edge = Math.floor((n * 0x10000) / d);
        if (Math.abs(word - edge) > 3 && word % 257 !== 0) {
          if (word < edge) surely += 1;
          continue;
        }
        const low = bernoulli(wordsThen([word], 0), n, d);
        const high = bernoulli(wordsThen([word], 0xff), n, d);
        assert.ok(low || !high);
        if (high) surely += 1;
        else if (low) perhaps += 1;
      }
      assert.equal(BigInt(surely), (BigInt(n) * 65536n) / BigInt(d));
      assert.equal(perhaps, (BigInt(n) * 65536n) % BigInt(d) === 0n ? 0 : 1);
    });
  }

  it('never comes true for 0 and always for 1', () => {
    for (const fill of [0, 0xff]) {
      assert.equal(bernoulli(wordsThen([], fill), 0, 5), false);
      assert.equal(bernoulli(wordsThen([], fill), 5, 5), true);
      assert.equal(bernoulliWide(wordsThen([], fill), 0n, 5n), false);
      assert.equal(bernoulliWide(wordsThen([], fill), 5n, 5n), true);
    }
  });

  it('follows exp(-x), narrow and wide, whole parts included', () => {
    const cases: [number, (bits: RandomBits) => boolean][] = [
      [0, (bits) => bernoulliExp(bits, 0, 9)],
      [1 / 3, (bits) => bernoulliExp(bits, 1, 3)],
      [1, (bits) => bernoulliExp(bits, 4, 4)],
      [1 / 3, (bits) => bernoulliExpWide(bits, 10n ** 30n, 3n * 10n ** 30n)],
      [1, (bits) => bernoulliExpWide(bits, 3n, 3n)],
      [2.5, (bits) => bernoulliExpWide(bits, 5n, 2n)],
    ];
    for (const [x, toss] of cases) {
      const bits = fixedBits(`exp ${x}`);
      let trues = 0;
      for (let i = 0; i < COUNT; i++) if (toss(bits)) trues += 1;
      const p = Math.exp(-x);
      // Four standard deviations of the count.
      assert.ok(Math.abs(trues - COUNT * p) <= 4 * Math.sqrt(COUNT * p * (1 - p)), `exp(-${x}): ${trues}`);
    }
  });
});

const LAPLACE: [bigint, bigint][] = [
  [1n, 1n],
  [2n, 1n],
  [1n, 3n],
  [20n, 3n],
  [997n, 1009n],
  [50n, 1n],
  [(1n << 60n) + 1n, 1n << 58n],
];

const GAUSSIAN: [bigint, bigint][] = [
  [1n, 1n],
  [1n, 10n],
  [9n, 4n],
  [100n, 1n],
  [355n, 113n],
  [(1n << 70n) + 3n, 1n << 66n],
];

function checkMoments(values: readonly number[], variance: number, kurtosis: number): void {
  const seen = moments(values);
  assert.ok(Math.abs(seen.mean) < 4 * Math.sqrt(variance / values.length), `mean ${seen.mean}`);
  const spread = variance * Math.sqrt((kurtosis - 1) / values.length);
  assert.ok(Math.abs(seen.variance - variance) < 4 * spread, `variance ${seen.variance} for ${variance}`);
}

function checkSymmetry(values: readonly number[]): void {
  const positive = values.filter((x) => x > 0).length;
  const negative = values.filter((x) => x < 0).length;
  assert.ok(Math.abs(positive - negative) < 4 * Math.sqrt(positive + negative), `${positive} against ${negative}`);
}

function momentsOf(weight: (x: number) => number, reach: number): { variance: number; kurtosis: number } {
  let [mass, second, fourth] = [0, 0, 0];
  for (let x = -reach; x <= reach; x++) {
    mass += weight(x);
    second += x ** 2 * weight(x);
    fourth += x ** 4 * weight(x);
  }
  return { variance: second / mass, kurtosis: (fourth * mass) / second ** 2 };
}

function checkDistribution(sampler: NoiseSampler, weight: (x: number) => number, reach: number, label: string): void {
  const values = draws(sampler, COUNT, label);
  assertFits(values, weight, reach);
  const { variance, kurtosis } = momentsOf(weight, reach);
  checkMoments(values, variance, kurtosis);
  checkSymmetry(values);
}

describe('discreteLaplace()', () => {
  for (const [t, s] of LAPLACE) {
    it(`has the probabilities of scale ${t}/${s}`, () => {
      const scale = Number(t) / Number(s);
      const reach = Math.ceil(40 * scale);
      checkDistribution(discreteLaplace(rational(t, s)), (x) => Math.exp(-Math.abs(x) / scale), reach, `lap ${t}/${s}`);
    });
  }

  it('draws from the same words what exact fractions make of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 37 }), fc.integer({ min: 1, max: 5000 }), fc.nat(), (t, s, seed) => {
        const scale = rational(BigInt(t), BigInt(s));
        const context = new TextEncoder().encode(String(seed));
        const bits = new RandomBits(seededRandom(new Uint8Array(32), context));
        const source = seededRandom(new Uint8Array(32), context);
        const words = (): bigint => {
          const [low = 0, high = 0] = source(2);
          return BigInt(low + 256 * high);
        };
        const sampler = discreteLaplace(scale);
        for (let i = 0; i < 20; i++) {
          assert.equal(sampler(bits), laplaceByWords(words, scale.numerator, scale.denominator));
        }
      }),
      { numRuns },
    );
  });

  it('agrees with the printed algorithm, narrow and wide', () => {
    for (const [t, s] of [
      [7n, 2n],
      [10n ** 20n, 10n ** 19n],
    ] as const) {
      const bits = fixedBits('textbook');
      const slow = Array.from({ length: 5000 }, () => Number(textbookLaplace(bits, t, s)));
      assertAlike(draws(discreteLaplace(rational(t, s)), 5000, 'ours'), slow, 2);
    }
  });

  it('keeps its precision at scales beyond doubles', () => {
    const scale = 1n << 90n;
    const bits = fixedBits('huge');
    const sampler = discreteLaplace(rational(scale));
    const values = Array.from({ length: 2000 }, () => sampler(bits));
    // The lowest 16 bits of a draw are as good as uniform; a rounded draw would have zeros there.
    const low = values.map((x) => Number((x < 0n ? -x : x) & 0xffffn));
    assert.ok(Math.abs(moments(low).mean - 32767.5) < (4 * 18918) / Math.sqrt(2000));
    checkMoments(
      values.map((x) => Number(x) / Number(scale)),
      2,
      6,
    );
  });

  it('refuses a scale that is not above zero', () => {
    for (const scale of [rational(0n), rational(-1n, 2n)]) {
      assert.throws(
        () => discreteLaplace(scale),
        new DpError('PARAMETER_INVALID', 'Cannot sample noise: the scale is not above zero'),
      );
    }
  });
});

describe('discreteGaussian()', () => {
  for (const [a, b] of GAUSSIAN) {
    it(`has the probabilities of variance ${a}/${b}`, () => {
      const variance = Number(a) / Number(b);
      const reach = Math.ceil(12 * Math.sqrt(variance)) + 2;
      const weight = (x: number): number => Math.exp((-x * x) / (2 * variance));
      checkDistribution(discreteGaussian(rational(a, b)), weight, reach, `gauss ${a}/${b}`);
    });
  }

  it('agrees with the printed algorithm', () => {
    const bits = fixedBits('textbook');
    const slow = Array.from({ length: 5000 }, () => Number(textbookGaussian(bits, 50n, 3n)));
    assertAlike(draws(discreteGaussian(rational(50n, 3n)), 5000, 'ours'), slow, 1);
  });

  it('draws zero only where the variance is next to nothing', () => {
    const values = draws(discreteGaussian(rational(1n, 1000n)), 500, 'tiny');
    assert.ok(values.every((x) => x === 0));
  });

  it('refuses a variance that is not above zero', () => {
    for (const variance of [rational(0n), rational(-3n)]) {
      assert.throws(() => discreteGaussian(variance), DpError);
    }
  });
});

describe('RandomBits', () => {
  it('is uniform below a bound that divides nothing', () => {
    for (const bound of [3, 1000, 65537, 2 ** 32 + 1, 2 ** 48]) {
      const bits = fixedBits(`below ${bound}`);
      const cells = new Array<number>(16).fill(0);
      for (let i = 0; i < 8000; i++) {
        const value = bits.below(bound);
        assert.ok(Number.isInteger(value) && value >= 0 && value < bound);
        cells[Math.floor((value / bound) * 16)]! += 1;
      }
      if (bound === 3) assert.equal(cells.filter((count) => count > 0).length, 3);
      else
        assert.ok(
          cells.every((count) => Math.abs(count - 500) < 110),
          cells.join(),
        );
    }
  });

  it('refuses values that would favour small results', () => {
    // 65535 is left over when 65536 is divided by 3.
    assert.equal(wordsThen([65535, 5], 0).below(3), 2);
    assert.equal(wordsThen([0xffff, 0xffff, 7, 0], 0).belowWide(3n), 1n);
  });

  it('refuses a source that gives too few bytes', () => {
    assert.throws(() => new RandomBits(() => new Uint8Array(3)).uint16(), RangeError);
  });
});
