/** The place that a sealed column is tied to. */
import { concatBytes, utf8 } from '@privacy-edge/bytes';

/**
 * Names a column of a row.
 *
 * @param table - and `column`: as in the schema
 * @param ids - what identifies the row; of fixed lengths, or the last one of any
 */
export function placeOf(table: string, column: string, ...ids: readonly Uint8Array[]): Uint8Array {
  return concatBytes(utf8(`${table}.${column}\0`), ...ids);
}
