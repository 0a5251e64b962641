/**
 * One dialect for two engines. Statements are written as both SQLite and PostgreSQL take them, with these words for what
 * differs:
 *
 * - `:name` is a parameter.
 * - `@bytes`, `@integer`, `@text` are column types; `@identity` is a primary key that counts by itself.
 * - `@table` closes a CREATE TABLE, `@keyed_table` that of one whose small rows are kept in the order of their primary key.
 * - `@rows(a bytes, b integer)` in a FROM clause is a table of those columns, called `batch`: the rows of the statement.
 *   SQLite carries the statement out once for each row, PostgreSQL once for all. An INSERT that takes its rows from there
 *   and nowhere else ends its SELECT with WHERE TRUE.
 * - `@returning(a)` at the end gives `a`, of `@rows` or the parameters, for each row that was changed. SQLite is asked how many
 *   that were instead: there RETURNING costs more than everything else of an insertion.
 * - `@lock` and `@skip_locked` at the end of a SELECT lock its rows until the transaction ends, where an engine has several
 *   writers. `@share_task` and `@own_task` are expressions that lock the task of the column `task_key`, shared or alone.
 * - `@shard` is a small number that concurrent transactions likely have different ones of.
 */
import type { Value } from './operation.ts';

/** Values by name. */
export type Parameters = Readonly<Record<string, Value>>;

/**
 * The value of a parameter.
 *
 * @throws {TypeError} when it is missing: a fault of this package
 */
export function parameterOf(parameters: Parameters, name: string): Value {
  const value = parameters[name];
  if (value === undefined) throw new TypeError(`A statement lacks its parameter ${name}`);
  return value;
}

/** Engines. */
export type Dialect = 'sqlite' | 'postgres';

/** A statement as an engine takes it. */
export interface SqlText {
  readonly text: string;
  /** Columns of `@rows`, which are the first parameters. */
  readonly columns: readonly string[];
  /** Names of the parameters after those, in order. */
  readonly names: readonly string[];
  /** What an engine without RETURNING has to give for each change; undefined for a statement that gives rows, or nothing. */
  readonly returns: readonly string[] | undefined;
}

/** Two numbers of 32 bits: ours, and that of a task. Tasks that share a number wait for each other, and nothing worse. */
const TASK_LOCK = `${0x50654174}, CAST(task_key % 2147483647 AS INTEGER)`;

const WORDS: Readonly<Record<Dialect, Readonly<Record<string, string>>>> = {
  sqlite: {
    bytes: 'BLOB',
    integer: 'INTEGER',
    text: 'TEXT',
    identity: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    table: 'STRICT',
    keyed_table: 'STRICT, WITHOUT ROWID',
    lock: '',
    skip_locked: '',
    share_task: '0',
    own_task: '0',
    shard: '0',
  },
  postgres: {
    bytes: 'BYTEA',
    integer: 'BIGINT',
    text: 'TEXT',
    identity: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    table: '',
    keyed_table: '',
    lock: 'FOR UPDATE',
    skip_locked: 'FOR UPDATE SKIP LOCKED',
    share_task: `pg_advisory_xact_lock_shared(${TASK_LOCK})`,
    own_task: `pg_advisory_xact_lock(${TASK_LOCK})`,
    shard: 'pg_backend_pid() % 16',
  },
};

const ROWS = /@rows\(([^)]*)\)/;
const RETURNING = /@returning\(([^)]*)\)/;
const WORD = /@(\w+)/g;
const PARAMETER = /:([A-Za-z]\w*)/g;

/** Translates a statement; nothing in it may come from outside of this package. */
export function translate(sql: string, dialect: Dialect): SqlText {
  const columns = (ROWS.exec(sql)?.[1] ?? '').split(',').flatMap((column) => {
    const [name, type] = column.trim().split(/\s+/);
    return name === undefined || type === undefined ? [] : [{ name, type }];
  });
  const names: string[] = [];
  const text = (dialect === 'sqlite' ? singleRow(sql, columns) : sql.replace(RETURNING, 'RETURNING $1'))
    .replace(PARAMETER, (_match, name: string) => {
      if (!names.includes(name)) names.push(name);
      return placeholder(dialect, columns.length + names.indexOf(name));
    })
    .replace(ROWS, () => table(dialect, columns))
    .replace(WORD, (match, word: string) => WORDS[dialect][word] ?? match);
  const returned = dialect === 'sqlite' ? RETURNING.exec(sql)?.[1] : undefined;
  const returns = returned?.split(',').map((name) => name.trim().replace(/^.*\./, ''));
  return { text, columns: columns.map(({ name }) => name), names, returns };
}

/** A column of `@rows`. */
interface Column {
  readonly name: string;
  readonly type: string;
}

const INSERT_ROWS = /SELECT ([^;]*?)\s+FROM @rows\([^)]*\) WHERE TRUE/;
const UPDATE_FROM_ROWS = /^(UPDATE [^;]*?)\s+FROM @rows\([^)]*\)\s+WHERE/;
const BATCH_COLUMN = /\bbatch\.(\w+)/g;

/**
 * What SQLite carries out for one row after the other needs no table of one row. An INSERT ... SELECT or UPDATE ... FROM also keeps a
 * journal of its own for each statement, at several times the cost of the change itself.
 */
function singleRow(sql: string, columns: readonly Column[]): string {
  const text = sql.replace(RETURNING, '');
  const alone = text.replace(INSERT_ROWS, 'VALUES ($1)').replace(UPDATE_FROM_ROWS, '$1 WHERE');
  if (alone === text) return text;
  return alone.replace(BATCH_COLUMN, (_match, name: string) =>
    placeholder(
      'sqlite',
      columns.findIndex((column) => column.name === name),
    ),
  );
}

function placeholder(dialect: Dialect, index: number): string {
  return `${dialect === 'sqlite' ? '?' : '$'}${index + 1}`;
}

function table(dialect: Dialect, columns: readonly Column[]): string {
  if (dialect === 'sqlite') {
    return `(SELECT ${columns.map(({ name }, i) => `${placeholder(dialect, i)} AS ${name}`).join(', ')}) AS batch`;
  }
  const arrays = columns.map(({ type }, i) => `${placeholder(dialect, i)}::@${type}[]`);
  return `unnest(${arrays.join(', ')}) AS batch(${columns.map(({ name }) => name).join(', ')})`;
}
