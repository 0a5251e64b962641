/** The descent to unknown strings, over reports in the clear. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawNoise, noiseFor, parseRational, RandomBits, seededRandom, sensitivityOf } from '@privacy-edge/dp';
import * as fc from 'fast-check';
import {
  commonStringsOf,
  firstRound,
  nextRound,
  type PathAlphabet,
  type PrefixPlan,
  type PrefixState,
  roundBucketOf,
  roundBuckets,
  StatisticsError,
} from '../../src/statistics/index.ts';
import { endOf, pathOf } from '../../src/statistics/prefix-path.ts';
import { FUZZ_RUNS, sequence } from './totals.ts';

const BITS: PathAlphabet = { kind: 'bits', bits: 1 };
const BYTES: PathAlphabet = { kind: 'bits', bits: 8 };
const LETTERS: PathAlphabet = { kind: 'characters', characters: 'abcdefghijklmnopqrstuvwxyz -é😀' };
const ALPHABETS: PathAlphabet[] = [
  BITS,
  { kind: 'bits', bits: 3 },
  { kind: 'bits', bits: 4 },
  BYTES,
  { kind: 'bits', bits: 12 },
  LETTERS,
];

function plan(alphabet: PathAlphabet, other: Partial<PrefixPlan> = {}): PrefixPlan {
  return { alphabet, maxLength: 12, minCount: 5, maxPrefixes: 20, ...other };
}

function counts(of: PrefixPlan, state: PrefixState, texts: readonly string[]): number[] {
  const totals = new Array<number>(roundBuckets(of, state)).fill(0);
  for (const text of texts) totals[roundBucketOf(of, state, text)]! += 1;
  return totals;
}

/** Runs all rounds over the same reports, which is what makes counts comparable. */
function descend(of: PrefixPlan, texts: readonly string[]): PrefixState {
  let state = firstRound(of);
  while (state.prefixes.length > 0) {
    // Through JSON, as it travels between the rounds.
    state = JSON.parse(
      JSON.stringify(nextRound(of, state, { totals: counts(of, state, texts), reports: texts.length })),
    );
  }
  return state;
}

function repeated(list: Readonly<Record<string, number>>): string[] {
  return Object.entries(list).flatMap(([text, count]) => new Array<string>(count).fill(text));
}

const POPULAR = {
  hello: 30,
  help: 12,
  hell: 7,
  '': 9,
  'caf\u00e9': 8,
  '\u{1f600}': 6,
  rare: 4,
  'a longer string than that': 5,
};

