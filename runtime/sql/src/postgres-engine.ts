/**
 * Operations on PostgreSQL over a pool of connections. Statements that an operation yields together travel together. Reading
 * operations see one snapshot; others run at READ COMMITTED under the locks of their task (see operations/lock.ts), and are
 * repeated when the server finds a deadlock.
 */
import { Pool, type PoolClient, types } from 'pg';
import type { Arguments, Engine, OperationContext, Operations, Result } from './engine.ts';
import { Abandoned, type Operation, type Row, type Statement, type Value } from './operation.ts';
import { isLost, isTransient, postgresError } from './postgres-error.ts';
import { migratePostgres } from './postgres-schema.ts';
import { secretColumns } from './secret-columns.ts';
import { SqlError } from './sql-error.ts';
import { parameterOf, type SqlText, translate } from './sql-text.ts';

/** How a server is used. */
export interface PostgresEngineOptions<Ops extends Operations> {
  readonly operations: Ops;
  /** Names of those that only read. */
  readonly reading: ReadonlySet<string>;
  /** See `secretColumns`. */
  readonly keys: readonly Uint8Array[];
  /** Connections; default 8. */
  readonly maxConnections?: number;
  /** Milliseconds that a connection may take to come about, or to get free; default 5000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds that one statement may take, waiting for locks included; default 30000. */
  readonly statementTimeoutMs?: number;
}

const MAX_ATTEMPTS = 6;
const PAUSE_MS = 5;

/**
 * Connects, and brings the schema up to date.
 *
 * @param url - `postgres://` with credentials; operator-controlled
 * @throws {@link SqlError} `UNAVAILABLE`, `READONLY`, `BUSY`, `FULL`, `SCHEMA` or `REFUSED`
 */
export async function openPostgresEngine<Ops extends Operations>(
  url: string,
  options: PostgresEngineOptions<Ops>,
): Promise<Engine<Ops>> {
  const pool = new Pool({
    connectionString: url,
    application_name: 'privacy-edge',
    max: options.maxConnections ?? 8,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5000,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    idle_in_transaction_session_timeout: options.statementTimeoutMs ?? 30_000,
    pipeline: true,
    types: { getTypeParser },
  });
  // A connection that breaks while nobody uses it is replaced; whoever asks next hears of it if the server is gone.
  pool.on('error', () => undefined);
  // One that breaks while it is used fails its statements, which is how its user hears of it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    const client = await pool.connect();
    try {
      await migratePostgres(client);
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end();
    throw postgresError(error);
  }
  return new PostgresEngine(pool, options);
}

class PostgresEngine<Ops extends Operations> implements Engine<Ops> {
  readonly #pool: Pool;
  readonly #operations: Ops;
  readonly #reading: ReadonlySet<string>;
  readonly #context: OperationContext;
  readonly #texts = new Map<string, SqlText & { readonly name: string }>();
  #closed = false;
  #running = 0;
  #idle: (() => void) | undefined;

  constructor(pool: Pool, { operations, reading, keys }: PostgresEngineOptions<Ops>) {
    this.#pool = pool;
    this.#operations = operations;
    this.#reading = reading;
    this.#context = { secrets: secretColumns(keys) };
  }

  async call<Name extends keyof Ops & string>(name: Name, ...args: Arguments<Ops[Name]>): Promise<Result<Ops[Name]>> {
    if (this.#closed) throw new SqlError('CLOSED', 'Cannot use the database: it was closed');
    // The arguments are those of this operation: the type of this method says so.
    const maker = this.#operations[name] as (
      context: OperationContext,
      ...args: readonly unknown[]
    ) => Operation<Result<Ops[Name]>>;
    const begin = this.#reading.has(name)
      ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'
      : 'BEGIN ISOLATION LEVEL READ COMMITTED';
    this.#running += 1;
    try {
      return await this.#repeat(begin, () => maker(this.#context, ...args));
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#idle?.();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#running > 0) await new Promise<void>((idle) => (this.#idle = idle));
    await this.#pool.end();
  }

  async #repeat<T>(begin: string, start: () => Operation<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transact(begin, start());
      } catch (error) {
        if (!isTransient(error) || attempt === MAX_ATTEMPTS) throw postgresError(error);
        // Those that collided must not meet again.
        await new Promise((resume) => setTimeout(resume, Math.random() * PAUSE_MS * 2 ** attempt));
      }
    }
  }

  async #transact<T>(begin: string, operation: Operation<T>): Promise<T> {
    const client = await this.#connect();
    let broken = true;
    try {
      const result = await this.#run(client, begin, operation);
      await client.query('COMMIT');
      broken = false;
      return result;
    } catch (error) {
      if (!isLost(error)) {
        broken = await client.query('ROLLBACK').then(
          () => false,
          () => true,
        );
      }
      // What abandons an operation gives the result that its maker promised.
      if (error instanceof Abandoned) return error.result as T;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (cause) {
      // The pool gives up waiting with an error that has no code; the way to the server fails with one.
      const isFull = cause instanceof Error && !('code' in cause) && this.#pool.totalCount >= this.#pool.options.max;
      if (!isFull) throw cause;
      throw new SqlError('BUSY', 'Cannot use the database: no connection got free in time', { cause });
    }
  }

  async #run<T>(client: PoolClient, begin: string, operation: Operation<T>): Promise<T> {
    let step = operation.next();
    let prelude: Promise<unknown>[] = [client.query(begin)];
    while (step.done !== true) {
      const sent = step.value.map((statement) => this.#send(client, statement));
      const [rows] = await Promise.all([Promise.all(sent), ...prelude]);
      prelude = [];
      step = operation.next(rows);
    }
    await Promise.all(prelude);
    return step.value;
  }

  async #send(client: PoolClient, { sql, parameters, rows }: Statement): Promise<readonly Row[]> {
    if (rows?.length === 0) return [];
    const { text, name, columns, names } = this.#translate(sql);
    const values = [
      ...(rows === undefined ? [] : columns.map((column) => rows.map((row) => parameterOf(row, column)))),
      ...names.map((parameter) => parameterOf(parameters, parameter)),
    ];
    const result = await client.query<Record<string, Value>>({ name, text, values });
    return result.rows;
  }

  /** Each text is prepared once for each connection, under its name. */
  #translate(sql: string): SqlText & { readonly name: string } {
    const known = this.#texts.get(sql);
    if (known !== undefined) return known;
    const text = { ...translate(sql, 'postgres'), name: `pe${this.#texts.size}` };
    this.#texts.set(sql, text);
    return text;
  }
}

/** Integers of 64 bits become numbers, and bytes plain `Uint8Array`s. */
function getTypeParser(oid: number): (text: string) => unknown {
  if (oid === types.builtins.INT8) return Number;
  if (oid === types.builtins.BYTEA) return (text) => Uint8Array.fromHex(text.slice(2));
  return types.getTypeParser(oid, 'text') as (text: string) => unknown;
}
