/** What went wrong, for programs. */
export type VdafErrorCode =
  /** A measurement is not one of this VDAF. */
  | 'MEASUREMENT_INVALID'
  /** An aggregation parameter does not decode, or is none of this VDAF. */
  | 'PARAMETER_INVALID'
  /** An output share or an aggregate share does not decode. */
  | 'SHARE_INVALID'
  /** The parameters that a VDAF is made with are out of range, or too large for this implementation. */
  | 'CONFIGURATION_INVALID'
  /** More reports are to be aggregated than the field has room for. */
  | 'BATCH_TOO_LARGE'
  /** The report is invalid, or the peer's message is; which, and why, is never told. */
  | 'REPORT_REJECTED';

/**
 * Every failure of this package that a peer or an operator can cause. The message never holds shares or measurements.
 */
export class VdafError extends Error {
  override readonly name: string = 'VdafError';
  readonly code: VdafErrorCode;

  /**
   * @param code - stable, for programs
   * @param message - for people; must not contain input bytes
   * @param options - `cause` where there is one
   */
  constructor(code: VdafErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The error for parameters that there cannot be a VDAF for. */
export function invalidConfiguration(reason: string): VdafError {
  return new VdafError('CONFIGURATION_INVALID', `Cannot create VDAF: ${reason}`);
}

/** The error for a measurement outside of what the VDAF takes. */
export function invalidMeasurement(reason: string): VdafError {
  return new VdafError('MEASUREMENT_INVALID', `Cannot encode measurement: ${reason}`);
}

/** The error for an output share or an aggregate share that is none. */
export function invalidShare(): VdafError {
  return new VdafError(
    'SHARE_INVALID',
    'Cannot read share: its length is wrong or an element is not below the modulus',
  );
}

/** The error for an aggregation parameter where there can be none. */
export function unexpectedParameter(): VdafError {
  return new VdafError('PARAMETER_INVALID', 'Cannot use aggregation parameter: it is not empty');
}

/** The one error for everything that a client or the other aggregator can get wrong. */
export function rejected(): VdafError {
  return new VdafError('REPORT_REJECTED', 'Cannot verify report: it is invalid');
}
