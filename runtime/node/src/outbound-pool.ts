/** Connections to many origins, a bounded number of them, each reached the way its route says. */
import type { Socket } from 'node:net';
import { type buildConnector, Pool } from 'undici';
import { connectGuarded, type OutboundRoute, type Resolve, systemResolve } from './guarded-outbound.ts';
import { connectError, OutboundError } from './outbound-error.ts';
import { type ConnectionLosses, type ExchangeOptions, OutboundExchange } from './outbound-exchange.ts';

/** Limits of outbound connections; every field has a default. */
export interface OutboundOptions {
  /** Origins with open connections; the one unused for longest gives way. Default 256. */
  readonly maxOrigins?: number;
  /** HTTP/1.1 connections to one origin. Default 128. */
  readonly connectionsPerOrigin?: number;
  /** Requests under way or waiting for one origin before the next is refused as `OVERLOADED`. Default 4096. */
  readonly maxRequestsPerOrigin?: number;
  /** Milliseconds for name, connection and TLS handshake together. Default 5000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds without a byte of the answer's body. Default 30000. */
  readonly idleTimeoutMs?: number;
  /** Milliseconds an unused connection is kept. Default 15000; the peer's hint shortens it. */
  readonly keepAliveMs?: number;
  /** Bytes of the answer's header. Default 32768. */
  readonly maxHeaderBytes?: number;
  /** Certificates (PEM) to trust beside the system's. */
  readonly extraRoots?: readonly string[];
  /** Replaces the system's resolver, for tests. */
  readonly resolve?: Resolve;
}

/** How an origin is reached. */
export type OriginRoute = Pick<OutboundRoute, 'host' | 'port' | 'secure' | 'socketPath' | 'allowPrivate' | 'protocols'>;

/** A request as undici takes it. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
}

interface Origin extends ConnectionLosses {
  readonly pool: Pool;
  readonly name: string;
  readonly over: () => void;
  inFlight: number;
  /** What the handshake chose; undefined until then. */
  http2: boolean | undefined;
}

/** Pools by origin and route. */
export class OutboundPools {
  readonly #origins = new Map<string, Origin>();
  readonly #options: Required<OutboundOptions>;
  #closed = false;

  constructor(options: OutboundOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Milliseconds without a byte of a body. */
  get idleTimeoutMs(): number {
    return this.#options.idleTimeoutMs;
  }

  /** Requests under way, for a metric. */
  get inFlight(): number {
    let sum = 0;
    for (const origin of this.#origins.values()) sum += origin.inFlight;
    return sum;
  }

  /**
   * Sends one request, never twice.
   *
   * @param key - one string for each way to reach an origin
   * @param route - called only when the pool does not exist yet
   * @throws OutboundError `OVERLOADED`
   */
  send(
    key: string,
    route: () => OriginRoute,
    request: WireRequest,
    options: Omit<ExchangeOptions, 'onOver' | 'idleTimeoutMs'>,
  ): OutboundExchange {
    const origin = this.#origin(key, route);
    if (this.#closed || origin.inFlight >= this.#options.maxRequestsPerOrigin) {
      throw new OutboundError('OVERLOADED', 'Too many requests to this origin are under way');
    }
    origin.inFlight++;
    const { timeoutMs, signal, onInformational } = options;
    const { idleTimeoutMs } = this.#options;
    const exchange = new OutboundExchange(
      { timeoutMs, signal, onInformational, idleTimeoutMs, onOver: origin.over },
      origin,
    );
    if (!exchange.failed) {
      const { method, path, headers } = request;
      // undici sends a refused HTTP/2 request again by itself when its body is whole, but tells us when it is a stream.
      const replayable = origin.http2 !== false && request.body instanceof Uint8Array && request.body.length > 0;
      if (replayable) headers.push('content-length', String(request.body.length));
      // undici takes any async iterable; its types name only Readable.
      const body = (replayable ? once(request.body) : request.body) as Uint8Array | null;
      // Without `servername` undici would take one from the Host field and drop connections whenever it changes.
      const { name: servername } = origin;
      const wire = { method, path, headers, body, servername, idempotent: false, headersTimeout: 0 };
      origin.pool.dispatch({ ...wire, bodyTimeout: idleTimeoutMs }, exchange);
    }
    return exchange;
  }

  /** Lets requests under way finish for `graceMs`, then breaks them. */
  async close(graceMs = 0): Promise<void> {
    this.#closed = true;
    const pools = [...this.#origins.values()].map((origin) => origin.pool);
    this.#origins.clear();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    await Promise.race([Promise.all(pools.map((pool) => pool.close())), grace.promise]);
    clearTimeout(timer);
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #origin(key: string, route: () => OriginRoute): Origin {
    const known = this.#origins.get(key);
    if (known !== undefined) {
      if (this.#origins.size > this.#options.maxOrigins / 2) {
        this.#origins.delete(key);
        this.#origins.set(key, known);
      }
      return known;
    }
    this.#makeRoom();
    const made = this.#open(route());
    this.#origins.set(key, made);
    return made;
  }

  #makeRoom(): void {
    if (this.#origins.size < this.#options.maxOrigins) return;
    let victim: string | undefined;
    for (const [key, origin] of this.#origins) {
      victim ??= key;
      if (origin.inFlight === 0) {
        victim = key;
        break;
      }
    }
    if (victim === undefined) return;
    const gone = this.#origins.get(victim);
    this.#origins.delete(victim);
    // Requests under way finish on their own.
    gone?.pool.close().catch(() => undefined);
  }

  async #connect(route: OutboundRoute, origin: Origin, callback: buildConnector.Callback): Promise<void> {
    let socket: Socket;
    try {
      socket = await connectGuarded(route);
    } catch (error) {
      callback(connectError(error), null);
      return;
    }
    origin.open++;
    origin.http2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
    // First among the listeners, so that the loss is known before undici acts on it.
    socket.once('close', () => {
      origin.open--;
      origin.lost++;
    });
    callback(null, socket);
  }

  #open(to: OriginRoute): Origin {
    const { connectionsPerOrigin, connectTimeoutMs, keepAliveMs, maxHeaderBytes, extraRoots, resolve } = this.#options;
    const route: OutboundRoute = { ...to, connectTimeoutMs, extraRoots, resolve };
    const host = to.host.includes(':') ? `[${to.host}]` : to.host;
    const pool = new Pool(`${to.secure ? 'https' : 'http'}://${host}:${to.port}`, {
      connections: connectionsPerOrigin,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      maxHeaderSize: maxHeaderBytes,
      allowH2: to.protocols.includes('h2'),
      connect: (_options, callback) => {
        void this.#connect(route, origin, callback);
      },
    });
    const origin: Origin = {
      pool,
      name: to.host,
      lost: 0,
      open: 0,
      inFlight: 0,
      http2: to.protocols.includes('h2') ? undefined : false,
      over: () => {
        origin.inFlight--;
      },
    };
    return origin;
  }
}

/** A body of one piece as a stream. */
async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

const DEFAULTS: Required<OutboundOptions> = {
  maxOrigins: 256,
  connectionsPerOrigin: 128,
  maxRequestsPerOrigin: 4096,
  connectTimeoutMs: 5000,
  idleTimeoutMs: 30_000,
  keepAliveMs: 15_000,
  maxHeaderBytes: 32_768,
  extraRoots: [],
  resolve: systemResolve,
};
