/** What PostgreSQL's error codes mean here. */
import { SqlError, type SqlErrorCode } from './sql-error.ts';

/** `SQLSTATE` codes, or the two characters of their class. */
const CODES: ReadonlyMap<string, readonly [SqlErrorCode, string]> = new Map([
  ['40001', ['BUSY', 'transactions keep conflicting']],
  ['40P01', ['BUSY', 'transactions keep conflicting']],
  ['55P03', ['BUSY', 'a lock was not given in time']],
  ['57014', ['BUSY', 'a statement took too long']],
  ['53300', ['BUSY', 'it has too many connections']],
  ['53100', ['FULL', 'no space is left']],
  ['25006', ['READONLY', 'it is read-only']],
  ['42501', ['READONLY', 'its user may not do this']],
  ['3D000', ['UNAVAILABLE', 'there is no such database']],
  ['08', ['UNAVAILABLE', 'the connection was lost']],
  ['28', ['UNAVAILABLE', 'it did not let this user in']],
  ['53', ['UNAVAILABLE', 'it is out of resources']],
  ['57', ['UNAVAILABLE', 'it is shutting down or starting']],
  ['58', ['UNAVAILABLE', 'its storage fails']],
  ['XX', ['CORRUPT', 'its storage is damaged']],
]);

/** Turns what `pg` throws into the error of this package. */
export function postgresError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const state = sqlState(error);
  // What is not from the server is about the way to it.
  const fallback = state === undefined && error instanceof Error && !(error instanceof TypeError) ? '08' : '';
  const known = CODES.get(state ?? fallback) ?? CODES.get((state ?? fallback).slice(0, 2));
  const [code, meaning] = known ?? (['REFUSED', 'it refused a statement'] as const);
  return new SqlError(code, `Cannot use the database: ${meaning}`, { cause: error });
}

/** Whether a transaction that failed with this may succeed when it is repeated. */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** Whether the connection can be used no more. */
export function isLost(error: unknown): boolean {
  return postgresError(error).code === 'UNAVAILABLE';
}

function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined;
}
