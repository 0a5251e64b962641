/**
 * Token buckets and places by address prefix. RFC 9458 §6.2.2 expects a relay to keep abusive volumes away from its gateways; this
 * does so without writing an address down: buckets live in memory, are keyed by a prefix that many clients share, and
 * the oldest are forgotten.
 */
import ipaddr from 'ipaddr.js';
import type { RateLimitConfig } from './relay-config.ts';

/** Integer units that one request costs, so that rates below one request per second stay exact. */
const UNITS_PER_REQUEST = 1_000_000;

/** Everything without a parseable address (a unix socket, a broken adapter) shares this bucket; no IPv4 prefix is negative. */
const NO_ADDRESS = -1;

interface Bucket {
  units: number;
  atMs: number;
}

/** Decides, by prefix, whether one more request may pass. Holds no more than `maxPrefixes` buckets. */
export class RateLimiter {
  readonly #buckets = new Map<number | string, Bucket>();
  readonly #config: RateLimitConfig;
  readonly #capacity: number;
  readonly #unitsPerMs: number;

  /**
   * @param config - `requestsPerSecond` is kept to a thousandth; `burst` is a whole number of at least 1
   * @throws {RangeError} for a limit that could never let a request pass, or a prefix no address has
   */
  constructor(config: RateLimitConfig) {
    this.#config = config;
    this.#capacity = whole(config.burst, 1, 1_000_000, 'burst') * UNITS_PER_REQUEST;
    this.#unitsPerMs = whole(Math.round(config.requestsPerSecond * 1000), 1, 1_000_000_000, 'requestsPerSecond');
    whole(config.ipv4PrefixBits, 1, 32, 'ipv4PrefixBits');
    whole(config.ipv6PrefixBits, 1, 128, 'ipv6PrefixBits');
    whole(config.maxPrefixes, 1, 10_000_000, 'maxPrefixes');
  }

  /** Buckets held now. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes one token from the bucket of an address.
   *
   * @param address - IPv4 or IPv6 text, an IPv6 zone is ignored; anything else shares one bucket
   * @param nowMs - whole milliseconds; a clock that goes back refills nothing
   * @returns 0 when the request may pass, otherwise milliseconds until the next one may
   */
  take(address: string, nowMs: number): number {
    const bucket = this.#bucketOf(prefixOf(address, this.#config), nowMs);
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    // Capped before the multiplication, so that no length of silence leaves the integers.
    const usefulMs = Math.min(elapsedMs, Math.ceil(this.#capacity / this.#unitsPerMs));
    bucket.units = Math.min(this.#capacity, bucket.units + usefulMs * this.#unitsPerMs);
    bucket.atMs = nowMs;
    if (bucket.units < UNITS_PER_REQUEST) return Math.ceil((UNITS_PER_REQUEST - bucket.units) / this.#unitsPerMs);
    bucket.units -= UNITS_PER_REQUEST;
    return 0;
  }

  #bucketOf(prefix: number | string, nowMs: number): Bucket {
    const held = this.#buckets.get(prefix);
    if (held !== undefined) this.#buckets.delete(prefix);
    else if (this.#buckets.size >= this.#config.maxPrefixes) this.#forgetOldest();
    const bucket = held ?? { units: this.#capacity, atMs: nowMs };
    // A Map keeps insertion order: what is used moves to the end, so the first is the least recently used.
    this.#buckets.set(prefix, bucket);
    return bucket;
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}

/** Requests of one prefix under way at once, unless configured. */
const DEFAULT_CONCURRENT = 256;

/**
 * Counts, by prefix, the requests under way, so that no prefix takes all places of a relay. It holds no more prefixes than
 * requests: who is not being answered is not known here.
 */
export class ConcurrencyLimiter {
  readonly #places = new Map<number | string, number>();
  readonly #config: RateLimitConfig;
  readonly #most: number;

  /**
   * @param config - `concurrent` is a whole number of at least 1
   * @throws {RangeError} for a limit that could never let a request pass
   */
  constructor(config: RateLimitConfig) {
    this.#config = config;
    this.#most = whole(config.concurrent ?? DEFAULT_CONCURRENT, 1, 1_000_000, 'concurrent');
  }

  /** Prefixes with a request under way. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Takes a place.
   *
   * @param address - as for {@link RateLimiter.take}
   * @returns gives the place back, once however often it is called; undefined when the prefix has all of its places
   */
  enter(address: string): (() => void) | undefined {
    const prefix = prefixOf(address, this.#config);
    const taken = this.#places.get(prefix) ?? 0;
    if (taken >= this.#most) return undefined;
    this.#places.set(prefix, taken + 1);
    let held = true;
    return () => {
      if (held) this.#leave(prefix);
      held = false;
    };
  }

  #leave(prefix: number | string): void {
    const left = (this.#places.get(prefix) ?? 1) - 1;
    if (left === 0) this.#places.delete(prefix);
    else this.#places.set(prefix, left);
  }
}

/** All limits by client of one relay. They outlive it where the relay that takes its place has the same settings. */
export class ClientLimits {
  readonly #rate: RateLimiter;
  readonly #places: ConcurrencyLimiter;

  /**
   * @param config - from the operator
   * @throws {RangeError} as {@link RateLimiter} and {@link ConcurrencyLimiter}
   */
  constructor(config: RateLimitConfig) {
    this.#rate = new RateLimiter(config);
    this.#places = new ConcurrencyLimiter(config);
  }

  /** {@link RateLimiter.take} */
  take(address: string, nowMs: number): number {
    return this.#rate.take(address, nowMs);
  }

  /** {@link ConcurrencyLimiter.enter} */
  enter(address: string): (() => void) | undefined {
    return this.#places.enter(address);
  }
}

/**
 * What clients share a bucket: a number for IPv4, a string for IPv6. IPv4 inside IPv6 (`::ffff:192.0.2.1`) is the IPv4
 * prefix, so that a client has the same bucket on a dual-stack listener.
 *
 * @param address - as the connection reports it
 * @param config - prefix lengths in bits
 */
export function prefixOf(
  address: string,
  config: Pick<RateLimitConfig, 'ipv4PrefixBits' | 'ipv6PrefixBits'>,
): number | string {
  const bytes = addressBytes(address);
  if (bytes === undefined) return NO_ADDRESS;
  if (bytes.length === 4) {
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    const hostSize = 2 ** (32 - config.ipv4PrefixBits);
    return Math.floor(value / hostSize);
  }
  return maskedText(bytes, config.ipv6PrefixBits);
}

function addressBytes(address: string): number[] | undefined {
  const zone = address.indexOf('%');
  const text = zone < 0 ? address : address.slice(0, zone);
  // The library also reads octal and single-number forms, which no socket reports.
  if (!text.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  return ipaddr.isValid(text) ? ipaddr.process(text).toByteArray() : undefined;
}

function maskedText(bytes: readonly number[], bits: number): string {
  let text = '';
  for (let i = 0; i * 8 < bits; i++) {
    const keep = Math.min(8, bits - i * 8);
    text += String.fromCharCode((bytes[i] as number) & (0xff00 >> keep));
  }
  return text;
}

function whole(value: number, least: number, most: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`Cannot limit rates: ${name} must be from ${least} to ${most}`);
  }
  return value;
}
