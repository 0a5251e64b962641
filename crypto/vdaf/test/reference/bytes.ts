/** Byte strings and integers. VDAF §2. */
import { cut } from './cut.ts';
import { demand } from './refusal.ts';

/** All parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Byte for byte exclusive or of two strings of one length. */
export function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, i) => byte ^ right[i]!);
}

/** Whether two byte strings are the same. */
export function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/** An unsigned integer, least significant byte first. */
export function littleEndian(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** An unsigned integer, most significant byte first. */
export function bigEndian(value: bigint | number, length: number): Uint8Array {
  return littleEndian(BigInt(value), length).reverse();
}

/** The unsigned integer whose least significant byte comes first. */
export function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The unsigned integer whose most significant byte comes first. */
export function fromBigEndian(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Cuts a byte string into pieces of these lengths, which have to use it up. */
export function split(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  demand(bytes.length === lengths.reduce((sum, length) => sum + length, 0), 'a byte string has the wrong length');
  return cut(bytes, lengths);
}

/** Bits to bytes, the first bit of a byte in its least significant position. VDAF §8.2.6.1. */
export function packBits(bits: readonly boolean[]): Uint8Array {
  const packed = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) packed[i >> 3]! |= Number(bit) << (i & 7);
  return packed;
}

/** Undoes {@link packBits}; unused bits have to be zero. */
export function unpackBits(packed: Uint8Array, length: number): boolean[] {
  const bits = [...packed].flatMap((byte) => Array.from({ length: 8 }, (_, i) => ((byte >> i) & 1) === 1));
  demand(packed.length === Math.ceil(length / 8), 'packed bits have the wrong length');
  demand(!bits.slice(length).includes(true), 'packed bits have trailing bits');
  return bits.slice(0, length);
}
