/**
 * Certified values of the Statistical Reference Datasets of NIST, Linear Regression
 * (https://www.itl.nist.gov/div898/strd/lls/lls.shtml): Longley, Norris, Wampler1, Wampler3.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitLinear, type LinearModel, linearModel } from '../../src/statistics/index.ts';
import { agrees, linearTotals, table } from './totals.ts';

interface Certified {
  /** Intercept first. */
  readonly estimates: readonly number[];
  readonly errors: readonly number[];
  readonly rSquared: number;
  readonly residualDeviation: number;
  readonly residualSum: number;
  readonly f?: number;
}

const LONGLEY = table(
  ['employed', 'deflator', 'gnp', 'unemployed', 'forces', 'population', 'year'],
  `
  60323  83.0 234289 2356 1590 107608 1947
  61122  88.5 259426 2325 1456 108632 1948
  60171  88.2 258054 3682 1616 109773 1949
  61187  89.5 284599 3351 1650 110929 1950
  63221  96.2 328975 2099 3099 112075 1951
  63639  98.1 346999 1932 3594 113270 1952
  64989  99.0 365385 1870 3547 115094 1953
  63761 100.0 363112 3578 3350 116219 1954
  66019 101.2 397469 2904 3048 117388 1955
  67857 104.6 419180 2822 2857 118734 1956
  68169 108.4 442769 2936 2798 120445 1957
  66513 110.8 444546 4681 2637 121950 1958
  68655 112.6 482704 3813 2552 123366 1959
  69564 114.2 502601 3931 2514 125368 1960
  69331 115.7 518173 4806 2572 127852 1961
  70551 116.9 554894 4007 2827 130081 1962`,
);

const NORRIS = table(
  ['y', 'x'],
  `
    0.1   0.2
  338.8 337.4
  118.1 118.2
  888.0 884.6
    9.2  10.1
  228.1 226.5
  668.5 666.3
  998.5 996.3
  449.1 448.6
  778.9 777.0
  559.2 558.2
    0.3   0.4
    0.1   0.6
  778.1 775.5
  668.8 666.9
  339.3 338.0
  448.9 447.5
   10.8  11.6
  557.7 556.0
  228.3 228.1
  998.0 995.8
  888.8 887.6
  119.6 120.2
    0.3   0.3
    0.6   0.3
  557.6 556.8
  339.3 339.1
  888.0 887.2
  998.5 999.0
  778.9 779.0
   10.2  11.1
  117.6 118.3
  228.9 229.2
  668.4 669.1
  449.2 448.9
    0.2   0.5`,
);

const LONGLEY_MODEL = linearModel(
  [
    // Bounds away from the data, and not zero, so that mapping back to units is part of the test.
    { name: 'deflator', lo: 50.5, hi: 150, step: 0.1 },
    { name: 'gnp', lo: 1000, hi: 1_000_000, step: 1 },
    { name: 'unemployed', lo: 0, hi: 10_000, step: 1 },
    { name: 'forces', lo: -500, hi: 10_000, step: 1 },
    { name: 'population', lo: 0, hi: 1_000_000, step: 1 },
    { name: 'year', lo: 1900, hi: 2000, step: 1 },
  ],
  { name: 'employed', lo: 10_000, hi: 100_000, step: 1 },
);

const POWERS = [1, 2, 3, 4, 5];
const WAMPLER_MODEL = linearModel(
  POWERS.map((power) => ({ name: `x^${power}`, lo: 0, hi: 20 ** power, step: 1 })),
  { name: 'y', lo: -5000, hi: 10_000_000, step: 1 },
);
const WAMPLER3 = [
  760, -2042, 2111, -1684, 3888, 1858, 11379, 17560, 39287, 64382, 113159, 175108, 273291, 400186, 581243, 811568,
  1121004, 1506550, 2002767, 2611612, 3369180,
];

function powers(x: number, y: number): Record<string, number> {
  return { ...Object.fromEntries(POWERS.map((power) => [`x^${power}`, x ** power])), y };
}

/** Certified values have 15 digits; the last one or two of ours are the rounding of the division. */
function check(model: LinearModel, rows: readonly Record<string, number>[], certified: Certified): void {
  const fit = fitLinear(model, { totals: linearTotals(model, rows), reports: rows.length });
  assert.equal(fit.status, 'fitted');
  if (fit.status !== 'fitted') return;
  assert.equal(fit.inference, 'exact');
  for (const [i, { name, estimate, standardError }] of fit.coefficients.entries()) {
    assert.ok(agrees(estimate, certified.estimates[i]!, 13.5), `${name}: ${estimate}`);
    assert.ok(agrees(standardError, certified.errors[i]!, 13.5), `error of ${name}: ${standardError}`);
  }
  assert.ok(agrees(fit.rSquared, certified.rSquared, 14), `R^2 ${fit.rSquared}`);
  assert.ok(agrees(fit.residualDeviation, certified.residualDeviation, 13.5), `deviation ${fit.residualDeviation}`);
  assert.ok(agrees(fit.residualSum, certified.residualSum, 13.5), `sum ${fit.residualSum}`);
  if (certified.f === undefined) assert.equal(fit.f, null);
  else assert.ok(agrees(fit.f?.value, certified.f, 13), `F ${fit.f?.value}`);
}

