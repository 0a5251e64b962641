/** Linear regression on the reading side: the fit, and what can be said about it. */
import type { Aggregate } from './aggregate.ts';
import { type Collinearity, conditionOf, dependencies } from './collinearity.ts';
import { exactSweep } from './exact-sweep.ts';
import type { LinearModel } from './linear-model.ts';
import { type LinearMoments, linearMoments, type MomentsSummary, selectMoments, summarise } from './linear-moments.ts';
import { noiseEffect, noiseLevel, noiseVariances } from './linear-noise.ts';
import { EXACT_FEATURES, exactSolution, type Solution } from './linear-solution.ts';
import { featureCorrelations, type Repair, repaired, scaledSolution } from './scaled-solution.ts';
import { StatisticsError } from './statistics-error.ts';
import { fisherTail, studentQuantile, studentTails } from './student.ts';
import { eigenOf } from './symmetric.ts';

/** How a fit is made. */
export interface LinearFitOptions {
  /** Of intervals; default 0.95. */
  readonly confidence?: number | undefined;
  /** Features that depend on others exactly: refuse to fit, or leave them out; default `refuse`. */
  readonly dependent?: 'refuse' | 'drop' | undefined;
  /** What to do when noise has made the features' correlations impossible, or nearly; default `ridge`. */
  readonly repair?: Repair | undefined;
}

/** A coefficient with what is known of its error. */
export interface Coefficient {
  /** Name of the feature, `(intercept)` for the intercept. */
  readonly name: string;
  /** In target units for each feature unit; null for a feature that was left out. */
  readonly estimate: number | null;
  /** Of sampling and of noise together; null when there are no degrees of freedom, or inference is not valid. */
  readonly standardError: number | null;
  /** Part of the error that comes from noise, to first order; 0 without noise, null after a repair. */
  readonly noiseError: number | null;
  /** Null where the standard error is null or zero. */
  readonly t: number | null;
  /** Two-sided, of Student's t. */
  readonly pValue: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** Variance inflation factor; null for the intercept and for features left out. */
  readonly inflation: number | null;
}

/** A regression that was fitted. */
export interface FittedRegression {
  readonly kind: 'linear-regression';
  readonly status: 'fitted';
  readonly reports: number;
  readonly target: string;
  /** The intercept, then the features in order. */
  readonly coefficients: readonly Coefficient[];
  readonly confidence: number;
  /**
   * Whether errors, p-values and intervals can be relied on. `exact`: as in any textbook. `approximate`: noise is
   * counted in to first order. `not-valid`: noise was too strong or was repaired; there are none.
   */
  readonly inference: 'exact' | 'approximate' | 'not-valid';
  /** What was repaired; null when nothing was. `floor` is the smallest eigenvalue that was let stand. */
  readonly repair: { readonly how: Repair; readonly floor: number; readonly smallest: number } | null;
  readonly degreesOfFreedom: number;
  /** Null when the target does not vary, or when noise has made it meaningless. */
  readonly rSquared: number | null;
  readonly adjustedRSquared: number | null;
  /** Sum of squared residuals; null when noise has made it negative. */
  readonly residualSum: number | null;
  /** Standard deviation of the residuals. */
  readonly residualDeviation: number | null;
  /** Test of all coefficients together; null where R^2 is, without degrees of freedom, or when the fit is perfect. */
  readonly f: { readonly value: number; readonly pValue: number } | null;
  /** Largest condition index of the standardised features. */
  readonly conditionNumber: number | null;
  readonly collinearity: readonly Collinearity[];
  readonly summary: MomentsSummary;
}

/** A regression that could not be fitted, with the reason. */
export interface RefusedRegression {
  readonly kind: 'linear-regression';
  readonly status: 'refused';
  readonly reports: number;
  readonly target: string;
  /**
   * `too-few-reports`: not more reports than features. `dependent`: see `collinearity`. `noise`: the named features
   * cannot be told from noise.
   */
  readonly reason: 'too-few-reports' | 'dependent' | 'noise';
  /** Features that the reason is about. */
  readonly features: readonly string[];
  readonly collinearity: readonly Collinearity[];
  readonly summary: MomentsSummary;
}

