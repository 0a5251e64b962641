/** Whole binary messages to bytes. RFC 9292 §3. */
import { varintLength, writeLatin1, writeVarint } from '@privacy-edge/bytes';
import { framingIndicator, type MessageKind, requestProblem } from './control-data.ts';
import type { Field } from './field.ts';
import type { FieldSection } from './field-rules.ts';
import { fieldLinesLength, writeFieldLines } from './field-section.ts';
import type { BinaryRequest, BinaryResponse, InformationalResponse, RequestHead } from './message.ts';

/** How to encode a whole message. */
export interface EncodeOptions {
  /** Default `known`. */
  readonly framing?: 'known' | 'indeterminate';
  /**
   * Total bytes to reach by appending zero bytes, or what gives it for the bytes without them. A message that is longer
   * already is left as it is. Default 0.
   */
  readonly paddedLength?: number | ((length: number) => number);
}

/**
 * Encodes a request. Every length is written out, even of empty parts: some decoders refuse truncated messages.
 *
 * @param request - checked here; names and scheme are written in lower case
 * @throws {TypeError} for control data or a field line that the format forbids
 * @throws {RangeError} for a character above U+00FF, or a padded length that is not a length
 * @see RFC 9292 §3
 */
export function encodeRequest(request: BinaryRequest, options: EncodeOptions = {}): Uint8Array {
  const known = options.framing !== 'indeterminate';
  const length = 1 + requestControlLength(request) + partsLength(request, known);
  const into = allocate(length, options);
  const at = writeFraming(into, 'request', known);
  writeParts(into, writeRequestControl(into, at, request), request, known);
  return into;
}

/**
 * Encodes a response and the informational responses before it, with every length written out.
 *
 * @param response - checked here; names are written in lower case
 * @throws {TypeError} for a field line that the format forbids
 * @throws {RangeError} for a status code out of range, a character above U+00FF, or a padded length that is not a length
 * @see RFC 9292 §3
 */
export function encodeResponse(response: BinaryResponse, options: EncodeOptions = {}): Uint8Array {
  const known = options.framing !== 'indeterminate';
  let length = 1 + 2 + partsLength(response, known);
  for (const informational of response.informational) length += informationalLength(informational, known);
  const into = allocate(length, options);
  let at = writeFraming(into, 'response', known);
  for (const informational of response.informational) at = writeInformational(into, at, informational, known);
  writeParts(into, writeFinalStatus(into, at, response.status), response, known);
  return into;
}

function allocate(length: number, { paddedLength = 0 }: EncodeOptions): Uint8Array {
  const padded = typeof paddedLength === 'function' ? paddedLength(length) : paddedLength;
  if (!Number.isSafeInteger(padded) || padded < 0) throw new RangeError('A padded length is a whole number of bytes');
  return new Uint8Array(Math.max(length, padded));
}

function writeFraming(into: Uint8Array, kind: MessageKind, known: boolean): number {
  return writeVarint(into, 0, framingIndicator(kind, known));
}

/** What follows the control data of a message. */
type Parts = Pick<BinaryRequest, 'fields' | 'body' | 'trailers'>;

function partsLength({ fields, body, trailers }: Parts, known: boolean): number {
  const content = body.length === 0 ? 1 : varintLength(body.length) + body.length + (known ? 0 : 1);
  return sectionLength(fields, known) + content + sectionLength(trailers, known);
}

function writeParts(into: Uint8Array, at: number, { fields, body, trailers }: Parts, known: boolean): void {
  let offset = writeSection(into, at, fields, 'header', known);
  offset = writeVarint(into, offset, body.length);
  into.set(body, offset);
  offset += body.length;
  // The one content chunk of indeterminate length is followed by the zero that `into` already holds.
  if (!known && body.length > 0) offset += 1;
  writeSection(into, offset, trailers, 'trailer', known);
}

/** Bytes of a field section with its length prefix or terminator. */
export function sectionLength(fields: readonly Field[], known: boolean): number {
  const lines = fieldLinesLength(fields);
  return lines + (known ? varintLength(lines) : 1);
}

/** Writes a field section with its length prefix or terminator; throws like {@link writeFieldLines}. */
export function writeSection(
  into: Uint8Array,
  at: number,
  fields: readonly Field[],
  section: FieldSection,
  known: boolean,
): number {
  if (known) return writeFieldLines(into, writeVarint(into, at, fieldLinesLength(fields)), fields, section);
  return writeVarint(into, writeFieldLines(into, at, fields, section), 0);
}

/** Bytes of method, scheme, authority and path with their prefixes. */
export function requestControlLength({ method, scheme, authority, path }: RequestHead): number {
  return prefixedLength(method) + prefixedLength(scheme) + prefixedLength(authority) + prefixedLength(path);
}

function prefixedLength(text: string): number {
  return varintLength(text.length) + text.length;
}

/** Checks and writes request control data. */
export function writeRequestControl(into: Uint8Array, at: number, head: RequestHead): number {
  const problem = requestProblem(head, head.fields);
  if (problem !== undefined) throw new TypeError(`Cannot encode the request: ${problem}`);
  let offset = writePrefixed(into, at, head.method);
  offset = writePrefixed(into, offset, head.scheme.toLowerCase());
  offset = writePrefixed(into, offset, head.authority);
  return writePrefixed(into, offset, head.path);
}

function writePrefixed(into: Uint8Array, at: number, text: string): number {
  return writeLatin1(into, writeVarint(into, at, text.length), text);
}

/** Bytes of an informational response. */
export function informationalLength(informational: InformationalResponse, known: boolean): number {
  return 2 + sectionLength(informational.fields, known);
}

/** Checks and writes an informational response. RFC 9292 §3.5.1. */
export function writeInformational(
  into: Uint8Array,
  at: number,
  { status, fields }: InformationalResponse,
  known: boolean,
): number {
  return writeSection(into, writeStatus(into, at, status, 100, 199), fields, 'header', known);
}

/** Checks and writes the status code of the final response: two bytes. */
export function writeFinalStatus(into: Uint8Array, at: number, status: number): number {
  return writeStatus(into, at, status, 200, 599);
}

function writeStatus(into: Uint8Array, at: number, status: number, first: number, last: number): number {
  if (!Number.isInteger(status) || status < first || status > last) {
    throw new RangeError(`Cannot encode the response: the status code is not from ${first} to ${last}`);
  }
  return writeVarint(into, at, status);
}
