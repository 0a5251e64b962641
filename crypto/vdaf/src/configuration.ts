/** Descriptions of the Prio3 instances and what they stand for. VDAF §7.4, L1 Bound Sum §3. */
import { bestChunkLength } from './chunk-length.ts';
import { type CountMeasurement, count } from './circuits/count.ts';
import { histogram } from './circuits/histogram.ts';
import { l1BoundSum } from './circuits/l1-bound-sum.ts';
import { bitsOf } from './circuits/limits.ts';
import { type LinRegSums, linReg, linRegLength } from './circuits/lin-reg.ts';
import { multihotCountVec } from './circuits/multihot-count-vec.ts';
import { sum } from './circuits/sum.ts';
import { sumVec } from './circuits/sum-vec.ts';
import { FIELD64, FIELD128, type Field } from './field.ts';
import type { Circuit } from './flp.ts';
import { invalidConfiguration } from './vdaf-error.ts';

/** Identifier of Prio3Count. VDAF §10. */
export const PRIO3_COUNT = 0x00000001;
/** Identifier of Prio3Sum. VDAF §10. */
export const PRIO3_SUM = 0x00000002;
/** Identifier of Prio3SumVec. VDAF §10. */
export const PRIO3_SUM_VEC = 0x00000003;
/** Identifier of Prio3Histogram. VDAF §10. */
export const PRIO3_HISTOGRAM = 0x00000004;
/** Identifier of Prio3MultihotCountVec. VDAF §10. */
export const PRIO3_MULTIHOT_COUNT_VEC = 0x00000005;
/** Identifier of Prio3L1BoundSum. L1 Bound Sum §6. */
export const PRIO3_L1_BOUND_SUM = 0x00000007;
/** Identifier of Prio3LinReg, of the private range: nobody else knows it. */
export const PRIO3_LIN_REG = 0xffff50e1;
/** Identifier of Prio3SumVecWithMultiproof, of the private range, as in the test vectors of the VDAF document. */
export const PRIO3_SUM_VEC_WITH_MULTIPROOF = 0xffffffff;

/** Zero or one; the result is how many ones. */
export interface CountConfiguration {
  readonly kind: 'count';
}

/** An integer; the result is the sum. */
export interface SumConfiguration {
  readonly kind: 'sum';
  /** Largest measurement, 1 or more, below the modulus of Field64. */
  readonly maxMeasurement: number | bigint;
}

/** A vector of integers; the result is the vector of sums. */
export interface SumVecConfiguration {
  readonly kind: 'sumVec' | 'sumVecWithMultiproof';
  /** Number of coordinates. */
  readonly length: number;
  /** Largest value of a coordinate, below 2^64. */
  readonly maxMeasurement: number | bigint;
  /** Products of one call of the gadget; by default what makes the shortest proof. All parties must agree on it. */
  readonly chunkLength?: number;
}

/** The index of a bucket; the result is the count of each. */
export interface HistogramConfiguration {
  readonly kind: 'histogram';
  /** Number of buckets. */
  readonly length: number;
  /** See {@link SumVecConfiguration.chunkLength}. */
  readonly chunkLength?: number;
}

/** A vector of booleans, not too many of them true; the result is the count of each. */
export interface MultihotCountVecConfiguration {
  readonly kind: 'multihotCountVec';
  /** Number of choices. */
  readonly length: number;
  /** How many choices may be true, 1 to `length`. */
  readonly maxWeight: number;
  /** See {@link SumVecConfiguration.chunkLength}. */
  readonly chunkLength?: number;
}

/** A vector of integers with a bounded sum; the result is the vector of sums. */
export interface L1BoundSumConfiguration {
  readonly kind: 'l1BoundSum';
  /** Number of coordinates. */
  readonly length: number;
  /** Largest sum of all coordinates, below 2^64. */
  readonly maxValue: number | bigint;
  /** See {@link SumVecConfiguration.chunkLength}. */
  readonly chunkLength?: number;
}

/** Features and a dependent variable; the result is what a least-squares fit needs. */
export interface LinRegConfiguration {
  readonly kind: 'linReg';
  /** Largest value of each feature, then of the dependent variable; below 2^32. */
  readonly maxValues: readonly (number | bigint)[];
  /** See {@link SumVecConfiguration.chunkLength}. */
  readonly chunkLength?: number;
}

