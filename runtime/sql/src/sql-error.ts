/** The error of this package. */

/** What can go wrong with a database, for programs. */
export type SqlErrorCode =
  /** The database is locked by others for longer than it may take, or keeps conflicting. Nothing was done; may be tried again. */
  | 'BUSY'
  /** No space is left, or a quota is used up. Nothing was done. */
  | 'FULL'
  /** The database, its file or its folder cannot be written. Nothing was done. */
  | 'READONLY'
  /** The database cannot be reached or opened, or was lost on the way: what was asked for may have been done or not. */
  | 'UNAVAILABLE'
  /** The content contradicts itself, or the file is not a database. */
  | 'CORRUPT'
  /** The database belongs to another application, or to a newer version of this one. */
  | 'SCHEMA'
  /** A stored secret does not open with any key that was given, or no key was given. */
  | 'KEY_UNKNOWN'
  /** The store was closed. Nothing was done. */
  | 'CLOSED'
  /** The database refused a statement: a fault of this package. Nothing was done. */
  | 'REFUSED';

/** Every failure of this package. Messages hold no stored value, no address and no password; `cause` may name tables. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly code: SqlErrorCode;

  /**
   * @param code - stable, for programs
   * @param message - for the operator
   */
  constructor(code: SqlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
