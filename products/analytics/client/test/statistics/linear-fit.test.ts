/** Regressions against a slow solver on exact fractions, and all the ways in which there is nothing to solve. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  add,
  divide,
  drawNoise,
  multiply,
  noiseFor,
  parseRational,
  RandomBits,
  type Rational,
  rational,
  rationalFrom,
  seededRandom,
  sensitivityOf,
  subtract,
  toNumber,
} from '@privacy-edge/dp';
import * as fc from 'fast-check';
import {
  type FittedRegression,
  fitLinear,
  type LinearFit,
  type LinearModel,
  linearMeasurement,
  linearModel,
  StatisticsError,
  unverifiedProducts,
} from '../../src/statistics/index.ts';
import { agrees, FUZZ_RUNS, linearTotals, sequence } from './totals.ts';

type Row = Record<string, number>;

const numRuns = Math.max(20, Math.round(FUZZ_RUNS / 20));

function fitted(fit: LinearFit): FittedRegression {
  assert.equal(fit.status, 'fitted', JSON.stringify(fit));
  if (fit.status !== 'fitted') throw new TypeError('unreachable');
  return fit;
}

function fitRows(model: LinearModel, rows: readonly Row[], options = {}): LinearFit {
  return fitLinear(model, { totals: linearTotals(model, rows), reports: rows.length }, options);
}

const ZERO = rational(0n);

/** Solves a square system by elimination on fractions; undefined when singular. */
function solve(matrix: Rational[][], right: Rational[]): Rational[] | undefined {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let k = 0; k < rows.length; k++) {
    const at = rows.findIndex((row, i) => i >= k && row[k]!.numerator !== 0n);
    if (at === -1) return undefined;
    [rows[k], rows[at]] = [rows[at]!, rows[k]!];
    for (const [i, row] of rows.entries()) {
      if (i === k) continue;
      const factor = divide(row[k]!, rows[k]![k]!);
      rows[i] = row.map((value, j) => subtract(value, multiply(factor, rows[k]![j]!)));
    }
  }
  return rows.map((row, i) => divide(row.at(-1)!, row[i]!));
}

/** Ordinary least squares on the rows themselves, with a column of ones, no centring, no steps. */
function slowFit(
  rows: readonly Row[],
  features: readonly string[],
): { estimates: Rational[]; errors: number[]; residual: Rational } | undefined {
  const design = rows.map((row) => [rational(1n), ...features.map((name) => rationalFrom(row[name]!))]);
  const target = rows.map((row) => rationalFrom(row['y']!));
  const size = features.length + 1;
  const sum = (list: Rational[]): Rational => list.reduce(add, ZERO);
  const normal = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (__, j) => sum(design.map((row) => multiply(row[i]!, row[j]!)))),
  );
  const right = Array.from({ length: size }, (_, i) => sum(design.map((row, k) => multiply(row[i]!, target[k]!))));
  const estimates = solve(normal, right);
  if (estimates === undefined) return undefined;
  const residuals = design.map((row, k) => subtract(target[k]!, sum(row.map((x, i) => multiply(x, estimates[i]!)))));
  const residual = sum(residuals.map((value) => multiply(value, value)));
  const freedom = rows.length - size;
  const errors = estimates.map((_, i) => {
    const unit = estimates.map((__, j) => rational(i === j ? 1n : 0n));
    const column = solve(normal, unit)!;
    return Math.sqrt(toNumber(multiply(residual, column[i]!)) / freedom);
  });
  return { estimates, errors, residual };
}

/** Models with odd bounds and steps, and rows that lie on the steps. */
const problems = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 12 }), fc.nat(), fc.constantFrom(1, 5, 1000))
  .map(([d, extra, seed, range]) => {
    const random = sequence(seed);
    const steps = [1, 0.1, 0.25, 3, 0.002];
    const names = Array.from({ length: d }, (_, i) => `x${i}`);
    const option = (name: string): { name: string; lo: number; hi: number; step: number } => {
      const step = steps[Math.floor(random() * steps.length)]!;
      const lo = toNumber(multiply(rationalFrom(step), rational(BigInt(Math.floor(random() * 200) - 100))));
      return {
        name,
        lo,
        hi: toNumber(add(rationalFrom(lo), multiply(rationalFrom(step), rational(BigInt(range))))),
        step,
      };
    };
    const options = [...names, 'y'].map(option);
    const model = linearModel(options.slice(0, -1), options.at(-1)!);
    const rows = Array.from({ length: d + 2 + extra }, () =>
      Object.fromEntries(
        options.map(({ name, lo, step }) => {
          const units = rational(BigInt(Math.floor(random() * (range + 1))));
          return [name, toNumber(add(rationalFrom(lo), multiply(rationalFrom(step), units)))];
        }),
      ),
    );
    return { model, rows, names };
  });

