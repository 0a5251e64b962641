/** The thread that owns a SQLite file. It is given batches of calls, carries out each batch in one transaction, and answers. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Operation } from './operation.ts';
import { analyticsOperations } from './operations.ts';
import { MIGRATIONS } from './schema.ts';
import { secretColumns } from './secret-columns.ts';
import { SqlError, type SqlErrorCode } from './sql-error.ts';
import { type Outcome, SqliteDatabase, type SqliteFile } from './sqlite-database.ts';

/** What the thread is started with. */
export interface ThreadData extends SqliteFile {
  /** 32 bytes each; see `secretColumns`. */
  readonly keys: readonly Uint8Array[];
}

/** One call of an operation. */
export interface ThreadCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** An outcome on its way between threads; errors lose their class there. */
export type ThreadOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: SqlErrorCode; readonly message: string; readonly cause: string };

/** What the thread says: first `ready` or `failed`, then one `done` for each batch, in order. */
export type ThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly outcome: ThreadOutcome }
  | { readonly kind: 'done'; readonly outcomes: readonly ThreadOutcome[] };

/** What the thread is told: a batch, or undefined to close the file and end. */
export type ThreadRequest = readonly ThreadCall[] | undefined;

type AnyOperation = (context: object, ...args: readonly unknown[]) => Operation<unknown>;

function serve(port: NonNullable<typeof parentPort>, { keys, ...file }: ThreadData): void {
  const context = { secrets: secretColumns(keys) };
  // Names and arguments come from `SqliteEngine.call`, whose types tie them together.
  const operations = analyticsOperations as unknown as Readonly<Record<string, AnyOperation>>;
  const database = open(port, file);
  if (database === undefined) return;
  port.on('message', (request: ThreadRequest) => {
    if (request === undefined) {
      database.close();
      port.close();
      return;
    }
    const outcomes = database.transact(
      request.map(
        ({ name, args }) =>
          () =>
            start(operations[name], context, args),
      ),
    );
    port.postMessage({ kind: 'done', outcomes: outcomes.map(portable) } satisfies ThreadMessage);
  });
  port.postMessage({ kind: 'ready' } satisfies ThreadMessage);
}

function start(maker: AnyOperation | undefined, context: object, args: readonly unknown[]): Operation<unknown> {
  if (maker === undefined) throw new TypeError('There is no such operation');
  return maker(context, ...args);
}

function open(port: NonNullable<typeof parentPort>, file: SqliteFile): SqliteDatabase | undefined {
  let database: SqliteDatabase | undefined;
  try {
    database = new SqliteDatabase(file);
    database.migrate(MIGRATIONS);
    return database;
  } catch (error) {
    database?.close();
    const known =
      error instanceof SqlError ? error : new SqlError('REFUSED', 'Cannot open the database', { cause: error });
    port.postMessage({ kind: 'failed', outcome: portable({ ok: false, error: known }) } satisfies ThreadMessage);
    port.close();
    return undefined;
  }
}

function portable(outcome: Outcome): ThreadOutcome {
  if (outcome.ok) return outcome;
  const { code, message, cause } = outcome.error;
  return { ok: false, code, message, cause: cause instanceof Error ? cause.message : '' };
}

if (parentPort !== null) serve(parentPort, workerData as ThreadData);
