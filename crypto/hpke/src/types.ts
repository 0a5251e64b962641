/** The shapes this package hands out. */
import type { Awaitable } from '@privacy-edge/bytes';
import type { PrivateKey } from './private-key.ts';
import type { PublicKey } from './public-key.ts';

/**
 * Random bytes from the caller.
 *
 * Must be a cryptographic generator and give fresh bytes at every call: a repeated answer repeats an ephemeral key.
 */
export type RandomSource = (length: number) => Uint8Array;

/** A key encapsulation mechanism: one row of RFC 9180 §7.1, lengths in bytes. */
export interface Kem {
  readonly id: number;
  readonly name: string;
  /** Shared secret. */
  readonly Nsecret: number;
  /** Encapsulated secret. */
  readonly Nenc: number;
  /** Public key. */
  readonly Npk: number;
  /** Private key. */
  readonly Nsk: number;
}

/** A key derivation function: one row of RFC 9180 §7.2, with the plain functions of RFC 5869. */
export interface Kdf {
  readonly id: number;
  readonly name: string;
  /** Output of `extract`, in bytes. */
  readonly Nh: number;
  /**
   * HKDF-Extract.
   *
   * @param salt - any length; empty means Nh zero bytes
   * @param ikm - secret
   * @returns Nh bytes
   * @see RFC 5869 §2.2
   */
  extract(salt: Uint8Array, ikm: Uint8Array): Awaitable<Uint8Array>;
  /**
   * HKDF-Expand.
   *
   * @param prk - Nh bytes, secret
   * @param info - public
   * @param length - bytes wanted, at most 255 * Nh
   * @throws RangeError for another length
   * @see RFC 5869 §2.3
   */
  expand(prk: Uint8Array, info: Uint8Array, length: number): Awaitable<Uint8Array>;
}

/** A key of an {@link Aead}, ready for use. */
export interface AeadKey {
  /**
   * @param nonce - Nn bytes, never used twice with this key
   * @param aad - authenticated, not encrypted
   * @param plaintext - secret
   * @returns ciphertext followed by the tag of Nt bytes
   */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Awaitable<Uint8Array>;
  /**
   * @param nonce - Nn bytes
   * @param aad - authenticated, not encrypted
   * @param ciphertext - attacker-controlled
   * @throws {@link HpkeError} `OPEN_FAILED`, always the same
   */
  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Awaitable<Uint8Array>;
}

/** Authenticated encryption: one row of RFC 9180 §7.3, lengths in bytes; all zero for the export-only row. */
export interface Aead {
  readonly id: number;
  readonly name: string;
  /** Key. */
  readonly Nk: number;
  /** Nonce. */
  readonly Nn: number;
  /** Tag. */
  readonly Nt: number;
  /**
   * @param key - Nk bytes, secret
   * @throws RangeError for another length
   * @throws {@link HpkeError} `EXPORT_ONLY`
   */
  importKey(key: Uint8Array): Awaitable<AeadKey>;
}

/** The three algorithms of one HPKE context. */
export interface Suite {
  readonly kem: Kem;
  readonly kdf: Kdf;
  readonly aead: Aead;
}

/** What both sides of a context can do. */
export interface ExporterContext {
  /**
   * A secret that only the two sides know.
   *
   * @param exporterContext - public label
   * @param length - bytes wanted, at most 255 * Nh
   * @throws RangeError for another length
   * @see RFC 9180 §5.3
   */
  export(exporterContext: Uint8Array, length: number): Awaitable<Uint8Array>;
}

/** The sealing side. */
export interface SenderContext extends ExporterContext {
  /**
   * Seals the next message. Taking the sequence number is one step with the call, so calls that overlap never share a
   * nonce.
   *
   * @param aad - authenticated, not encrypted
   * @param plaintext - secret
   * @throws {@link HpkeError} `MESSAGE_LIMIT`, `EXPORT_ONLY`
   * @see RFC 9180 §5.2
   */
  seal(aad: Uint8Array, plaintext: Uint8Array): Awaitable<Uint8Array>;
}

/** The opening side. */
export interface RecipientContext extends ExporterContext {
  /**
   * Opens the next message. Messages must come in the order in which they were sealed. One that fails does not use up
   * a sequence number; calls that overlap run one after the other.
   *
   * @param aad - as it was sealed
   * @param ciphertext - attacker-controlled
   * @throws {@link HpkeError} `OPEN_FAILED`, `MESSAGE_LIMIT`, `EXPORT_ONLY`
   * @see RFC 9180 §5.2
   */
  open(aad: Uint8Array, ciphertext: Uint8Array): Awaitable<Uint8Array>;
}

/** A sender context with the encapsulated secret that the recipient needs. */
export interface SenderSetupResult {
  /** Nenc bytes. */
  readonly enc: Uint8Array;
  readonly context: SenderContext;
}

/** Everything about one (suite, recipient, info) that does not depend on a message. */
export interface SenderSetup {
  readonly suite: Suite;
  readonly publicKey: PublicKey;
  /**
   * Starts a context with a fresh ephemeral key.
   *
   * @param random - gives the ephemeral private key: Nsk bytes for the DH KEMs (a NIST curve asks again when a
   * candidate is out of range), 64 bytes for MLKEM768-X25519 (32 of ML-KEM randomness, then the X25519 key)
   * @throws {@link HpkeError} `KEY_INVALID` when the recipient's public key leads to no shared secret
   * @see RFC 9180 §5.1.1
   */
  setup(random: RandomSource): Awaitable<SenderSetupResult>;
}

/** Everything about one (suite, own key, info) that does not depend on a message. */
export interface RecipientSetup {
  readonly suite: Suite;
  readonly privateKey: PrivateKey;
  /**
   * Starts the context for one encapsulated secret.
   *
   * @param enc - Nenc bytes; attacker-controlled
   * @throws {@link HpkeError} `OPEN_FAILED` for anything wrong with `enc`
   * @see RFC 9180 §5.1.1
   */
  setup(enc: Uint8Array): Awaitable<RecipientContext>;
}