describe('fitLinear()', () => {
  it('equals a solver on exact fractions', () => {
    let solvable = 0;
    fc.assert(
      fc.property(problems, ({ model, rows, names }) => {
        const slow = slowFit(rows, names);
        const fit = fitRows(model, rows);
        if (slow === undefined) {
          assert.equal(fit.status, 'refused');
          return;
        }
        solvable++;
        const { coefficients, residualSum } = fitted(fit);
        for (const [i, { name, estimate, standardError }] of coefficients.entries()) {
          assert.ok(agrees(estimate, toNumber(slow.estimates[i]!), 14.5), `${name} ${estimate}`);
          assert.ok(agrees(standardError, slow.errors[i]!, 14), `error of ${name} ${standardError}`);
        }
        assert.ok(agrees(residualSum, toNumber(slow.residual), 14.5));
      }),
      { numRuns },
    );
    assert.ok(solvable > numRuns / 2);
  });

  it('does not depend on order of features, bounds or steps', () => {
    fc.assert(
      fc.property(problems, ({ model, rows }) => {
        const fit = fitRows(model, rows);
        const turned: LinearModel = { ...model, features: model.features.toReversed() };
        const other = fitRows(turned, rows);
        assert.equal(other.status, fit.status);
        if (fit.status !== 'fitted' || other.status !== 'fitted') return;
        assert.deepEqual([other.coefficients[0], ...other.coefficients.slice(1).toReversed()], fit.coefficients);
        assert.equal(other.rSquared, fit.rSquared);
      }),
      { numRuns: numRuns / 2 },
    );
  });

  it('gives the same by doubles when there are too many features for integers', () => {
    const random = sequence(5);
    const names = Array.from({ length: 52 }, (_, i) => `x${i}`);
    const unit = { lo: 0, hi: 1000, step: 1 };
    const target = { name: 'y', lo: -1_000_000, hi: 1_000_000, step: 1 };
    const large = linearModel(
      names.map((name) => ({ name, ...unit })),
      target,
    );
    const rows = Array.from({ length: 150 }, () => {
      const row: Row = Object.fromEntries(names.map((name) => [name, Math.round(random() * 1000)]));
      const y = names.reduce((sum, name, i) => sum + (i - 20) * row[name]!, 500 * random());
      return { ...row, y: Math.round(y) };
    });
    const fit = fitted(fitRows(large, rows));
    const slope = fit.coefficients[31]!;
    assert.ok(Math.abs(slope.estimate! - 10) < 5 * slope.standardError!);
    // The residuals are orthogonal to every feature.
    for (const name of ['x0', 'x51']) {
      const inner = rows.reduce((sum, row) => {
        const predicted = fit.coefficients.reduce(
          (total, { name: of, estimate }) => total + estimate! * (row[of as keyof typeof row] ?? 1),
          0,
        );
        return sum + (row.y - predicted) * row[name as keyof typeof row]!;
      }, 0);
      assert.ok(Math.abs(inner) < 1e-3, `${inner}`);
    }
  });

  it('reports a perfect fit without dividing by nothing', () => {
    const model = linearModel([{ name: 'x', lo: 0, hi: 10, step: 1 }], { name: 'y', lo: 0, hi: 100, step: 1 });
    const fit = fitted(
      fitRows(
        model,
        [0, 3, 7, 10].map((x) => ({ x, y: 5 + 2 * x })),
      ),
    );
    assert.deepEqual(
      fit.coefficients.map(({ estimate, standardError, t, pValue }) => [estimate, standardError, t, pValue]),
      [
        [5, 0, null, 0],
        [2, 0, null, 0],
      ],
    );
    assert.equal(fit.rSquared, 1);
    assert.equal(fit.f, null);
    assert.deepEqual(JSON.parse(JSON.stringify(fit)), fit);
  });

  it('reports a target that does not vary', () => {
    const model = linearModel([{ name: 'x', lo: 0, hi: 10, step: 1 }], { name: 'y', lo: 0, hi: 100, step: 1 });
    const fit = fitted(
      fitRows(
        model,
        [1, 2, 3, 9].map((x) => ({ x, y: 42 })),
      ),
    );
    assert.deepEqual(
      fit.coefficients.map(({ estimate }) => estimate),
      [42, 0],
    );
    assert.equal(fit.rSquared, null);
    assert.equal(fit.summary.correlation[0]![1], null);
  });
});

