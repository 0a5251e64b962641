/** Unsigned 64-bit integers in network order. */
import { type Reader, Writer } from '@privacy-edge/bytes';

/**
 * As bytes, which sort like the numbers.
 *
 * @param value - up to 2^53 - 1
 */
export function uint64(value: number): Uint8Array {
  return new Writer(8).u64(value).finish();
}

/** All of the range, as `bigint`. */
export function readUint64(reader: Reader): bigint {
  return (BigInt(reader.u32()) << 32n) | BigInt(reader.u32());
}

/** @throws RangeError for a number that does not fit */
export function writeUint64(writer: Writer, value: number | bigint): void {
  const integer = BigInt(value);
  // The lower half always fits; the upper half is refused by the writer when there is too much of it.
  writer.u32(Number(integer >> 32n)).u32(Number(integer & 0xffffffffn));
}

/** All of the range, as `number` as long as that is exact. */
export function readExactUint64(reader: Reader): number | bigint {
  const value = readUint64(reader);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
