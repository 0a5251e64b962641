/** From budgets to noisy shares and back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  type Adjacency,
  addNoise,
  addNoiseEncoded,
  DpError,
  drawNoise,
  epsilonOfRho,
  type MeasuredType,
  type Mechanism,
  type Noise,
  noiseDeviation,
  noiseFor,
  noiseHalfWidth,
  noiseVariance,
  parseRational,
  RandomBits,
  rational,
  requireNoiseFits,
  seededRandom,
  sensitivityOf,
  toSigned,
} from '../src/index.ts';
import { fixedBits, moments } from './goodness.ts';

const FIELD64 = 2n ** 32n * 4294967295n + 1n;
const FIELD128 = 2n ** 66n * 4611686018427387897n + 1n;
const SEED = Uint8Array.from({ length: 32 }, (_, i) => i);
const CONTEXT = new TextEncoder().encode('task, batch, leader');
/** Drawn once with this package from SEED and CONTEXT. */
const KNOWN = [-25n, 2n, 25n, -4n, 26n, 4n, 7919n, 646643n, 1768856n, 485335787n, 46326369870n];
const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 8;

const laplace = (epsilon: string): Mechanism => ({ kind: 'laplace', epsilon: parseRational(epsilon) });
const gaussian = (rho: string): Mechanism => ({ kind: 'gaussian', rho: parseRational(rho) });

/** All measurements of a small type, as they add to the aggregate. */
function measurements(type: MeasuredType): bigint[][] {
  const tuples = (length: number, max: number): number[][] =>
    length === 0 ? [[]] : tuples(length - 1, max).flatMap((t) => Array.from({ length: max + 1 }, (_, v) => [...t, v]));
  const sum = (t: readonly number[]): number => t.reduce((a, b) => a + b, 0);
  const big = (list: number[][]): bigint[][] => list.map((t) => t.map(BigInt));
  switch (type.type) {
    case 'count':
      return [[0n], [1n]];
    case 'sum':
      return big(tuples(1, Number(type.max)));
    case 'sumVec':
      return big(tuples(type.length, Number(type.max)));
    case 'histogram':
      return big(tuples(type.length, 1).filter((t) => sum(t) === 1));
    case 'poplar1':
      return big(tuples(type.prefixes, 1).filter((t) => sum(t) <= 1));
    case 'multihot':
      return big(tuples(type.length, 1).filter((t) => sum(t) <= type.maxWeight));
    case 'l1BoundSum':
      return big(tuples(type.length, Number(type.max)).filter((t) => sum(t) <= Number(type.max)));
    case 'linReg':
      return tuples(type.maxima.length, Number(type.maxima.reduce((a, b) => (a > b ? a : b))))
        .map((t) => t.map(BigInt))
        .filter((t) => t.every((v, i) => v <= type.maxima[i]!))
        .map((t) => [...t, ...t.flatMap((v, i) => t.slice(i).map((w) => v * w))]);
  }
}

const SMALL: MeasuredType[] = [
  { type: 'count' },
  { type: 'sum', max: 5n },
  { type: 'sumVec', length: 3, max: 2n },
  { type: 'histogram', length: 4 },
  { type: 'multihot', length: 5, maxWeight: 2 },
  { type: 'multihot', length: 3, maxWeight: 2 },
  { type: 'l1BoundSum', length: 3, max: 4n },
  { type: 'l1BoundSum', length: 1, max: 4n },
  { type: 'linReg', maxima: [3n, 1n] },
  { type: 'linReg', maxima: [2n, 3n, 1n] },
  { type: 'poplar1', prefixes: 3 },
  { type: 'poplar1', prefixes: 1 },
];

