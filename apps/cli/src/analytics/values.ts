/** Values as files and command lines have them: text, or members of JSON. Whether they can be measured is for the task. */
import type { Statistic, StatisticKind, StatisticOf } from '@privacy-edge/analytics';
import { CliError } from '../cli-error.ts';

type Rows = { readonly [K in StatisticKind]: (text: string, statistic: StatisticOf<K>) => unknown };

const YES = /^(?:true|yes|1)$/i;
const NO = /^(?:false|no|0)$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** What cannot be read stays text, which is then refused in the words of whoever measures. */
const ROWS: Rows = {
  count: (text) => booleanOf(text) ?? text,
  mean: (text) => numberOf(text) ?? text,
  histogram: (text, { buckets }) => (buckets.kind === 'numbers' ? (numberOf(text) ?? text) : text),
  flags: (text) => (text.trim() === '' ? [] : text.split(',').map((name) => name.trim())),
  'common-words': (text) => text,
  'prefix-round': (text) => text,
  poplar1: (text) => text,
  'linear-regression': (text) =>
    Object.fromEntries(
      text.split(',').map((part): [string, number] => {
        const [name = '', value = ''] = part.split('=', 2);
        return [name.trim(), numberOf(value.trim()) ?? Number.NaN];
      }),
    ),
};

/**
 * The value that a text stands for.
 *
 * @param text - such as `12.5`, `yes`, `a,b` for flags, `age=44,pressure=128.5` for a regression
 */
export function valueOfText(statistic: Statistic, text: string): unknown {
  // The row of its own kind takes it.
  const row = ROWS[statistic.kind] as (text: string, statistic: Statistic) => unknown;
  return row(text, statistic);
}

/** Finds the value of a record with the fields of a header. */
export type FieldsReader = (fields: readonly string[]) => unknown;

/**
 * How values are found in records.
 *
 * @param header - names of the columns
 * @param columns - from options: `COLUMN`, or `VARIABLE=COLUMN` where a value has several
 * @throws {@link CliError} `USAGE` for columns that are not there
 */
export function fieldsReader(
  statistic: Statistic,
  header: readonly string[],
  columns: readonly string[],
): FieldsReader {
  const variables = variablesOf(statistic);
  const [only] = columns;
  const isSingle =
    variables === undefined || (statistic.kind === 'flags' && columns.length === 1 && !only?.includes('='));
  if (!isSingle) return variablesReader(statistic, variables, header, columns);
  if (columns.length > 1) throw unusable(columns[1] ?? '', 'a value of this task has one column');
  if (only === undefined && header.length > 1) {
    const why = `the file has the columns ${header.join(', ')}`;
    throw new CliError('USAGE', { what: 'Cannot choose a column', why, fix: 'name one with --column' });
  }
  const at = only === undefined ? 0 : columnAt(header, only);
  return (fields) => valueOfText(statistic, fields[at] ?? '');
}

/**
 * The column of JSON objects that a value is in.
 *
 * @param columns - from options
 * @returns undefined where the value is the whole document
 */
export function memberReader(statistic: Statistic, columns: readonly string[]): (value: unknown) => unknown {
  if (columns.length === 0) return (value) => value;
  const member = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined;
  const [only = ''] = columns;
  if (statistic.kind !== 'linear-regression') {
    if (columns.length > 1) throw unusable(columns[1] ?? '', 'a value of this task is one member');
    return (value) => member(value, only);
  }
  const pairs = pairsOf(columns, variablesOf(statistic) ?? []);
  return (value) => ({
    ...Object(value),
    ...Object.fromEntries(pairs.map(([name, column]) => [name, member(value, column)])),
  });
}

function variablesReader(
  statistic: Statistic,
  variables: readonly string[],
  header: readonly string[],
  columns: readonly string[],
): FieldsReader {
  const renamed = new Map(pairsOf(columns, variables));
  const places = variables.map((name) => [name, columnAt(header, renamed.get(name) ?? name)] as const);
  if (statistic.kind === 'flags') {
    return (fields) => {
      const set = places.map(([name, at]) => [name, booleanOf(fields[at] ?? '')] as const);
      // What is neither yes nor no is no list, and refused as that.
      if (set.some(([, value]) => value === undefined)) return undefined;
      return set.filter(([, value]) => value).map(([name]) => name);
    };
  }
  return (fields) => Object.fromEntries(places.map(([name, at]) => [name, numberOf(fields[at] ?? '') ?? Number.NaN]));
}

/** Names of the parts of a value, where it has any. */
function variablesOf(statistic: Statistic): readonly string[] | undefined {
  if (statistic.kind === 'flags') return statistic.names;
  if (statistic.kind !== 'linear-regression') return undefined;
  return [...statistic.features, statistic.target].map(({ name }) => name);
}

function pairsOf(columns: readonly string[], variables: readonly string[]): [string, string][] {
  return columns.map((column) => {
    const variable = variables.find((name) => column.startsWith(`${name}=`));
    if (variable === undefined)
      throw unusable(column, `it is not "VARIABLE=COLUMN"; there are ${variables.join(', ')}`);
    return [variable, column.slice(variable.length + 1)];
  });
}

function columnAt(header: readonly string[], name: string): number {
  const at = header.indexOf(name);
  if (at === -1) throw unusable(name, `the file has the columns ${header.join(', ')}`);
  if (header.lastIndexOf(name) !== at) throw unusable(name, 'two columns have this name');
  return at;
}

function unusable(column: string, why: string): CliError {
  return new CliError('USAGE', { what: `Cannot use the column "${column}"`, why, fix: 'name columns with --column' });
}

function numberOf(text: string): number | undefined {
  return NUMBER.test(text.trim()) ? Number(text) : undefined;
}

function booleanOf(text: string): boolean | undefined {
  const trimmed = text.trim();
  if (YES.test(trimmed)) return true;
  return NO.test(trimmed) ? false : undefined;
}
