/**
 * Outbound connections that are judged on the address actually connected to. A name is resolved once, every address it has is
 * judged, one of the judged literals is dialled, and the socket's own idea of its peer is judged again: a name that answers
 * differently the second time (DNS rebinding) gains nothing.
 */
import { lookup } from 'node:dns';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
} from 'node:tls';
import ipaddr from 'ipaddr.js';
import { connectError, type OutboundError } from './outbound-error.ts';

/** One address of a name. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Turns a name into addresses, in order of preference. Rejects when there is none. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** Where and how to connect; every value is the operator's except `host`, which the policy allowed. */
export interface OutboundRoute {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Absolute path of a unix socket that replaces host and port. */
  readonly socketPath: string | undefined;
  /** True when the operator allowed private and loopback addresses for this destination. */
  readonly allowPrivate: boolean;
  /** Protocols to offer in the TLS handshake, most wanted first. */
  readonly protocols: readonly ('h2' | 'http/1.1')[];
  /** Milliseconds for the name, the connection and the handshake together. */
  readonly connectTimeoutMs: number;
  /** Certificates (PEM) to trust beside the system's, for a local authority. */
  readonly extraRoots: readonly string[];
  readonly resolve: Resolve;
}

/** The system's resolver, all addresses. */
export const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true, order: 'verbatim' }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses);
    });
  });

/**
 * Whether an address is a globally reachable unicast address, seen through every way of wrapping an IPv4 address in an IPv6
 * one. Unparsable text is not.
 *
 * @param address - IPv4 or IPv6 literal, may carry a zone
 * @see RFC 6890 §2.2
 */
export function isPublicAddress(address: string): boolean {
  // The library also reads short, octal and hexadecimal forms; whoever dials may read them differently.
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === 'ipv4') return parsed.range() === 'unicast' && !isRefusedIpv4(parsed.toByteArray());
  const bytes = parsed.toByteArray();
  const embedded = embeddedIpv4(bytes);
  if (embedded !== undefined) return isPublicAddress(embedded.join('.'));
  // 2000::/3 is all that is assigned for global unicast; everything else is special or not yet in use.
  return parsed.range() === 'unicast' && ((bytes[0] ?? 0) & 0xe0) === 0x20 && !isRefusedIpv6(bytes);
}

/** Ranges that are special in the registries whichever release of the address library is installed. */
function isRefusedIpv4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true;
  if (a === 100 && b >= 64 && b < 128) return true; // shared address space of carriers
  if (a === 169 && b === 254) return true;
  if (a === 172 && b >= 16 && b < 32) return true;
  if (a === 192) return b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99);
  if (a === 198) return b === 18 || b === 19 || (b === 51 && c === 100);
  return a === 203 && b === 0 && c === 113;
}

function isRefusedIpv6(bytes: readonly number[]): boolean {
  const first = group(bytes, 0);
  const second = group(bytes, 1);
  if (first === 0x2001 && second < 0x0200) return true; // protocol assignments
  if (first === 0x2001 && second === 0x0db8) return true; // documentation
  return first === 0x3fff || first === 0x5f00; // documentation, segment routing
}

/** The IPv4 address inside of an IPv6 address that some network device would unwrap. */
function embeddedIpv4(bytes: readonly number[]): readonly number[] | undefined {
  const zeros = (from: number, to: number): boolean => bytes.slice(from, to).every((byte) => byte === 0);
  // ::a.b.c.d, ::ffff:a.b.c.d (mapped) and ::ffff:0:a.b.c.d (translated)
  if (zeros(0, 10) && (group(bytes, 5) === 0xffff || zeros(10, 12))) return bytes.slice(12);
  if (zeros(0, 8) && group(bytes, 4) === 0xffff && group(bytes, 5) === 0) return bytes.slice(12);
  // 64:ff9b::/96 (NAT64); 64:ff9b:1::/48 is for local use and never public, which the caller's range check sees.
  if (group(bytes, 0) === 0x64 && group(bytes, 1) === 0xff9b && zeros(4, 12)) return bytes.slice(12);
  if (group(bytes, 0) === 0x2002) return bytes.slice(2, 6); // 6to4
  if (group(bytes, 0) === 0x2001 && group(bytes, 1) === 0) return bytes.slice(12).map((byte) => byte ^ 0xff); // Teredo
  // Intra-site tunnels (ISATAP) put the address behind 0:5efe in any prefix.
  if ((group(bytes, 4) & 0xfdff) === 0 && group(bytes, 5) === 0x5efe) return bytes.slice(12);
  return undefined;
}

function group(bytes: readonly number[], index: number): number {
  return ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0);
}

/**
 * Connects, and shakes hands where the route is secure. Addresses are tried in the order given.
 *
 * @throws OutboundError `FORBIDDEN_ADDRESS` when any address of the name is not allowed; `CONNECT_FAILED` otherwise
 */
