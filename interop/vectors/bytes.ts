/** Small byte helpers of the vector maker; independent of the kit's own packages on purpose. */

import { randomBytes } from 'node:crypto';

export const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(view(bytes)).toString('hex');
export const unhex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'hex'));
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
export const latin1 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'latin1'));
export const random = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from(randomBytes(length));
export const uint16 = (value: number): Uint8Array<ArrayBuffer> => Uint8Array.of(value >> 8, value & 0xff);

/** Bytes of either kind of buffer, without a copy. */
export function view(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
}

/** One array from many. */
export function concat(...parts: readonly (Uint8Array | ArrayBuffer)[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(view(part)))));
}

/** A QUIC variable-length integer (RFC 9000 §16), shortest form unless a width in bytes is given. */
export function varint(value: number | bigint, width?: 1 | 2 | 4 | 8): Uint8Array<ArrayBuffer> {
  const n = BigInt(value);
  const bytes = width ?? (n < 64n ? 1 : n < 16384n ? 2 : n < 1n << 30n ? 4 : 8);
  const out = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) out[bytes - 1 - i] = Number((n >> BigInt(8 * i)) & 0xffn);
  out[0]! |= { 1: 0x00, 2: 0x40, 4: 0x80, 8: 0xc0 }[bytes];
  return out;
}

/** Bytes with their length as a varint in front. */
export function prefixed(bytes: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const body = typeof bytes === 'string' ? latin1(bytes) : bytes;
  return concat(varint(body.length), body);
}

/** Fails the run when two independent results differ. */
export function agree(what: string, ...values: readonly (Uint8Array | ArrayBuffer | string)[]): void {
  const texts = values.map((value) => (typeof value === 'string' ? value : hex(value)));
  if (texts.some((text) => text !== texts[0])) throw new Error(`No agreement on ${what}: ${texts.join(' / ')}`);
}
