/** Statistics as they stand in task documents. What is read is checked, and has its members in one order. */
import { type Buckets, categoryBuckets, firstRound, numberBuckets, type PrefixPlan } from '../statistics/index.ts';
import { StatisticsError } from '../statistics/statistics-error.ts';
import { Fields, invalidTask, numberItem, stringItem } from './fields.ts';
import type { LinearRegressionStatistic, Statistic, StatisticKind, StatisticOf } from './statistic.ts';
import { requireUsable } from './statistic-vdaf.ts';

type Rows = { readonly [K in StatisticKind]: (fields: Fields) => StatisticOf<K> };

const OUTSIDE = ['clip', 'refuse'] as const;

const ROWS: Rows = {
  count: () => ({ kind: 'count' }),
  mean: (fields) => ({ kind: 'mean', ...scaleFields(fields), ...unit(fields) }),
  histogram: (fields) => ({ kind: 'histogram', buckets: buckets(fields.object('buckets')), ...unit(fields) }),
  flags: (fields) => ({
    kind: 'flags',
    names: fields.list('names', stringItem),
    ...(fields.has('maxWeight') && { maxWeight: fields.integer('maxWeight', 1) }),
  }),
  'common-words': (fields) => ({
    kind: 'common-words',
    words: fields.list('words', stringItem),
    ...(fields.has('ignoreCase') && { ignoreCase: fields.boolean('ignoreCase') }),
  }),
  'prefix-round': (fields) => ({
    kind: 'prefix-round',
    plan: plan(fields.object('plan')),
    round: fields.integer('round', 0),
    prefixes: fields.list('prefixes', (prefix, path) => symbols(prefix, path)),
  }),
  poplar1: (fields) => ({
    kind: 'poplar1',
    maxBytes: fields.integer('maxBytes', 1, 8190),
    bitsPerRound: fields.integer('bitsPerRound', 1, 16),
    minCount: fields.integer('minCount', 2),
    maxPrefixes: fields.integer('maxPrefixes', 1, 65_536),
  }),
  'linear-regression': (fields): LinearRegressionStatistic => ({
    kind: 'linear-regression',
    features: fields.list('features', (item, path) => variable(new Fields(item, path))),
    target: variable(fields.object('target')),
  }),
};

/** Names of all statistics. */
export const STATISTIC_KINDS: readonly StatisticKind[] = Object.keys(ROWS) as StatisticKind[];

/**
 * Reads a statistic.
 *
 * @param value - parsed JSON or YAML, from anywhere
 * @param path - where it stands
 * @throws {@link AnalyticsError} `TASK_INVALID`
 */
export function readStatistic(value: unknown, path: string): Statistic {
  const fields = new Fields(value, path);
  const kind = fields.choice('kind', STATISTIC_KINDS);
  try {
    const statistic = ROWS[kind](fields);
    fields.end();
    requireUsable(statistic, path);
    return statistic;
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    throw invalidTask(path, `is unusable: ${error.message}`, error);
  }
}

function unit(fields: Fields): { readonly unit?: string } {
  return fields.has('unit') ? { unit: fields.string('unit') } : {};
}

function scaleFields(fields: Fields): Pick<StatisticOf<'mean'>, 'lo' | 'hi' | 'step' | 'outside'> {
  return {
    lo: fields.number('lo'),
    hi: fields.number('hi'),
    step: fields.number('step'),
    ...(fields.has('outside') && { outside: fields.choice('outside', OUTSIDE) }),
  };
}

function variable(fields: Fields): LinearRegressionStatistic['target'] {
  const read = { name: fields.string('name'), ...scaleFields(fields) };
  fields.end();
  return read;
}

function buckets(fields: Fields): Buckets {
  const kind = fields.choice('kind', ['numbers', 'categories']);
  const read =
    kind === 'numbers'
      ? numberBuckets(fields.list('boundaries', numberItem), fields.choice('outside', ['separate', 'clip', 'refuse']))
      : categoryBuckets(fields.list('categories', stringItem), fields.boolean('other'));
  fields.end();
  return read;
}

function plan(fields: Fields): PrefixPlan {
  const alphabet = fields.object('alphabet');
  const kind = alphabet.choice('kind', ['bits', 'characters']);
  const read: PrefixPlan = {
    alphabet:
      kind === 'bits'
        ? { kind, bits: alphabet.integer('bits', 1, 12) }
        : { kind, characters: alphabet.string('characters') },
    maxLength: fields.integer('maxLength', 1, 4096),
    minCount: fields.integer('minCount', 2),
    ...(fields.has('minShare') && { minShare: fields.number('minShare') }),
    maxPrefixes: fields.integer('maxPrefixes', 1),
  };
  alphabet.end();
  fields.end();
  firstRound(read);
  return read;
}

function symbols(value: unknown, path: string): number[] {
  if (!Array.isArray(value) || !value.every((symbol) => Number.isSafeInteger(symbol) && Number(symbol) >= 0)) {
    throw invalidTask(path, 'is not a list of symbols');
  }
  return value.map(Number);
}
