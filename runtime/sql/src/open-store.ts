/** Opening a store. */
import type { Secret } from '@privacy-edge/bytes';
import { analyticsOperations, READING } from './operations.ts';
import { openPostgresEngine } from './postgres-engine.ts';
import { openSqliteEngine } from './sqlite-engine.ts';
import { createStore, type SqlStore } from './store.ts';

/** Options of every store. */
export interface StoreOptions {
  /**
   * Keys for secrets in the database, 32 bytes each: verify keys, HPKE private keys, tokens, shares. The first one seals, all of
   * them open. Without them secrets are stored as they are, and whoever reads the database reads them.
   */
  readonly columnKeys?: readonly Secret<Uint8Array>[];
}

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions extends StoreOptions {
  /** Milliseconds that another process may hold the file; default 5000. */
  readonly busyTimeoutMs?: number;
  /** Calls that may wait; more are refused as `BUSY`; default 10000. */
  readonly maxWaiting?: number;
}

/** Options of {@link openPostgresStore}. */
export interface PostgresStoreOptions extends StoreOptions {
  /** Connections; default 8. */
  readonly maxConnections?: number;
  /** Milliseconds that a connection may take to come about, or to get free; default 5000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds that one statement may take, waiting for locks included; default 30000. */
  readonly statementTimeoutMs?: number;
}

/**
 * Opens a store in a file, or makes one. The file is readable by its owner only. Several processes may use it, one of them
 * writing at a time; it must be on a local file system.
 *
 * @param path - of the file; its folder must exist; `:memory:` for a store that is gone when it is closed
 * @returns the store; everything it has acknowledged survives a crash and a power cut
 * @throws {@link SqlError} `UNAVAILABLE`, `READONLY`, `BUSY`, `CORRUPT`, `FULL` or `SCHEMA`
 */
export async function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Promise<SqlStore> {
  const { columnKeys = [], ...rest } = options;
  const keys = columnKeys.map((key) => key.reveal());
  return createStore(await openSqliteEngine(path, { ...rest, keys }));
}

/**
 * Opens a store in a PostgreSQL database. Any number of processes may use it at once.
 *
 * @param url - `postgres://user:password@host:port/database`, with `sslmode` and the like; operator-controlled
 * @throws {@link SqlError} `UNAVAILABLE`, `READONLY`, `BUSY`, `FULL`, `SCHEMA` or `REFUSED`
 */
export async function openPostgresStore(
  url: string | Secret<string>,
  options: PostgresStoreOptions = {},
): Promise<SqlStore> {
  const { columnKeys = [], ...rest } = options;
  const keys = columnKeys.map((key) => key.reveal());
  const address = typeof url === 'string' ? url : url.reveal();
  return createStore(
    await openPostgresEngine(address, { ...rest, keys, operations: analyticsOperations, reading: READING }),
  );
}
