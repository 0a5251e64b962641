/** Linear regression on the measuring side: which quantities are reported, and how. */
import { type Scale, type ScaleOptions, scaleOf, toSteps } from './scale.ts';
import { StatisticsError } from './statistics-error.ts';

/** A quantity of a regression, as an operator writes it. */
export interface VariableOptions extends ScaleOptions {
  /** For people and for rows of data; distinct. */
  readonly name: string;
}

/** A quantity of a regression. */
export interface Variable extends Scale {
  readonly name: string;
}

/** A regression: the target is explained by the features. */
export interface LinearModel {
  /** At least one. */
  readonly features: readonly Variable[];
  readonly target: Variable;
}

/** Largest measurement of a variable: products of two and sums over reports must stay in the field. */
const MAX_STEPS = 2 ** 32 - 1;

/**
 * Prepares a regression. A feature with two values (0 and 1) has `lo` 0, `hi` 1, `step` 1; a feature with k categories is
 * k - 1 such features.
 *
 * @throws {StatisticsError} `MAPPING_INVALID` when there is no feature, a name is missing or repeated, or a scale is
 * unusable or has 2^32 steps or more
 */
export function linearModel(features: readonly VariableOptions[], target: VariableOptions): LinearModel {
  const names = [...features, target].map((variable) => variable.name);
  if (features.length === 0 || names.includes('') || new Set(names).size !== names.length) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use regression: features or distinct names are missing');
  }
  return { features: features.map(variableOf), target: variableOf(target) };
}

/** Features, then the target: the order of everything about a model. */
export function variablesOf(model: LinearModel): Variable[] {
  return [...model.features, model.target];
}

/**
 * The measurement of one observation, for Prio3LinReg: steps of each feature, then of the target.
 *
 * @param row - values by name, from the application; more names are ignored
 * @throws {StatisticsError} `VALUE_INVALID` when a value is missing, not finite, or outside of a scale that refuses
 */
export function linearMeasurement(model: LinearModel, row: Readonly<Record<string, number>>): number[] {
  return variablesOf(model).map((variable) => {
    const value = Object.hasOwn(row, variable.name) ? row[variable.name] : undefined;
    if (value === undefined)
      throw new StatisticsError('VALUE_INVALID', 'Cannot measure observation: a value is missing');
    return toSteps(variable, value);
  });
}

/**
 * The same observation for Prio3SumVec: steps, then their products in the order of Prio3LinReg's output. For aggregators
 * that do not have Prio3LinReg: they check the size of each number, and not that the products are products.
 *
 * @param row - values by name, from the application
 * @throws {StatisticsError} as `linearMeasurement`
 */
export function unverifiedProducts(model: LinearModel, row: Readonly<Record<string, number>>): bigint[] {
  const steps = linearMeasurement(model, row).map(BigInt);
  return [...steps, ...steps.flatMap((left, i) => steps.slice(i).map((right) => left * right))];
}

function variableOf(options: VariableOptions): Variable {
  const scale = scaleOf(options);
  if (scale.max > MAX_STEPS) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use regression: a scale has 2^32 steps or more');
  }
  return { ...scale, name: options.name };
}
