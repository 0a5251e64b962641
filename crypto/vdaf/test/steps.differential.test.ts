/** Fields, polynomials and proofs of the package against the reference, also where no honest party would go. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Prio3Configuration } from '../src/index.ts';
import { type FieldSteps, fieldSteps64, fieldSteps128, fieldSteps255, flpSteps } from '../src/steps.ts';
import {
  evaluateLagrange,
  FIELD64,
  FIELD128,
  FIELD255,
  type Field,
  type Flp,
  multiply,
  prio3Count,
  prio3Histogram,
  prio3L1BoundSum,
  prio3LinReg,
  prio3MultihotCountVec,
  prio3Sum,
  prio3SumVec,
  type Valid,
} from './reference/index.ts';

const RUNS = Math.max(20, Math.round(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 20));

function element(field: Field): fc.Arbitrary<bigint> {
  const near = [0n, 1n, 2n, field.modulus - 1n, field.modulus - 2n, (field.modulus + 1n) / 2n];
  const size = BigInt(8 * field.size);
  const limbs = fc.bigInt(0n, size - 1n).map((bit) => field.from((1n << bit) - 1n));
  return fc.oneof(fc.constantFrom(...near), limbs, fc.bigInt(0n, field.modulus - 1n));
}

function vector(field: Field, length: number): fc.Arbitrary<bigint[]> {
  return fc.array(element(field), { minLength: length, maxLength: length });
}

const FIELDS: readonly (readonly [Field, FieldSteps])[] = [
  [FIELD64, fieldSteps64],
  [FIELD128, fieldSteps128],
  [FIELD255, fieldSteps255],
];

describe('fields', () => {
  for (const [field, steps] of FIELDS) {
    it(`${field.name}: sums, differences and products are the reference's`, () => {
      fc.assert(
        fc.property(element(field), element(field), (a, b) => {
          const [left, right] = [field.encode([a]), field.encode([b])];
          assert.deepEqual(steps.add(left, right), field.encode([field.add(a, b)]));
          assert.deepEqual(steps.subtract(left, right), field.encode([field.sub(a, b)]));
          assert.deepEqual(steps.multiply(left, right), field.encode([field.mul(a, b)]));
        }),
        { numRuns: 5 * RUNS },
      );
    });

    it(`${field.name}: what is below the modulus is an element, and nothing else`, () => {
      const any = fc.bigInt(0n, (1n << BigInt(8 * field.size)) - 1n);
      const edge = fc.bigInt(-40n, 40n).map((offset) => field.modulus + offset);
      fc.assert(
        fc.property(fc.oneof(any, edge), element(field), (value, other) => {
          const bytes = Uint8Array.from({ length: field.size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
          for (const encoded of [
            [...bytes, ...field.encode([other])],
            [...field.encode([other]), ...bytes],
          ])
            assert.equal(steps.isVector(Uint8Array.from(encoded)), value < field.modulus);
        }),
        { numRuns: 5 * RUNS },
      );
    });
  }
});

describe('polynomials', () => {
  for (const [field, steps] of [
    [FIELD64, fieldSteps64],
    [FIELD128, fieldSteps128],
  ] as const) {
    const inputs = fc.constantFrom(2, 4, 8, 16).chain((n) => {
      const odd = fc.nat(n - 1).map((i) => field.pow(field.root(2 * n), BigInt(2 * i + 1)));
      return fc.tuple(vector(field, n), vector(field, n), vector(field, 2 * n - 1), fc.oneof(element(field), odd));
    });

    it(`${field.name}: products are the reference's`, () => {
      fc.assert(
        fc.property(inputs, ([left, right]) => {
          const expected = multiply(field, left, right).slice(0, -1);
          const made = steps.multiplyPolynomials(field.encode(left), field.encode(right));
          assert.deepEqual(field.decode(made), expected);
        }),
        { numRuns: RUNS },
      );
    });

    it(`${field.name}: values are the reference's, at roots of unity of twice the order too, and refused at others`, () => {
      fc.assert(
        fc.property(inputs, ([left, right, product, x]) => {
          const n = left.length;
          const [points, doublePoints] = [field.rootPowers(n), field.rootPowers(2 * n, 2 * n - 1)];
          const made = steps.evaluate(
            field.encode(left),
            field.encode(right),
            field.encode(product),
            field.encode([x]),
          );
          const expected = [
            evaluateLagrange(field, points, left, x),
            evaluateLagrange(field, points, right, x),
            evaluateLagrange(field, doublePoints, product, x),
          ];
          assert.deepEqual(made && field.decode(made), points.includes(x) ? undefined : expected);
          const refused = steps.evaluate(
            field.encode(left),
            field.encode(right),
            field.encode(product),
            field.encode([points[n - 1]!]),
          );
          assert.equal(refused, undefined);
        }),
        { numRuns: RUNS },
      );
    });
  }
});

describe('proofs', () => {
  const circuits: readonly (readonly [Prio3Configuration, { readonly flp: Flp<never, unknown> }])[] = [
    [{ kind: 'count' }, prio3Count()],
    [{ kind: 'sum', maxMeasurement: 1 }, prio3Sum(1n)],
    [{ kind: 'sum', maxMeasurement: 300 }, prio3Sum(300n)],
    [{ kind: 'sumVec', length: 3, maxMeasurement: 6, chunkLength: 4 }, prio3SumVec(3, 6n, 4)],
    [{ kind: 'histogram', length: 7, chunkLength: 2 }, prio3Histogram(7, 2)],
    [{ kind: 'multihotCountVec', length: 4, maxWeight: 2, chunkLength: 5 }, prio3MultihotCountVec(4, 2n, 5)],
    [{ kind: 'l1BoundSum', length: 2, maxValue: 5, chunkLength: 3 }, prio3L1BoundSum(2, 5n, 3)],
    [{ kind: 'linReg', maxValues: [3, 1, 9], chunkLength: 4 }, prio3LinReg([3n, 1n, 9n], 4)],
  ];
  for (const [configuration, { flp }] of circuits) {
    const valid: Valid<never, unknown> = flp.valid;
    const { field } = valid;
    const name = JSON.stringify(configuration);
    const steps = flpSteps(configuration);
    const inputs = fc.tuple(
      vector(field, valid.measurementLength),
      vector(field, flp.proveRandLength),
      vector(field, valid.jointRandLength),
      vector(field, flp.queryRandLength).filter((rand) => field.pow(rand.at(-1)!, 2n ** 20n) !== 1n),
      vector(field, flp.proofLength),
    );

    it(`${name}: proof, query and decision are the reference's for any vector of elements`, () => {
      fc.assert(
        fc.property(inputs, ([measurement, proveRand, jointRand, queryRand, otherProof]) => {
          const encode = (values: readonly bigint[]): Uint8Array => field.encode(values);
          const proof = flp.prove(measurement, proveRand, jointRand);
          assert.deepEqual(steps.prove(encode(measurement), encode(proveRand), encode(jointRand)), encode(proof));
          assert.deepEqual(steps.truncate(encode(measurement)), encode(valid.truncate(measurement)));
          for (const each of [proof, otherProof]) {
            const verifier = flp.query(measurement, each, queryRand, jointRand, 2);
            const made = steps.query(encode(measurement), encode(each), encode(queryRand), encode(jointRand));
            assert.deepEqual(made, encode(verifier));
            // The gadget's test passes with an honest proof; whether the output is zero is set here.
            for (const output of [verifier[0]!, 0n]) {
              const changed = [output, ...verifier.slice(1)];
              assert.equal(steps.decide(encode(changed)), flp.decide(changed));
            }
          }
        }),
        { numRuns: Math.max(5, Math.round(RUNS / 5)) },
      );
    });
  }
});
