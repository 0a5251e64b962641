/**
 * Statistics as people use them: how values become measurements, and what aggregates say. Pure functions; results are
 * plain data that JSON can hold.
 *
 * @example
 * const model = linearModel(
 *   [{ name: 'age', lo: 0, hi: 120, step: 1 }],
 *   { name: 'pressure', lo: 50, hi: 250, step: 0.5 },
 * );
 * const measurement = linearMeasurement(model, { age: 44, pressure: 128.5 }); // by each reporter
 * const fit = fitLinear(model, { totals, reports }); // by the collector
 */
export type { Aggregate, NoiseScale, Totals } from './aggregate.ts';
export {
  type Buckets,
  boundariesBetween,
  bucketCount,
  bucketOf,
  type CategoryBuckets,
  categoryBuckets,
  type NumberBuckets,
  numberBuckets,
} from './buckets.ts';
export type { Collinearity } from './collinearity.ts';
export {
  type CommonString,
  type CommonStringsResult,
  commonWordsOf,
  type Dictionary,
  dictionaryOf,
  wordIndex,
} from './common-strings.ts';
export { type FlagCount, type FlagsResult, flagCountsOf, flagsOf } from './flags.ts';
export { type HistogramBar, type HistogramResult, histogramOf, type Quantile, quantilesOf } from './histogram.ts';
export {
  type Coefficient,
  type FittedRegression,
  fitLinear,
  type LinearFit,
  type LinearFitOptions,
  type RefusedRegression,
} from './linear-fit.ts';
export {
  type LinearModel,
  linearMeasurement,
  linearModel,
  unverifiedProducts,
  type Variable,
  type VariableOptions,
} from './linear-model.ts';
export type { Matrix, MomentsSummary, VariableSummary } from './linear-moments.ts';
export { type MeanResult, meanOf, meansOf } from './mean.ts';
export { type PlotOptions, plotCounts } from './plot-bars.ts';
export { plotCoefficients } from './plot-coefficients.ts';
export type { PathAlphabet, PathShape } from './prefix-path.ts';
export {
  commonStringsOf,
  firstRound,
  nextRound,
  type PrefixPlan,
  type PrefixRound,
  type PrefixState,
  roundBucketOf,
  roundBuckets,
} from './prefix-rounds.ts';
export { fromSteps, type Scale, type ScaleOptions, scaleOf, toSteps } from './scale.ts';
export type { Repair } from './scaled-solution.ts';
export { StatisticsError, type StatisticsErrorCode } from './statistics-error.ts';
