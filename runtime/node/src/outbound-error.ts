/** One error for everything below the ports; each port maps it to its own. */

/** Why an outbound request failed. */
export type OutboundErrorCode =
  | 'FORBIDDEN_ADDRESS'
  | 'CONNECT_FAILED'
  | 'TIMEOUT'
  | 'BROKEN'
  | 'OVERLOADED'
  /** Positive proof that the peer did nothing with the request. */
  | 'NOT_PROCESSED';

/** Internal to this package; the message names no address. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly code: OutboundErrorCode;
  constructor(code: OutboundErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Passes an {@link OutboundError} through and wraps anything else; before a connection stands nothing was sent. */
export function connectError(
  cause: unknown,
  code: OutboundErrorCode = 'CONNECT_FAILED',
  message = 'Cannot connect',
): OutboundError {
  return cause instanceof OutboundError ? cause : new OutboundError(code, message, { cause });
}

/** What an error says about a request that was, or was about to be, sent: a reset or a lost connection proves nothing. */
export function exchangeError(cause: unknown): OutboundError {
  if (cause instanceof OutboundError) return cause;
  const { code } = (cause ?? {}) as { code?: unknown };
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new OutboundError('TIMEOUT', 'The peer did not answer in time', { cause });
  }
  return new OutboundError('BROKEN', 'The exchange broke', { cause });
}
