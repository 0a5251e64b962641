/** What went wrong, for programs. */
export type DpErrorCode =
  /** A text is not a fraction or a decimal number. */
  | 'RATIONAL_INVALID'
  /** A privacy budget or a bound of a type is outside of what can be used. */
  | 'PARAMETER_INVALID'
  /** The noise would wrap around the modulus of the field it is added in. */
  | 'NOISE_TOO_WIDE';

/** Every failure of this package that a task's parameters can cause. The message holds parameters, never noise. */
export class DpError extends Error {
  override readonly name: string = 'DpError';
  readonly code: DpErrorCode;

  /**
   * @param code - stable, for programs
   * @param message - for people; must not contain noise or shares
   */
  constructor(code: DpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
