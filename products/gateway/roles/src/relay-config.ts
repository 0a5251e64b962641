/** What an operator decides about a relay. */

/** One gateway resource behind one relay resource (RFC 9458 §2). */
export interface RelayGateway {
  /** For metrics and logs: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Path of the relay resource, such as `/health-app`. */
  readonly path: string;
  /** The gateway resource; https, or http where `allowPrivate` is set. Exactly one of `url` and `discover` is given. */
  readonly url?: string | undefined;
  /**
   * Instead of `url`: origin of a target, such as `https://target.example`, whose gateway is found at its well-known URI
   * (RFC 9540 §5). Redirects from there are followed and remembered for all clients.
   */
  readonly discover?: string | undefined;
  /**
   * Where the gateway's key configurations are, for clients that ask the relay for them; undefined turns that off.
   * With `discover` they come from the well-known URI, and this is not used.
   */
  readonly keysUrl: string | undefined;
  /** True where this gateway may be on a private or loopback address. */
  readonly allowPrivate: boolean;
  /** `incremental` forwards chunks as they arrive; `refuse` answers 501 to a request that asks for it (RFC 10036). */
  readonly incremental: 'forward' | 'refuse';
  /** Milliseconds from sending to the response header. */
  readonly timeoutMs: number;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

/** Token buckets, and requests under way, by address prefix; in memory only. */
export interface RateLimitConfig {
  /** Requests that one prefix may make per second, averaged. */
  readonly requestsPerSecond: number;
  /** Requests that one prefix may make at once. */
  readonly burst: number;
  /** Requests of one prefix under way at once, each until its answer has ended; default 256. */
  readonly concurrent?: number | undefined;
  /** Prefix lengths: clients behind one prefix share a bucket. */
  readonly ipv4PrefixBits: number;
  readonly ipv6PrefixBits: number;
  /** Buckets held at once; when all are in use the least recently used goes. */
  readonly maxPrefixes: number;
}

/** A relay's behaviour; ports are passed separately. */
export interface RelayConfig {
  /** How the relay calls itself in Proxy-Status (RFC 9209 §2), a token; default `oblivious-relay`. The same for all clients. */
  readonly name?: string | undefined;
  readonly gateways: readonly RelayGateway[];
  readonly rateLimit: RateLimitConfig | undefined;
  /** Origins of web pages that may post; `*` for all. */
  readonly corsOrigins: readonly string[];
}