describe('fitLinear() refuses', () => {
  const names = ['a', 'b', 'c'];
  const unit = { lo: -10, hi: 50, step: 0.5 };
  const model = linearModel(
    names.map((name) => ({ name, ...unit })),
    { name: 'y', ...unit },
  );
  const random = sequence(9);
  const rows = (c: (row: Row) => number, count = 30): Row[] =>
    Array.from({ length: count }, () => {
      const row: Row = { a: Math.round(random() * 20) / 2, b: Math.round(random() * 20) / 2 };
      return { ...row, c: c(row), y: Math.round(random() * 40) / 2 };
    });

  it('constant features, and names them', () => {
    const fit = fitRows(
      model,
      rows(() => 3),
    );
    assert.ok(fit.status === 'refused');
    assert.equal(fit.reason, 'dependent');
    assert.deepEqual(fit.features, ['c']);
    assert.deepEqual(fit.collinearity, [{ kind: 'constant', feature: 'c' }]);
    assert.equal(fit.summary.variables[2]!.deviation, 0);
  });

  it('features that depend on others, and says how', () => {
    const fit = fitRows(
      model,
      rows((row) => 2 * row['a']! - row['b']! + 7),
    );
    assert.ok(fit.status === 'refused');
    assert.deepEqual(fit.collinearity, [
      {
        kind: 'dependent',
        feature: 'c',
        on: [
          { feature: 'a', weight: 2 },
          { feature: 'b', weight: -1 },
        ],
      },
    ]);
  });

  it('or leaves them out if asked, as a regression without them', () => {
    const data = rows((row) => row['a']! / 2 + 1);
    const scaled = linearModel(
      [
        { name: 'a', ...unit },
        { name: 'c', lo: 0, hi: 10, step: 0.25 },
        { name: 'b', ...unit },
      ],
      { name: 'y', ...unit },
    );
    const fit = fitted(fitRows(scaled, data, { dependent: 'drop' }));
    const less = linearModel(
      [
        { name: 'a', ...unit },
        { name: 'b', ...unit },
      ],
      { name: 'y', ...unit },
    );
    const other = fitted(fitRows(less, data));
    assert.deepEqual(fit.collinearity[0], { kind: 'dependent', feature: 'c', on: [{ feature: 'a', weight: 0.5 }] });
    assert.deepEqual(
      fit.coefficients.filter(({ name }) => name !== 'c'),
      other.coefficients,
    );
    assert.equal(fit.coefficients[2]!.estimate, null);
    assert.equal(fit.degreesOfFreedom, other.degreesOfFreedom);
    const constants = rows(() => 3).map((row) => ({ ...row, a: 1, b: 2 }));
    assert.equal(fitRows(model, constants, { dependent: 'drop' }).status, 'refused');
  });

  it('fewer reports than there are unknowns', () => {
    for (const count of [0, 1, 2, 3]) {
      const fit = fitRows(
        model,
        rows((row) => row['a']! - row['b']!, count),
      );
      assert.ok(fit.status === 'refused' && fit.reason === 'too-few-reports');
      assert.deepEqual(JSON.parse(JSON.stringify(fit)), fit);
    }
  });

  it('to guess errors without degrees of freedom', () => {
    const data = [
      { a: 0, b: 0, c: 0, y: 1 },
      { a: 1, b: 0, c: 0, y: 3 },
      { a: 0, b: 1, c: 0, y: 0 },
      { a: 0, b: 0, c: 1, y: 8 },
    ];
    const fit = fitted(fitRows(model, data));
    assert.deepEqual(
      fit.coefficients.map(({ estimate }) => estimate),
      [1, 2, -1, 7],
    );
    assert.ok(
      fit.coefficients.every(
        ({ standardError, interval, pValue }) => standardError === null && interval === null && pValue === null,
      ),
    );
    assert.equal(fit.adjustedRSquared, null);
    assert.equal(fit.f, null);
  });

  it('aggregates that are not of this model', () => {
    const totals = linearTotals(
      model,
      rows((row) => row['a']!),
    );
    const invalid = (error: unknown): boolean => error instanceof StatisticsError && error.code === 'RESULT_INVALID';
    assert.throws(() => fitLinear(model, { totals: totals.slice(1), reports: 30 }), invalid);
    assert.throws(() => fitLinear(model, { totals, reports: -1 }), invalid);
    assert.throws(() => fitLinear(model, { totals, reports: 1.5 }), invalid);
    assert.throws(() => fitLinear(model, { totals: totals.map(() => 0.5), reports: 30 }), invalid);
    assert.throws(() => fitLinear(model, { totals, reports: 30 }, { confidence: 1 }), invalid);
  });
});

