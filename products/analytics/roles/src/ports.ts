/** What an aggregator needs from the world. The runtime implements these; tests implement them in memory. */
import type { RandomSource } from '@privacy-edge/hpke';
import type { ExchangeField } from '@privacy-edge/http-exchange';
import type { ObserveAggregator } from './observation.ts';
import type { AggregatorStore } from './store.ts';

/** Milliseconds since the Unix epoch. Passed in so that no role ever reads a clock by itself. */
export type Clock = () => number;

/** A request of the leader to the helper of a task. */
export interface PeerRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Absolute; always below the helper's endpoint in the task configuration. */
  readonly url: string;
  /** With `authorization`, which is secret. */
  readonly fields: readonly ExchangeField[];
  readonly body: Uint8Array | null;
  /** Milliseconds from sending to the end of the answer. */
  readonly timeoutMs: number;
  /** Refuse to hold more than this many bytes of the answer. */
  readonly maxBytes: number;
}

/** What the helper answered. */
export interface PeerResponse {
  readonly status: number;
  /** One header field by lower-case name, several lines joined with ", ". */
  header(name: string): string | undefined;
  /** Whole. */
  readonly body: Uint8Array;
}

/** Why there is no answer. What the peer did with the request is not known. */
export type PeerErrorCode = 'CONNECT_FAILED' | 'TIMEOUT' | 'BROKEN' | 'TOO_LARGE' | 'FORBIDDEN_ADDRESS';

/** The helper gave no answer. The message may name the helper. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
  /** For programs. */
  readonly code: PeerErrorCode;

  /** Every code means the same to an aggregator: send the same request again later. */
  constructor(code: PeerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Sends one request to a helper: never follows a redirect, never retries. TLS client certificates are its business.
 *
 * @throws {@link PeerError}
 */
export type PeerTransport = (request: PeerRequest) => Promise<PeerResponse>;

/** Everything that is passed in. */
export interface AggregatorPorts {
  readonly store: AggregatorStore;
  readonly clock: Clock;
  /** Cryptographically secure. */
  readonly random: RandomSource;
  /** Only a leader uses it. */
  readonly transport: PeerTransport;
  readonly observe?: ObserveAggregator | undefined;
  /** Gets what a step failed with; must not throw. Errors of this package and of DAP are safe to log, others may not be. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}