/** A Prio3 instance and its parameters. */
export type Prio3Configuration =
  | CountConfiguration
  | SumConfiguration
  | SumVecConfiguration
  | HistogramConfiguration
  | MultihotCountVecConfiguration
  | L1BoundSumConfiguration
  | LinRegConfiguration;

/** A vector of integers. */
export type Integers = readonly (number | bigint)[];

/**
 * The measurement and the result of each kind. Sums are always `bigint`; the numbers in a measurement must be exact.
 */
interface Kinds {
  readonly count: readonly [CountMeasurement, bigint];
  readonly sum: readonly [number | bigint, bigint];
  readonly sumVec: readonly [Integers, readonly bigint[]];
  readonly sumVecWithMultiproof: readonly [Integers, readonly bigint[]];
  readonly histogram: readonly [number, readonly bigint[]];
  readonly multihotCountVec: readonly [readonly (boolean | number)[], readonly bigint[]];
  readonly l1BoundSum: readonly [Integers, readonly bigint[]];
  readonly linReg: readonly [Integers, LinRegSums];
}

/** What a client of the configuration measures. */
export type MeasurementOf<C extends Prio3Configuration> = Kinds[C['kind']][0];

/** What the collector of the configuration gets. */
export type ResultOf<C extends Prio3Configuration> = Kinds[C['kind']][1];

/** The parts of a Prio3 instance. */
export interface Prio3Parts {
  readonly id: number;
  readonly circuit: Circuit<never, unknown>;
  readonly proofs: number;
}

/** Proofs that make up for the size of Field64. VDAF §9.7. */
const MULTIPROOFS = 3;

/**
 * The parts that a configuration describes.
 *
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function partsOf(configuration: Prio3Configuration): Prio3Parts {
  switch (configuration.kind) {
    case 'count':
      return { id: PRIO3_COUNT, circuit: count(), proofs: 1 };
    case 'sum':
      return { id: PRIO3_SUM, circuit: sum(configuration.maxMeasurement), proofs: 1 };
    case 'sumVec':
      return { id: PRIO3_SUM_VEC, circuit: vector(FIELD128, configuration), proofs: 1 };
    case 'sumVecWithMultiproof':
      return { id: PRIO3_SUM_VEC_WITH_MULTIPROOF, circuit: vector(FIELD64, configuration), proofs: MULTIPROOFS };
    case 'histogram': {
      const chunkLength = configuration.chunkLength ?? bestChunkLength(configuration.length);
      return { id: PRIO3_HISTOGRAM, circuit: histogram({ ...configuration, chunkLength }), proofs: 1 };
    }
    case 'multihotCountVec': {
      const { length, maxWeight } = configuration;
      const chunkLength = configuration.chunkLength ?? bestChunkLength(length + bitsOf(maxWeight));
      return { id: PRIO3_MULTIHOT_COUNT_VEC, circuit: multihotCountVec({ ...configuration, chunkLength }), proofs: 1 };
    }
    case 'l1BoundSum': {
      const { length, maxValue } = configuration;
      const chunkLength = configuration.chunkLength ?? bestChunkLength((length + 1) * bitsOf(maxValue));
      return { id: PRIO3_L1_BOUND_SUM, circuit: l1BoundSum({ ...configuration, chunkLength }), proofs: 1 };
    }
    case 'linReg': {
      const chunkLength = configuration.chunkLength ?? bestChunkLength(linRegLength(configuration.maxValues));
      return { id: PRIO3_LIN_REG, circuit: linReg({ ...configuration, chunkLength }), proofs: 1 };
    }
    default:
      // The compiler knows of no other, but configurations come from outside.
      throw invalidConfiguration('there is no such kind');
  }
}

function vector(field: Field, configuration: SumVecConfiguration): ReturnType<typeof sumVec> {
  const { length, maxMeasurement } = configuration;
  const chunkLength = configuration.chunkLength ?? bestChunkLength(length * bitsOf(maxMeasurement));
  return sumVec(field, { length, maxMeasurement, chunkLength });
}
