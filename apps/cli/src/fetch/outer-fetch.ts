/**
 * `fetch` to a relay over node:https, for what the global one cannot do: further certificate authorities, and a local
 * address of the caller's choice. Redirects are answers, nothing is sent twice.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { getCACertificates } from 'node:tls';

/** How connections are made. */
export interface OuterFetchOptions {
  /** PEM certificates to trust besides the usual ones. */
  readonly extraRoots?: readonly string[];
  /** Local address to connect from. */
  readonly localAddress?: string;
  /** Header fields of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told about every answer. */
  readonly onAnswer?: (answer: { readonly status: number; readonly sentBytes: number | undefined }) => void;
}

/** The part of `fetch` that is offered. */
export type OuterFetch = (input: string, init: RequestInit) => Promise<Response>;

/** Makes such a `fetch`. */
export function createOuterFetch(options: OuterFetchOptions = {}): OuterFetch {
  const ca = [...getCACertificates('default'), ...(options.extraRoots ?? [])];
  return (input, init) =>
    new Promise((resolve, reject) => {
      const secure = input.startsWith('https:');
      const body = init.body as Uint8Array | ReadableStream<Uint8Array> | null | undefined;
      const length = body instanceof Uint8Array ? body.length : undefined;
      const headers = {
        ...Object.fromEntries(new Headers(init.headers)),
        ...options.headers,
        ...(length === undefined ? {} : { 'content-length': String(length) }),
      };
      const request = (secure ? requestHttps : requestHttp)(input, {
        method: init.method ?? 'GET',
        headers,
        agent: false,
        ...(secure ? { ca } : {}),
        ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
        ...(init.signal === null || init.signal === undefined ? {} : { signal: init.signal }),
      });
      request.once('error', reject);
      request.once('response', (message) => {
        const status = message.statusCode ?? 0;
        options.onAnswer?.({ status, sentBytes: length });
        const fields = new Headers();
        for (let i = 0; i + 1 < message.rawHeaders.length; i += 2)
          fields.append(message.rawHeaders[i] ?? '', message.rawHeaders[i + 1] ?? '');
        const bodyless = status === 204 || status === 304 || status < 200;
        const content = bodyless ? null : (Readable.toWeb(message) as unknown as ReadableStream<Uint8Array>);
        resolve(new Response(content, { status, headers: fields }));
      });
      if (body instanceof Uint8Array) request.end(body);
      else if (body === null || body === undefined) request.end();
      else {
        const source = Readable.fromWeb(body as unknown as NodeReadableStream<Uint8Array>);
        source.once('error', (error) => request.destroy(error));
        source.pipe(request);
      }
    });
}