/** Result of a regression. Plain data. */
export type LinearFit = FittedRegression | RefusedRegression;

/** A solution with how it came about. */
interface Solved {
  /** Indices of the features in it. */
  readonly kept: readonly number[];
  readonly moments: LinearMoments;
  readonly solution: Solution;
  readonly collinearity: readonly Collinearity[];
  readonly repair: FittedRegression['repair'];
}

type Refusal = Pick<RefusedRegression, 'reason' | 'features' | 'collinearity'>;

/**
 * Fits a regression to the aggregate of Prio3LinReg by least squares. Without noise and with up to 50 features, every
 * number is computed from exact integers.
 *
 * @param aggregate - sums of all variables, then of the products of each with itself and all after it
 * @throws {StatisticsError} `RESULT_INVALID`
 */
export function fitLinear(model: LinearModel, aggregate: Aggregate, options: LinearFitOptions = {}): LinearFit {
  const { confidence = 0.95 } = options;
  if (!(confidence > 0 && confidence < 1)) {
    throw new StatisticsError('RESULT_INVALID', 'Cannot fit: the confidence is not within 0 and 1');
  }
  const moments = linearMoments(model, aggregate);
  const variances = noiseVariances(aggregate);
  const solved = variances === undefined ? solveExact(moments, options) : solveNoisy(moments, variances, options);
  const base = {
    kind: 'linear-regression',
    reports: aggregate.reports,
    target: model.target.name,
    summary: summarise(moments),
  } as const;
  if ('reason' in solved) return { ...base, status: 'refused', ...solved };
  return { ...base, status: 'fitted', confidence, ...inferenceOf(model, solved, variances, confidence) };
}

function solveExact(moments: LinearMoments, { dependent = 'refuse' }: LinearFitOptions): Solved | Refusal {
  const all = moments.variables.slice(0, -1).map((_, i) => i);
  if (moments.n <= all.length) return { reason: 'too-few-reports', features: [], collinearity: [] };
  if (all.length > EXACT_FEATURES) return solveLarge(moments, all);
  const sweep = exactSweep(moments.centred);
  const collinearity = dependencies(moments, sweep);
  if (collinearity.length === 0) {
    return { kept: all, moments, solution: exactSolution(moments, sweep), collinearity, repair: null };
  }
  if (dependent === 'refuse' || sweep.swept.length === 0) {
    const features = collinearity.flatMap((item) => (item.kind === 'near' ? [] : [item.feature]));
    return { reason: 'dependent', features, collinearity };
  }
  const rest = selectMoments(moments, sweep.swept);
  return { kept: sweep.swept, moments: rest, solution: exactSolution(rest), collinearity, repair: null };
}

/** Beyond the size for integers. What depends on others is then found only as far as doubles can tell. */
function solveLarge(moments: LinearMoments, kept: readonly number[]): Solved | Refusal {
  const constant = kept.filter((i) => moments.centred[i]?.[i] === 0n);
  if (constant.length > 0) {
    const features = constant.map((i) => moments.variables[i]?.name ?? '');
    return { reason: 'dependent', features, collinearity: features.map((feature) => ({ kind: 'constant', feature })) };
  }
  const solution = scaledSolution(moments, featureCorrelations(moments));
  if (solution === undefined || solution.inflation.some((value) => !(value < 1e12))) {
    const { near } = conditionOf(moments, []);
    return { reason: 'dependent', features: near.flatMap((item) => item.features), collinearity: near };
  }
  return { kept, moments, solution, collinearity: [], repair: null };
}

function solveNoisy(
  moments: LinearMoments,
  variances: readonly number[],
  { repair: how = 'ridge' }: LinearFitOptions,
): Solved | Refusal {
  const kept = moments.variables.slice(0, -1).map((_, i) => i);
  if (moments.n <= kept.length) return { reason: 'too-few-reports', features: [], collinearity: [] };
  const { drowned, eigenvalue } = noiseLevel(moments, variances);
  if (drowned.length > 0) return { reason: 'noise', features: drowned, collinearity: [] };
  const correlations = featureCorrelations(moments);
  const smallest = eigenOf(correlations).values.at(-1) ?? 0;
  // What lies below the noise's own reach may be all noise, and its inverse would be anything.
  const usable = smallest > eigenvalue ? scaledSolution(moments, correlations) : undefined;
  if (usable !== undefined) return { kept, moments, solution: usable, collinearity: [], repair: null };
  const solution = scaledSolution(moments, repaired(correlations, eigenvalue, how));
  if (solution === undefined) return { reason: 'noise', features: [], collinearity: [] };
  return { kept, moments, solution, collinearity: [], repair: { how, floor: eigenvalue, smallest } };
}

