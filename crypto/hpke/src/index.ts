/**
 * HPKE base mode. RFC 9180, with MLKEM768-X25519 of HPKE PQ §4.
 *
 * On Node everything is there at once; elsewhere WebCrypto answers with promises. `await` serves both, and catches an
 * error whether it was thrown at once or later.
 *
 * @example
 * const suite = suiteOf(KEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM);
 * const privateKey = await generateKeyPair(suite.kem.id, systemRandom);
 * const { enc, context } = await setupBaseSender(suite, privateKey.publicKey, info, systemRandom);
 * const ciphertext = await context.seal(aad, plaintext);
 *
 * const recipient = await setupBaseRecipient(suite, privateKey, enc, info);
 * const opened = await recipient.open(aad, ciphertext);
 */
import { backend } from '#backend';
import { createHpke } from './create.ts';
import type { Hpke, RandomSource } from './types.ts';

export { HpkeError, type HpkeErrorCode } from './error.ts';
export type { PrivateKey, PublicKey } from './keys.ts';
export {
  AEAD_AES_128_GCM,
  AEAD_AES_256_GCM,
  AEAD_CHACHA20_POLY1305,
  AEAD_EXPORT_ONLY,
  KDF_HKDF_SHA256,
  KDF_HKDF_SHA384,
  KDF_HKDF_SHA512,
  KEM_MLKEM768_X25519,
  KEM_P256_HKDF_SHA256,
  KEM_P384_HKDF_SHA384,
  KEM_P521_HKDF_SHA512,
  KEM_X25519_HKDF_SHA256,
  MODE_BASE,
} from './registry.ts';
export type {
  Aead,
  AeadKey,
  ExporterContext,
  Kdf,
  Kem,
  RandomSource,
  RecipientContext,
  RecipientSetup,
  SenderContext,
  SenderSetup,
  SenderSetupResult,
  Suite,
} from './types.ts';

const hpke: Hpke = /* @__PURE__ */ createHpke(backend);

/**
 * @param id - KEM identifier, from anywhere
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 * @see RFC 9180 §7.1
 */
export const kemById: Hpke['kemById'] = hpke.kemById;

/**
 * @param id - KDF identifier, from anywhere
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 * @see RFC 9180 §7.2
 */
export const kdfById: Hpke['kdfById'] = hpke.kdfById;

/**
 * @param id - AEAD identifier, from anywhere
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 * @see RFC 9180 §7.3
 */
export const aeadById: Hpke['aeadById'] = hpke.aeadById;

/**
 * The three rows of a suite.
 *
 * @param kemId - from anywhere
 * @param kdfId - from anywhere
 * @param aeadId - from anywhere
 * @param mode - {@link MODE_BASE}, which is also the default; the PSK and Auth modes are refused
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 * @see RFC 9180 §5.1
 */
export const suiteOf: Hpke['suiteOf'] = hpke.suiteOf;

/** Whether {@link kemById} has a row for this identifier. */
export const isKemSupported: Hpke['isKemSupported'] = hpke.isKemSupported;

/** Whether {@link suiteOf} has rows for these identifiers. */
export const isSuiteSupported: Hpke['isSuiteSupported'] = hpke.isSuiteSupported;

/**
 * The platform's generator. Passing exactly this function to {@link SenderSetup} lets MLKEM768-X25519 use the platform's
 * own ML-KEM, where it has one.
 */
export const systemRandom: RandomSource = hpke.systemRandom;

/**
 * Checks and imports a serialised public key.
 *
 * @param kemId - from anywhere
 * @param bytes - Npk bytes; attacker-controlled; copied
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`, `KEY_INVALID`
 * @see RFC 9180 §7.1.4
 */
export const importPublicKey: Hpke['importPublicKey'] = hpke.importPublicKey;

/**
 * Checks and imports a serialised private key, and computes its public key.
 *
 * @param kemId - identifier of the key's KEM
 * @param bytes - Nsk bytes, secret; copied
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`, `KEY_INVALID`
 * @see RFC 9180 §7.1.2
 */
export const importPrivateKey: Hpke['importPrivateKey'] = hpke.importPrivateKey;

/**
 * The serialised private key, for storing it.
 *
 * @returns Nsk bytes, secret; the caller's own copy
 * @see RFC 9180 §7.1.2
 */
export const exportPrivateKey: Hpke['exportPrivateKey'] = hpke.exportPrivateKey;

/**
 * The key pair that belongs to some secret input.
 *
 * @param kemId - identifier of the key's KEM
 * @param ikm - secret, with at least Nsk bytes of entropy
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`, `KEY_INVALID`
 * @see RFC 9180 §7.1.3
 */
export const deriveKeyPair: Hpke['deriveKeyPair'] = hpke.deriveKeyPair;

/**
 * A new key pair.
 *
 * @param kemId - identifier of the key's KEM
 * @param random - gives the Nsk bytes of the private key; a NIST curve asks again when a candidate is out of range
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 */
export const generateKeyPair: Hpke['generateKeyPair'] = hpke.generateKeyPair;

/**
 * Does once what every context for one recipient shares.
 *
 * @param suite - from {@link suiteOf}
 * @param publicKey - the recipient's, for the suite's KEM
 * @param info - public; both sides must use the same
 * @throws TypeError when the key belongs to another KEM
 * @see RFC 9180 §5.1
 */
export const prepareSender: Hpke['prepareSender'] = hpke.prepareSender;

/**
 * Does once what every context for one own key shares.
 *
 * @param suite - from {@link suiteOf}
 * @param privateKey - for the suite's KEM
 * @param info - public; both sides must use the same
 * @throws TypeError when the key belongs to another KEM
 * @see RFC 9180 §5.1
 */
export const prepareRecipient: Hpke['prepareRecipient'] = hpke.prepareRecipient;

/**
 * SetupBaseS in one call.
 *
 * @param suite - from {@link suiteOf}
 * @param publicKey - the recipient's, for the suite's KEM
 * @param info - public; both sides must use the same
 * @param random - see {@link SenderSetup}
 * @see RFC 9180 §5.1.1
 */
export const setupBaseSender: Hpke['setupBaseSender'] = hpke.setupBaseSender;

/**
 * SetupBaseR in one call.
 *
 * @param suite - from {@link suiteOf}
 * @param privateKey - for the suite's KEM
 * @param enc - Nenc bytes; attacker-controlled
 * @param info - public; both sides must use the same
 * @throws {@link HpkeError} `OPEN_FAILED` for anything wrong with `enc`
 * @see RFC 9180 §5.1.1
 */
export const setupBaseRecipient: Hpke['setupBaseRecipient'] = hpke.setupBaseRecipient;
