/** A client whose connections are distinctive: address, port, name in the handshake, and every header field that clients send. */
import { randomInt } from 'node:crypto';
import { type IncomingMessage, request as requestHttp1 } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { within } from './deadline.ts';

/** An answer in clear, as the client sees it. */
export interface ClearAnswer {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** How to reach the relay, and as whom. */
export interface ClientOptions {
  readonly relayPort: number;
  /** Name of the relay in handshake and request. */
  readonly relayName: string;
  readonly rootPem: string;
  /** Loopback address to connect from. */
  readonly address: string;
  /** Sent with every request besides its own. */
  readonly fields: Readonly<Record<string, string>>;
  /** Parameter of every media type that is sent. */
  readonly parameter: string;
}

/** Sends to the relay, every request on a connection of its own. */
export class DistinctiveClient {
  /** Ports that connections came from. */
  readonly ports: number[] = [];
  /** All that came back. */
  readonly answers: ClearAnswer[] = [];
  /** All bodies that were sent. */
  readonly sent: Buffer[] = [];
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** A `fetch` to the relay, for `createObliviousFetch`. */
  fetch(protocol: 'http/1.1' | 'h2'): (input: string, init: RequestInit) => Promise<Response> {
    return async (input, init) => {
      const body = init.body instanceof Uint8Array ? Buffer.from(init.body) : Buffer.alloc(0);
      const fields = Object.fromEntries(new Headers(init.headers));
      const { pathname, search } = new URL(input);
      const answer = await this.send(protocol, init.method ?? 'GET', pathname + search, fields, body);
      return new Response(new Uint8Array(answer.body), {
        status: answer.status,
        headers: answer.fields.filter(([name]) => !name.startsWith(':')).map(([name, value]) => [name, value]),
      });
    };
  }

  /** Sends one request. */
  async send(
    protocol: 'http/1.1' | 'h2',
    method: string,
    path: string,
    fields: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<ClearAnswer> {
    const type = fields['content-type'];
    const all = {
      ...this.#options.fields,
      ...fields,
      ...(type !== undefined && { 'content-type': `${type}; ${this.#options.parameter}` }),
      'content-length': String(body.length),
    };
    this.sent.push(body);
    const socket = await this.#connect(protocol);
    try {
      const exchange =
        protocol === 'h2' ? this.#http2(socket, method, path, all, body) : this.#http1(socket, method, path, all, body);
      const answer = await within(exchange, 'an answer of the relay');
      this.answers.push(answer);
      return answer;
    } finally {
      socket.destroy();
    }
  }

  /** From a port below those that the system hands out, so that no other connection can have it. */
  async #connect(protocol: string): Promise<TLSSocket> {
    const { relayPort, relayName, rootPem, address } = this.#options;
    for (;;) {
      const localPort = randomInt(12_000, 32_000);
      const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
      const socket = connectTls(
        {
          host: '127.0.0.1',
          port: relayPort,
          localAddress: address,
          localPort,
          servername: relayName,
          ca: rootPem,
          ALPNProtocols: [protocol],
        } as ConnectionOptions,
        () => resolve(socket),
      );
      socket.once('error', reject);
      try {
        const connected = await within(promise, 'a connection to the relay');
        this.ports.push(localPort);
        return connected.off('error', reject).on('error', () => undefined);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  async #http1(
    socket: TLSSocket,
    method: string,
    path: string,
    fields: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<ClearAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { ...fields, host: `${this.#options.relayName}:${this.#options.relayPort}` };
    requestHttp1({ createConnection: () => socket, method, path, headers }, resolve)
      .on('error', reject)
      .end(body);
    const message = await promise;
    const { rawHeaders } = message;
    const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? ''] as const] : []));
    return { status: message.statusCode ?? 0, fields: lines, body: await buffer(message) };
  }

  async #http2(
    socket: TLSSocket,
    method: string,
    path: string,
    fields: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<ClearAnswer> {
    const { relayName, relayPort } = this.#options;
    const session = connectHttp2(`https://${relayName}:${relayPort}`, { createConnection: () => socket });
    try {
      const endStream = body.length === 0;
      const stream = session.request({ ...fields, ':method': method, ':path': path }, { endStream });
      const head = Promise.withResolvers<readonly (readonly [string, string])[]>();
      stream.once('error', head.reject).once('response', (headers) => {
        head.resolve(Object.entries(headers).map(([name, value]) => [name, String(value)] as const));
      });
      if (!endStream) stream.end(body);
      const lines = await head.promise;
      return {
        status: Number(lines.find(([name]) => name === ':status')?.[1]),
        fields: lines,
        body: await buffer(stream),
      };
    } finally {
      session.destroy();
    }
  }
}
