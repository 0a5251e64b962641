/** What is wrong with bytes that could not be decoded. */
export type DecodeErrorCode =
  /** The input ends before the value does. */
  | 'TRUNCATED'
  /** Bytes are left over after the value. */
  | 'TRAILING'
  /** A number is outside of what the format, or this implementation, allows. */
  | 'RANGE'
  /** The bytes break a rule of the format. */
  | 'INVALID'
  /** A limit chosen by the caller is exceeded. */
  | 'LIMIT';

/**
 * The one error every decoder of this kit throws for bad input. The message names the rule and the place, never the
 * content, so that it is safe to log.
 */
export class DecodeError extends Error {
  override readonly name: string = 'DecodeError';
  readonly code: DecodeErrorCode;
  /**
   * @param code - stable, for programs
   * @param message - for people; must not contain input bytes
   */
  constructor(code: DecodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
