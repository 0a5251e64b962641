/** A gateway and its application in one process: targets are answered by a handler instead of over the network. */

import { type Field, stripConnectionFields } from '@privacy-edge/bhttp';
import { asAbortSignal, BodyError, type BodySource } from '@privacy-edge/http-exchange';
import { readAll, streamFromIterable } from './iterable-stream.ts';
import { type FetchTarget, TargetError, type TargetRequest } from './ports.ts';

/** What an application is: the fetch-style handler of most frameworks. */
export type ApplicationHandler = (request: Request) => Response | Promise<Response>;

/**
 * Makes the requests of a gateway by calling an application.
 *
 * @param handler - gets a request that carries nothing of the connection it came over; a handler that throws is a target
 *   that did not answer properly
 */
export function fetchFromApplication(handler: ApplicationHandler): FetchTarget {
  return async (request, cancellation) => {
    const signal = asAbortSignal(cancellation);
    const response = await callHandler(handler, request, signal);
    return {
      status: response.status,
      fields: headerFields(response.headers),
      body: new ResponseBody(await contentOf(response, request.method), signal),
      trailers: () => [],
    };
  };
}

async function callHandler(
  handler: ApplicationHandler,
  request: TargetRequest,
  signal: AbortSignal,
): Promise<Response> {
  const { body, method, route } = request;
  const timeout = AbortSignal.timeout(route.timeoutMs);
  const withBody = body !== null && method !== 'GET' && method !== 'HEAD';
  try {
    return await abortable(
      Promise.resolve(
        handler(
          new Request(`${request.scheme}://${request.authority}${request.path}`, {
            method,
            headers: request.fields.map(([name, value]): [string, string] => [name, value]),
            signal,
            redirect: 'manual',
            ...(withBody ? bodyInit(body) : {}),
          }),
        ),
      ),
      timeout,
      signal,
    );
  } catch (error) {
    if (timeout.aborted) throw new TargetError('TIMEOUT', 'The application did not answer in time');
    throw new TargetError('BROKEN', 'The application failed', { cause: error });
  }
}

function bodyInit(body: Uint8Array | AsyncIterable<Uint8Array>): RequestInit {
  if (body instanceof Uint8Array) return { body: body.slice() };
  // Fetch asks for `duplex` with every streamed body; the web worker types do not know it yet.
  return { body: streamFromIterable(body), duplex: 'half' } as RequestInit;
}

/** Rejects when a signal fires first; the handler is then left to end by itself. */
function abortable<T>(work: Promise<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    // One listener on each: a signal made of several costs more than the rest of a small request.
    const stop = (): void => reject(signals.find((signal) => signal.aborted)?.reason);
    if (signals.some((signal) => signal.aborted)) stop();
    for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => {
      for (const signal of signals) signal.removeEventListener('abort', stop);
    });
  });
}

function headerFields(headers: Headers): Field[] {
  const fields: Field[] = [];
  // Iterating gives each Set-Cookie on its own, which must not be joined.
  for (const [name, value] of headers) fields.push([name, value]);
  return stripConnectionFields(fields);
}

/** What a response has as content; for HEAD that is nothing, whatever the application made. RFC 9110 §9.3.2. */
async function contentOf(response: Response, method: string): Promise<ReadableStream<Uint8Array> | null> {
  if (method !== 'HEAD') return response.body;
  await response.body?.cancel();
  return null;
}

class ResponseBody implements BodySource {
  readonly announcedLength = undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #signal: AbortSignal;

  constructor(stream: ReadableStream<Uint8Array> | null, signal: AbortSignal) {
    this.#reader = stream?.getReader();
    this.#signal = signal;
    // Ends a read that waits: an application may be silent for long, and must learn that nobody listens any more.
    if (signal.aborted) this.#cancel();
    else signal.addEventListener('abort', this.#cancel, { once: true });
  }

  readonly #cancel = (): void => {
    this.#reader?.cancel(this.#signal.reason).then(ignore, ignore);
  };

  read(maxBytes: number): Promise<Uint8Array> {
    return readAll(this.stream(), maxBytes);
  }

  async *stream(): AsyncIterable<Uint8Array> {
    const reader = this.#reader;
    if (reader === undefined) return;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        this.#signal.throwIfAborted();
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw new BodyError('ABORTED', 'Cannot read response: the application broke it off', { cause: error });
    } finally {
      this.#signal.removeEventListener('abort', this.#cancel);
      this.#cancel();
    }
  }
}

function ignore(): void {}
