/** The two key types. Their bytes were checked when they were imported, so nobody checks them again. */
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

  /** Whether a value came out of this class. */
  static is(value: unknown): value is PublicKey {
    return typeof value === 'object' && value !== null && #valid in value && value.#valid;
  }
}

/** What a private key holds. */
export interface PrivateMaterial {
  /** Nsk bytes. */
  readonly secret: Uint8Array;
  /** What the primitives made of them. */
  readonly handle: unknown;
}

let read: ((key: PrivateKey) => PrivateMaterial) | undefined;

/**
 * A recipient's private key with its public key; made by `importPrivateKey`, `deriveKeyPair` and `generateKeyPair`.
 * Printing it in any way shows no secret.
 */
export class PrivateKey {
  readonly kem: Kem;
  readonly publicKey: PublicKey;
  readonly #material: PrivateMaterial;

  static {
    read = (key) => key.#material;
  }

  /**
   * @param publicKey - the other half
   * @param material - the key becomes the owner
   */
  constructor(publicKey: PublicKey, material: PrivateMaterial) {
    this.kem = publicKey.kem;
    this.publicKey = publicKey;
    this.#material = material;
  }
}

/**
 * The secret inside of a key, for this package only.
 *
 * @throws TypeError when the value is not a {@link PrivateKey}
 */
export function privateMaterial(key: PrivateKey): PrivateMaterial {
  return (read as (key: PrivateKey) => PrivateMaterial)(key);
}
