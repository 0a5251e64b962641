/**
 * Between binary messages and the types of Fetch. Fetch cannot carry everything: trailers, informational responses,
 * CONNECT, a path of `*`, and content of GET and HEAD have no place there, dot segments in paths are resolved, and
 * methods such as "get" become upper case. Browsers also drop some fields, such as Set-Cookie of a response.
 */
import { DecodeError } from '@privacy-edge/bytes';
import type { Field } from './field.ts';
import { combineCookies, effectiveAuthority, stripConnectionFields } from './field-list.ts';
import type { BinaryRequest, BinaryResponse, RequestHead, ResponseHead } from './message.ts';

/**
 * A Fetch request for a binary one. Trailers are dropped.
 *
 * @param request - attacker-controlled; valid as the decoders leave it
 * @throws {@link DecodeError} `INVALID` for what Fetch cannot express: another scheme than http and https, CONNECT,
 *   TRACE, a path of `*`, content in GET or HEAD, pseudo-fields, or an authority that is missing or contradicted by Host
 */
export function toFetchRequest(request: BinaryRequest): Request {
  const { method, scheme, path, body } = request;
  if (scheme !== 'https' && scheme !== 'http') throw inexpressible('its scheme is not http or https');
  if (!path.startsWith('/')) throw inexpressible('its path is not absolute');
  const bodiless = method === 'GET' || method === 'HEAD';
  if (bodiless && body.length > 0) throw inexpressible(`it is ${method} with content`);
  const fields = stripConnectionFields(combineCookies(request.fields)).filter(([name]) => name !== 'host');
  const url = `${scheme}://${effectiveAuthority(request)}${path}`;
  try {
    return new Request(url, { method, headers: toHeaders(fields), body: body.length > 0 ? asBody(body) : null });
  } catch (cause) {
    throw inexpressible('Fetch refuses its method, target or fields', { cause });
  }
}

function inexpressible(why: string, options?: ErrorOptions): DecodeError {
  return new DecodeError('INVALID', `Cannot make a Fetch request: ${why}`, options);
}

function toHeaders(fields: readonly Field[]): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

/** Fetch copies the bytes, and itself refuses shared memory, which its type is about. */
function asBody(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/**
 * Control data and fields of a Fetch request, for a request whose content is sent as a stream.
 *
 * @param request - its content is left alone; connection-specific fields and Host are left out
 * @throws {TypeError} for a URL that is not http or https
 */
export function requestHeadFromFetch(request: Request): RequestHead {
  const url = new URL(request.url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError('Cannot encode the request: its URL is not http or https');
  }
  // Cut from the text, because `search` cannot tell "/?" from "/".
  const target = url.href.slice(url.href.indexOf(url.host, url.protocol.length) + url.host.length);
  const [path = '/'] = target.split('#', 1);
  const fields = stripConnectionFields([...request.headers]).filter(([name]) => name !== 'host');
  return { method: request.method, scheme: url.protocol.slice(0, -1), authority: url.host, path, fields };
}

/**
 * A binary request for a Fetch one, with all of its content.
 *
 * @param request - consumed
 * @throws {TypeError} for a URL that is not http or https, or content that was consumed before
 */
export async function fromFetchRequest(request: Request): Promise<BinaryRequest> {
  const head = requestHeadFromFetch(request);
  return { ...head, body: await readBody(request), trailers: [] };
}

async function readBody(source: Request | Response): Promise<Uint8Array> {
  return new Uint8Array(await source.arrayBuffer());
}

/** Statuses that Fetch allows no content for. */
const NULL_BODY_STATUSES: readonly number[] = [204, 205, 304];

/**
 * A Fetch response. Content is left out where HTTP has none: for HEAD, and for 204, 205 and 304.
 *
 * @param head - from a decoder; connection-specific fields are left out
 * @param body - a stream that is not needed is cancelled
 * @param requestMethod - method of the request that this answers; default "GET"
 */
export function toFetchResponse(
  head: ResponseHead,
  body: ReadableStream<Uint8Array> | Uint8Array | null,
  requestMethod = 'GET',
): Response {
  const init = { status: head.status, headers: toHeaders(withoutPseudoFields(stripConnectionFields(head.fields))) };
  if (requestMethod === 'HEAD' || NULL_BODY_STATUSES.includes(head.status)) {
    if (body instanceof ReadableStream) void body.cancel().catch(() => {});
    return new Response(null, init);
  }
  return new Response(body as ReadableStream<BufferSource> | Uint8Array<ArrayBuffer> | null, init);
}

/** An extension that we do not know may be ignored in a response, but has no place in Fetch. */
function withoutPseudoFields(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => !name.startsWith(':'));
}

/**
 * Status and fields of a Fetch response, for a response whose content is sent as a stream. A response that came from the
 * network through `fetch` has its content decoded already, so Content-Encoding and Content-Length are left out then.
 *
 * @param response - its content is left alone; connection-specific fields are left out
 * @throws {TypeError} for an error or an opaque response, which has no status
 */
export function responseHeadFromFetch(response: Response): ResponseHead {
  if (response.status < 200) throw new TypeError('Cannot encode the response: it has no final status');
  const decoded = (response.type === 'basic' || response.type === 'cors') && response.headers.has('content-encoding');
  const fields = stripConnectionFields([...response.headers]);
  return { status: response.status, fields: decoded ? fields.filter(([name]) => !OF_ENCODING.has(name)) : fields };
}

const OF_ENCODING = new Set(['content-encoding', 'content-length']);

/**
 * A binary response for a Fetch one, with all of its content.
 *
 * @param response - consumed
 * @throws {TypeError} for an error or an opaque response, or content that was consumed before
 */
export async function fromFetchResponse(response: Response): Promise<BinaryResponse> {
  const head = responseHeadFromFetch(response);
  return { ...head, informational: [], body: await readBody(response), trailers: [] };
}
