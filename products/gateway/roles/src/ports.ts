/**
 * What the gateway and the relay need from the world. The runtime implements these; tests implement them in memory.
 * Each port has the fewest methods the role needs, named by intent.
 */

import type { Field } from '@privacy-edge/bhttp';
import type { BodySource, Cancellation } from '@privacy-edge/http-exchange';

/** Milliseconds since the Unix epoch. Passed in so that no role ever reads a clock by itself. */
export type Clock = () => number;

export type { RandomSource } from '@privacy-edge/hpke';

/** A request that the target policy has already allowed. */
export interface TargetRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Host name, or address literal without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Value for the Host field or `:authority`, as the client wrote it. */
  readonly authority: string;
  /** Path and query, starts with `/` (or `*` for OPTIONS). */
  readonly path: string;
  /** Without connection-specific fields and without Host. */
  readonly fields: readonly Field[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Trailers, known once the body ended; called at most once, after the body. */
  readonly trailers: (() => readonly Field[]) | undefined;
  /** How to reach it, from the policy entry that allowed it, never from the client. */
  readonly route: TargetRoute;
}

/** How the operator wants one target reached. */
export interface TargetRoute {
  /** Absolute path of a unix socket to connect to instead of the host. */
  readonly socketPath: string | undefined;
  /** `auto` negotiates with ALPN on https and speaks HTTP/1.1 on http. */
  readonly protocol: 'auto' | 'http1' | 'http2';
  /** True only when the operator wrote that this target may live on a private or loopback address. */
  readonly allowPrivate: boolean;
  /** Milliseconds from sending the request to the response header. */
  readonly timeoutMs: number;
}

/** A target's answer. */
export interface TargetResponse {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: BodySource;
  /** Trailers; call after the body ended. */
  trailers(): readonly Field[];
}

/** An informational (1xx) response from the target. */
export interface TargetInformational {
  readonly status: number;
  readonly fields: readonly Field[];
}

/** Why a target gave no answer. */
export type TargetErrorCode = 'FORBIDDEN_ADDRESS' | 'CONNECT_FAILED' | 'TIMEOUT' | 'BROKEN' | 'OVERLOADED';

/** The target could not be reached or did not answer. The message may name the target, never the client. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly code: TargetErrorCode;
  constructor(code: TargetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Sends one request to a target: never follows a redirect, never retries, and judges the address actually connected to.
 *
 * @throws {@link TargetError}
 */
export type FetchTarget = (
  request: TargetRequest,
  signal: Cancellation,
  onInformational?: (informational: TargetInformational) => void,
) => Promise<TargetResponse>;

/**
 * Remembers the `enc` value of every request that opened, for at least one replay window.
 * `remember` is one atomic operation: of any number of concurrent calls with the same nonce, across everything that
 * shares the store, exactly one gets `fresh`.
 */
export interface ReplayStore {
  /** Cheap look before any key is used; false may be wrong for a moment, true never is. */
  has(nonce: Uint8Array): boolean | Promise<boolean>;
  /** `full` means the nonce could not be remembered, and so must not be served. `unavailable`: the store is out of reach. */
  remember(nonce: Uint8Array): ReplayOutcome | Promise<ReplayOutcome>;
  /**
   * Milliseconds since the epoch before which this store may have forgotten what it saw (a start without saved state);
   * 0 when it has forgotten nothing.
   */
  readonly amnesiaUntilMs: number;
}

/** Result of {@link ReplayStore.remember}. */
export type ReplayOutcome = 'fresh' | 'seen' | 'full' | 'unavailable';

/** What a relay sends on. It has no place for anything that came from the client's connection. */
export interface ForwardRequest {
  /** Name of the gateway in the relay's configuration. */
  readonly gateway: string;
  /** Absolute URL of the one gateway resource this relay resource maps to. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly fields: readonly Field[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Milliseconds from sending to the response header. */
  readonly timeoutMs: number;
  /** True where the operator allows this gateway on a private or loopback address. */
  readonly allowPrivate: boolean;
}

/** What a gateway answered to a relay. */
export interface ForwardResponse {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: BodySource;
}

/** Why forwarding failed. Only `NOT_PROCESSED` is positive proof that the gateway did nothing. */
export type ForwardErrorCode =
  | 'CONNECT_FAILED'
  | 'TIMEOUT'
  | 'BROKEN'
  | 'NOT_PROCESSED'
  | 'FORBIDDEN_ADDRESS'
  | 'OVERLOADED';

/** The gateway could not be reached or did not answer. */
export class ForwardError extends Error {
  override readonly name = 'ForwardError';
  readonly code: ForwardErrorCode;
  constructor(code: ForwardErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Sends one opaque message to a gateway; no retry of its own, no redirect.
 *
 * @throws {@link ForwardError}
 */
export type Forward = (request: ForwardRequest, signal: Cancellation) => Promise<ForwardResponse>;
