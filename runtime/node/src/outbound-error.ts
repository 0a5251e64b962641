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

/**
 * What an error of undici says about a request that was, or was about to be, sent. Only a stream that the peer refused is
 * proof that nothing was done; a reset or a lost connection is not.
 *
 * @see RFC 9113 §8.7
 */
export function exchangeError(cause: unknown): OutboundError {
  if (cause instanceof OutboundError) return cause;
  const { code, http2ErrorCode } = (cause ?? {}) as { code?: unknown; http2ErrorCode?: unknown };
  if (http2ErrorCode === REFUSED_STREAM) return notProcessed(cause);
  if (cause instanceof Error && cause.message.startsWith('HTTP/2: "GOAWAY"')) return notProcessed(cause);
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new OutboundError('TIMEOUT', 'The peer did not answer in time', { cause });
  }
  return new OutboundError('BROKEN', 'The exchange broke', { cause });
}

/** The peer said, in so many words, that it did nothing. */
export function notProcessed(cause?: unknown): OutboundError {
  return new OutboundError('NOT_PROCESSED', 'The peer refused the request unprocessed', { cause });
}

const REFUSED_STREAM = 7;
