/** Small matrices. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exactSweep } from '../../src/statistics/exact-sweep.ts';
import { eigenOf, fromEigen, invertPositive, times } from '../../src/statistics/symmetric.ts';
import { agrees, sequence } from './totals.ts';

const HILBERT = Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (__, j) => 1 / (i + j + 1)));

describe('eigenOf()', () => {
  it('finds the eigenvalues of a Hilbert matrix, the small ones as well', () => {
    // Known to be 1.6189, 0.24236, 0.016322, 6.1575e-4, 1.2571e-5, 1.0828e-7.
    const { values } = eigenOf(HILBERT);
    const expected = [
      1.618899858924, 0.242360870575, 0.01632152132, 6.15748354183e-4, 1.25707571226e-5, 1.08279948406e-7,
    ];
    assert.ok(
      values.every((value, i) => agrees(value, expected[i]!, 8)),
      values.join(),
    );
  });

  it('gives vectors that rebuild the matrix', () => {
    const random = sequence(2);
    for (const size of [1, 2, 5, 20]) {
      const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
      for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) matrix[i]![j] = matrix[j]![i] = random() - 0.5;
      const { values, vectors } = eigenOf(matrix);
      assert.ok(values.every((value, i) => i === 0 || value <= values[i - 1]!));
      const rebuilt = fromEigen(values, vectors);
      assert.ok(matrix.every((row, i) => row.every((value, j) => Math.abs(value - rebuilt[i]![j]!) < 1e-13)));
    }
    assert.deepEqual(
      eigenOf([
        [0, 0],
        [0, 0],
      ]).values,
      [0, 0],
    );
  });
});

describe('invertPositive()', () => {
  it('inverts, and refuses what is not positive definite', () => {
    const inverse = invertPositive(HILBERT)!;
    // The inverse has whole numbers; the corner is 36, the one opposite 698544.
    assert.ok(agrees(inverse[0]![0], 36, 8) && agrees(inverse[5]![5], 698544, 8));
    const unit = times(HILBERT, inverse[2]!);
    assert.ok(unit.every((value, i) => Math.abs(value - (i === 2 ? 1 : 0)) < 1e-8));
    assert.equal(
      invertPositive([
        [1, 2],
        [2, 1],
      ]),
      undefined,
    );
    assert.equal(
      invertPositive([
        [1, 1],
        [1, 1],
      ]),
      undefined,
    );
    assert.equal(invertPositive([[Number.NaN]]), undefined);
  });
});

describe('exactSweep()', () => {
  it('leaves determinant, coefficients, inverse and residual', () => {
    // [[2, 1], [1, 3]] with target (5, 10; 30): determinant 5, coefficients 1 and 3, residual 30 - 35 = -5.
    const { denominator, entries, swept } = exactSweep([
      [2n, 1n, 5n],
      [1n, 3n, 10n],
      [5n, 10n, 30n],
    ]);
    assert.equal(denominator, 5n);
    assert.deepEqual(swept, [0, 1]);
    assert.deepEqual(entries, [
      [-3n, 1n, 5n],
      [1n, -2n, 15n],
      [5n, 15n, -25n],
    ]);
  });
});
