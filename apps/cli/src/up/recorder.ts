/**
 * Writes down everything that reaches a process of the demonstration: connections, whole header sections as they were
 * received, and bodies. It listens in from outside; the roles themselves have no such switch.
 */

import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Field } from '@privacy-edge/bhttp';
import type { BodySource, RoleRequest, RoleResponse } from '@privacy-edge/http-exchange';

/** One thing that a process got hold of. */
export type TraceEntry =
  /** Text: an address, a header section, a URL. */
  | { readonly kind: 'text'; readonly what: string; readonly text: string }
  /** A piece of a body, Base64, and whether the body was one piece. */
  | { readonly kind: 'bytes'; readonly what: string; readonly base64: string };

/** Writes entries to a file. */
export class Recorder {
  readonly #file: string;

  /** @param file - made new, readable by the owner only */
  constructor(file: string) {
    this.#file = file;
    writeFileSync(file, '', { mode: 0o600 });
  }

  /** Records text. */
  text(what: string, text: string): void {
    this.#add({ kind: 'text', what, text });
  }

  /** Records bytes. */
  bytes(what: string, bytes: Uint8Array): void {
    this.#add({ kind: 'bytes', what, base64: Buffer.from(bytes).toString('base64') });
  }

  /** Records every connection, and the raw header section of every request that this process's servers receive. */
  recordServers(): void {
    subscribe('net.server.socket', (message) => this.#connection((message as { socket: Socket }).socket));
    subscribe('http.server.request.start', (message) => {
      const { request } = message as { request: IncomingMessage };
      this.#connection(request.socket);
      this.text('head', [`${request.method} ${request.url}`, ...request.rawHeaders].join('\n'));
    });
    subscribe('http2.server.stream.start', (message) => {
      const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
      this.#connection(stream.session?.socket as Socket | undefined);
      this.text('head', JSON.stringify(headers));
    });
  }

  /** All that a server can know of a connection. */
  #connection(socket: Socket | undefined): void {
    const { remoteAddress, remotePort, localAddress, localPort, servername } = (socket ?? {}) as TLSSocket;
    this.text('connection', JSON.stringify({ remoteAddress, remotePort, localAddress, localPort, servername }));
  }

  /** The same request; its body is recorded while it is read. */
  request(request: RoleRequest): RoleRequest {
    const { method, path, signal } = request;
    this.text('request', `${method} ${path}`);
    const body = (): BodySource => this.body('request body', request.body);
    return {
      method,
      path,
      signal,
      header: (name) => request.header(name),
      get body() {
        return body();
      },
    };
  }

  /** The same answer; its body is recorded while it is read. */
  response(response: RoleResponse): RoleResponse {
    this.text('answer', JSON.stringify([response.status, response.fields]));
    return { ...response, body: this.content('answer body', response.body) };
  }

  /** Fields and other parts of a message inside of the process. */
  fields(what: string, start: string, fields: readonly Field[]): void {
    this.text(what, [start, ...fields.flat()].join('\n'));
  }

  /** A body that is recorded while it is read. */
  body(what: string, body: BodySource): BodySource {
    return {
      announcedLength: body.announcedLength,
      read: async (maxBytes) => {
        const bytes = await body.read(maxBytes);
        this.bytes(what, bytes);
        return bytes;
      },
      stream: () => this.#tap(what, body.stream()),
    };
  }

  /** The same for bytes or a stream of them. */
  content<C extends Uint8Array | AsyncIterable<Uint8Array> | null>(
    what: string,
    content: C,
  ): C | AsyncIterable<Uint8Array> {
    if (content === null) return content;
    if (!(content instanceof Uint8Array)) return this.#tap(what, content);
    this.bytes(what, content);
    return content;
  }

  async *#tap(what: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.bytes(what, chunk);
      yield chunk;
    }
  }

  #add(entry: TraceEntry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
