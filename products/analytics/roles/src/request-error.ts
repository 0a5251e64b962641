/** The error of this package. */

/** Why a request is refused, where DAP has no problem type for it. */
export type RequestErrorCode =
  /** There is no such task, or whoever asks may not: the same answer for both. DAP §8.6.1. */
  | 'UNAUTHORIZED'
  /** No resource has this path. */
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'TOO_LARGE'
  /** It may be asked again later. */
  | 'TOO_MANY';

/** What goes into the fields of the answer. */
export interface RequestErrorDetails {
  readonly allow?: readonly string[];
  readonly retryAfter?: number;
}

/** A request that is refused before DAP has a say. Safe to log. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** For programs. */
  readonly code: RequestErrorCode;
  /** For `METHOD_NOT_ALLOWED`: the methods that are there. */
  readonly allow: readonly string[];
  /** For `TOO_MANY`: after how many seconds to ask again. */
  readonly retryAfter: number | undefined;

  /**
   * @param code - stable
   * @param message - for people
   */
  constructor(code: RequestErrorCode, message: string, { allow = [], retryAfter }: RequestErrorDetails = {}) {
    super(message);
    this.code = code;
    this.allow = allow;
    this.retryAfter = retryAfter;
  }
}
