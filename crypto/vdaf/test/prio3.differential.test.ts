/** Prio3 of the package against the reference, over random parameters, measurements and faults. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { count } from '../src/circuits/count.ts';
import { histogram } from '../src/circuits/histogram.ts';
import { l1BoundSum } from '../src/circuits/l1-bound-sum.ts';
import { linReg } from '../src/circuits/lin-reg.ts';
import { multihotCountVec } from '../src/circuits/multihot-count-vec.ts';
import { sum } from '../src/circuits/sum.ts';
import { sumVec } from '../src/circuits/sum-vec.ts';
import { FIELD64, FIELD128 } from '../src/field.ts';
import { prio3 } from '../src/prio3.ts';
import type { Vdaf } from '../src/vdaf.ts';
import { type Case, compare } from './differential.ts';
import {
  prio3Count,
  prio3Histogram,
  prio3L1BoundSum,
  prio3LinReg,
  prio3MultihotCountVec,
  prio3Sum,
  prio3SumVec,
  prio3SumVecWithMultiproof,
} from './reference/index.ts';
import { type AnyVdaf, fromJson, repeatable } from './reference-vectors.ts';
import { spoiler } from './spoiler.ts';

const RUNS = Math.max(5, Math.round(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 100));

/** A VDAF in both implementations, and measurements for it. */
interface Subject {
  readonly vdaf: Vdaf<never, unknown>;
  readonly reference: AnyVdaf;
  readonly measurements: fc.Arbitrary<unknown>;
}

const length = fc.integer({ min: 1, max: 12 });
const chunk = fc.integer({ min: 1, max: 9 });
const max = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 20 }));
const upTo = (bound: number): fc.Arbitrary<number> =>
  fc.oneof(fc.constantFrom(0, bound), fc.integer({ min: 0, max: bound }));
const listOf = <T>(of: fc.Arbitrary<T>, size: number): fc.Arbitrary<T[]> =>
  fc.array(of, { minLength: size, maxLength: size });

const SUBJECTS: Readonly<Record<string, fc.Arbitrary<Subject>>> = {
  count: fc.constant({ vdaf: prio3(1, count()), reference: prio3Count(), measurements: upTo(1) }),
  sum: fc.oneof(max, fc.constantFrom(2 ** 32, 2 ** 53 - 1)).map((bound) => ({
    vdaf: prio3(2, sum(bound)),
    reference: prio3Sum(BigInt(bound)),
    measurements: upTo(bound),
  })),
  sumVec: fc.tuple(length, max, chunk).map(([size, bound, products]) => ({
    vdaf: prio3(3, sumVec(FIELD128, { length: size, maxMeasurement: bound, chunkLength: products })),
    reference: prio3SumVec(size, BigInt(bound), products),
    measurements: listOf(upTo(bound), size),
  })),
  'sumVec with three proofs': fc
    .tuple(length, fc.integer({ min: 1, max: 9 }), chunk)
    .map(([size, bound, products]) => ({
      vdaf: prio3(0xffffffff, sumVec(FIELD64, { length: size, maxMeasurement: bound, chunkLength: products }), 3),
      reference: prio3SumVecWithMultiproof(size, BigInt(bound), products),
      measurements: listOf(upTo(bound), size),
    })),
  histogram: fc.tuple(fc.integer({ min: 1, max: 40 }), chunk).map(([size, products]) => ({
    vdaf: prio3(4, histogram({ length: size, chunkLength: products })),
    reference: prio3Histogram(size, products),
    measurements: upTo(size - 1),
  })),
  multihotCountVec: fc
    .tuple(length, chunk)
    .chain(([size, products]) => fc.tuple(fc.constant(size), upTo(size - 1), fc.constant(products)))
    .map(([size, weight, products]) => ({
      vdaf: prio3(5, multihotCountVec({ length: size, maxWeight: weight + 1, chunkLength: products })),
      reference: prio3MultihotCountVec(size, BigInt(weight + 1), products),
      measurements: fc
        .subarray([...Array(size).keys()], { maxLength: weight + 1 })
        .map((chosen) => Array.from({ length: size }, (_, i) => chosen.includes(i))),
    })),
  l1BoundSum: fc.tuple(length, max, chunk).map(([size, bound, products]) => ({
    vdaf: prio3(7, l1BoundSum({ length: size, maxValue: bound, chunkLength: products })),
    reference: prio3L1BoundSum(size, BigInt(bound), products),
    measurements: listOf(upTo(Math.floor(bound / size)), size),
  })),
  linReg: fc.tuple(fc.array(max, { minLength: 2, maxLength: 4 }), chunk).map(([maxValues, products]) => ({
    vdaf: prio3(0xffff50e1, linReg({ maxValues, chunkLength: products })),
    reference: prio3LinReg(maxValues.map(BigInt), products),
    measurements: fc.tuple(...maxValues.map(upTo)),
  })),
};

for (const [name, subjects] of Object.entries(SUBJECTS)) {
  it(`${name} does what the reference does, also with reports that are spoiled`, () => {
    const batches = subjects.chain((subject) =>
      fc.record({
        subject: fc.constant(subject),
        reports: fc.array(fc.record({ measurement: subject.measurements, spoil: spoiler }), {
          minLength: 1,
          maxLength: 5,
        }),
        ctx: fc.uint8Array({ maxLength: 300 }),
        seed: fc.string(),
      }),
    );
    fc.assert(
      fc.property(batches, ({ subject, reports, ctx, seed }) => {
        const stream = repeatable(seed);
        const cases = reports.map(
          ({ measurement, spoil }): Case<unknown> => ({ measurement, reference: fromJson(measurement), spoil }),
        );
        const random = (size: number): Uint8Array => stream.next(size);
        compare(subject.vdaf as Vdaf<unknown, unknown>, subject.reference, cases, {
          random,
          ctx,
          parameter: new Uint8Array(0),
        });
      }),
      { numRuns: RUNS },
    );
  });
}

it('measurements that the reference refuses are refused', () => {
  const [ctx, nonce] = [new Uint8Array(1), new Uint8Array(16)];
  const refused: readonly [vdaf: Vdaf<never, unknown>, measurement: unknown][] = [
    [prio3(1, count()), 2],
    [prio3(2, sum(9)), 10],
    [prio3(2, sum(9)), -1],
    [prio3(3, sumVec(FIELD128, { length: 2, maxMeasurement: 3, chunkLength: 1 })), [0, 4]],
    [prio3(3, sumVec(FIELD128, { length: 2, maxMeasurement: 3, chunkLength: 1 })), [0]],
    [prio3(4, histogram({ length: 3, chunkLength: 1 })), 3],
    [prio3(5, multihotCountVec({ length: 3, maxWeight: 1, chunkLength: 1 })), [true, true, false]],
    [prio3(7, l1BoundSum({ length: 2, maxValue: 3, chunkLength: 1 })), [2, 2]],
    [prio3(0xffff50e1, linReg({ maxValues: [1, 9], chunkLength: 1 })), [1, 10]],
  ];
  for (const [vdaf, measurement] of refused) {
    const any = vdaf as Vdaf<unknown, unknown>;
    assert.throws(() => any.shard(ctx, measurement, nonce, new Uint8Array(vdaf.randSize)), {
      code: 'MEASUREMENT_INVALID',
    });
  }
});
