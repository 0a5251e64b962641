/** What went wrong, for programs. */
export type HpkeErrorCode =
  /** An algorithm identifier, or the combination, is not one that this package implements. */
  | 'SUITE_UNSUPPORTED'
  /** Bytes are not a key of the algorithm they were imported for. */
  | 'KEY_INVALID'
  /** An encapsulated secret or a ciphertext was refused; the reason is never told. */
  | 'OPEN_FAILED'
  /** A context has used up its sequence numbers. */
  | 'MESSAGE_LIMIT'
  /** The suite has no AEAD, so its contexts can only export secrets. */
  | 'EXPORT_ONLY';

/** Every failure of this package that a peer or an operator can cause. The message never holds keys or content. */
export class HpkeError extends Error {
  override readonly name: string = 'HpkeError';
  readonly code: HpkeErrorCode;

  /**
   * @param code - stable, for programs
   * @param message - for people; must not contain input bytes
   * @param options - `cause` where there is one that an attacker learns nothing from
   */
  constructor(code: HpkeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The one error for everything an attacker can probe: a bad `enc`, a low-order point, a forged ciphertext.
 * It carries no cause, so that no two of these can be told apart.
 */
export function openFailed(): HpkeError {
  return new HpkeError('OPEN_FAILED', 'Cannot open message: it does not authenticate');
}

/**
 * The error for an algorithm that there is not.
 *
 * @param what - names the registry
 * @param id - from a peer, or anything that a caller took for one: nothing but a number is repeated
 */
export function unsupported(what: string, id: number): HpkeError {
  return new HpkeError('SUITE_UNSUPPORTED', `Cannot use ${what}: ${Number(id)} is not supported`);
}

/** The error of a suite without AEAD. */
export function exportOnly(): HpkeError {
  return new HpkeError('EXPORT_ONLY', 'Cannot seal or open: the suite is export-only');
}
