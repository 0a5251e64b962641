/**
 * Operations on a SQLite file in a thread. Group commit: at most two batches are on their way, and what is asked for meanwhile is the
 * next one. A lone call is committed at once; under load hundreds share one sync of the disk.
 */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { compact } from './compact.ts';
import type { Arguments, Engine, Operations, Result } from './engine.ts';
import { SqlError } from './sql-error.ts';
import type { ThreadCall, ThreadData, ThreadMessage, ThreadOutcome, ThreadRequest } from './sqlite-thread.ts';

/** How a SQLite file is used. */
export interface SqliteEngineOptions {
  /** See `secretColumns`. */
  readonly keys: readonly Uint8Array[];
  /** Milliseconds that another process may hold the file; default 5000. */
  readonly busyTimeoutMs?: number;
  /** Calls that may wait; more are refused as `BUSY`; default 10000. */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly call: ThreadCall;
  readonly bytes: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SqlError) => void;
}

/** One that commits while the next one is already there, so that the thread never waits for us. */
const BATCHES_ON_THE_WAY = 2;
const MAX_BATCH_CALLS = 512;
const MAX_BATCH_BYTES = 16 * 2 ** 20;

/**
 * Opens, or makes, a file and its thread.
 *
 * @param path - of the file; relative to the working directory; `:memory:` for one that is gone when it is closed
 * @throws {@link SqlError} `UNAVAILABLE`, `READONLY`, `BUSY`, `CORRUPT`, `FULL` or `SCHEMA`
 */
export async function openSqliteEngine<Ops extends Operations>(
  path: string,
  options: SqliteEngineOptions,
): Promise<Engine<Ops>> {
  const { keys, busyTimeoutMs = 5000, maxWaiting = 10_000 } = options;
  const data: ThreadData = { path: path === ':memory:' ? path : resolve(path), busyTimeoutMs, keys };
  const thread = new Worker(threadModule(), { workerData: data });
  await new Promise<void>((opened, reject) => {
    thread.once('error', (cause) => reject(new SqlError('UNAVAILABLE', 'Cannot open the database', { cause })));
    thread.once('message', (message: ThreadMessage) => {
      if (message.kind === 'failed' && !message.outcome.ok) reject(errorOf(message.outcome));
      else opened();
    });
  });
  return new SqliteEngine(thread, maxWaiting);
}

class SqliteEngine<Ops extends Operations> implements Engine<Ops> {
  readonly #thread: Worker;
  readonly #maxWaiting: number;
  readonly #ended: Promise<void>;
  #waiting: Waiting[] = [];
  readonly #onTheWay: (readonly Waiting[])[] = [];
  #scheduled = false;
  /** Why nothing more can be asked for. */
  #refusal: SqlError | undefined;
  #closing: (() => void) | undefined;

  constructor(thread: Worker, maxWaiting: number) {
    this.#thread = thread;
    this.#maxWaiting = maxWaiting;
    thread.removeAllListeners('error');
    thread.on('message', (message: ThreadMessage) => {
      if (message.kind === 'done') this.#settle(message.outcomes);
    });
    thread.on('error', (cause) => this.#lose(cause));
    this.#ended = new Promise((ended) => {
      thread.once('exit', () => {
        this.#lose(undefined);
        ended();
      });
    });
  }

  call<Name extends keyof Ops & string>(name: Name, ...args: Arguments<Ops[Name]>): Promise<Result<Ops[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#refusal !== undefined) return reject(this.#refusal);
      if (this.#waiting.length >= this.#maxWaiting) {
        return reject(new SqlError('BUSY', 'Cannot use the database: too many calls wait for it'));
      }
      const { value, bytes } = compact<readonly unknown[]>(args);
      // The thread answers a call with the result of the operation of that name.
      const settle = resolve as (value: unknown) => void;
      this.#waiting.push({ call: { name, args: value }, bytes, resolve: settle, reject });
      this.#schedule();
    });
  }

  async close(): Promise<void> {
    this.#refusal ??= new SqlError('CLOSED', 'Cannot use the database: it was closed');
    if (this.#waiting.length + this.#onTheWay.length > 0) await new Promise<void>((idle) => (this.#closing = idle));
    this.#post(undefined);
    await this.#ended;
  }

  /** Calls of the same turn go together. */
  #schedule(): void {
    if (this.#scheduled || this.#onTheWay.length >= BATCHES_ON_THE_WAY) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#waiting.length === 0 || this.#onTheWay.length >= BATCHES_ON_THE_WAY) return;
    let bytes = 0;
    const full = this.#waiting.findIndex((next, at) => {
      bytes += next.bytes;
      return at > 0 && (at >= MAX_BATCH_CALLS || bytes > MAX_BATCH_BYTES);
    });
    const batch = this.#waiting.splice(0, full === -1 ? this.#waiting.length : full);
    this.#onTheWay.push(batch);
    this.#post(batch.map(({ call }) => call));
  }

  #settle(outcomes: readonly ThreadOutcome[]): void {
    const batch = this.#onTheWay.shift() ?? [];
    for (const [at, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[at];
      if (outcome?.ok === true) resolve(outcome.value);
      else reject(outcome === undefined ? lost(undefined) : errorOf(outcome));
    }
    this.#send();
    if (this.#waiting.length + this.#onTheWay.length === 0) this.#closing?.();
  }

  #post(request: ThreadRequest): void {
    this.#thread.postMessage(request);
  }

  /** Nobody knows whether what was on its way has been committed. */
  #lose(cause: unknown): void {
    this.#refusal ??= lost(cause);
    const all = [...this.#onTheWay.flat(), ...this.#waiting];
    this.#onTheWay.length = 0;
    this.#waiting = [];
    for (const { reject } of all) reject(lost(cause));
    this.#closing?.();
  }
}

function errorOf(outcome: Extract<ThreadOutcome, { readonly ok: false }>): SqlError {
  return new SqlError(outcome.code, outcome.message, { cause: outcome.cause });
}

function lost(cause: unknown): SqlError {
  return new SqlError('UNAVAILABLE', 'Cannot use the database: its thread ended', { cause });
}

/** It has the ending of this module: `.ts` in the repository, `.js` in the published package. */
function threadModule(): URL {
  const { url } = import.meta;
  return new URL(`./sqlite-thread${url.slice(url.lastIndexOf('.'))}`, url);
}