describe('fitLinear() summarises', () => {
  it('means, deviations, covariances and correlations in units', () => {
    fc.assert(
      fc.property(problems, ({ model, rows, names }) => {
        const { summary } = fitRows(model, rows);
        const all = [...names, 'y'];
        const mean = (f: (row: Row) => number): number => rows.reduce((sum, row) => sum + f(row), 0) / rows.length;
        for (const [i, a] of all.entries()) {
          const meanA = mean((row) => row[a]!);
          assert.ok(Math.abs(summary.variables[i]!.mean! - meanA) < 1e-9 * (1 + Math.abs(meanA)));
          for (const [j, b] of all.entries()) {
            const meanB = mean((row) => row[b]!);
            const covariance = (mean((row) => (row[a]! - meanA) * (row[b]! - meanB)) * rows.length) / (rows.length - 1);
            assert.ok(Math.abs(summary.covariance[i]![j]! - covariance) < 1e-8 * (1 + Math.abs(covariance)));
            const correlation = summary.correlation[i]![j]!;
            if (correlation === null) continue;
            const spread = summary.variables[i]!.deviation! * summary.variables[j]!.deviation!;
            assert.ok(Math.abs(correlation - covariance / spread) < 1e-6);
          }
        }
      }),
      { numRuns: numRuns / 2 },
    );
  });
});

describe('fitLinear() with noise', () => {
  const truth = [3, -2, 0.5];
  const unit = { lo: 0, hi: 100, step: 1 };
  const model = linearModel(
    ['a', 'b', 'c'].map((name) => ({ name, ...unit })),
    { name: 'y', lo: -300, hi: 500, step: 1 },
  );
  const random = sequence(77);
  const rows = Array.from({ length: 4000 }, () => {
    const row = { a: Math.round(random() * 100), b: Math.round(random() * 100), c: Math.round(random() * 100) };
    const error = (random() + random() + random() + random() - 2) * 60;
    return { ...row, y: Math.round(20 + truth[0]! * row.a + truth[1]! * row.b + truth[2]! * row.c + error) };
  });
  const totals = linearTotals(model, rows);
  const maxima = [100n, 100n, 100n, 800n];
  const noiseOf = (rho: string): ReturnType<typeof noiseFor> =>
    noiseFor({ kind: 'gaussian', rho: parseRational(rho) }, sensitivityOf({ type: 'linReg', maxima }, 'substitution'));
  const noisyFit = (rho: string, label: number, options = {}): LinearFit => {
    const noise = noiseOf(rho);
    const draw = (role: number): bigint[] =>
      drawNoise(noise, new RandomBits(seededRandom(new Uint8Array(32).fill(role), Uint8Array.of(label, label >> 8))));
    const [leader, helper] = [draw(1), draw(2)];
    const noisy = totals.map((value, i) => value + leader[i]! + helper[i]!);
    return fitLinear(model, { totals: noisy, reports: rows.length, noise }, options);
  };
  const clear = fitted(fitLinear(model, { totals, reports: rows.length }));

  it('says that inference is approximate and how much is noise', () => {
    const fit = fitted(noisyFit('1/2', 1));
    assert.equal(fit.inference, 'approximate');
    assert.equal(fit.f, null);
    for (const [i, { noiseError, standardError }] of fit.coefficients.entries()) {
      assert.ok(noiseError! > 0 && standardError! > noiseError!);
      assert.ok(standardError! > 0.9 * clear.coefficients[i]!.standardError!);
    }
  });

  it('predicts how far noise moves the coefficients', () => {
    // 200 draws with fixed seeds: the deviation of 200 normal draws is within 20 % of the true one, 4 sigma.
    const fits = Array.from({ length: 200 }, (_, label) => fitted(noisyFit('1/2', label)));
    for (const [i, { estimate, name }] of clear.coefficients.entries()) {
      const shifts = fits.map((fit) => fit.coefficients[i]!.estimate! - estimate!);
      const seen = Math.sqrt(shifts.reduce((sum, shift) => sum + shift * shift, 0) / shifts.length);
      const told = fits.reduce((sum, fit) => sum + fit.coefficients[i]!.noiseError!, 0) / fits.length;
      assert.ok(Math.abs(seen / told - 1) < 0.2, `${name}: seen ${seen}, told ${told}`);
    }
    const inside = fits.flatMap((fit) =>
      fit.inference === 'not-valid'
        ? []
        : fit.coefficients.slice(1).map(({ interval }, i) => interval![0] <= truth[i]! && truth[i]! <= interval![1]),
    );
    assert.ok(inside.length > 300 && inside.filter(Boolean).length / inside.length > 0.9);
  });

  it('repairs correlations that noise has spoilt, and then claims no errors', () => {
    for (const repair of ['ridge', 'clip'] as const) {
      const random2 = sequence(3);
      const near = rows.map((row) => ({
        ...row,
        b: Math.min(100, Math.max(0, row.a + Math.round(random2() * 6 - 3))),
      }));
      const noise = noiseOf('1/20');
      const bits = new RandomBits(seededRandom(new Uint8Array(32), new TextEncoder().encode('near')));
      const noisy = linearTotals(model, near).map((value, i) => value + drawNoise([noise[i]!], bits)[0]!);
      const fit = fitted(fitLinear(model, { totals: noisy, reports: near.length, noise }, { repair }));
      assert.equal(fit.inference, 'not-valid');
      assert.equal(fit.repair?.how, repair);
      assert.ok(fit.repair!.smallest < fit.repair!.floor);
      assert.ok(
        fit.coefficients.every(
          ({ estimate, standardError, interval }) =>
            Number.isFinite(estimate) && standardError === null && interval === null,
        ),
      );
      // Nobody can tell a from b, but their sum is known: the target was made with 3 for a.
      const together = fit.coefficients[1]!.estimate! + fit.coefficients[2]!.estimate!;
      assert.ok(Math.abs(together - 3) < 0.6, `${repair}: ${together}`);
      assert.deepEqual(JSON.parse(JSON.stringify(fit)), fit);
    }
  });

  it('refuses features that cannot be told from noise', () => {
    const fit = noisyFit('1/10000000', 1);
    assert.ok(fit.status === 'refused' && fit.reason === 'noise' && fit.features.length > 0);
  });
});

