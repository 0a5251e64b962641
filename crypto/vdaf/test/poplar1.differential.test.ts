/** Poplar1 of the package against the reference, over random strings, prefixes and faults. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { poplar1 } from '../src/poplar1.ts';
import { type Case, compare } from './differential.ts';
import { encodeParameter, Poplar1, type Poplar1Parameter } from './reference/index.ts';
import { repeatable } from './reference-vectors.ts';
import { spoiler } from './spoiler.ts';

const RUNS = Math.max(5, Math.round(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 100));

/** First bit in the highest place of the first byte. */
function pack(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) bytes[i >> 3]! |= Number(bit) << (7 - (i & 7));
  return bytes;
}

/** Strictly sorted prefixes: some of the strings' own, some others. */
function prefixesOf(level: number, strings: readonly (readonly boolean[])[]): boolean[][] {
  const names = new Set(
    strings.map((bits) =>
      bits
        .slice(0, level + 1)
        .map(Number)
        .join(''),
    ),
  );
  return Array.from(names)
    .sort()
    .map((name) => Array.from(name, (bit) => bit === '1'));
}

const batches = fc.integer({ min: 1, max: 20 }).chain((bits) => {
  const string = fc.array(fc.boolean(), { minLength: bits, maxLength: bits });
  return fc.record({
    bits: fc.constant(bits),
    level: fc.integer({ min: 0, max: bits - 1 }),
    reports: fc.array(fc.record({ string, spoil: spoiler }), { minLength: 1, maxLength: 4 }),
    others: fc.array(string, { maxLength: 5 }),
    ctx: fc.uint8Array({ maxLength: 40 }),
    seed: fc.string(),
  });
});

it('poplar1() does what the reference does, also with reports that are spoiled', () => {
  fc.assert(
    fc.property(batches, ({ bits, level, reports, others, ctx, seed }) => {
      const stream = repeatable(seed);
      const random = (length: number): Uint8Array => stream.next(length);
      const cases = reports.map(
        ({ string, spoil }): Case<Uint8Array> => ({ measurement: pack(string), reference: string, spoil }),
      );
      const prefixes = prefixesOf(level, [...reports.map(({ string }) => string), ...others]);
      compare(poplar1(bits), new Poplar1(bits), cases, {
        random,
        ctx,
        parameter: encodeParameter({ level, prefixes }),
      });
    }),
    { numRuns: RUNS },
  );
});

it('poplar1() and the reference agree on which parameters may follow which', () => {
  const parameter = (deepest: number): fc.Arbitrary<Poplar1Parameter> =>
    fc.integer({ min: 0, max: deepest }).chain((level) => {
      const prefix = fc.array(fc.boolean(), { minLength: level + 1, maxLength: level + 1 });
      return fc.record({ level: fc.constant(level), prefixes: fc.array(prefix, { minLength: 1, maxLength: 4 }) });
    });
  const sorted = (deepest: number): fc.Arbitrary<Poplar1Parameter> =>
    parameter(deepest).map(({ level, prefixes }) => ({ level, prefixes: prefixesOf(level, prefixes) }));
  const next = fc.oneof(parameter(4), sorted(4));
  fc.assert(
    fc.property(next, fc.array(sorted(3), { maxLength: 2 }), (parameters, before) => {
      const previous = before.map(encodeParameter);
      // Level 4 is below the leaves, which the reference refuses by throwing.
      const expected = parameters.level < 4 && new Poplar1(4).isValid(encodeParameter(parameters), previous);
      assert.equal(poplar1(4).isValidParameter(encodeParameter(parameters), previous), expected);
    }),
    { numRuns: 10 * RUNS },
  );
});
