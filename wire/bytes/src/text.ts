/** Text as bytes: UTF-8, and Latin-1. */
import { DecodeError } from './decode-error.ts';

const encoder = new TextEncoder();
// Shares nothing between calls: without `stream` a decoder keeps no state.
const asciiDecoder = new TextDecoder();
const strictDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * Text of UTF-8 bytes.
 *
 * @throws {@link DecodeError} `INVALID` when the bytes are not UTF-8
 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch (cause) {
    throw new DecodeError('INVALID', 'The bytes are not UTF-8', { cause });
  }
}

/**
 * One character for each byte, U+0000 to U+00FF: how HTTP field values travel through JavaScript.
 *
 * @param bytes - any bytes; never interpreted as UTF-8
 * @param start - first byte
 * @param end - after the last byte
 */
export function latin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  // The engine's UTF-8 decoder is several times faster than any loop here, and agrees with us on ASCII only.
  if (end - start >= 32 && isAscii(bytes, start, end)) return asciiDecoder.decode(bytes.subarray(start, end));
  // Chunks keep the argument count of fromCharCode below what engines allow.
  let text = '';
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + 4096)) as unknown as number[]);
  }
  return text;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let bits = 0;
  for (let i = start; i < end; i++) bits |= bytes[i] as number;
  return bits < 0x80;
}

/**
 * Writes a string whose characters are all at most U+00FF, one byte each.
 *
 * @param into - at least `offset + text.length` bytes
 * @returns the offset after the text
 * @throws {RangeError} for a character above U+00FF
 */
export function writeLatin1(into: Uint8Array, offset: number, text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bits |= code;
    into[offset + i] = code;
  }
  if (bits > 0xff) throw new RangeError('A byte string holds a character above U+00FF');
  return offset + text.length;
}