describe('the descent', () => {
  for (const alphabet of ALPHABETS) {
    it(`finds every common string and no other, by ${JSON.stringify(alphabet)}`, () => {
      const of = plan(alphabet);
      const { strings } = commonStringsOf(descend(of, repeated(POPULAR)));
      const found = Object.fromEntries(strings.map(({ text, count }) => [text, count]));
      assert.deepEqual(found, {
        hello: 30,
        help: 12,
        '': 9,
        'caf\u00e9': 8,
        hell: 7,
        '\u{1f600}': 6,
        'a longer str': 5,
      });
      assert.deepEqual(
        strings.map(({ count }) => count),
        [30, 12, 9, 8, 7, 6, 5],
      );
      assert.deepEqual(
        strings.filter(({ truncated }) => truncated).map(({ text }) => text),
        ['a longer str'],
      );
    });
  }

  it('counts exactly what a plain count finds', () => {
    const letters = fc.array(
      fc.string({ minLength: 0, maxLength: 5, unit: fc.constantFrom('a', 'b', 'z', '\u00e9') }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(
        letters,
        fc.constantFrom(...ALPHABETS),
        fc.integer({ min: 2, max: 6 }),
        (texts, alphabet, minCount) => {
          const plain = new Map<string, number>();
          for (const text of texts) plain.set(text, (plain.get(text) ?? 0) + 1);
          const expected = [...plain].filter(([, count]) => count >= minCount);
          const { strings } = commonStringsOf(descend(plan(alphabet, { minCount, maxPrefixes: 1000 }), texts));
          assert.deepEqual(new Map(strings.map(({ text, count }) => [text, count])), new Map(expected));
        },
      ),
      { numRuns: Math.max(20, Math.round(FUZZ_RUNS / 20)) },
    );
  });

  it('follows the most common prefixes when there are too many, and says what it cut', () => {
    const of = plan(BYTES, { maxPrefixes: 2 });
    const state = descend(of, repeated({ aaa: 10, bbb: 20, ccc: 30, ddd: 10 }));
    assert.deepEqual(
      commonStringsOf(state).strings.map(({ text }) => text),
      ['ccc', 'bbb'],
    );
    assert.deepEqual(state.history[0], { reports: 70, buckets: 257, threshold: 5, followed: 2, cut: 2 });
    assert.deepEqual(
      descend(of, repeated({ x: 5, y: 5, z: 5 })).found.map(({ text }) => text),
      ['x', 'y'],
    );
  });

  it('compares shares where rounds have different numbers of reports', () => {
    const of = plan(LETTERS, { minShare: 0.1, maxLength: 2 });
    const first = nextRound(of, firstRound(of), {
      totals: counts(of, firstRound(of), repeated({ a: 60, b: 30, c: 9, d: 1 })),
      reports: 100,
    });
    assert.deepEqual(first.prefixes, [[1], [2]]);
    const second = nextRound(of, first, { totals: counts(of, first, repeated({ a: 6, b: 9, c: 1 })), reports: 16 });
    assert.deepEqual(
      commonStringsOf(second).strings.map(({ text, share }) => [text, share]),
      [
        ['b', 9 / 16],
        ['a', 6 / 16],
      ],
    );
    assert.equal(second.prefixes.length, 0);
    assert.throws(() => nextRound(of, second, { totals: [0], reports: 0 }), StatisticsError);
  });

  it('does not follow noise', () => {
    const of = plan(BYTES, { minCount: 2, maxLength: 4 });
    const texts = repeated({ word: 900, wolf: 400, tree: 300 });
    let state = firstRound(of);
    const bits = new RandomBits(seededRandom(new Uint8Array(32), new TextEncoder().encode('rounds')));
    while (state.prefixes.length > 0) {
      const length = roundBuckets(of, state);
      const noise = noiseFor(
        { kind: 'laplace', epsilon: parseRational('1/2') },
        sensitivityOf({ type: 'histogram', length }, 'substitution'),
      );
      const [leader, helper] = [drawNoise(noise, bits), drawNoise(noise, bits)];
      const totals = counts(of, state, texts).map((count, i) => BigInt(count) + leader[i]! + helper[i]!);
      state = nextRound(of, state, { totals, reports: texts.length, noise });
      assert.ok(state.history.at(-1)!.threshold > 20);
    }
    const { strings } = commonStringsOf(state);
    assert.deepEqual(
      strings.map(({ text }) => text),
      ['word', 'wolf', 'tree'],
    );
    assert.ok(
      strings.every(({ noiseHalfWidth, count }, i) => Math.abs(count - [900, 400, 300][i]!) < 3 * noiseHalfWidth),
    );
  });
});

describe('roundBucketOf()', () => {
  it('puts what has no prefix into the last bucket', () => {
    const of = plan(BYTES);
    const state: PrefixState = { round: 1, prefixes: [[104]], found: [], history: [] };
    assert.equal(roundBucketOf(of, state, 'hi'), 105);
    assert.equal(roundBucketOf(of, state, 'h'), 0);
    for (const text of ['', 'x', 'h\0', 'H']) assert.equal(roundBucketOf(of, state, text), 256);
    assert.equal(roundBucketOf(plan(LETTERS), firstRound(plan(LETTERS)), 'Z'), 31);
    assert.equal(roundBucketOf(of, { ...state, prefixes: [] }, 'hi'), 0);
  });
});

describe('firstRound()', () => {
  it('refuses plans that print rare strings or cannot be run', () => {
    const bad: PrefixPlan[] = [
      plan(BITS, { minCount: 1 }),
      plan(BITS, { minCount: Number.NaN }),
      plan(BITS, { minShare: -0.1 }),
      plan(BITS, { minShare: 1.1 }),
      plan(BITS, { maxPrefixes: 0 }),
      plan(BITS, { maxLength: 0 }),
      plan(BITS, { maxLength: 5000 }),
      plan({ kind: 'bits', bits: 0 }),
      plan({ kind: 'bits', bits: 13 }),
      plan({ kind: 'bits', bits: 1.5 }),
      plan({ kind: 'characters', characters: '' }),
      plan({ kind: 'characters', characters: 'aba' }),
    ];
    for (const of of bad) {
      assert.throws(
        () => firstRound(of),
        (error) => error instanceof StatisticsError && error.code === 'MAPPING_INVALID',
      );
    }
  });
});

describe('nextRound()', () => {
  it('refuses an aggregate of another round', () => {
    const of = plan(BYTES);
    assert.throws(() => nextRound(of, firstRound(of), { totals: [1, 2, 3], reports: 6 }), StatisticsError);
  });

  it('ignores paths that no honest client reports', () => {
    // Three bits: after the zero byte of "a" come two bits, which must be zero.
    const of = plan({ kind: 'bits', bits: 3 }, { maxLength: 3 });
    const path = pathOf(of, 'a')!;
    assert.equal(path.length, 6);
    assert.deepEqual(endOf(of, path), { text: 'a', truncated: false });
    assert.equal(endOf(of, [...path.slice(0, -1), path.at(-1)! | 1]), null);
    const state: PrefixState = { round: 5, prefixes: [path.slice(0, -1)], found: [], history: [] };
    const totals = new Array<number>(9).fill(50);
    const next = nextRound(of, state, { totals, reports: 450 });
    assert.deepEqual(
      next.found.map(({ text }) => text),
      ['a'],
    );
  });

  it('gives the same state whenever it is given the same', () => {
    const random = sequence(8);
    const of = plan(BYTES, { maxPrefixes: 10 });
    const totals = Array.from({ length: 257 }, () => Math.floor(random() * 8));
    const once = nextRound(of, firstRound(of), { totals, reports: 1000 });
    assert.deepEqual(nextRound(of, firstRound(of), { totals: totals.map(BigInt), reports: 1000 }), once);
    assert.equal(once.prefixes.length, 10);
  });
});