describe('linearMeasurement()', () => {
  const model = linearModel(
    [
      { name: 'age', lo: 0, hi: 120, step: 1 },
      { name: 'dose', lo: 0.5, hi: 2.5, step: 0.25, outside: 'refuse' },
    ],
    { name: 'effect', lo: -1, hi: 1, step: 0.01 },
  );

  it('counts steps from the lower bound, clips, and rounds', () => {
    assert.deepEqual(linearMeasurement(model, { age: 44.4, dose: 1, effect: -0.5 }), [44, 2, 50]);
    assert.deepEqual(linearMeasurement(model, { age: 200, dose: 2.5, effect: -7 }), [120, 8, 0]);
    assert.deepEqual(unverifiedProducts(model, { age: 3, dose: 1, effect: -0.95 }), [
      3n,
      2n,
      5n,
      9n,
      6n,
      15n,
      4n,
      10n,
      25n,
    ]);
  });

  it('refuses what it cannot measure', () => {
    const invalid = (error: unknown): boolean => error instanceof StatisticsError && error.code === 'VALUE_INVALID';
    assert.throws(() => linearMeasurement(model, { age: 1, effect: 0 }), invalid);
    assert.throws(() => linearMeasurement(model, { age: Number.NaN, dose: 1, effect: 0 }), invalid);
    assert.throws(() => linearMeasurement(model, { age: 1, dose: 2.6, effect: 0 }), invalid);
    assert.throws(() => linearMeasurement(model, Object.create({ age: 1, dose: 1, effect: 0 })), invalid);
  });

  it('needs distinct names and usable scales', () => {
    const x = { name: 'x', lo: 0, hi: 1, step: 1 };
    const invalid = (error: unknown): boolean => error instanceof StatisticsError && error.code === 'MAPPING_INVALID';
    assert.throws(() => linearModel([], x), invalid);
    assert.throws(() => linearModel([x], x), invalid);
    assert.throws(() => linearModel([{ ...x, name: '' }], x), invalid);
    assert.throws(() => linearModel([{ ...x, name: 'y', hi: 2 ** 32 }], x), invalid);
    assert.equal(linearModel([{ ...x, name: 'y', hi: 2 ** 32 - 1 }], x).features[0]!.max, 2 ** 32 - 1);
  });
});