describe('sensitivityOf()', () => {
  for (const type of SMALL) {
    for (const adjacency of ['substitution', 'addition'] as Adjacency[]) {
      const name = JSON.stringify(type, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v));
      it(`is the largest distance that there is under ${adjacency} for ${name}`, () => {
        const { l1, l2Squared, units, length } = sensitivityOf(type, adjacency);
        const all = measurements(type);
        const others = adjacency === 'substitution' ? all : [new Array<bigint>(length).fill(0n)];
        let [far1, far2] = [0, 0];
        for (const a of all) {
          assert.equal(a.length, length);
          for (const b of others) {
            const steps = a.map((v, i) => Math.abs(Number(v - b[i]!)) / Number(units?.[i] ?? 1n));
            far1 = Math.max(
              far1,
              steps.reduce((x, y) => x + y, 0),
            );
            far2 = Math.max(
              far2,
              steps.reduce((x, y) => x + y * y, 0),
            );
          }
        }
        assert.ok(Math.abs(far1 - Number(l1)) < 1e-9, `${far1} against ${l1}`);
        assert.ok(Math.abs(far2 - Number(l2Squared)) < 1e-9, `${far2} against ${l2Squared}`);
      });
    }
  }

  it('refuses bounds that are not above zero', () => {
    const bad: MeasuredType[] = [
      { type: 'sum', max: 0n },
      { type: 'sumVec', length: 0, max: 1n },
      { type: 'sumVec', length: 1.5, max: 1n },
      { type: 'histogram', length: -1 },
      { type: 'multihot', length: 4, maxWeight: 0 },
      { type: 'l1BoundSum', length: 4, max: -1n },
      { type: 'linReg', maxima: [] },
      { type: 'linReg', maxima: [1n, 0n] },
      { type: 'poplar1', prefixes: Number.NaN },
    ];
    for (const type of bad) {
      assert.throws(
        () => sensitivityOf(type, 'substitution'),
        (e) => e instanceof DpError && e.code === 'PARAMETER_INVALID',
      );
    }
  });
});

describe('noiseFor()', () => {
  it('spends the budget as the mechanisms promise', () => {
    const histogram = sensitivityOf({ type: 'histogram', length: 3 }, 'substitution');
    assert.deepEqual(noiseFor(laplace('1/3'), histogram), new Array(3).fill({ kind: 'laplace', scale: rational(6n) }));
    assert.deepEqual(noiseFor(gaussian('0.05'), histogram)[0], { kind: 'gaussian', sigmaSquared: rational(20n) });
  });

  it('gives each coordinate of a regression noise in proportion to its size', () => {
    const sensitivity = sensitivityOf({ type: 'linReg', maxima: [100n, 7n] }, 'substitution');
    const scales = noiseFor(laplace('1'), sensitivity).map(
      (noise) => (noise as Extract<Noise, { kind: 'laplace' }>).scale,
    );
    assert.deepEqual(
      scales,
      [100n, 7n, 10000n, 700n, 49n].map((unit) => rational(5n * unit)),
    );
    const squares = noiseFor(gaussian('1/2'), sensitivity).map(
      (noise) => (noise as Extract<Noise, { kind: 'gaussian' }>).sigmaSquared,
    );
    assert.deepEqual(
      squares,
      [100n, 7n, 10000n, 700n, 49n].map((unit) => rational(5n * unit * unit)),
    );
  });

  it('refuses a budget that is not above zero', () => {
    const sensitivity = sensitivityOf({ type: 'count' }, 'substitution');
    for (const mechanism of [laplace('0'), laplace('-1'), gaussian('0')]) {
      assert.throws(() => noiseFor(mechanism, sensitivity), DpError);
    }
  });
});

describe('drawNoise() from a seed', () => {
  const noise = [
    ...noiseFor(laplace('1/10'), sensitivityOf({ type: 'histogram', length: 6 }, 'substitution')),
    ...noiseFor(gaussian('1/100'), sensitivityOf({ type: 'linReg', maxima: [255n, 65535n] }, 'substitution')),
  ];
  const draw = (seed: Uint8Array, context: Uint8Array): bigint[] =>
    drawNoise(noise, new RandomBits(seededRandom(seed, context)));

  it('is the same for the same seed and context, and only then', () => {
    const first = draw(SEED, CONTEXT);
    assert.deepEqual(draw(SEED, CONTEXT), first);
    assert.notDeepEqual(draw(SEED, new TextEncoder().encode('task, batch, helper')), first);
    assert.notDeepEqual(draw(new Uint8Array(32), CONTEXT), first);
  });

  it('has not changed', () => {
    // Stored seeds must give the same noise after an upgrade: a change here has to be a decision.
    assert.deepEqual(draw(SEED, CONTEXT), KNOWN);
  });

  it('does not depend on how the source is asked', () => {
    const whole = seededRandom(SEED, CONTEXT)(3000);
    const parts = seededRandom(SEED, CONTEXT);
    assert.deepEqual(Buffer.concat([parts(1), parts(167), parts(168), parts(2664)]), Buffer.from(whole));
  });

  it('refuses a seed of another length', () => {
    assert.throws(() => seededRandom(new Uint8Array(31), CONTEXT), RangeError);
    assert.throws(() => seededRandom(new Uint8Array(33), CONTEXT), RangeError);
  });
});

