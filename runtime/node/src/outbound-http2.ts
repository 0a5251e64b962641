/** The HTTP/2 connections to one origin, and the requests that wait for one. */
import type { Socket } from 'node:net';
import { connectGuarded, type OutboundRoute, speaksHttp2 } from './guarded-outbound.ts';
import { Http2Connection } from './http2-connection.ts';
import { Http2Request, type Http2RequestOptions } from './http2-request.ts';
import { connectError, OutboundError } from './outbound-error.ts';
import type { OutboundExchange } from './outbound-exchange.ts';
import type { OutboundOptions, WireRequest } from './outbound-route.ts';

/** What the origin wants to know. */
export interface Http2Events {
  /** A connection stands, whatever it speaks. */
  readonly onSocket: (socket: Socket) => void;
  /** The peer chose HTTP/1.1: the connection, and all that waits, is handed over. */
  readonly onHttp1: (socket: Socket, waiting: readonly Http2Request[]) => void;
}

/** Opens one connection at a time, and another only when the streams of the others are in use. */
export class Http2Connections {
  readonly #route: OutboundRoute;
  readonly #options: Required<OutboundOptions>;
  readonly #events: Http2Events;
  readonly #perRequest: Http2RequestOptions;
  readonly #waiting = new Set<Http2Request>();
  /** Until their sockets are closed, so some take no more streams. */
  readonly #connections = new Set<Http2Connection>();
  #connecting: Promise<void> | undefined;
  #closing: PromiseWithResolvers<void> | undefined;
  #destroyed = false;

  constructor(route: OutboundRoute, options: Required<OutboundOptions>, events: Http2Events) {
    this.#route = route;
    this.#options = options;
    this.#events = events;
    const { idleTimeoutMs, maxHeaderBytes } = options;
    this.#perRequest = { idleTimeoutMs, maxHeaderBytes, onGivenUp: (request) => this.#waiting.delete(request) };
  }

  send(wire: WireRequest, exchange: OutboundExchange): void {
    const request = new Http2Request(wire, exchange, this.#perRequest);
    this.#waiting.add(request);
    this.#serve();
  }

  /**
   * Resolves when it is known what the peer speaks.
   *
   * @throws OutboundError when there is no connection
   */
  async known(): Promise<void> {
    if (this.#usable() === 0) await this.#connect();
  }

  /** Resolves when the requests under way, and those that wait, are over. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>();
    this.#serve();
    return this.#closing.promise;
  }

  /** Breaks whatever is under way. */
  destroy(): void {
    this.#destroyed = true;
    for (const connection of this.#connections) connection.destroy();
    this.#failWaiting(new OutboundError('BROKEN', 'The request was given up'));
  }

  /** Gives waiting requests to connections with room, first come first served. */
  #serve(): void {
    for (const request of this.#waiting) {
      const connection = this.#roomy();
      if (connection === undefined) {
        this.#grow();
        return;
      }
      this.#waiting.delete(request);
      request.start(connection);
    }
    this.#finishClosing();
  }

  #roomy(): Http2Connection | undefined {
    for (const connection of this.#connections) if (connection.hasRoom) return connection;
    return undefined;
  }

  #usable(): number {
    let count = 0;
    for (const connection of this.#connections) if (!connection.isClosed) count++;
    return count;
  }

  #grow(): void {
    if (this.#connecting !== undefined || this.#usable() >= this.#options.http2ConnectionsPerOrigin) return;
    for (const connection of this.#connections) if (connection.isNew) return;
    // Those that wait are told.
    this.#connect().catch(() => undefined);
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#dial();
    return this.#connecting;
  }

  async #dial(): Promise<void> {
    try {
      const socket = await connectGuarded(this.#route);
      this.#connecting = undefined;
      this.#onSocket(socket);
      this.#serve();
    } catch (error) {
      this.#connecting = undefined;
      // Where another connection stands, what waits goes there in its turn.
      if (this.#usable() === 0) this.#failWaiting(connectError(error));
      this.#finishClosing();
      throw error;
    }
  }

  #onSocket(socket: Socket): void {
    this.#events.onSocket(socket);
    if (this.#destroyed) {
      socket.destroy();
      return;
    }
    if (!speaksHttp2(socket, this.#route)) {
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      this.#events.onHttp1(socket, waiting);
      return;
    }
    const { keepAliveMs, connectTimeoutMs, maxHeaderBytes } = this.#options;
    const connection = new Http2Connection(socket, {
      secure: this.#route.secure,
      keepAliveMs,
      pingTimeoutMs: connectTimeoutMs,
      maxHeaderBytes,
      maxStreams: MAX_STREAMS,
      onChange: () => this.#serve(),
      onGone: () => {
        this.#connections.delete(connection);
        this.#serve();
      },
    });
    this.#connections.add(connection);
  }

  #failWaiting(error: OutboundError): void {
    for (const request of this.#waiting) request.exchange.onResponseError(request, error);
    this.#waiting.clear();
  }

  #finishClosing(): void {
    if (this.#closing === undefined || this.#waiting.size > 0) return;
    for (const connection of this.#connections) connection.close();
    if (this.#connections.size === 0 && this.#connecting === undefined) this.#closing.resolve();
  }
}

/** Identifiers of streams end at 2^31 and only odd ones are ours. */
const MAX_STREAMS = 1_000_000_000;