export async function connectGuarded(route: OutboundRoute): Promise<Socket> {
  const deadline = AbortSignal.timeout(route.connectTimeoutMs);
  const addresses = route.socketPath === undefined ? await judgedAddresses(route, deadline) : [undefined];
  let failure: OutboundError | undefined;
  for (const address of addresses) {
    try {
      return await dial(route, address, deadline);
    } catch (error) {
      failure = connectError(error);
      if (failure.code === 'FORBIDDEN_ADDRESS' || deadline.aborted) break;
    }
  }
  throw failure ?? connectError(undefined, 'CONNECT_FAILED', 'Cannot connect: the name has no address');
}

async function judgedAddresses(route: OutboundRoute, deadline: AbortSignal): Promise<readonly string[]> {
  const host = route.host;
  const addresses = isIP(host)
    ? [host]
    : (await beforeDeadline(route.resolve(host), deadline)).map((entry) => entry.address);
  // One private address among public ones is how a name is made to rebind: refuse the whole name.
  if (!route.allowPrivate && !addresses.every(isPublicAddress)) throw forbidden();
  return addresses;
}

function forbidden(): OutboundError {
  return connectError(undefined, 'FORBIDDEN_ADDRESS', 'Cannot connect: the address is not public');
}

/** Rejects with the deadline; a late answer of the resolver is dropped. */
function beforeDeadline<T>(promise: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(connectError(deadline.reason, 'CONNECT_FAILED', 'Cannot connect: time-out'));
    if (deadline.aborted) late();
    else deadline.addEventListener('abort', late, { once: true });
    promise
      .then(resolve, (error: unknown) => reject(connectError(error, 'CONNECT_FAILED', 'Cannot resolve the name')))
      .finally(() => deadline.removeEventListener('abort', late));
  });
}

function dial(route: OutboundRoute, address: string | undefined, deadline: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(route, address);
    const ready = route.secure ? 'secureConnect' : 'connect';
    const settle = (): void => {
      deadline.removeEventListener('abort', late);
      socket.off('error', fail);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.on('error', () => undefined).destroy();
      reject(connectError(error));
    };
    const late = (): void => fail(connectError(deadline.reason, 'CONNECT_FAILED', 'Cannot connect: time-out'));
    // Judged before the first byte of a handshake goes out; the operating system decided where this socket leads.
    socket.once('connect', () => {
      if (address === undefined || route.allowPrivate) return;
      if (!isPublicAddress(socket.remoteAddress ?? '')) fail(forbidden());
    });
    socket.once('error', fail).once(ready, () => {
      if (socket.destroyed) return;
      if (route.protocols.length === 1 && route.protocols[0] === 'h2' && !speaksHttp2(socket, route)) {
        fail(connectError(undefined, 'CONNECT_FAILED', 'Cannot connect: the peer does not speak HTTP/2'));
        return;
      }
      settle();
      resolve(socket);
    });
    if (deadline.aborted) late();
    else deadline.addEventListener('abort', late, { once: true });
  });
}

/** Whether HTTP/2 was negotiated; on a cleartext connection that is for HTTP/2 only, the peer is assumed to (RFC 9113 §3.3). */
export function speaksHttp2(socket: Socket, route: Pick<OutboundRoute, 'secure' | 'protocols'>): boolean {
  if (!route.secure) return route.protocols[0] === 'h2';
  return 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
}

function openSocket(route: OutboundRoute, address: string | undefined): Socket {
  const where =
    address === undefined
      ? { path: route.socketPath ?? '' }
      : { host: address, port: route.port, autoSelectFamily: false, noDelay: true, keepAlive: true };
  if (!route.secure) return connectTcp(where);
  return connectTls({ ...where, ...tlsOptions(route) });
}

/** The certificate is checked for the name of the route, never for a name that a client wrote. */
function tlsOptions(route: OutboundRoute): ConnectionOptions {
  const context = trustContext(route.extraRoots);
  return {
    ...(isIP(route.host) ? {} : { servername: route.host }),
    ...(context === undefined ? {} : { secureContext: context }),
    ALPNProtocols: [...route.protocols],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(route.host, certificate),
  };
}

const contexts = new WeakMap<readonly string[], SecureContext>();

/** Parsing a hundred root certificates takes milliseconds, so each list of extra roots is parsed once. */
function trustContext(extraRoots: readonly string[]): SecureContext | undefined {
  if (extraRoots.length === 0) return undefined;
  const known = contexts.get(extraRoots);
  if (known !== undefined) return known;
  const context = createSecureContext({ ca: [...getCACertificates('default'), ...extraRoots], minVersion: 'TLSv1.2' });
  contexts.set(extraRoots, context);
  return context;
}
