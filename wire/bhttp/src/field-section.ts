/** Field lines of one header or trailer section, to and from bytes. RFC 9292 §3.6. */
import { DecodeError, latin1, Reader, varintLength, writeLatin1, writeVarint } from '@privacy-edge/bytes';
import type { Field } from './field.ts';
import {
  type FieldSection,
  isFieldValue,
  NAME_INVALID,
  NAME_MIXED_CASE,
  pseudoFieldProblem,
  scanName,
} from './field-rules.ts';
import type { DecodeLimits } from './limits.ts';

/**
 * Parses field lines without length prefix or terminator around them.
 *
 * @param bytes - exactly the field lines; attacker-controlled, not kept
 * @throws {@link DecodeError} `INVALID`, `TRUNCATED` when the last line is cut, `LIMIT`, `RANGE`
 */
export function parseFieldLines(bytes: Uint8Array, section: FieldSection, limits: DecodeLimits): Field[] {
  const fields: Field[] = [];
  if (bytes.length === 0) return fields;
  const reader = new Reader(bytes, `${section} section`);
  // One conversion for the whole section; names and values are slices of it.
  const text = latin1(bytes);
  let afterRegular = false;
  while (reader.remaining > 0) {
    if (fields.length >= limits.maxFields) throw sectionTooLong(section);
    const nameLength = reader.varint();
    const nameAt = reader.skip(nameLength);
    const name = decodeName(bytes, text, nameAt, nameAt + nameLength);
    const valueLength = reader.varint();
    const valueAt = reader.skip(valueLength);
    if (!isFieldValue(bytes, valueAt, valueAt + valueLength)) throw invalid(BAD_VALUE);
    if (name.charCodeAt(0) === COLON) {
      const problem = pseudoFieldProblem(name, section, afterRegular);
      if (problem !== undefined) throw invalid(problem);
    } else afterRegular = true;
    fields.push([name, text.slice(valueAt, valueAt + valueLength)]);
  }
  return fields;
}

function decodeName(bytes: Uint8Array, text: string, start: number, end: number): string {
  const kind = scanName(bytes, start, end);
  if (kind === NAME_INVALID) throw invalid(BAD_NAME);
  const name = text.slice(start, end);
  // Names are case-insensitive and the format does not forbid capitals; one spelling keeps every later comparison exact.
  return kind === NAME_MIXED_CASE ? name.toLowerCase() : name;
}

function invalid(problem: string): DecodeError {
  return new DecodeError('INVALID', `Cannot decode field lines: ${problem}`);
}

/** The error for a section above `maxFieldSectionBytes` or `maxFields`. */
export function sectionTooLong(section: FieldSection): DecodeError {
  return new DecodeError('LIMIT', `Cannot decode the ${section} section: it is too long, or has too many lines`);
}

/** Bytes that {@link writeFieldLines} will need. */
export function fieldLinesLength(fields: readonly Field[]): number {
  let length = 0;
  for (const [name, value] of fields) {
    length += varintLength(name.length) + name.length + varintLength(value.length) + value.length;
  }
  return length;
}

/**
 * Writes field lines; names become lower case.
 *
 * @param into - at least `at` and {@link fieldLinesLength} bytes
 * @returns the offset after the lines
 * @throws {TypeError} for a field line that the format forbids
 * @throws {RangeError} for a character above U+00FF
 */
export function writeFieldLines(into: Uint8Array, at: number, fields: readonly Field[], section: FieldSection): number {
  let offset = at;
  let afterRegular = false;
  for (const [name, value] of fields) {
    const nameAt = writeVarint(into, offset, name.length);
    const nameEnd = writeLatin1(into, nameAt, name);
    lowerCaseName(into, nameAt, nameEnd);
    const valueAt = writeVarint(into, nameEnd, value.length);
    offset = writeLatin1(into, valueAt, value);
    if (!isFieldValue(into, valueAt, offset)) throw unfit(BAD_VALUE);
    if (into[nameAt] === COLON) {
      const problem = pseudoFieldProblem(name.toLowerCase(), section, afterRegular);
      if (problem !== undefined) throw unfit(problem);
    } else afterRegular = true;
  }
  return offset;
}

function lowerCaseName(into: Uint8Array, start: number, end: number): void {
  const kind = scanName(into, start, end);
  if (kind === NAME_INVALID) throw unfit(BAD_NAME);
  if (kind !== NAME_MIXED_CASE) return;
  for (let i = start; i < end; i++) {
    const byte = into[i] as number;
    if (byte >= 0x41 && byte <= 0x5a) into[i] = byte | 0x20;
  }
}

function unfit(problem: string): TypeError {
  return new TypeError(`Cannot encode field lines: ${problem}`);
}

const COLON = 0x3a;
const BAD_NAME = 'a name is not a token';
const BAD_VALUE = 'a value is not one that HTTP allows';