describe('noisy shares', () => {
  it('add up to the aggregate and both noises', () => {
    const value = fc.bigInt({ min: 0n, max: 2n ** 40n });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(FIELD64, FIELD128),
        fc.nat(),
        (values, p, salt) => {
          const bits = fixedBits(String(salt));
          const leader = values.map(() => bits.belowWide(p));
          const helper = values.map((v, i) => (v - leader[i]! + p) % p);
          const noise = values.map((): Noise => ({ kind: 'laplace', scale: rational(1000n) }));
          const [a, b] = [drawNoise(noise, bits), drawNoise(noise, bits)];
          const shares = [addNoise(leader, a, p), addNoise(helper, b, p)] as const;
          const result = shares[0].map((v, i) => toSigned((v + shares[1][i]!) % p, p));
          assert.deepEqual(
            result,
            values.map((v, i) => v + a[i]! + b[i]!),
          );
        },
      ),
      { numRuns },
    );
  });

  it('are the same encoded and decoded', () => {
    for (const [modulus, encodedSize] of [
      [FIELD64, 8],
      [FIELD128, 16],
      [2n ** 255n - 19n, 32],
      [65537n, 3],
    ] as const) {
      const bits = fixedBits(`encoded ${modulus}`);
      const values = Array.from({ length: 9 }, () => bits.belowWide(modulus));
      const noise = values.map((_, i) => (i % 2 === 0 ? -1n : 1n) * bits.belowWide(modulus * 3n));
      const encode = (list: readonly bigint[]): Uint8Array =>
        Uint8Array.from(
          list.flatMap((v) => Array.from({ length: encodedSize }, (_, k) => Number((v >> BigInt(8 * k)) & 0xffn))),
        );
      // Off by three, so that nothing relies on alignment.
      const share = new Uint8Array(3 + 9 * encodedSize).subarray(3);
      share.set(encode(values));
      assert.deepEqual(
        addNoiseEncoded(share, noise, { modulus, encodedSize }),
        encode(addNoise(values, noise, modulus)),
      );
      assert.deepEqual(Uint8Array.from(share), encode(values));
    }
  });

  it('refuse lengths and coordinates that do not fit', () => {
    const field = { modulus: 65537n, encodedSize: 3 };
    assert.throws(() => addNoise([1n], [1n, 2n], 5n), RangeError);
    assert.throws(() => addNoise([5n], [1n], 5n), RangeError);
    assert.throws(() => addNoise([-1n], [1n], 5n), RangeError);
    assert.throws(() => addNoiseEncoded(new Uint8Array(5), [1n, 2n], field), RangeError);
    assert.throws(() => addNoiseEncoded(Uint8Array.of(1, 0, 1), [0n], field), RangeError);
    assert.throws(() => toSigned(7n, 7n), RangeError);
  });

  it('are read as signed around half of the modulus', () => {
    assert.deepEqual(
      [0n, 1n, 3n, 4n, 6n].map((v) => toSigned(v, 7n)),
      [0n, 1n, 3n, -3n, -1n],
    );
  });

  it('refuse noise that would wrap around', () => {
    const wide: Noise[] = [{ kind: 'laplace', scale: rational(2n ** 60n) }];
    assert.throws(
      () => requireNoiseFits(wide, 0n, FIELD64),
      (e) => e instanceof DpError && e.code === 'NOISE_TOO_WIDE',
    );
    requireNoiseFits(wide, 2n ** 40n, FIELD128);
    const square: Noise[] = [{ kind: 'gaussian', sigmaSquared: rational(2n ** 120n) }];
    assert.throws(() => requireNoiseFits(square, 0n, FIELD64), DpError);
    requireNoiseFits(square, 0n, FIELD128);
    assert.throws(() => requireNoiseFits([{ kind: 'laplace', scale: rational(1n) }], FIELD64 / 2n, FIELD64), DpError);
  });
});

