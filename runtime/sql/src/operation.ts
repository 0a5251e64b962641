/**
 * Operations: what a storage does in one transaction, written once for all engines. An operation is a generator that yields
 * statements and is given their rows; an engine runs it from beginning to end inside a transaction, and again from the
 * beginning when the transaction has to be repeated. It must have no effect but its statements.
 */
import type { Parameters } from './sql-text.ts';

/** What a column can hold. Integers are exact up to 2^53. */
export type Value = null | number | string | Uint8Array;

/** A row by column names. */
export type Row = Readonly<Record<string, Value>>;

/** What an operation asks its engine for. */
export interface Statement {
  /** In the common dialect; see `translate`. */
  readonly sql: string;
  /** Values of `:name`. */
  readonly parameters: Parameters;
  /** What `@rows(...)` stands for: the statement is carried out for all of them. */
  readonly rows?: readonly Parameters[];
}

/** Steps of one transaction with a result. Statements that are yielded together are sent together, and carried out in order. */
export type Operation<T> = Generator<readonly Statement[], T, readonly (readonly Row[])[]>;

/** A statement. */
export function statement(sql: string, parameters: Parameters = {}): Statement {
  return { sql, parameters };
}

/**
 * A statement for many rows at once, in their order as far as the engine has one.
 *
 * @param sql - with `@rows(name type, ...)` in its FROM clause
 * @param rows - values by the names of `@rows`; nothing is done, and no row given, when there are none
 */
export function statementEach(sql: string, rows: readonly Parameters[], parameters: Parameters = {}): Statement {
  return { sql, parameters, rows };
}

/** Carries out one statement; see {@link statement}. */
export function* query(sql: string, parameters: Parameters = {}): Operation<readonly Row[]> {
  const [rows] = yield [statement(sql, parameters)];
  return rows ?? [];
}

/** Carries out one statement for many rows; see {@link statementEach}. */
export function* queryEach(
  sql: string,
  rows: readonly Parameters[],
  parameters: Parameters = {},
): Operation<readonly Row[]> {
  if (rows.length === 0) return [];
  const [given] = yield [statementEach(sql, rows, parameters)];
  return given ?? [];
}

/** Carries out one statement and says whether it gave a row. */
export function* touches(sql: string, parameters: Parameters): Operation<boolean> {
  return (yield* query(sql, parameters)).length > 0;
}

/**
 * Ends an operation with a result and without any change.
 *
 * @throws always; the engine rolls back and returns the result
 */
export function abandon(result: unknown): never {
  // oxlint-disable-next-line only-throw-error
  throw new Abandoned(result);
}

/** See {@link abandon}. No error: nobody but an engine catches it. */
export class Abandoned {
  readonly result: unknown;
  /** @param result - of the operation */
  constructor(result: unknown) {
    this.result = result;
  }
}
