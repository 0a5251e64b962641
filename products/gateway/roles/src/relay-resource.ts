/** The resources of a relay: what lives at which path, and which gateway is behind it. RFC 9458 §8.2. */
import type { Clock, Forward } from './ports.ts';
import type { RelayConfig, RelayGateway } from './relay-config.ts';
import { wellKnownGateway } from './relay-discovery.ts';
import { KeysCache } from './relay-keys.ts';

/** One configured gateway with what the relay remembers about it, which is the same for all clients. */
export class RelayedGateway {
  readonly config: RelayGateway;
  /** The gateway's key configurations; undefined where the operator does not have them served. */
  readonly keys: KeysCache | undefined;
  /** Fixed by the operator, or found by the probe that also brings the keys. */
  readonly #address: string | KeysCache;
  /** Where a redirect of the well-known URI led to, learned from a POST rather than from the probe. */
  #moved: { readonly from: string; readonly to: string } | undefined;

  /**
   * @param config - from the operator
   * @param forward - reaches the gateway
   * @param clock - for the freshness of keys and of what was discovered
   * @throws {RangeError} for URLs that must not be used
   */
  constructor(config: RelayGateway, forward: Forward, clock: Clock) {
    const { name, url, discover, keysUrl, timeoutMs, allowPrivate } = config;
    this.config = config;
    const keys = (from: string): KeysCache => {
      const followRedirects = discover !== undefined;
      return new KeysCache(forward, clock, { gateway: name, url: from, followRedirects, timeoutMs, allowPrivate });
    };
    if (url !== undefined && discover === undefined) {
      this.#address = checkedUrl(url, config);
      this.keys = keysUrl === undefined ? undefined : keys(checkedUrl(keysUrl, config));
    } else if (url === undefined && discover !== undefined) {
      this.keys = keys(wellKnownGateway(discover));
      this.#address = this.keys;
    } else {
      throw new RangeError(`Cannot relay to ${name}: exactly one of url and discover must be given`);
    }
  }

  /**
   * Where messages go now. For a discovered gateway the well-known URI is probed first, which both shows that the target
   * offers a gateway and finds where it is.
   *
   * @throws {@link RelayError} `GATEWAY_…` when a discovered gateway is not there
   */
  async locate(): Promise<string> {
    if (typeof this.#address === 'string') return this.#address;
    const { url } = await this.#address.get();
    return this.#moved?.from === url ? this.#moved.to : url;
  }

  /**
   * Remembers for all clients that messages for one address belong to another, until the probe finds a new address.
   *
   * @returns false where the operator fixed the address
   */
  move(from: string, to: string): boolean {
    if (typeof this.#address === 'string') return false;
    this.#moved = { from: this.#moved?.to === from ? this.#moved.from : from, to };
    return true;
  }

  /** Has a discovered gateway looked for again, because where it was it is no more. */
  lost(): void {
    this.#moved = undefined;
    if (typeof this.#address !== 'string') this.#address.expire();
  }
}

/** What one path stands for. */
export interface RelayResource {
  readonly gateway: RelayedGateway;
  /** `messages` also answers GET with key configurations where the gateway has them. */
  readonly kind: 'messages' | 'keys';
}

/**
 * All resources by exact path.
 *
 * @param config - from the operator
 * @param forward - reaches the gateways
 * @param clock - see {@link RelayedGateway}
 * @throws {RangeError} when two resources share a path, or a path or URL is not usable
 */
export function relayResources(
  config: RelayConfig,
  forward: Forward,
  clock: Clock,
): ReadonlyMap<string, RelayResource> {
  const resources = new Map<string, RelayResource>();
  const add = (path: string, resource: RelayResource): void => {
    if (resources.has(path)) throw new RangeError(`Cannot serve two resources at one path: ${path}`);
    resources.set(path, resource);
  };
  for (const gatewayConfig of config.gateways) {
    const { path } = gatewayConfig;
    if (!/^\/[^?#]*$/.test(path)) throw new RangeError(`Cannot serve relay resource: ${path} is not an absolute path`);
    const gateway = new RelayedGateway(gatewayConfig, forward, clock);
    add(path, { gateway, kind: 'messages' });
    if (gateway.keys !== undefined) add(`${path === '/' ? '' : path}/keys`, { gateway, kind: 'keys' });
  }
  return resources;
}

function checkedUrl(url: string, { name, allowPrivate }: RelayGateway): string {
  const protocol = URL.parse(url)?.protocol;
  if (protocol === 'https:' || (protocol === 'http:' && allowPrivate)) return url;
  throw new RangeError(`Cannot relay to ${name}: its URLs must be https, or http where allowPrivate is set`);
}
