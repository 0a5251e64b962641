/** A leader's way to its helpers: the {@link PeerTransport} port on pooled, guarded connections. */
import { PeerError, type PeerErrorCode, type PeerResponse, type PeerTransport } from '@privacy-edge/analytics-roles';
import { BodyError } from '@privacy-edge/http-exchange';
import { OutboundError, type OutboundErrorCode } from './outbound-error.ts';
import { type ExchangeHead, headerValue } from './outbound-exchange.ts';
import { OutboundPools } from './outbound-pool.ts';
import { type OutboundOptions, routeToUrl } from './outbound-route.ts';

/** How to reach helpers. */
export interface PeerTransportOptions extends OutboundOptions {
  /** Whether helpers may be on private or loopback addresses; default false. */
  readonly allowPrivate?: boolean;
}

/** A {@link PeerTransport} and its connections. */
export interface PeerConnections {
  readonly transport: PeerTransport;
  /** Requests under way. */
  readonly inFlight: number;
  /** Lets requests under way finish for `graceMs`, then breaks them. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Opens the way to helpers. Redirects are answers, nothing is ever sent twice, and addresses are judged where the connection
 * is made: the token of a task goes to the host of its endpoint or nowhere.
 */
export function createPeerTransport(options: PeerTransportOptions = {}): PeerConnections {
  const { allowPrivate = false, ...outbound } = options;
  const pools = new OutboundPools(outbound);
  const transport: PeerTransport = async ({ method, url, fields, body, timeoutMs, maxBytes }) => {
    const target = new URL(url);
    const { origin, host, pathname, search } = target;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const wire = { method, path: pathname + search, authority: host, fields, body };
      // The header has no less time than the whole answer, for which the signal stands.
      const limits = { timeoutMs, signal: late.signal, onInformational: undefined };
      const exchange = pools.send(origin, () => routeToUrl(target, allowPrivate, true), wire, limits);
      const head = await exchange.head;
      return answerOf(head, await exchange.read(maxBytes));
    } catch (error) {
      throw peerError(error, late.signal.aborted);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    transport,
    get inFlight() {
      return pools.inFlight;
    },
    close: (graceMs) => pools.close(graceMs),
  };
}

function answerOf({ status, headers }: ExchangeHead, body: Uint8Array): PeerResponse {
  return { status, header: (name) => headerValue(headers, name), body };
}

const CODES: Readonly<Record<OutboundErrorCode, PeerErrorCode>> = {
  FORBIDDEN_ADDRESS: 'FORBIDDEN_ADDRESS',
  CONNECT_FAILED: 'CONNECT_FAILED',
  OVERLOADED: 'CONNECT_FAILED',
  NOT_PROCESSED: 'BROKEN',
  TIMEOUT: 'TIMEOUT',
  BROKEN: 'BROKEN',
};

function peerError(error: unknown, isLate: boolean): PeerError {
  if (isLate) return new PeerError('TIMEOUT', 'The helper did not answer in time', { cause: error });
  if (error instanceof BodyError && error.code === 'TOO_LARGE') {
    return new PeerError('TOO_LARGE', 'The answer of the helper is too long', { cause: error });
  }
  const code = error instanceof OutboundError ? CODES[error.code] : 'BROKEN';
  return new PeerError(code, 'There is no answer of the helper', { cause: error });
}
