/** The HTTP/1.1 connections to one origin: an undici pool on judged addresses. */
import type { Socket } from 'node:net';
import { type buildConnector, Pool } from 'undici';
import { connectGuarded, type OutboundRoute } from './guarded-outbound.ts';
import { connectError } from './outbound-error.ts';
import type { OutboundExchange } from './outbound-exchange.ts';
import { CONNECTION_FIELDS, type OutboundOptions, type WireRequest } from './outbound-route.ts';
import { writeOncePerTurn } from './turn-writes.ts';

/** Sends each request once, on a connection that nothing else uses. */
export class Http1Connections {
  readonly #pool: Pool;
  readonly #name: string;
  readonly #idleTimeoutMs: number;
  readonly #route: OutboundRoute;
  readonly #onSocket: (socket: Socket) => void;
  #spare: Socket | undefined;

  /** @param onSocket - told of every connection made here */
  constructor(route: OutboundRoute, options: Required<OutboundOptions>, onSocket: (socket: Socket) => void) {
    this.#route = { ...route, protocols: ['http/1.1'] };
    this.#name = route.host;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#onSocket = onSocket;
    const host = route.host.includes(':') ? `[${route.host}]` : route.host;
    this.#pool = new Pool(`${route.secure ? 'https' : 'http'}://${host}:${route.port}`, {
      connections: options.connectionsPerOrigin,
      pipelining: 1,
      keepAliveTimeout: options.keepAliveMs,
      keepAliveMaxTimeout: options.keepAliveMs,
      maxHeaderSize: options.maxHeaderBytes,
      allowH2: false,
      connect: (_options, callback) => {
        void this.#connect(callback);
      },
    });
  }

  /** Hands over a connection that stands, for the next request. */
  adopt(socket: Socket): void {
    this.#spare = socket.on('error', ignore);
  }

  send(request: WireRequest, exchange: OutboundExchange): void {
    const { method, path, body } = request;
    const whole = body === null || body instanceof Uint8Array;
    const headers = ['host', request.authority];
    for (const [name, value] of request.fields) {
      // undici writes the length of a body it knows, and refuses to be told; the rest it refuses too.
      if (name === 'content-length' ? !whole : !CONNECTION_FIELDS.has(name)) headers.push(name, value);
    }
    // undici takes any async iterable; its types name only Readable. Without `servername` it would take one from the Host
    // field and drop connections whenever it changes.
    const wire = { method, path, headers, body: body as Uint8Array | null, servername: this.#name, idempotent: false };
    this.#pool.dispatch({ ...wire, headersTimeout: 0, bodyTimeout: this.#idleTimeoutMs }, exchange);
  }

  /** Resolves when the requests under way are over. */
  async close(): Promise<void> {
    this.#spare?.destroy();
    await this.#pool.close();
  }

  /** Breaks whatever is under way. */
  async destroy(): Promise<void> {
    this.#spare?.destroy();
    await this.#pool.destroy();
  }

  async #connect(callback: buildConnector.Callback): Promise<void> {
    // undici takes an answer only after it finished asking.
    await Promise.resolve();
    const spare = this.#spare?.off('error', ignore);
    this.#spare = undefined;
    if (spare !== undefined && !spare.destroyed) {
      callback(null, spare);
      return;
    }
    let socket: Socket;
    try {
      socket = await connectGuarded(this.#route);
    } catch (error) {
      callback(connectError(error), null);
      return;
    }
    writeOncePerTurn(socket);
    this.#onSocket(socket);
    callback(null, socket);
  }
}

function ignore(): void {}
