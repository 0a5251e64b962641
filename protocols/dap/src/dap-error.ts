/** The error of this package. */
import { type Codec, DecodeError } from '@privacy-edge/bytes';

/** Failures of a whole request that the standard has a problem type for. DAP §3.6. */
export type ProblemCode =
  /** A message cannot be parsed or is not valid here. */
  | 'INVALID_MESSAGE'
  /** There is no such task. */
  | 'UNRECOGNIZED_TASK'
  /** There is no such aggregation job. */
  | 'UNRECOGNIZED_AGGREGATION_JOB'
  /** A query or selector names no valid batch. */
  | 'BATCH_INVALID'
  /** A batch has too few reports. */
  | 'INVALID_BATCH_SIZE'
  /** An aggregation parameter is not valid. */
  | 'INVALID_AGGREGATION_PARAMETER'
  /** The aggregators do not agree about the reports of a batch. */
  | 'BATCH_MISMATCH'
  /** The aggregators do not agree about the step of a job. */
  | 'STEP_MISMATCH'
  /** A batch has reports that were collected before. */
  | 'BATCH_OVERLAP'
  /** An extension is unknown. */
  | 'UNSUPPORTED_EXTENSION'
  /** Extensions are out of order, or one is not encoded as it should be. */
  | 'INVALID_EXTENSION'
  /** An aggregator does not take part in an advertised task. Taskprov §2. */
  | 'INVALID_TASK';

/** What went wrong, for programs. */
export type DapErrorCode =
  | ProblemCode
  /** The peer's answer to an aggregation job breaks the protocol: the leader must abandon the job. */
  | 'JOB_ABANDONED'
  /** No advertised HPKE configuration can be used. */
  | 'CONFIG_UNUSABLE'
  /** A sealed share does not open. */
  | 'OPEN_FAILED'
  /** A task has parameters or extensions that this package does not support, or that nobody should accept. */
  | 'TASK_UNSUPPORTED';

/** What goes along with a {@link DapError}. */
export interface DapErrorOptions extends ErrorOptions {
  /** Code points of extensions that are not known; goes out as `unsupported_extensions`. */
  readonly unsupportedExtensions?: readonly number[];
}

/** Every failure of this package that a peer or an operator can cause, beside `DecodeError`. Safe to log. */
export class DapError extends Error {
  override readonly name = 'DapError';
  readonly code: DapErrorCode;
  /** Only with `UNSUPPORTED_EXTENSION`. */
  readonly unsupportedExtensions: readonly number[] | undefined;

  /**
   * @param code - stable, for programs
   * @param message - for people; holds no share, key or measurement
   */
  constructor(code: DapErrorCode, message: string, options: DapErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.unsupportedExtensions = options.unsupportedExtensions;
  }
}

/**
 * Decodes what a peer sent.
 *
 * @param bytes - attacker-controlled; what is returned shares memory with it
 * @param action - for the error message, such as "aggregate"
 * @throws {@link DapError} `INVALID_MESSAGE`
 */
export function decodeRequest<T>(codec: Codec<T>, bytes: Uint8Array, action: string): T {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new DapError('INVALID_MESSAGE', `Cannot ${action}: the request is malformed`, { cause });
  }
}