describe('noise reports', () => {
  it('tell the variance that draws have', () => {
    for (const noise of [
      { kind: 'laplace', scale: rational(1n, 3n) },
      { kind: 'laplace', scale: rational(40n) },
      { kind: 'gaussian', sigmaSquared: rational(1n, 5n) },
      { kind: 'gaussian', sigmaSquared: rational(900n) },
    ] as Noise[]) {
      const values = drawNoise(new Array<Noise>(20_000).fill(noise), fixedBits('report')).map(Number);
      const variance = noiseVariance(noise, 1);
      assert.ok(Math.abs(moments(values).variance / variance - 1) < 0.1, `${moments(values).variance} for ${variance}`);
      assert.equal(noiseVariance(noise, 2), 2 * variance);
      assert.equal(noiseDeviation(noise), Math.sqrt(2 * variance));
    }
    assert.equal(noiseVariance({ kind: 'laplace', scale: rational(1n, 10_000n) }), 0);
  });

  it('give intervals that hold as many draws as they say', () => {
    for (const noise of [
      { kind: 'laplace', scale: rational(60n) },
      { kind: 'gaussian', sigmaSquared: rational(3600n) },
    ] as Noise[]) {
      const bits = fixedBits('interval');
      const one = drawNoise(new Array<Noise>(10_000).fill(noise), bits).map(Number);
      const other = drawNoise(new Array<Noise>(10_000).fill(noise), bits).map(Number);
      for (const confidence of [0.5, 0.95, 0.99]) {
        const inside = (values: number[], width: number): number =>
          values.filter((x) => Math.abs(x) <= width).length / 10_000;
        const spread = 4 * Math.sqrt((confidence * (1 - confidence)) / 10_000) + 0.01;
        assert.ok(Math.abs(inside(one, noiseHalfWidth(noise, 1, confidence)) - confidence) < spread);
        const both = one.map((x, i) => x + other[i]!);
        assert.ok(Math.abs(inside(both, noiseHalfWidth(noise, 2, confidence)) - confidence) < spread);
      }
    }
    const unit: Noise = { kind: 'gaussian', sigmaSquared: rational(100n) };
    assert.ok(Math.abs(noiseHalfWidth(unit, 1) / 10 - 1.959963984540054) < 1e-12);
    assert.ok(Math.abs(noiseHalfWidth(unit, 1, 0.999) / 10 - 3.290526731491895) < 1e-12);
    for (const bad of [0, 1, -1, Number.NaN]) assert.throws(() => noiseHalfWidth(unit, 1, bad), RangeError);
  });

  it('convert rho with delta no worse than the simple bound, and not below what it must be', () => {
    for (const rho of [1e-4, 0.01, 0.5, 3, 50]) {
      for (const delta of [1e-3, 1e-6, 1e-12]) {
        const epsilon = epsilonOfRho(rho, delta);
        const simple = rho + 2 * Math.sqrt(rho * Math.log(1 / delta));
        assert.ok(epsilon > 0 && epsilon <= simple, `${epsilon} above ${simple}`);
        // The delta of a Gaussian with this rho at this epsilon is what may not be exceeded.
        assert.ok(gaussianDelta(epsilon, rho) <= delta * (1 + 1e-6));
      }
    }
    for (const [rho, delta] of [
      [0, 0.1],
      [-1, 0.1],
      [1, 0],
      [1, 1],
      [Number.NaN, 0.1],
    ] as const) {
      assert.throws(() => epsilonOfRho(rho, delta), RangeError);
    }
  });
});

/** Delta of the continuous Gaussian mechanism at epsilon, by integrating where the privacy loss exceeds epsilon. */
function gaussianDelta(epsilon: number, rho: number): number {
  const mu = Math.sqrt(2 * rho);
  const phi = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const from = epsilon / mu + mu / 2;
  let sum = 0;
  const step = 1e-3;
  for (let x = from + step / 2; x < from + 20; x += step) sum += (phi(x - mu) - Math.exp(epsilon) * phi(x)) * step;
  return sum;
}
