/** Roles as fetch-style handlers, for every runtime that serves `(Request) => Response`. */
import {
  BodyError,
  type BodySource,
  type RoleHandler,
  type RoleRequest,
  type RoleResponse,
} from '@privacy-edge/http-exchange';
import { readAll, streamFromIterable } from './iterable-stream.ts';

/**
 * Lets a role answer fetch-style requests.
 *
 * @returns a handler that rejects only where the role itself failed
 */
export function toFetchHandler(handler: RoleHandler): (request: Request) => Promise<Response> {
  return async (request) => toResponse(await handler(new FetchRoleRequest(request)));
}

class FetchRoleRequest implements RoleRequest {
  readonly method: string;
  readonly path: string;
  readonly body: BodySource;
  readonly #request: Request;

  constructor(request: Request) {
    const { pathname, search } = new URL(request.url);
    this.method = request.method;
    this.path = pathname + search;
    this.body = new FetchBody(request);
    this.#request = request;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }
}

class FetchBody implements BodySource {
  readonly announcedLength: number | undefined;
  readonly #stream: ReadableStream<Uint8Array> | null;

  constructor(request: Request) {
    const length = request.headers.get('content-length');
    this.announcedLength = length !== null && /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined;
    this.#stream = request.body;
  }

  read(maxBytes: number): Promise<Uint8Array> {
    return readAll(this.stream(), maxBytes);
  }

  async *stream(): AsyncIterable<Uint8Array> {
    if (this.#stream === null) return;
    try {
      yield* this.#stream;
    } catch (error) {
      throw new BodyError('ABORTED', 'Cannot read body: the peer went away', { cause: error });
    }
  }
}

function toResponse({ status, fields, body }: RoleResponse): Response {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  if (body === null || body instanceof Uint8Array)
    return new Response(body === null ? null : body.slice(), { status, headers });
  return new Response(streamFromIterable(body), { status, headers });
}
