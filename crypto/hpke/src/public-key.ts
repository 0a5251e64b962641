/** Public keys. Their bytes were checked when they were imported, so nobody checks them again. */
import type { Kem } from './types.ts';

/** A recipient's public key that was found valid for its KEM; made by `importPublicKey`. */
export class PublicKey {
  readonly kem: Kem;
  /** Npk bytes, as RFC 9180 §7.1.1 serialises them; must not be changed. */
  readonly bytes: Uint8Array;
  // A private field makes the type nominal: an object that only looks like a key does not pass for one.
  readonly #valid = true;

  /**
   * @param kem - a row of this package
   * @param bytes - found valid; the key becomes the owner
   */
  constructor(kem: Kem, bytes: Uint8Array) {
    this.kem = kem;
    this.bytes = bytes;
  }

  /** Whether an object came out of this class. */
  static is(value: object): value is PublicKey {
    return #valid in value && value.#valid;
  }
}
