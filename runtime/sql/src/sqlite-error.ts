/** What SQLite's result codes mean here. */
import { SqlError, type SqlErrorCode } from './sql-error.ts';

/** Primary result codes, the low byte of what SQLite reports. */
const CODES: ReadonlyMap<number, readonly [SqlErrorCode, string]> = new Map([
  [3, ['READONLY', 'access to its file was denied']],
  [5, ['BUSY', 'another process holds it']],
  [6, ['BUSY', 'another connection holds it']],
  [8, ['READONLY', 'its file or folder cannot be written']],
  [10, ['UNAVAILABLE', 'its file cannot be read or written']],
  [11, ['CORRUPT', 'its file is damaged']],
  [13, ['FULL', 'no space is left']],
  [14, ['UNAVAILABLE', 'its file cannot be opened']],
  [26, ['CORRUPT', 'its file is not a database']],
]);

/**
 * Turns what node:sqlite throws into the error of this package.
 *
 * @param error - maybe not of SQLite, and then returned in a `REFUSED`
 */
export function sqliteError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const [code, state] = CODES.get(resultCode(error) & 0xff) ?? (['REFUSED', 'it refused a statement'] as const);
  return new SqlError(code, `Cannot use the database: ${state}`, { cause: error });
}

function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
}
