/** Looking for the gateway of a target, for an operator who is about to configure it. RFC 9540. */
import type { Clock, Forward } from './ports.ts';
import { type LookupService, type ServiceHint, wellKnownGateway } from './relay-discovery.ts';
import { KeysCache } from './relay-keys.ts';

/** What a probe needs. */
export interface ProbePorts {
  readonly forward: Forward;
  readonly clock: Clock;
  /** DNS, where there is a resolver for service records. */
  readonly lookupService?: LookupService | undefined;
}

/** A target that offers a gateway. */
export interface DiscoveredGateway {
  /** The well-known URI: the only address of it that may be told to anybody (RFC 9540 §5). */
  readonly wellKnown: string;
  /** Where redirects led from there. */
  readonly url: string;
  /** `application/ohttp-keys`, well-formed. */
  readonly keys: Uint8Array;
  /** What DNS says; undefined without an answer. It is a hint that an attacker can remove, never a condition (RFC 9540 §7). */
  readonly hint: ServiceHint | undefined;
}

/**
 * Probes a target once, without a cache.
 *
 * @param ports - how to reach it
 * @param target - https origin, from the operator
 * @param options - see the fields of the same names in the relay's configuration
 * @throws {RangeError} when the target is not an https origin
 * @throws {@link RelayError} `GATEWAY_…` when it offers no gateway
 */
export async function probeGateway(
  ports: ProbePorts,
  target: string,
  options: { readonly timeoutMs: number; readonly allowPrivate: boolean },
): Promise<DiscoveredGateway> {
  const wellKnown = wellKnownGateway(target);
  const source = { gateway: 'probe', url: wellKnown, followRedirects: true, ...options };
  const [copy, hint] = await Promise.all([
    new KeysCache(ports.forward, ports.clock, source).get(),
    ports.lookupService?.(new URL(target).hostname),
  ]);
  return { wellKnown, url: copy.url, keys: copy.bytes, hint };
}
