/** What the outbound side is asked to do: how to reach an origin, what to send, and within which limits. */
import type { Field } from '@privacy-edge/bhttp';
import { type OutboundRoute, type Resolve, systemResolve } from './guarded-outbound.ts';

/** Limits of outbound connections; every field has a default. */
export interface OutboundOptions {
  /** Origins with open connections; the one unused for longest gives way. Default 256. */
  readonly maxOrigins?: number;
  /** HTTP/1.1 connections to one origin. Default 128. */
  readonly connectionsPerOrigin?: number;
  /** HTTP/2 connections to one origin; a further one is opened when the streams of the others are in use. Default 8. */
  readonly http2ConnectionsPerOrigin?: number;
  /** Requests under way or waiting for one origin before the next is refused as `OVERLOADED`. Default 4096. */
  readonly maxRequestsPerOrigin?: number;
  /** Milliseconds for name, connection and TLS handshake together, and for a doubtful HTTP/2 connection to answer. Default 5000. */
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

/** What holds where the options say nothing. */
export const OUTBOUND_DEFAULTS: Required<OutboundOptions> = {
  maxOrigins: 256,
  connectionsPerOrigin: 128,
  http2ConnectionsPerOrigin: 8,
  maxRequestsPerOrigin: 4096,
  connectTimeoutMs: 5000,
  idleTimeoutMs: 30_000,
  keepAliveMs: 15_000,
  maxHeaderBytes: 32_768,
  extraRoots: [],
  resolve: systemResolve,
};

/** How an origin is reached. */
export type OriginRoute = Pick<OutboundRoute, 'host' | 'port' | 'secure' | 'socketPath' | 'allowPrivate' | 'protocols'>;

/**
 * The way to the origin of a URL that is not behind a unix socket.
 *
 * @param url - the operator's; http or https
 * @param http2 - whether to offer HTTP/2 in the TLS handshake
 */
export function routeToUrl(url: URL, allowPrivate: boolean, http2: boolean): OriginRoute {
  const secure = url.protocol === 'https:';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = Number(url.port || (secure ? 443 : 80));
  const protocols = secure && http2 ? (['h2', 'http/1.1'] as const) : (['http/1.1'] as const);
  return { host, port, secure, socketPath: undefined, allowPrivate, protocols };
}

/** A request in no protocol's form yet. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, or `*`. */
  readonly path: string;
  /** For `:authority` or the Host field. */
  readonly authority: string;
  /** Names in lower case; those that belong to a connection are left out when it is sent. */
  readonly fields: readonly Field[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Called at most once, after the body. HTTP/2 only. */
  readonly trailers?: (() => readonly Field[]) | undefined;
}

/** Fields that belong to one connection, or that the protocol writes by itself. */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
