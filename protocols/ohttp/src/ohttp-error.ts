/** Why an Oblivious HTTP step failed. */
export type OhttpErrorCode =
  /** The key identifier, KEM or suite in a request is not one the gateway offers. */
  | 'KEY_UNKNOWN'
  /** The message is too short to hold a header. */
  | 'MALFORMED'
  /** The message does not authenticate. Every cause looks the same. */
  | 'OPEN_FAILED'
  /** A chunked message ended before its final chunk. */
  | 'TRUNCATED'
  /** A chunk is larger than the receiver takes, or a message has used up its key. */
  | 'LIMIT'
  /** A single-use context was used a second time. */
  | 'ALREADY_USED'
  /** A key configuration, key or suite cannot be used for Oblivious HTTP. */
  | 'CONFIG_UNUSABLE';

/** The one error this package throws, beside `DecodeError` for malformed key configurations. Safe to log. */
export class OhttpError extends Error {
  override readonly name = 'OhttpError';
  readonly code: OhttpErrorCode;
  /**
   * @param code - stable, for programs
   * @param message - for people; holds no key, plaintext or address
   */
  constructor(code: OhttpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The single error for a message that does not open. It carries no cause: whether the point, the ciphertext or the tag was
 * wrong is nothing a sender may learn.
 */
export function openFailed(): OhttpError {
  return new OhttpError('OPEN_FAILED', 'Cannot open message: it does not authenticate');
}
