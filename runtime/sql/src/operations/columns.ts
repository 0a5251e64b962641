/** Reading columns. What does not have its type is not ours. */
import type { Row, Value } from '../operation.ts';
import { SqlError } from '../sql-error.ts';

/** A column of bytes. */
export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : wrong(column);
}

/** A column of bytes that may be NULL. */
export function maybeBytes(row: Row, column: string): Uint8Array | undefined {
  return row[column] === null ? undefined : bytesOf(row, column);
}

/** A column of an integer. */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : wrong(column);
}

/** A column of an integer that may be NULL. */
export function maybeInteger(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : integerOf(row, column);
}

/** A column of text. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : wrong(column);
}

/** A column of text that may be NULL. */
export function maybeText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** A column of text that holds one of a few words. */
export function wordOf<Word extends string>(row: Row, column: string, words: readonly Word[]): Word {
  const text = textOf(row, column);
  return words.find((word) => word === text) ?? wrong(column);
}

/** A column of a time. */
export function dateOf(row: Row, column: string): Date {
  return new Date(integerOf(row, column));
}

/** What is stored for a value that may be absent. */
export function orNull<T extends Value>(value: T | undefined): T | null {
  return value ?? null;
}

/** What is stored for identifiers of one length: one after the other. */
export function joinIds(ids: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(ids.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const id of ids) {
    joined.set(id, at);
    at += id.length;
  }
  return joined;
}

/** Reads what {@link joinIds} made. */
export function splitIds(joined: Uint8Array, bytes: number): Uint8Array[] {
  return Array.from({ length: joined.length / bytes }, (_, i) => joined.slice(i * bytes, (i + 1) * bytes));
}

function wrong(column: string): never {
  throw new SqlError('CORRUPT', `Cannot read column ${column}: its content is not of its kind`);
}
