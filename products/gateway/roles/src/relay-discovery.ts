/**
 * Gateways found at the well-known URI of their target. RFC 9540.
 *
 * A relay that discovers on behalf of its clients must not become a way to reach anything: targets come from the
 * operator's configuration and never from a client, and the client never supplies or learns where a redirect led
 * (RFC 9540 §5), because an address given to one client alone would mark that client.
 */

/** Where the gateway of a target is, RFC 9540 §5. */
export const WELL_KNOWN_GATEWAY_PATH = '/.well-known/ohttp-gateway';

/** Redirects followed from one well-known URI. */
export const MAX_REDIRECTS = 3;

/** What DNS says about a target, RFC 9540 §4. */
export interface ServiceHint {
  /** A service record of the host carries the `ohttp` parameter. */
  readonly ohttp: boolean;
  /** All such records list it as mandatory: the service answers to Oblivious HTTP only. */
  readonly mandatory: boolean;
}

/**
 * Looks up the HTTPS records of a host.
 *
 * @param host - host name of a configured target
 * @returns undefined when DNS gave no answer
 */
export type LookupService = (host: string) => Promise<ServiceHint | undefined>;

/**
 * The well-known gateway resource of a target.
 *
 * @param target - an origin from the operator, such as `https://target.example`
 * @throws {RangeError} for anything but an https origin
 */
export function wellKnownGateway(target: string): string {
  const url = URL.parse(target);
  if (url === null || url.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new RangeError('Cannot discover gateway: the target must be an https origin without a path');
  }
  if (url.username !== '' || url.password !== '') {
    throw new RangeError('Cannot discover gateway: the target must not carry credentials');
  }
  return new URL(WELL_KNOWN_GATEWAY_PATH, url).href;
}

/**
 * Where a redirect leads, if a relay may go there: https only, no credentials. The port, the host and the path are the
 * gateway's choice; whether the address behind them may be connected to is for the port that connects.
 *
 * @param from - absolute URL that answered with the redirect
 * @param location - its Location field; attacker-controlled
 * @returns undefined when the redirect must not be followed
 */
export function redirectTarget(from: string, location: string | undefined): string | undefined {
  const url = location === undefined ? null : URL.parse(location, from);
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  url.hash = '';
  return url.href;
}

/** Statuses after which a message may be sent again, unchanged, to another place (RFC 9110 §15.4). */
export function keepsMethod(status: number): boolean {
  return status === 307 || status === 308;
}

/** Statuses after which a GET goes to another place. */
export function redirectsGet(status: number): boolean {
  return keepsMethod(status) || status === 301 || status === 302 || status === 303;
}
