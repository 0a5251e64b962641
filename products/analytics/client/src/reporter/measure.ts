/** From a person's value to the measurement of a task. */
import { utf8 } from '@privacy-edge/bytes';
import { padString } from '@privacy-edge/vdaf';
import { AnalyticsError } from '../analytics-error.ts';
import {
  bucketOf,
  dictionaryOf,
  flagsOf,
  linearMeasurement,
  linearModel,
  roundBucketOf,
  scaleOf,
  toSteps,
  wordIndex,
} from '../statistics/index.ts';
import { StatisticsError } from '../statistics/statistics-error.ts';
import type { Statistic, StatisticKind, StatisticOf, ValueOf } from '../task/statistic.ts';
import { poplar1Bits, prefixStateOf } from '../task/statistic-vdaf.ts';

/** What the VDAFs of this package measure. Secret; can be posted to a worker. */
export type Measurement = boolean | number | readonly boolean[] | readonly number[] | Uint8Array;

/** Turns values into measurements; throws `VALUE_INVALID`. */
export type Measure<S extends Statistic> = (value: ValueOf<S>) => Measurement;

/** Values are of unknown types: what an application passes in is not always what the compiler saw. */
type Rows = { readonly [K in StatisticKind]: (statistic: StatisticOf<K>) => (value: unknown) => Measurement };

const ROWS: Rows = {
  count: () => (value) => {
    if (typeof value !== 'boolean') throw valueInvalid('is no boolean');
    return value;
  },
  mean: (statistic) => {
    const scale = scaleOf(statistic);
    return (value) => toSteps(scale, numberOf(value));
  },
  histogram:
    ({ buckets }) =>
    (value) =>
      bucketOf(buckets, buckets.kind === 'numbers' ? numberOf(value) : textOf(value)),
  flags:
    ({ names, maxWeight }) =>
    (value) => {
      // A string is iterable, and surely not meant.
      if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) {
        throw valueInvalid('is no list of flags');
      }
      const set = flagsOf(names, value as Iterable<string>, maxWeight);
      return maxWeight === undefined ? set.map(Number) : set;
    },
  'common-words': ({ words, ignoreCase }) => {
    const dictionary = dictionaryOf(words, ignoreCase);
    return (value) => wordIndex(dictionary, textOf(value));
  },
  'prefix-round': (statistic) => {
    const state = prefixStateOf(statistic);
    return (value) => roundBucketOf(statistic.plan, state, textOf(value));
  },
  poplar1: (statistic) => (value) => {
    const bytes = utf8(textOf(value));
    if (bytes.length > statistic.maxBytes) throw valueInvalid('is too long');
    return padString(bytes, poplar1Bits(statistic));
  },
  'linear-regression': ({ features, target }) => {
    const model = linearModel(features, target);
    return (value) => {
      if (typeof value !== 'object' || value === null) throw valueInvalid('is no observation');
      return linearMeasurement(model, value as Readonly<Record<string, number>>);
    };
  },
};

/** Prepares the mapping of a statistic. */
export function prepareMeasure<S extends Statistic>(statistic: S): Measure<S> {
  // The row of its own kind takes it.
  const row = ROWS[statistic.kind] as (statistic: Statistic) => (value: unknown) => Measurement;
  const measure = row(statistic);
  return (value) => {
    try {
      return measure(value);
    } catch (error) {
      throw error instanceof StatisticsError ? new AnalyticsError('VALUE_INVALID', error.message) : error;
    }
  };
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw valueInvalid('is no number');
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw valueInvalid('is no string');
  return value;
}

function valueInvalid(state: string): AnalyticsError {
  return new AnalyticsError('VALUE_INVALID', `Cannot measure value: it ${state}`);
}
