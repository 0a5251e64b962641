/** A gateway and its application in one process: targets are answered by a handler instead of over the network. */
import { type Field, stripConnectionFields } from '@privacy-edge/bhttp';
import { BodyError, type BodySource } from './exchange.ts';
import { streamFromIterable } from './iterable-stream.ts';
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
  return async (request, signal) => {
    const response = await callHandler(handler, request, signal);
    return {
      status: response.status,
      fields: headerFields(response.headers),
      body: new ResponseBody(response),
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
  const signal = AbortSignal.any([...signals]);
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function headerFields(headers: Headers): Field[] {
  const fields: Field[] = [];
  // Iterating gives each Set-Cookie on its own, which must not be joined.
  for (const [name, value] of headers) fields.push([name, value]);
  return stripConnectionFields(fields);
}

class ResponseBody implements BodySource {
  readonly announcedLength = undefined;
  readonly #response: Response;

  constructor(response: Response) {
    this.#response = response;
  }

  async read(maxBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(await this.#response.arrayBuffer());
    if (bytes.length > maxBytes) throw new BodyError('TOO_LARGE', 'Cannot read response: it is larger than allowed');
    return bytes;
  }

  async *stream(): AsyncIterable<Uint8Array> {
    if (this.#response.body !== null) yield* this.#response.body;
  }
}
