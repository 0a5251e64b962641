/**
 * 16-bit integers in network order.
 *
 * @param values - integers, 0 to 65535
 * @returns two bytes for each
 * @throws {RangeError} for anything else
 */
export function uint16(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  values.forEach((value, i) => {
    if (value !== (value & 0xffff)) throw new RangeError(`${value} does not fit in 2 bytes`);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value;
  });
  return bytes;
}