function inferenceOf(
  model: LinearModel,
  { kept, moments, solution, collinearity, repair }: Solved,
  variances: readonly number[] | undefined,
  confidence: number,
): Omit<FittedRegression, 'kind' | 'status' | 'reports' | 'target' | 'summary' | 'confidence'> {
  const degreesOfFreedom = Number(moments.n) - kept.length - 1;
  const { unexplained, residualSum } = solution;
  const sound = repair === null && residualSum >= 0;
  const inference = !sound ? 'not-valid' : variances === undefined ? 'exact' : 'approximate';
  const meaningful = unexplained !== null && unexplained >= 0 && unexplained <= 1;
  const residualVariance = degreesOfFreedom > 0 && residualSum >= 0 ? residualSum / degreesOfFreedom : null;
  const effect = variances === undefined || repair !== null ? undefined : noiseEffect(moments, solution, variances);
  const describe = (name: string, estimate: number, leverage: number, noiseError: number, inflation: number | null) =>
    coefficientOf(
      { name, estimate, noiseError: repair === null ? noiseError : null, inflation },
      sound && residualVariance !== null ? Math.hypot(Math.sqrt(residualVariance * leverage), noiseError) : null,
      degreesOfFreedom,
      confidence,
    );
  const condition = conditionOf(moments, solution.inflation);
  return {
    coefficients: [
      describe('(intercept)', solution.intercept, solution.interceptLeverage, effect?.intercept ?? 0, null),
      ...model.features.map(({ name }, i) => {
        const at = kept.indexOf(i);
        const estimate = solution.coefficients[at];
        if (estimate === undefined) return leftOut(name);
        const noiseError = effect?.coefficients[at] ?? 0;
        return describe(name, estimate, solution.leverage[at] ?? 0, noiseError, solution.inflation[at] ?? null);
      }),
    ],
    inference,
    repair,
    degreesOfFreedom,
    rSquared: meaningful ? 1 - unexplained : null,
    adjustedRSquared:
      meaningful && degreesOfFreedom > 0 ? 1 - (unexplained * (Number(moments.n) - 1)) / degreesOfFreedom : null,
    residualSum: residualSum >= 0 ? residualSum : null,
    residualDeviation: residualVariance === null ? null : Math.sqrt(residualVariance),
    f: meaningful && inference === 'exact' ? fisherOf(unexplained, kept.length, degreesOfFreedom) : null,
    conditionNumber: condition.conditionNumber,
    collinearity: [...collinearity, ...condition.near],
  };
}

function coefficientOf(
  known: Pick<Coefficient, 'name' | 'noiseError' | 'inflation'> & { readonly estimate: number },
  standardError: number | null,
  freedom: number,
  confidence: number,
): Coefficient {
  const { estimate } = known;
  if (standardError === null) return { ...known, standardError, t: null, pValue: null, interval: null };
  const reach = standardError * studentQuantile(1 - confidence, freedom);
  const interval = [estimate - reach, estimate + reach] as const;
  if (standardError === 0) return { ...known, standardError, t: null, pValue: estimate === 0 ? null : 0, interval };
  const t = estimate / standardError;
  return { ...known, standardError, t, pValue: studentTails(t, freedom), interval };
}

function leftOut(name: string): Coefficient {
  return {
    name,
    estimate: null,
    standardError: null,
    noiseError: null,
    t: null,
    pValue: null,
    interval: null,
    inflation: null,
  };
}

function fisherOf(unexplained: number, features: number, freedom: number): FittedRegression['f'] {
  if (freedom <= 0 || unexplained === 0) return null;
  const value = ((1 - unexplained) / unexplained) * (freedom / features);
  return { value, pValue: fisherTail(value, features, freedom) };
}
