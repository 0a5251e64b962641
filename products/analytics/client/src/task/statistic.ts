/** What a task measures, as all of its parties read it: plain data that JSON and YAML can hold. */
import type { Buckets, PrefixPlan, ScaleOptions, VariableOptions } from '../statistics/index.ts';

/** How many people say yes. Prio3Count. */
export interface CountStatistic {
  readonly kind: 'count';
}

/** Sum and mean of a bounded quantity. Prio3Sum over steps of the scale. */
export interface MeanStatistic extends ScaleOptions {
  readonly kind: 'mean';
  /** Of the quantity, for people: `s`, `kg`. */
  readonly unit?: string | undefined;
}

/** How often values fall into each of some buckets. Prio3Histogram. */
export interface HistogramStatistic {
  readonly kind: 'histogram';
  readonly buckets: Buckets;
  /** Of the values, for people. */
  readonly unit?: string | undefined;
}

/** How often each of some flags is set, any number of them in one report. Prio3SumVec, or Prio3MultihotCountVec. */
export interface FlagsStatistic {
  readonly kind: 'flags';
  /** Distinct. */
  readonly names: readonly string[];
  /** How many may be set in one report, which Prio3MultihotCountVec checks; default all of them. */
  readonly maxWeight?: number | undefined;
}

/** The most common of words that everybody knows, and how many reports have another one. Prio3Histogram. */
export interface CommonWordsStatistic {
  readonly kind: 'common-words';
  /** Distinct. */
  readonly words: readonly string[];
  /** Whether upper and lower case are the same; default no. */
  readonly ignoreCase?: boolean | undefined;
}

/** One round of the search for common strings that nobody knows beforehand; see `runPrefixRounds`. Prio3Histogram. */
export interface PrefixRoundStatistic {
  readonly kind: 'prefix-round';
  readonly plan: PrefixPlan;
  /** Rounds before this one. */
  readonly round: number;
  /** What was common enough in the round before; its children are counted in this one. */
  readonly prefixes: readonly (readonly number[])[];
}

/**
 * Common strings that nobody knows beforehand, found in one batch by collecting it again and again, one level deeper each
 * time. Poplar1; the task needs aggregators that have it and the multi-collection extension.
 */
export interface Poplar1Statistic {
  readonly kind: 'poplar1';
  /** Longest string that can be reported, bytes of UTF-8; 1 to 8190. */
  readonly maxBytes: number;
  /** Levels of the tree, in bits, that one collection goes down; 1 to 16. */
  readonly bitsPerRound: number;
  /** Smallest count with which a prefix is followed, and a string shown; 2 or more. */
  readonly minCount: number;
  /** Most prefixes that are followed: the most common ones. */
  readonly maxPrefixes: number;
}

/** A regression of a target on features. Prio3LinReg. */
export interface LinearRegressionStatistic {
  readonly kind: 'linear-regression';
  readonly features: readonly VariableOptions[];
  readonly target: VariableOptions;
}

/** A statistic with its mapping. */
export type Statistic =
  | CountStatistic
  | MeanStatistic
  | HistogramStatistic
  | FlagsStatistic
  | CommonWordsStatistic
  | PrefixRoundStatistic
  | Poplar1Statistic
  | LinearRegressionStatistic;

/** Name of a statistic. */
export type StatisticKind = Statistic['kind'];

/** The statistic of a name. */
export type StatisticOf<K extends StatisticKind> = Extract<Statistic, { readonly kind: K }>;

interface Values {
  readonly count: boolean;
  readonly mean: number;
  readonly histogram: number | string;
  readonly flags: Iterable<string>;
  readonly 'common-words': string;
  readonly 'prefix-round': string;
  readonly poplar1: string;
  readonly 'linear-regression': Readonly<Record<string, number>>;
}

/** What a person's value is, for a statistic. */
export type ValueOf<S extends Statistic> = Values[S['kind']];
