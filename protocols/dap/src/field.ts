/** Fields whose length has a rule. */
import { DecodeError, type Reader, type Writer } from '@privacy-edge/bytes';

/** Length of a report identifier, bytes. DAP §4.1. */
export const REPORT_ID_BYTES = 16;

/** Length of a task identifier, bytes. DAP §4.2. */
export const TASK_ID_BYTES = 32;

/** Length of a batch identifier of the leader-selected mode, bytes. DAP §5.2. */
export const BATCH_ID_BYTES = 32;

/** Length of a checksum over report identifiers, bytes. DAP §4.5.4.3. */
export const CHECKSUM_BYTES = 32;

/** A vector that must not be empty, `<1..2^n-1>`. */
export function readNonEmpty(reader: Reader, prefixBytes: 2 | 4, what: string): Uint8Array {
  const bytes = reader.vector(prefixBytes);
  if (bytes.length === 0) throw new DecodeError('INVALID', `The ${what} is empty`);
  return bytes;
}

/** Writes a vector that must not be empty. */
export function writeNonEmpty(writer: Writer, prefixBytes: 2 | 4, bytes: Uint8Array, what: string): void {
  if (bytes.length === 0) throw new RangeError(`A ${what} has at least one byte`);
  writer.vector(prefixBytes, bytes);
}

/** Writes a field of a fixed length. */
export function writeFixed(writer: Writer, bytes: Uint8Array, length: number, what: string): void {
  checkLength(bytes, length, what);
  writer.bytes(bytes);
}

/** @throws RangeError when a caller's value has another length */
export function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`A ${what} has ${length} bytes, not ${bytes.length}`);
}
