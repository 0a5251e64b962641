/** Why an oblivious fetch failed. */
export type ObliviousErrorCode =
  /** The key configurations could not be fetched, or are no key configurations. */
  | 'KEYS_UNAVAILABLE'
  /** The key configurations are not among those pinned. */
  | 'KEYS_REFUSED'
  /** None of the key configurations can be used here, or none that `preference` accepts. */
  | 'KEYS_UNUSABLE'
  /** The gateway, or a relay that pretends to be it, does not take the newest keys there are. */
  | 'KEYS_REJECTED'
  /** The gateway may not serve this target. */
  | 'TARGET_FORBIDDEN'
  /** No answer came from the relay; whether the request was processed is not known. */
  | 'RELAY_UNREACHABLE'
  /** The relay answered an error, in clear. */
  | 'RELAY_STATUS'
  /** The relay answered a success that is not encapsulated. */
  | 'UNENCAPSULATED'
  /** The encapsulated response does not authenticate, or what is in it is no response. */
  | 'OPEN_FAILED'
  /** The response ended before it was complete. */
  | 'TRUNCATED'
  /** The response is longer than `maxResponseBytes`. */
  | 'TOO_LARGE'
  /** A redirect that cannot be followed, or must not be. */
  | 'REDIRECT'
  /** `timeoutMs` is over. */
  | 'TIMEOUT';

/**
 * What an oblivious fetch rejects with, besides the reason of an aborted signal. It is a `TypeError` because that is what
 * callers of `fetch` expect a failed exchange to be; `code` tells why.
 */
export class ObliviousError extends TypeError {
  override readonly name = 'ObliviousError';
  readonly code: ObliviousErrorCode;
  /** Status of the relay's answer, with `RELAY_STATUS` and `KEYS_REJECTED`. It is the relay's word, never the target's. */
  readonly status: number | undefined;

  /**
   * @param code - stable, for programs
   * @param message - for people; holds no address, key or content
   */
  constructor(
    code: ObliviousErrorCode,
    message: string,
    options?: ErrorOptions & { readonly status?: number | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.status = options?.status;
  }
}
