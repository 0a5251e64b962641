/** Whole binary messages from bytes. RFC 9292 §3. */
import { DecodeError, isAllZero, latin1, Reader } from '@privacy-edge/bytes';
import { isInformational, isKnownLength, requestProblem } from './control-data.ts';
import type { Field } from './field.ts';
import type { FieldSection } from './field-rules.ts';
import { parseFieldLines, sectionTooLong } from './field-section.ts';
import { type DecodeLimits, withDefaults } from './limits.ts';
import type { BinaryRequest, BinaryResponse, InformationalResponse } from './message.ts';

/**
 * Decodes a request of known or indeterminate length. Accepts every truncation that RFC 9292 §3.8 allows, including the
 * end right after the path, and any zero padding.
 *
 * @param bytes - attacker-controlled; `body` of the result is a view of it (a copy when content came in several chunks)
 * @param limits - missing ones are {@link DEFAULT_DECODE_LIMITS}
 * @returns a valid request: whoever receives it need not check it again. Field values may still hold control characters
 *   other than NUL, CR and LF, as HTTP/2 allows.
 * @throws {@link DecodeError} `TRUNCATED`, `INVALID`, `RANGE` or `LIMIT`
 * @see RFC 9292 §3
 */
export function decodeRequest(bytes: Uint8Array, limits?: Partial<DecodeLimits>): BinaryRequest {
  const bounds = withDefaults(limits);
  const reader = new Reader(bytes, 'binary request');
  const known = isKnownLength(reader.varint(), 'request');
  const control = readRequestControl(reader, bytes, bounds);
  const fields = readSection(reader, bytes, known, 'header', bounds);
  const { method, scheme, authority, path } = checkedControl(control, fields);
  const body = readContent(reader, known);
  const trailers = readSection(reader, bytes, known, 'trailer', bounds);
  checkPadding(reader.rest());
  return { method, scheme, authority, path, fields, body, trailers };
}

/**
 * Decodes a response of known or indeterminate length, with the informational responses before it. Truncation and
 * padding are accepted as for {@link decodeRequest}.
 *
 * @param bytes - attacker-controlled; `body` of the result is a view of it (a copy when content came in several chunks)
 * @param limits - missing ones are {@link DEFAULT_DECODE_LIMITS}
 * @throws {@link DecodeError} `TRUNCATED`, `INVALID`, `RANGE` or `LIMIT`
 * @see RFC 9292 §3
 */
export function decodeResponse(bytes: Uint8Array, limits?: Partial<DecodeLimits>): BinaryResponse {
  const bounds = withDefaults(limits);
  const reader = new Reader(bytes, 'binary response');
  const known = isKnownLength(reader.varint(), 'response');
  const informational: InformationalResponse[] = [];
  let status = reader.varint();
  while (isInformational(status)) {
    if (informational.length >= bounds.maxInformational) throw tooManyInformational();
    informational.push({ status, fields: readSection(reader, bytes, known, 'header', bounds) });
    status = reader.varint();
  }
  const fields = readSection(reader, bytes, known, 'header', bounds);
  const body = readContent(reader, known);
  const trailers = readSection(reader, bytes, known, 'trailer', bounds);
  checkPadding(reader.rest());
  return { informational, status, fields, body, trailers };
}

/** The four values as they were received. */
export type ReceivedControl = readonly [method: string, scheme: string, authority: string, path: string];

/** Control data that was checked, with the scheme in lower case. `INVALID` when a rule is broken. */
export function checkedControl(
  received: ReceivedControl,
  fields: readonly Field[],
): { method: string; scheme: string; authority: string; path: string } {
  const [method, scheme, authority, path] = received;
  const control = { method, scheme: LOWER_CASE.has(scheme) ? scheme : scheme.toLowerCase(), authority, path };
  const problem = requestProblem({ method, scheme, authority, path }, fields);
  if (problem !== undefined) throw new DecodeError('INVALID', `Cannot decode the request: ${problem}`);
  return control;
}

const LOWER_CASE = new Set(['https', 'http']);

