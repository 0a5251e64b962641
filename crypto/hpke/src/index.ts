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

import { type Awaitable, andThen } from '@privacy-edge/bytes';
import { backend } from '#backend';
import { hasSuite, type Platform, platformOf, suiteFrom } from './platform.ts';
import { type PrivateKey, privateMaterial } from './private-key.ts';
import type { PublicKey } from './public-key.ts';
import { derivePair, generatePair, importPrivate, recipientSetup } from './recipient.ts';
import { find } from './rows.ts';
import { importPublic, senderSetup } from './setup.ts';
import type {
  Aead,
  Kdf,
  RandomSource,
  RecipientContext,
  RecipientSetup,
  SenderSetup,
  SenderSetupResult,
  Suite,
} from './types.ts';

export { HpkeError, type HpkeErrorCode } from './error.ts';
export type { PrivateKey } from './private-key.ts';
export type { PublicKey } from './public-key.ts';
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
export { isKemSupported, kemById } from './rows.ts';
export { systemRandom } from './system-random.ts';
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

const platform: Platform = /* @__PURE__ */ platformOf(backend);

/**
 * @param id - KDF identifier, from anywhere
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 * @see RFC 9180 §7.2
 */
export function kdfById(id: number): Kdf {
  return find(platform.kdfs, id, 'KDF');
}

/**
 * @param id - AEAD identifier, from anywhere
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 * @see RFC 9180 §7.3
 */
export function aeadById(id: number): Aead {
  return find(platform.aeads, id, 'AEAD');
}

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
export function suiteOf(kemId: number, kdfId: number, aeadId: number, mode?: number): Suite {
  return suiteFrom(platform, kemId, kdfId, aeadId, mode);
}

/** Whether {@link suiteOf} has rows for these identifiers. */
export function isSuiteSupported(kemId: number, kdfId: number, aeadId: number): boolean {
  return hasSuite(platform, kemId, kdfId, aeadId);
}

/**
 * Checks and imports a serialised public key.
 *
 * @param kemId - from anywhere
 * @param bytes - Npk bytes; attacker-controlled; copied
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`, `KEY_INVALID`
 * @see RFC 9180 §7.1.4
 */
export function importPublicKey(kemId: number, bytes: Uint8Array): Awaitable<PublicKey> {
  return importPublic(platform, kemId, bytes);
}

/**
 * Checks and imports a serialised private key, and computes its public key.
 *
 * @param kemId - identifier of the key's KEM
 * @param bytes - Nsk bytes, secret; copied
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`, `KEY_INVALID`
 * @see RFC 9180 §7.1.2
 */
export function importPrivateKey(kemId: number, bytes: Uint8Array): Awaitable<PrivateKey> {
  return importPrivate(platform, kemId, bytes);
}

/**
 * The serialised private key, for storing it.
 *
 * @returns Nsk bytes, secret; the caller's own copy
 * @see RFC 9180 §7.1.2
 */
export function exportPrivateKey(key: PrivateKey): Uint8Array {
  return new Uint8Array(privateMaterial(key).secret);
}

/**
 * The key pair that belongs to some secret input.
 *
 * @param kemId - identifier of the key's KEM
 * @param ikm - secret, with at least Nsk bytes of entropy
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`, `KEY_INVALID`
 * @see RFC 9180 §7.1.3
 */
export function deriveKeyPair(kemId: number, ikm: Uint8Array): Awaitable<PrivateKey> {
  return derivePair(platform, kemId, ikm);
}

/**
 * A new key pair.
 *
 * @param kemId - identifier of the key's KEM
 * @param random - gives the Nsk bytes of the private key; a NIST curve asks again when a candidate is out of range
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 */
export function generateKeyPair(kemId: number, random: RandomSource): Awaitable<PrivateKey> {
  return generatePair(platform, kemId, random);
}

/**
 * Does once what every context for one recipient shares.
 *
 * @param suite - from {@link suiteOf}
 * @param publicKey - the recipient's, for the suite's KEM
 * @param info - public; both sides must use the same
 * @throws TypeError when the key belongs to another KEM
 * @see RFC 9180 §5.1
 */
export function prepareSender(suite: Suite, publicKey: PublicKey, info: Uint8Array): Awaitable<SenderSetup> {
  return senderSetup(platform, suite, publicKey, info);
}

/**
 * Does once what every context for one own key shares.
 *
 * @param suite - from {@link suiteOf}
 * @param privateKey - for the suite's KEM
 * @param info - public; both sides must use the same
 * @throws TypeError when the key belongs to another KEM
 * @see RFC 9180 §5.1
 */
export function prepareRecipient(suite: Suite, privateKey: PrivateKey, info: Uint8Array): Awaitable<RecipientSetup> {
  return recipientSetup(platform, suite, privateKey, info);
}

/**
 * SetupBaseS in one call.
 *
 * @param suite - from {@link suiteOf}
 * @param publicKey - the recipient's, for the suite's KEM
 * @param info - public; both sides must use the same
 * @param random - see {@link SenderSetup}
 * @see RFC 9180 §5.1.1
 */
export function setupBaseSender(
  suite: Suite,
  publicKey: PublicKey,
  info: Uint8Array,
  random: RandomSource,
): Awaitable<SenderSetupResult> {
  return andThen(prepareSender(suite, publicKey, info), (prepared) => prepared.setup(random));
}

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
export function setupBaseRecipient(
  suite: Suite,
  privateKey: PrivateKey,
  enc: Uint8Array,
  info: Uint8Array,
): Awaitable<RecipientContext> {
  return andThen(prepareRecipient(suite, privateKey, info), (prepared) => prepared.setup(enc));
}
