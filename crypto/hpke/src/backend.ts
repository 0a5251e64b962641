/**
 * What this package needs from the platform. Every answer may be there at once (Node) or later (WebCrypto); inputs are
 * not changed, and outputs belong to the caller.
 *
 * A primitive that refuses its input throws anything: the protocol steps turn that into the error of this package.
 */
import type { Awaitable } from '@privacy-edge/bytes';
import type { KemAlgorithm } from './kem.ts';
import type { AeadKey, RandomSource } from './types.ts';

/** Hash functions below HKDF. */
export type HashName = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** The NIST curves of the DH KEMs. */
export type NistGroupName = 'P-256' | 'P-384' | 'P-521';

/** Groups of the DH KEMs. */
export type GroupName = 'X25519' | NistGroupName;

/** Ciphers below the AEAD rows. */
export type CipherName = 'AES-128-GCM' | 'AES-256-GCM' | 'ChaCha20-Poly1305';

/** One string to expand from an HKDF key. */
export interface HkdfOutput {
  readonly info: Uint8Array;
  /** Bytes wanted, at most 255 times the hash. */
  readonly length: number;
}

/** A private key as the primitives keep it. */
export interface PrivateHandle {
  /** Whatever the backend likes. */
  readonly handle: unknown;
  /** The serialised public key. */
  readonly publicBytes: Uint8Array;
}

/** Result of ML-KEM encapsulation. */
export interface MlKemEncapsulation {
  /** 1088 bytes. */
  readonly ciphertext: Uint8Array;
  /** 32 bytes, secret. */
  readonly sharedSecret: Uint8Array;
}

/** The primitives of symmetric cryptography and of Diffie-Hellman over the groups `G`. */
export interface Backend<G extends GroupName = 'X25519'> {
  /** The platform's generator. */
  readonly random: RandomSource;

  /**
   * HMAC.
   *
   * @param key - at least one byte, secret
   * @param counter - one more byte of the message, which is how every message of HKDF-Expand ends
   */
  hmac(hash: HashName, key: Uint8Array, message: Uint8Array, counter?: number): Awaitable<Uint8Array>;
  /** HKDF-Extract, then one HKDF-Expand for each output. An empty salt means zero bytes. */
  hkdf(
    hash: HashName,
    salt: Uint8Array,
    ikm: Uint8Array,
    outputs: readonly HkdfOutput[],
  ): Awaitable<readonly Uint8Array[]>;
  /** An AEAD key; `key` has the right length and later nonces will have 12 bytes. */
  aeadKey(cipher: CipherName, key: Uint8Array): Awaitable<AeadKey>;

  /** Imports a private key; a NIST scalar is between 1 and the order minus 1. */
  dhPrivate(group: G, secret: Uint8Array): Awaitable<PrivateHandle>;
  /**
   * The shared secret, a point's x-coordinate for NIST curves. Must refuse a peer's point that is not on the curve.
   *
   * @param handle - from {@link Backend.dhPrivate} for the same group
   * @param peer - attacker-controlled; has the length and, for NIST curves, the first byte of an uncompressed point
   */
  dh(group: G, handle: unknown, peer: Uint8Array): Awaitable<Uint8Array>;

  /**
   * The whole Decap of a DH KEM, where the platform has it in one call. Refuses what {@link Backend.dh} and the check
   * for an all-zero secret would.
   *
   * @param handle - from {@link Backend.dhPrivate} for the same group
   * @param enc - attacker-controlled, as for {@link Backend.dh}
   */
  dhKemDecap?(handle: unknown, enc: Uint8Array): Awaitable<Uint8Array>;
}

/** The primitives below the KEMs of `more-kems.ts`. */
export interface WideBackend extends Backend<GroupName> {
  /** ML-KEM-768 key pair from its 64-byte seed. */
  mlKemPrivate(seed: Uint8Array): Awaitable<PrivateHandle>;
  /** Refuses 1184 bytes that fail the encapsulation key check of ML-KEM-768. */
  mlKemCheck(publicBytes: Uint8Array): Awaitable<unknown>;
  /** @param message - 32 random bytes, or undefined to let the platform draw them */
  mlKemEncapsulate(publicBytes: Uint8Array, message: Uint8Array | undefined): Awaitable<MlKemEncapsulation>;
  /** @param ciphertext - attacker-controlled, 1088 bytes */
  mlKemDecapsulate(handle: unknown, ciphertext: Uint8Array): Awaitable<Uint8Array>;
  /** SHA3-256. */
  sha3(message: Uint8Array): Awaitable<Uint8Array>;
  /** SHAKE256. */
  shake(message: Uint8Array, length: number): Awaitable<Uint8Array>;
}

/** What a platform offers. */
export interface PlatformBackend extends Backend {
  /**
   * A KEM other than DHKEM(X25519, HKDF-SHA256); loaded now, where it was not until now.
   *
   * @param id - of one of the rows
   * @throws {@link HpkeError} `SUITE_UNSUPPORTED` where its code cannot be loaded
   */
  moreKem(id: number): Awaitable<KemAlgorithm>;
}

/** The backend that the package's import map chose. */
export declare const backend: PlatformBackend;