/** The error for control data above `maxControlBytes`. */
export function controlTooLong(): DecodeError {
  return new DecodeError('LIMIT', 'Cannot decode the request: its control data is too long');
}

/** The error for more than `maxInformational` responses. */
export function tooManyInformational(): DecodeError {
  return new DecodeError('LIMIT', 'Cannot decode the response: it has too many informational responses');
}

function readRequestControl(reader: Reader, bytes: Uint8Array, limits: DecodeLimits): ReceivedControl {
  const start = reader.offset;
  const [methodAt, methodEnd] = readControlValue(reader, start, limits);
  const [schemeAt, schemeEnd] = readControlValue(reader, start, limits);
  const [authorityAt, authorityEnd] = readControlValue(reader, start, limits);
  const [pathAt, pathEnd] = readControlValue(reader, start, limits);
  const text = latin1(bytes, start, reader.offset);
  return [
    text.slice(methodAt, methodEnd),
    text.slice(schemeAt, schemeEnd),
    text.slice(authorityAt, authorityEnd),
    text.slice(pathAt, pathEnd),
  ];
}

/** Start and end of one value, counted from the start of the control data. */
function readControlValue(reader: Reader, start: number, limits: DecodeLimits): [number, number] {
  const length = reader.varint();
  if (reader.offset - start + length > limits.maxControlBytes) throw controlTooLong();
  const at = reader.skip(length) - start;
  return [at, at + length];
}

function readSection(
  reader: Reader,
  bytes: Uint8Array,
  known: boolean,
  section: FieldSection,
  limits: DecodeLimits,
): Field[] {
  // RFC 9292 §3.8: a part that is missing at the end counts as empty. An informational response cut here fails at the
  // status code that has to follow it.
  if (reader.remaining === 0) return [];
  if (!known) return parseFieldLines(terminatedSection(reader, bytes, section, limits), section, limits);
  const length = reader.varint();
  if (length > limits.maxFieldSectionBytes) throw sectionTooLong(section);
  return length === 0 ? [] : parseFieldLines(reader.bytes(length), section, limits);
}

/** Walks over field lines to the zero that ends them; returns a view without the zero. */
function terminatedSection(reader: Reader, bytes: Uint8Array, section: FieldSection, limits: DecodeLimits): Uint8Array {
  const start = reader.offset;
  for (let lines = 0; ; lines++) {
    const end = reader.offset;
    const nameLength = reader.varint();
    if (nameLength === 0) return bytes.subarray(start, end);
    if (reader.offset - start + nameLength > limits.maxFieldSectionBytes || lines >= limits.maxFields) {
      throw sectionTooLong(section);
    }
    reader.skip(nameLength);
    const valueLength = reader.varint();
    if (reader.offset - start + valueLength > limits.maxFieldSectionBytes) throw sectionTooLong(section);
    reader.skip(valueLength);
  }
}

function readContent(reader: Reader, known: boolean): Uint8Array {
  if (reader.remaining === 0) return reader.bytes(0);
  if (known) return reader.bytes(reader.varint());
  const firstLength = reader.varint();
  if (firstLength === 0) return reader.bytes(0);
  const first = reader.bytes(firstLength);
  const secondLength = reader.varint();
  return secondLength === 0 ? first : joinChunks(reader, first, secondLength);
}

/** Joins content chunks. One buffer that what is left must fit in, and no list: a peer may send one byte per chunk. */
function joinChunks(reader: Reader, first: Uint8Array, secondLength: number): Uint8Array {
  const content = new Uint8Array(first.length + reader.remaining);
  content.set(first);
  let end = first.length;
  for (let length = secondLength; length > 0; length = reader.varint()) {
    content.set(reader.bytes(length), end);
    end += length;
  }
  return content.subarray(0, end);
}

/** Padding is zero. Checking is optional, but unchecked bytes would be a channel that nobody looks at. RFC 9292 §3.8. */
export function checkPadding(bytes: Uint8Array): void {
  if (!isAllZero(bytes)) throw new DecodeError('INVALID', 'Cannot decode the message: its padding is not zero');
}
