/**
 * A SQLite file and the transactions on it, for use in a thread of its own: every call blocks. WAL with a sync at every commit, so
 * that what was committed survives a power cut, and many operations share one commit.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Abandoned, type Operation, type Row, type Statement, type Value } from './operation.ts';
import type { Migration } from './schema.ts';
import { SqlError } from './sql-error.ts';
import { type Parameters, parameterOf, type SqlText, translate } from './sql-text.ts';
import { sqliteError } from './sqlite-error.ts';
import { newerSchema, VERSIONS } from './versions.ts';

/** Where the file is and how long to wait for others. */
export interface SqliteFile {
  /** Absolute path, or `:memory:`. */
  readonly path: string;
  /** Milliseconds that another process may hold the file. */
  readonly busyTimeoutMs: number;
}

/** What became of one operation of a batch. */
export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: SqlError };

/** Marks the file as ours: "PeAn". */
const APPLICATION_ID = 0x5065416e;
const SECRET_MODE = 0o600;
const LONGEST_WAIT_MS = 3;
/** Nobody wakes who waits on it. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

interface Prepared {
  readonly statement: StatementSync;
  readonly text: SqlText;
}

/** An open file. */
export class SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();
  readonly #busyTimeoutMs: number;

  /** @throws {@link SqlError} when the file cannot be opened, is no database, or belongs to another application */
  constructor({ path, busyTimeoutMs }: SqliteFile) {
    this.#busyTimeoutMs = busyTimeoutMs;
    try {
      // SQLite gives its other files the permissions of this one.
      if (path !== ':memory:') closeSync(openSync(path, 'a', SECRET_MODE));
    } catch (cause) {
      const readOnly = cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EROFS');
      throw new SqlError(readOnly ? 'READONLY' : 'UNAVAILABLE', 'Cannot open the database: its file cannot be opened', {
        cause,
      });
    }
    try {
      this.#database = new DatabaseSync(path, { timeout: busyTimeoutMs });
      this.#claim();
      this.#database.exec(`
        PRAGMA page_size = 8192;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = OFF;
        PRAGMA trusted_schema = OFF;
        PRAGMA secure_delete = FAST;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -65536;
        PRAGMA wal_autocheckpoint = 4000;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA busy_timeout = 0;
      `);
    } catch (error) {
      throw sqliteError(error);
    }
  }

  /** Brings the schema up to date; several processes may do so at once. */
  migrate(migrations: readonly Migration[]): void {
    this.#exclusively(() => {
      this.#database.exec(translate(VERSIONS, 'sqlite').text);
      const row = this.#database.prepare('SELECT COALESCE(MAX(version), 0) AS version FROM schema_version').get();
      const version = Number(row?.['version']);
      if (version > migrations.length) throw newerSchema(version);
      for (const [at, statements] of migrations.entries()) {
        if (at < version) continue;
        for (const sql of statements) this.#database.exec(translate(sql, 'sqlite').text);
        this.#database.prepare('INSERT INTO schema_version (version) VALUES (?)').run(at + 1);
      }
    });
  }

  /**
   * Carries out operations in one transaction, in order. One that fails leaves nothing behind and does not disturb the others; when
   * the commit fails all of them do.
   *
   * @returns outcomes in the same order
   */
  transact(operations: readonly (() => Operation<unknown>)[]): Outcome[] {
    try {
      this.#begin();
      const outcomes = operations.map((operation) => this.#nested(operation));
      this.#database.exec('COMMIT');
      return outcomes;
    } catch (error) {
      this.#rollBack();
      const failure = sqliteError(error);
      return operations.map(() => ({ ok: false, error: failure }));
    }
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  /** @throws what SQLite reports when it has given up the whole transaction */
  #nested(operation: () => Operation<unknown>): Outcome {
    this.#database.exec('SAVEPOINT operation');
    try {
      const value = this.#run(operation());
      this.#database.exec('RELEASE operation');
      return { ok: true, value };
    } catch (error) {
      if (!this.#database.isTransaction) throw error;
      this.#database.exec('ROLLBACK TO operation; RELEASE operation');
      return error instanceof Abandoned ? { ok: true, value: error.result } : { ok: false, error: sqliteError(error) };
    }
  }

  #run<T>(operation: Operation<T>): T {
    let step = operation.next();
    while (step.done !== true) step = operation.next(step.value.map((statement) => this.#execute(statement)));
    return step.value;
  }

  #execute({ sql, parameters, rows }: Statement): readonly Row[] {
    const prepared = this.#prepare(sql);
    const { names, columns } = prepared.text;
    const constants = names.map((name) => parameterOf(parameters, name));
    if (rows === undefined) return carryOut(prepared, constants, parameters);
    const given: Row[] = [];
    for (const row of rows) {
      const values = [...columns.map((name) => parameterOf(row, name)), ...constants];
      for (const one of carryOut(prepared, values, row)) given.push(one);
    }
    return given;
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const text = translate(sql, 'sqlite');
    const prepared = { statement: this.#database.prepare(text.text), text };
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  /** Writes into no database that is not ours. */
  #claim(): void {
    const id = this.#database.prepare('PRAGMA application_id').get()?.['application_id'];
    if (id === APPLICATION_ID) return;
    const tables = this.#database.prepare('SELECT COUNT(*) AS n FROM sqlite_schema').get()?.['n'];
    if (id !== 0 || tables !== 0) {
      throw new SqlError('SCHEMA', 'Cannot open the database: its file belongs to another application');
    }
    this.#database.exec(`PRAGMA page_size = 8192; PRAGMA application_id = ${APPLICATION_ID}`);
  }

  #exclusively(run: () => void): void {
    try {
      this.#begin();
      run();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      throw sqliteError(error);
    }
  }

  /**
   * Takes the file for writing. SQLite would wait in steps of up to 100 ms, in which a busy process that has the file takes it
   * again and again; short steps of no regular length give everybody a turn.
   */
  #begin(): void {
    const until = performance.now() + this.#busyTimeoutMs;
    for (;;) {
      try {
        this.#database.exec('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (sqliteError(error).code !== 'BUSY' || performance.now() >= until) throw error;
        Atomics.wait(NEVER, 0, 0, Math.random() * LONGEST_WAIT_MS);
      }
    }
  }

  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }
}

function carryOut({ statement, text }: Prepared, values: readonly Value[], input: Parameters): readonly Row[] {
  // Integers come as numbers, or as an error beyond 2^53: nothing asks for bigints.
  if (text.returns === undefined) return statement.all(...values) as Row[];
  if (statement.run(...values).changes === 0) return NOTHING;
  return [Object.fromEntries(text.returns.map((name) => [name, parameterOf(input, name)]))];
}

const NOTHING: readonly Row[] = [];
