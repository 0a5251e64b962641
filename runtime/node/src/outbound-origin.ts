/** One origin: what it speaks is decided by its first connection and remembered. */
import type { Socket } from 'node:net';
import type { OutboundRoute } from './guarded-outbound.ts';
import type { Http2Request } from './http2-request.ts';
import { LoneConnections } from './lone-connections.ts';
import type { ConnectionCount, OutboundExchange } from './outbound-exchange.ts';
import { Http1Connections } from './outbound-http1.ts';
import { Http2Connections } from './outbound-http2.ts';
import type { OriginRoute, OutboundOptions, WireRequest } from './outbound-route.ts';

/** Requests to one origin, over whichever protocol it chose. */
export class Origin implements ConnectionCount {
  open = 0;
  /** Requests under way or waiting. */
  inFlight = 0;
  /** For requests that no pool can send. */
  readonly lone: LoneConnections;
  readonly #route: OutboundRoute;
  readonly #options: Required<OutboundOptions>;
  #http1: Http1Connections | undefined;
  #http2: Http2Connections | undefined;

  constructor(to: OriginRoute, options: Required<OutboundOptions>) {
    const { connectTimeoutMs, extraRoots, resolve } = options;
    this.#route = { ...to, connectTimeoutMs, extraRoots, resolve };
    this.#options = options;
    this.lone = new LoneConnections(options.connectionsPerOrigin);
    if (to.protocols.includes('h2')) {
      this.#http2 = new Http2Connections(this.#route, options, {
        onSocket: this.#onSocket,
        onHttp1: (socket, waiting) => this.#fallBack(socket, waiting),
      });
    } else {
      this.#http1 = new Http1Connections(this.#route, options, this.#onSocket);
    }
  }

  /** Called once for each request that is over. */
  readonly over = (): void => {
    this.inFlight--;
  };

  send(request: WireRequest, exchange: OutboundExchange): void {
    (this.#http1 ?? this.#http2)?.send(request, exchange);
  }

  /**
   * Whether requests go over HTTP/2; connects when that is not known yet.
   *
   * @throws OutboundError when there is no connection
   */
  async speaksHttp2(): Promise<boolean> {
    if (this.#http1 === undefined) await this.#http2?.known();
    return this.#http1 === undefined;
  }

  /** Resolves when the requests under way are over. */
  async close(): Promise<void> {
    await this.#http2?.close();
    await this.#http1?.close();
  }

  /** Breaks whatever is under way. */
  async destroy(): Promise<void> {
    this.#http2?.destroy();
    await this.#http1?.destroy();
  }

  readonly #onSocket = (socket: Socket): void => {
    this.open++;
    socket.once('close', () => {
      this.open--;
    });
  };

  /** HTTP/2 connections that stand, from before the peer changed its mind, end with their requests. */
  #fallBack(socket: Socket, waiting: readonly Http2Request[]): void {
    const http1 = new Http1Connections(this.#route, this.#options, this.#onSocket);
    this.#http1 = http1;
    if (waiting.length > 0) http1.adopt(socket);
    else socket.destroy();
    for (const { wire, exchange } of waiting) http1.send(wire, exchange);
    void this.#http2?.close();
  }
}
