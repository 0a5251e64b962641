/** Private keys. Their bytes were checked when they were imported, so nobody checks them again. */
import type { PublicKey } from './public-key.ts';
import type { Kem } from './types.ts';

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
