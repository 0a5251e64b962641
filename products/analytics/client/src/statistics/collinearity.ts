/** Which features of a regression say the same thing. */
import { toNumber } from '@privacy-edge/dp';
import type { Sweep } from './exact-sweep.ts';
import { type LinearMoments, type Matrix, ratio } from './linear-moments.ts';
import { featureCorrelations } from './scaled-solution.ts';
import { eigenOf } from './symmetric.ts';

/** Something that keeps coefficients from being told apart. */
export type Collinearity =
  /** The feature had the same value in every report. */
  | { readonly kind: 'constant'; readonly feature: string }
  /** The feature is a constant plus the weighted sum of others, exactly. */
  | {
      readonly kind: 'dependent';
      readonly feature: string;
      readonly on: readonly { readonly feature: string; readonly weight: number }[];
    }
  /** The features nearly depend on each other: their coefficients have large standard errors and can change sign. */
  | { readonly kind: 'near'; readonly features: readonly string[]; readonly conditionIndex: number };

/** How well the features of a regression can be told apart. */
export interface Condition {
  /** Largest condition index of the standardised features: 1 is perfect, above 30 is bad. Null when not finite. */
  readonly conditionNumber: number | null;
  readonly near: readonly Extract<Collinearity, { kind: 'near' }>[];
}

/** Condition index from which features are named: Belsley, Kuh and Welsch, "Regression Diagnostics", 1980. */
const STRONG = 30;

/** Share of a coefficient's variance that lies in one direction, from which its feature takes part in a dependence. */
const PROPORTION = 0.5;

/** Features that were left out of a sweep, with the reason. */
export function dependencies(moments: LinearMoments, sweep: Sweep): Collinearity[] {
  const features = moments.variables.slice(0, -1);
  const found: Collinearity[] = [];
  for (const [k, { name: feature, step }] of features.entries()) {
    if (sweep.swept.includes(k)) continue;
    if (moments.centred[k]?.[k] === 0n) {
      found.push({ kind: 'constant', feature });
      continue;
    }
    // Swept later than this feature: their coefficient on it is zero, since nothing of it was left.
    const on = sweep.swept.flatMap((i) => {
      const other = features[i];
      const weight = ratio(sweep.entries[i]?.[k] ?? 0n, sweep.denominator);
      if (other === undefined || weight === 0) return [];
      return [{ feature: other.name, weight: (weight * toNumber(step)) / toNumber(other.step) }];
    });
    found.push({ kind: 'dependent', feature, on });
  }
  return found;
}

/**
 * Judges the features' correlations by their eigenvalues, and names features that share a weak direction.
 *
 * @param inflation - variance inflation factors, if the correlations could be inverted
 */
export function conditionOf(
  moments: LinearMoments,
  inflation: readonly number[],
  correlations: Matrix = featureCorrelations(moments),
): Condition {
  const names = moments.variables.slice(0, -1).map((variable) => variable.name);
  const { values, vectors } = eigenOf(correlations);
  const largest = values[0] ?? 0;
  const indexOf = (value: number): number => (value > 0 ? Math.sqrt(largest / value) : Number.POSITIVE_INFINITY);
  const near = values.flatMap((value, k) => {
    const conditionIndex = indexOf(value);
    if (!Number.isFinite(conditionIndex) || conditionIndex < STRONG) return [];
    const features = names.filter((_, j) => {
      const part = (vectors[k]?.[j] ?? 0) ** 2;
      const whole = inflation[j];
      return whole === undefined ? part > 0.1 : part / value / whole > PROPORTION;
    });
    return [{ kind: 'near', features, conditionIndex } as const];
  });
  const worst = indexOf(values.at(-1) ?? 0);
  return { conditionNumber: Number.isFinite(worst) ? worst : null, near };
}
