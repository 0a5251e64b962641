/** Fractions. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DpError } from '../src/dp-error.ts';
import {
  add,
  divide,
  floorSqrt,
  multiply,
  parseRational,
  rational,
  rationalFrom,
  subtract,
  toNumber,
} from '../src/rational.ts';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 4;
const fractions = fc
  .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.bigInt({ min: 1n, max: 10n ** 30n }))
  .map(([n, d]) => rational(n, d));

describe('rational()', () => {
  it('is in lowest terms with a positive denominator', () => {
    assert.deepEqual(rational(-6n, -4n), { numerator: 3n, denominator: 2n });
    assert.deepEqual(rational(6n, -4n), { numerator: -3n, denominator: 2n });
    assert.deepEqual(rational(0n, 7n), { numerator: 0n, denominator: 1n });
    assert.throws(() => rational(1n, 0n), RangeError);
  });

  it('obeys the laws of a field', () => {
    fc.assert(
      fc.property(fractions, fractions, fractions, (a, b, c) => {
        assert.deepEqual(subtract(add(a, b), b), a);
        assert.deepEqual(multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c)));
        if (b.numerator !== 0n) assert.deepEqual(divide(multiply(a, b), b), a);
        else assert.throws(() => divide(a, b), RangeError);
      }),
      { numRuns },
    );
  });
});

describe('parseRational()', () => {
  it('reads fractions and decimals without rounding', () => {
    assert.deepEqual(parseRational('3/4'), rational(3n, 4n));
    assert.deepEqual(parseRational('-3/6'), rational(-1n, 2n));
    assert.deepEqual(parseRational('+7/7'), rational(1n));
    assert.deepEqual(parseRational('0.1'), rational(1n, 10n));
    assert.deepEqual(parseRational('1e-6'), rational(1n, 1000000n));
    assert.deepEqual(parseRational('-12.50E+1'), rational(-125n));
  });

  it('refuses everything else', () => {
    for (const text of [
      '',
      ' 1',
      '1/0',
      '1/00',
      '1/-2',
      '.5',
      '5.',
      '0x1',
      'NaN',
      'Infinity',
      '1e999',
      '1/2/3',
      '1e',
      '１',
    ]) {
      assert.throws(
        () => parseRational(text),
        (error) => error instanceof DpError && error.code === 'RATIONAL_INVALID',
        text,
      );
    }
  });

  it('takes a number as the decimal that is typed for it', () => {
    assert.deepEqual(rationalFrom(0.1), rational(1n, 10n));
    assert.deepEqual(rationalFrom(-2.5e-7), rational(-1n, 4000000n));
    assert.throws(() => rationalFrom(Number.NaN), DpError);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e250, max: 1e250 }), (value) => {
        if (value === 0 || Math.abs(value) > 1e-250) assert.equal(toNumber(rationalFrom(value)), value + 0);
      }),
      { numRuns },
    );
  });
});

describe('toNumber()', () => {
  it('gives the double nearest to a quotient of doubles', () => {
    const whole = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(whole, whole, (n, d) => assert.equal(toNumber(rational(BigInt(n), BigInt(d))), n / d)),
      { numRuns },
    );
  });

  it('reaches over the range of doubles', () => {
    assert.equal(toNumber(rational(10n ** 400n, 10n ** 399n)), 10);
    assert.equal(toNumber(rational(1n, 10n ** 300n)), 1e-300);
    assert.equal(toNumber(rational(10n ** 300n)), 1e300);
    assert.equal(toNumber(rational(10n ** 400n)), Number.POSITIVE_INFINITY);
    assert.equal(toNumber(rational(1n, 10n ** 700n)), 0);
    // A tie, decided by what lies far below it.
    assert.equal(toNumber(rational((1n << 53n) + 1n)), 2 ** 53);
    assert.equal(toNumber(rational((((1n << 53n) + 1n) << 200n) + 1n, 1n << 200n)), 2 ** 53 + 2);
  });
});

describe('floorSqrt()', () => {
  it('is the largest integer whose square does not exceed the fraction', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 50n }), fc.bigInt({ min: 1n, max: 10n ** 9n }), (n, d) => {
        const root = floorSqrt(rational(n, d));
        assert.ok(root * root * d <= n && (root + 1n) * (root + 1n) * d > n);
      }),
      { numRuns },
    );
  });
});
