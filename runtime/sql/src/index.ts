/** Storage of leaders and helpers: SQLite in a file, or PostgreSQL. */
export {
  openPostgresStore,
  openSqliteStore,
  type PostgresStoreOptions,
  type SqliteStoreOptions,
  type StoreOptions,
} from './open-store.ts';
export { COLUMN_KEY_BYTES } from './secret-columns.ts';
export { SqlError, type SqlErrorCode } from './sql-error.ts';
export type { SqlStore } from './store.ts';
