/** Field sections of a request as node:http2 takes them. RFC 9113 §8.2, §8.3. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http2';
import { contentLength } from './incoming-body.ts';
import { OutboundError } from './outbound-error.ts';
import { CONNECTION_FIELDS, type WireRequest } from './outbound-route.ts';

/**
 * Pseudo-fields and fields, names and values in turn.
 *
 * @throws TypeError or OutboundError for a name, value, method or path that HTTP/2 cannot carry: node:http2 writes a zero byte
 *   through, where it would begin a field of its own
 */
export function http2Fields(request: WireRequest, secure: boolean): string[] {
  const { method, path, authority, fields } = request;
  validateHeaderName(method);
  validateHeaderValue(':authority', authority);
  if (/[^\x21-\x7e\x80-\xff]/.test(path)) throw new OutboundError('BROKEN', 'The path has a forbidden character');
  const lines = [':method', method, ':scheme', secure ? 'https' : 'http', ':authority', authority, ':path', path];
  for (const [name, value] of fields) {
    // The one value of TE that is not about a connection (RFC 9113 §8.2.2).
    if (name === 'content-length' || CONNECTION_FIELDS.has(name) || (name === 'te' && value !== 'trailers')) continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    lines.push(name, value);
  }
  const length = bodyLength(request);
  if (length !== undefined) lines.push('content-length', String(length));
  return lines;
}

/**
 * Bytes of the body: counted where it is whole, as announced where it is streamed, 0 where a method that usually has a body
 * has none (RFC 9110 §8.6).
 */
export function bodyLength({ method, body, fields }: WireRequest): number | undefined {
  if (body instanceof Uint8Array) return body.length;
  if (body === null) return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 0 : undefined;
  return contentLength(fields.find(([name]) => name === 'content-length')?.[1]);
}

/** Bytes of a received field section as its limit counts them (RFC 9113 §6.5.2). */
export function sectionBytes(raw: readonly string[]): number {
  let sum = raw.length * 16;
  for (const part of raw) sum += part.length;
  return sum;
}

/**
 * Trailers; node:http2 takes repeats as a list.
 *
 * @throws TypeError like {@link http2Fields}
 */
export function http2Trailers(fields: WireRequest['fields']): OutgoingHttpHeaders {
  const trailers: Record<string, string[]> = Object.create(null);
  for (const [name, value] of fields) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    const values = trailers[name];
    if (values === undefined) trailers[name] = [value];
    else values.push(value);
  }
  return trailers;
}
