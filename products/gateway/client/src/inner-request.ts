/** The request inside: what a call of `fetch` asks for, before it is encoded. */
import { type Field, type RequestHead, stripConnectionFields } from '@privacy-edge/bhttp';

/** A request of the application. */
export interface InnerRequest {
  readonly method: string;
  /** http or https, without fragment and credentials. */
  readonly url: URL;
  /** Without Host, Date and connection-specific fields. */
  readonly fields: readonly Field[];
  /** Bytes can be sent again, a stream cannot. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** Methods whose case Fetch repairs. */
const NORMALISED = /^(?:delete|get|head|options|post|put)$/i;
/** Methods that Fetch refuses, and so does any gateway. */
const FORBIDDEN = /^(?:connect|trace|track)$/i;
/**
 * Fields that are not the application's: Host is the URL's, Date is an option, content has the length it has, and
 * RFC 9458 §5.1 rules out an Expect that nobody could answer in time.
 */
const OURS = new Set(['host', 'date', 'content-length', 'expect']);

/**
 * Takes the arguments of `fetch` apart. Unlike `Request` of a browser it keeps fields that are forbidden to pages on the
 * open network, such as Cookie: inside, they are between the application and its target.
 *
 * @param input - as for `fetch`; a `Request` is consumed
 * @param init - as for `fetch`
 * @param streaming - whether a body that is a stream may stay one
 * @throws {TypeError} for what `fetch` refuses, and for `integrity`, which is not implemented
 */
export async function readInnerRequest(
  input: RequestInfo | URL,
  init: RequestInit,
  streaming: boolean,
): Promise<InnerRequest> {
  const request = input instanceof Request ? input : undefined;
  const url = targetOf(request?.url ?? (input as string | URL));
  const given = init.method ?? request?.method ?? 'GET';
  const method = NORMALISED.test(given) ? given.toUpperCase() : given;
  if (FORBIDDEN.test(method)) throw new TypeError(`Cannot fetch: the method ${method} is not allowed`);
  if (init.integrity) throw new TypeError('Cannot fetch: integrity is not supported');
  const headers = new Headers(init.headers ?? request?.headers);
  const body = await readBodyInit(init, request, headers, streaming);
  if (body !== null && (method === 'GET' || method === 'HEAD')) {
    throw new TypeError(`Cannot fetch: ${method} has no body`);
  }
  return { method, url, body, fields: stripConnectionFields([...headers]).filter(([name]) => !OURS.has(name)) };
}

async function readBodyInit(
  init: RequestInit,
  request: Request | undefined,
  headers: Headers,
  streaming: boolean,
): Promise<InnerRequest['body']> {
  const { body } = init;
  if (body instanceof ReadableStream && streaming) return body as ReadableStream<Uint8Array>;
  if (body === null || (body === undefined && (request === undefined || request.body === null))) return null;
  // Response knows every kind of body there is, and what media type goes with it.
  const carrier = body === undefined ? (request as Request) : new Response(body);
  const type = carrier.headers.get('content-type');
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  return new Uint8Array(await carrier.arrayBuffer());
}

/**
 * @param text - absolute, or relative to `base`, or to the page
 * @throws {TypeError} unless it is http or https without credentials
 */
export function targetOf(text: string | URL, base?: URL): URL {
  const url = new URL(text, base ?? (typeof location === 'object' ? location.href : undefined));
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new TypeError('Cannot fetch: the URL must be http or https, without credentials');
  }
  url.hash = '';
  return url;
}

/**
 * @param request - from the application
 * @param date - value of Date, if it has one
 * @returns what is encoded before the content
 */
export function headOf({ method, url, fields }: InnerRequest, date: string | undefined): RequestHead {
  return {
    method,
    scheme: url.protocol.slice(0, -1),
    authority: url.host,
    // Cut from the text, because `search` cannot tell "/?" from "/".
    path: url.href.slice(url.origin.length),
    fields: date === undefined ? fields : [...fields, ['date', date]],
  };
}
