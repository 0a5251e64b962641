/**
 * Variable-length integers of QUIC, RFC 9000 §16: two bits of length, then 6, 14, 30 or 62 bits of value.
 *
 * Values above 2^53 - 1 are refused: no length that this kit handles can be that large, and a JavaScript number cannot
 * hold it exactly. Encodings longer than necessary are legal and accepted.
 */
import { DecodeError } from './decode-error.ts';

/**
 * How many bytes {@link writeVarint} will use.
 *
 * @param value - integer, 0 to 2^53 - 1
 * @throws {RangeError} for anything else
 */
export function varintLength(value: number): 1 | 2 | 4 | 8 {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('A varint holds an integer from 0 to 2^53 - 1');
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x40000000) return 4;
  return 8;
}

/**
 * Writes `value` in its shortest form.
 *
 * @param into - at least `offset + varintLength(value)` bytes
 * @returns the offset after the integer
 */
export function writeVarint(into: Uint8Array, offset: number, value: number): number {
  const length = varintLength(value);
  let rest = value;
  for (let i = offset + length - 1; i >= offset; i--) {
    into[i] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
  into[offset] = (into[offset] as number) | ((31 - Math.clz32(length)) << 6);
  return offset + length;
}

/** `value` as a varint of its own. */
export function encodeVarint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/** A varint read from the middle of a buffer. */
export interface ReadVarint {
  readonly value: number;
  /** Offset after the integer. */
  readonly next: number;
}

/**
 * Reads a varint if all of it is there.
 *
 * @param bytes - attacker-controlled
 * @returns undefined when more bytes are needed
 * @throws {@link DecodeError} `RANGE` for a value above 2^53 - 1
 */
export function tryReadVarint(bytes: Uint8Array, offset: number, end: number = bytes.length): ReadVarint | undefined {
  if (offset >= end) return undefined;
  const first = bytes[offset] as number;
  const length = 1 << (first >> 6);
  if (offset + length > end) return undefined;
  let value = first & 0x3f;
  for (let i = offset + 1; i < offset + length; i++) value = value * 256 + (bytes[i] as number);
  // 2^62 - 1 is still exact enough for this comparison: rounding only moves values far above the limit.
  if (value > Number.MAX_SAFE_INTEGER) throw new DecodeError('RANGE', 'A variable-length integer is above 2^53 - 1');
  return { value, next: offset + length };
}
