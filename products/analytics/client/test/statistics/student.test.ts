/** Tail probabilities against closed forms and printed tables. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fisherTail, studentQuantile, studentTails } from '../../src/statistics/student.ts';
import { agrees } from './totals.ts';

/** For whole degrees of freedom the distribution is a finite sum: Abramowitz and Stegun, 26.7.3 and 26.7.4. */
function closedForm(t: number, freedom: number): number {
  const theta = Math.atan(t / Math.sqrt(freedom));
  const cosine = Math.cos(theta) ** 2;
  let sum = 0;
  if (freedom % 2 === 1) {
    let term = Math.cos(theta);
    for (let k = 1; k <= freedom - 2; k += 2) {
      sum += term;
      term *= (cosine * (k + 1)) / (k + 2);
    }
    return 1 - (2 / Math.PI) * (theta + (freedom > 1 ? Math.sin(theta) * sum : 0));
  }
  let term = 1;
  for (let k = 0; k <= freedom - 2; k += 2) {
    sum += term;
    term *= (cosine * (k + 1)) / (k + 2);
  }
  return 1 - Math.sin(theta) * sum;
}

describe('studentTails()', () => {
  it('equals the closed form for whole degrees of freedom', () => {
    for (const freedom of [1, 2, 3, 4, 5, 9, 10, 29, 30, 100, 999, 10_000]) {
      for (const t of [0, 1e-6, 0.1, 0.7, 1, 1.96, 2.5, 4]) {
        // The closed form subtracts from one, and has as many digits as that leaves.
        const expected = closedForm(t, freedom);
        assert.ok(
          Math.abs(studentTails(t, freedom) - expected) < 1e-13,
          `t ${t}, ${freedom}: ${studentTails(t, freedom)}`,
        );
        assert.equal(studentTails(-t, freedom), studentTails(t, freedom));
      }
    }
  });

  it('keeps its digits far out', () => {
    // One degree: 2/pi atan(1/t); two: 1 - t / sqrt(2 + t^2), expanded.
    assert.ok(agrees(studentTails(1e8, 1), (2 / Math.PI) * 1e-8, 14));
    assert.ok(agrees(studentTails(1e6, 2), 1e-12, 11));
    // P(|z| > 10), to which many degrees of freedom lead: 1.523970604832105e-23.
    assert.ok(agrees(studentTails(10, 1e13), 1.523970604832105e-23, 9));
    assert.equal(studentTails(Number.POSITIVE_INFINITY, 3), 0);
  });
});

describe('studentQuantile()', () => {
  it('gives the printed tables', () => {
    for (const [tails, freedom, t] of [
      [0.05, 1, 12.706204736432095],
      [0.05, 2, 4.302652729911275],
      [0.05, 9, 2.2621571627409915],
      [0.05, 30, 2.0422724563012373],
      [0.01, 5, 4.032142983557536],
      [0.05, 1e9, 1.959963987],
    ] as const) {
      assert.ok(agrees(studentQuantile(tails, freedom), t, 9), `${studentQuantile(tails, freedom)} for ${t}`);
    }
  });

  it('is the inverse of the tails', () => {
    for (const freedom of [1, 3, 17, 250, 1e6]) {
      for (const tails of [0.9, 0.5, 0.1, 0.01, 1e-6]) {
        assert.ok(agrees(studentTails(studentQuantile(tails, freedom), freedom), tails, 10));
      }
    }
  });
});

describe('fisherTail()', () => {
  it('is the tail of t squared for one degree above', () => {
    for (const freedom of [1, 4, 30, 1000]) {
      for (const t of [0.2, 1, 3, 8]) assert.ok(agrees(fisherTail(t * t, 1, freedom), studentTails(t, freedom), 11));
    }
  });

  it('has its closed form for two degrees above', () => {
    for (const [f, lower] of [
      [0.5, 3],
      [4, 10],
      [30, 100],
    ] as const) {
      assert.ok(agrees(fisherTail(f, 2, lower), (1 + (2 * f) / lower) ** (-lower / 2), 12));
    }
    assert.equal(fisherTail(0, 3, 5), 1);
  });
});
