/** Every way in which a relay answers by itself, and what that looks like over HTTP. */

import type { Field } from '@privacy-edge/bhttp';
import type { BodyErrorCode, RoleResponse } from '@privacy-edge/http-exchange';
import { formatProxyStatus } from '@privacy-edge/http-fields/structured';
import type { ForwardErrorCode } from './ports.ts';
import type { RelayOutcome } from './relay-observation.ts';

/** Why the relay did not pass a gateway's answer on. */
export type RelayErrorCode =
  /** No relay resource has this path. */
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  /** Key configurations were asked for in another media type. */
  | 'NOT_ACCEPTABLE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  /** The message has no bytes. */
  | 'EMPTY'
  | 'TOO_LARGE'
  /** The client stopped sending. */
  | 'CLIENT_TIMEOUT'
  | 'CLIENT_ABORTED'
  /** Forwarding as bytes arrive is off for this gateway (RFC 10036 §4.1). */
  | 'INCREMENTAL_REFUSED'
  | 'RATE_LIMITED'
  | 'GATEWAY_UNREACHABLE'
  | 'GATEWAY_FORBIDDEN'
  | 'GATEWAY_TIMEOUT'
  | 'GATEWAY_BROKEN'
  | 'GATEWAY_OVERLOADED'
  /** The gateway answered something that no client could use: a redirect, another media type, too many bytes. */
  | 'GATEWAY_INVALID'
  | 'INTERNAL';

/** A request that the relay answers by itself. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: RelayErrorCode;
  /** Further header fields of the answer. */
  readonly fields: readonly Field[];

  /**
   * @param code - decides status and outcome
   * @param message - for operators; names neither the client nor content
   * @param options - `cause`, and `fields` for the answer
   */
  constructor(code: RelayErrorCode, message: string, options?: ErrorOptions & { readonly fields?: readonly Field[] }) {
    super(message, options);
    this.code = code;
    this.fields = options?.fields ?? [];
  }
}

interface Answer {
  readonly status: number;
  readonly outcome: RelayOutcome;
  /** Error type of RFC 9209 §2.3, or of RFC 10036 §5, where the relay's own next hop is the reason. */
  readonly proxyError?: string;
}

const ANSWERS: Readonly<Record<RelayErrorCode, Answer>> = {
  NOT_FOUND: { status: 404, outcome: 'unroutable' },
  METHOD_NOT_ALLOWED: { status: 405, outcome: 'refused' },
  NOT_ACCEPTABLE: { status: 406, outcome: 'refused' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, outcome: 'refused' },
  EMPTY: { status: 400, outcome: 'refused' },
  TOO_LARGE: { status: 413, outcome: 'refused' },
  CLIENT_TIMEOUT: { status: 408, outcome: 'client-gone' },
  CLIENT_ABORTED: { status: 400, outcome: 'client-gone' },
  INCREMENTAL_REFUSED: { status: 501, outcome: 'refused', proxyError: 'incremental_refused' },
  RATE_LIMITED: { status: 429, outcome: 'rate-limited' },
  GATEWAY_UNREACHABLE: { status: 502, outcome: 'gateway-failed', proxyError: 'destination_unavailable' },
  GATEWAY_FORBIDDEN: { status: 502, outcome: 'gateway-failed', proxyError: 'destination_ip_prohibited' },
  GATEWAY_TIMEOUT: { status: 504, outcome: 'gateway-failed', proxyError: 'http_response_timeout' },
  GATEWAY_BROKEN: { status: 502, outcome: 'gateway-failed', proxyError: 'connection_terminated' },
  GATEWAY_OVERLOADED: { status: 503, outcome: 'gateway-failed', proxyError: 'connection_limit_reached' },
  GATEWAY_INVALID: { status: 502, outcome: 'gateway-failed', proxyError: 'http_protocol_error' },
  INTERNAL: { status: 500, outcome: 'failed' },
};

/** What a failed `Forward` means to the client. */
export const FORWARD_FAILURES: Readonly<Record<ForwardErrorCode, RelayErrorCode>> = {
  CONNECT_FAILED: 'GATEWAY_UNREACHABLE',
  TIMEOUT: 'GATEWAY_TIMEOUT',
  BROKEN: 'GATEWAY_BROKEN',
  NOT_PROCESSED: 'GATEWAY_BROKEN',
  FORBIDDEN_ADDRESS: 'GATEWAY_FORBIDDEN',
  OVERLOADED: 'GATEWAY_OVERLOADED',
};

/** What a request body that cannot be read means to the client. */
export const REQUEST_BODY_FAILURES: Readonly<Record<BodyErrorCode, RelayErrorCode>> = {
  TOO_LARGE: 'TOO_LARGE',
  TIMEOUT: 'CLIENT_TIMEOUT',
  ABORTED: 'CLIENT_ABORTED',
};

/** What a response body that cannot be read means to the client. */
export const RESPONSE_BODY_FAILURES: Readonly<Record<BodyErrorCode, RelayErrorCode>> = {
  TOO_LARGE: 'GATEWAY_INVALID',
  TIMEOUT: 'GATEWAY_TIMEOUT',
  ABORTED: 'GATEWAY_BROKEN',
};

/** Turns a {@link RelayError} into the answer it stands for: a status, no content, and never a word about the client. */
export interface RelayErrorAnswers {
  /** How an error counts. */
  outcome(error: RelayError): RelayOutcome;
  /** The answer, with Proxy-Status (RFC 9209 §2) where the way to the gateway is at fault. */
  response(error: RelayError): RoleResponse;
}

/**
 * Prepares the answers of one relay.
 *
 * @param proxyName - the relay's name in Proxy-Status, a token
 * @throws {TypeError} when the name is not a token
 */
export function relayErrorAnswers(proxyName: string): RelayErrorAnswers {
  const statusFields = new Map<string, Field>();
  for (const { proxyError } of Object.values(ANSWERS)) {
    if (proxyError === undefined) continue;
    statusFields.set(proxyError, ['proxy-status', formatProxyStatus({ proxy: proxyName, error: proxyError })]);
  }
  return {
    outcome: (error) => ANSWERS[error.code].outcome,
    response: (error) => {
      const { status, proxyError } = ANSWERS[error.code];
      const proxyStatus = proxyError === undefined ? undefined : statusFields.get(proxyError);
      const fields = proxyStatus === undefined ? error.fields : [...error.fields, proxyStatus];
      return { status, fields: [['cache-control', 'no-store'], ...fields], body: null };
    },
  };
}
