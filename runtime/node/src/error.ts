/** What can go wrong in this package outside of a request. */
export type RuntimeErrorCode =
  /** A secret file can be read by others, or has the wrong type. */
  | 'FILE_EXPOSED'
  /** A file is absent or cannot be read or written. */
  | 'FILE_FAILED'
  /** A listener cannot bind. */
  | 'LISTEN_FAILED'
  /** A certificate and key are unreadable or do not belong together. */
  | 'CERTIFICATE_INVALID'
  /** A child process ended before it was ready, or never became ready. */
  | 'CHILD_FAILED'
  /** A worker thread ended before it was ready. */
  | 'WORKER_FAILED'
  /** No resolver gave a usable answer. */
  | 'DNS_FAILED'
  /** A metric was declared twice or with an unusable name. */
  | 'METRIC_INVALID'
  /** A shared table has an unusable size or was made by another version. */
  | 'TABLE_INVALID';

/** The error class of this package. Messages name files and settings of the operator, never anything a peer sent. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;
  /**
   * @param code - stable, for programs
   * @param message - for the operator
   */
  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
