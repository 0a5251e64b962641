/** Connections to many origins, a bounded number of them, each reached the way its route says. */
import { OutboundError } from './outbound-error.ts';
import { type ExchangeOptions, OutboundExchange } from './outbound-exchange.ts';
import { Origin } from './outbound-origin.ts';
import { type OriginRoute, OUTBOUND_DEFAULTS, type OutboundOptions, type WireRequest } from './outbound-route.ts';

/** Pools by origin and route. */
export class OutboundPools {
  readonly #origins = new Map<string, Origin>();
  readonly #options: Required<OutboundOptions>;
  #closed = false;

  constructor(options: OutboundOptions) {
    this.#options = { ...OUTBOUND_DEFAULTS, ...options };
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
   * @param route - called only when the origin is not known yet
   * @throws OutboundError `OVERLOADED`
   */
  send(
    key: string,
    route: () => OriginRoute,
    request: WireRequest,
    options: Omit<ExchangeOptions, 'onOver' | 'idleTimeoutMs'>,
  ): OutboundExchange {
    const origin = this.#claim(key, route);
    const { timeoutMs, signal, onInformational } = options;
    const { idleTimeoutMs } = this.#options;
    const exchange = new OutboundExchange(
      { timeoutMs, signal, onInformational, idleTimeoutMs, onOver: origin.over },
      origin,
    );
    if (!exchange.failed) origin.send(request, exchange);
    return exchange;
  }

  /**
   * Whether requests to an origin go over HTTP/2; connects when that is not known yet.
   *
   * @throws OutboundError
   */
  async speaksHttp2(key: string, route: () => OriginRoute): Promise<boolean> {
    if (this.#closed) throw overloaded();
    return this.#origin(key, route).speaksHttp2();
  }

  /**
   * A place for a request that gets a connection of its own, which counts like any other.
   *
   * @returns to be called once, when the connection is closed
   * @throws OutboundError `OVERLOADED`, or `BROKEN` when the signal fires
   */
  async enterAlone(
    key: string,
    route: () => OriginRoute,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<() => void> {
    const origin = this.#claim(key, route);
    try {
      const leave = await origin.lone.enter(options.timeoutMs, options.signal);
      return () => {
        leave();
        origin.over();
      };
    } catch (error) {
      origin.over();
      throw error;
    }
  }

  /** Lets requests under way finish for `graceMs`, then breaks them. */
  async close(graceMs = 0): Promise<void> {
    this.#closed = true;
    const origins = [...this.#origins.values()];
    this.#origins.clear();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    await Promise.race([Promise.all(origins.map((origin) => origin.close())), grace.promise]);
    clearTimeout(timer);
    await Promise.all(origins.map((origin) => origin.destroy()));
  }

  /** Counts one more request under way. */
  #claim(key: string, route: () => OriginRoute): Origin {
    if (this.#closed) throw overloaded();
    const origin = this.#origin(key, route);
    if (origin.inFlight >= this.#options.maxRequestsPerOrigin) throw overloaded();
    origin.inFlight++;
    return origin;
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
    const made = new Origin(route(), this.#options);
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
    gone?.close().catch(() => undefined);
  }
}

function overloaded(): OutboundError {
  return new OutboundError('OVERLOADED', 'Too many requests to this origin are under way');
}
