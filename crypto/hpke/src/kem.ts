/** What every KEM can do. RFC 9180 §4. All lengths were checked by the caller. */
import type { Awaitable } from '@privacy-edge/bytes';
import type { PrivateHandle } from './backend.ts';
import { HpkeError } from './error.ts';
import type { Kem, RandomSource } from './types.ts';

/** A shared secret and what carries it to the recipient. */
export interface Encapsulation {
  /** Nsecret bytes. */
  readonly sharedSecret: Uint8Array;
  /** Nenc bytes. */
  readonly enc: Uint8Array;
}

/** What a sender needs of a KEM. */
export interface SenderKem {
  /** Refuses an invalid public key with `KEY_INVALID`. */
  checkPublic(bytes: Uint8Array): Awaitable<unknown>;
  /** Encap. Refuses the public key with `KEY_INVALID`. */
  encap(publicBytes: Uint8Array, random: RandomSource): Awaitable<Encapsulation>;
}

/** What the owner of a private key needs of a KEM. */
export interface RecipientKem {
  /** Computes the public key, or refuses the private one with `KEY_INVALID`. */
  importPrivate(secret: Uint8Array): Awaitable<PrivateHandle>;
  /** DeriveKeyPair: the private key. */
  derive(ikm: Uint8Array): Awaitable<Uint8Array>;
  /** GenerateKeyPair: the private key. */
  generate(random: RandomSource): Uint8Array;
  /** Decap. Refuses `enc` with `OPEN_FAILED`. */
  decap(handle: unknown, publicBytes: Uint8Array, enc: Uint8Array): Awaitable<Uint8Array>;
}

/** Both sides. */
export type KemAlgorithm = SenderKem & RecipientKem;

/** The error for a key that is not one of this KEM. */
export function keyInvalid(kem: Kem): HpkeError {
  return new HpkeError('KEY_INVALID', `Cannot use key: it is not valid for ${kem.name}`);
}