describe('fitLinear() on the reference data sets of NIST', () => {
  it('solves Longley to all certified digits', () => {
    check(LONGLEY_MODEL, LONGLEY, {
      estimates: [
        -3482258.63459582, 15.0618722713733, -0.035819179292591, -2.02022980381683, -1.03322686717359,
        -0.0511041056535807, 1829.15146461355,
      ],
      errors: [
        890420.383607373, 84.9149257747669, 0.0334910077722432, 0.488399681651699, 0.214274163161675, 0.22607320006937,
        455.478499142212,
      ],
      rSquared: 0.995479004577296,
      residualDeviation: 304.854073561965,
      residualSum: 836424.055505915,
      f: 330.285339234588,
    });
  });

  it('solves Norris to all certified digits', () => {
    const unit = { lo: 0, hi: 1000, step: 0.1 };
    const model = linearModel([{ name: 'x', ...unit }], { name: 'y', ...unit });
    check(model, NORRIS, {
      estimates: [-0.262323073774029, 1.00211681802045],
      errors: [0.232818234301152, 0.000429796848199937],
      rSquared: 0.999993745883712,
      residualDeviation: 0.884796396144373,
      residualSum: 26.6173985294224,
      f: 5436385.54079785,
    });
  });

  it('solves Wampler1, which fits perfectly', () => {
    const rows = WAMPLER3.map((_, x) => powers(x, 1 + x + x ** 2 + x ** 3 + x ** 4 + x ** 5));
    check(WAMPLER_MODEL, rows, {
      estimates: [1, 1, 1, 1, 1, 1],
      errors: [0, 0, 0, 0, 0, 0],
      rSquared: 1,
      residualDeviation: 0,
      residualSum: 0,
    });
  });

  it('solves Wampler3 to all certified digits', () => {
    check(
      WAMPLER_MODEL,
      WAMPLER3.map((y, x) => powers(x, y)),
      {
        estimates: [1, 1, 1, 1, 1, 1],
        errors: [
          2152.3262467817, 2363.55173469681, 779.343524331583, 101.47550755035, 5.64566512170752, 0.112324854679312,
        ],
        rSquared: 0.99999555902582,
        residualDeviation: 2360.14502379268,
        residualSum: 83554268,
        f: 675524.458240122,
      },
    );
  });

  it('finds what is known to be wrong with Longley', () => {
    const fit = fitLinear(LONGLEY_MODEL, { totals: linearTotals(LONGLEY_MODEL, LONGLEY), reports: LONGLEY.length });
    assert.ok(fit.status === 'fitted');
    // Published variance inflation factors: 135.5, 1788.5, 33.6, 3.6, 399.2, 759.0.
    const inflation = fit.coefficients.slice(1).map((coefficient) => Number(coefficient.inflation?.toFixed(1)));
    assert.deepEqual(inflation, [135.5, 1788.5, 33.6, 3.6, 399.2, 759]);
    // 110.5 is the root of the quotient of the extreme eigenvalues, 4.60338 and 0.000377.
    assert.ok(fit.conditionNumber !== null && Math.abs(fit.conditionNumber - 110.54) < 0.01, `${fit.conditionNumber}`);
    const worst = fit.collinearity.at(-1);
    assert.ok(worst?.kind === 'near' && worst.features.includes('gnp') && !worst.features.includes('forces'));
    // As printed by every statistics package: t of year 4.016, p 0.0030; deflator 0.177, 0.8631.
    const year = fit.coefficients.at(-1)!;
    assert.equal(year.t?.toFixed(3), '4.016');
    assert.equal(year.pValue?.toFixed(4), '0.0030');
    assert.equal(fit.coefficients[1]!.pValue?.toFixed(4), '0.8631');
    assert.equal(fit.adjustedRSquared?.toFixed(4), '0.9925');
    assert.equal(fit.f?.pValue.toExponential(2), '4.98e-10');
    const [low, high] = year.interval!;
    assert.ok(Math.abs(low - 798.7875) < 0.01 && Math.abs(high - 2859.5155) < 0.01, `${low} ${high}`);
  });
});
