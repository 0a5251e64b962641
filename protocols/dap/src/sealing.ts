/** Sealing and opening of shares. DAP §4.4.2.1, §4.5.3.3 and §4.6.7. */
import { type Awaitable, andThen, replaceErrors } from '@privacy-edge/bytes';
import {
  AEAD_AES_128_GCM,
  generateKeyPair,
  importPrivateKey,
  importPublicKey,
  KDF_HKDF_SHA256,
  KEM_X25519_HKDF_SHA256,
  type PrivateKey,
  prepareRecipient,
  prepareSender,
  type RandomSource,
  type RecipientSetup,
  type SenderSetup,
  suiteOf,
} from '@privacy-edge/hpke';
import { DapError } from './dap-error.ts';
import type { HpkeCiphertext } from './hpke-ciphertext.ts';
import { type HpkeConfig, isConfigUsable } from './hpke-config.ts';

/** A configuration with its private key. */
export interface HpkeKey {
  readonly config: HpkeConfig;
  readonly privateKey: PrivateKey;
}

/**
 * A new key with the suite that every implementation has.
 *
 * @param id - 0 to 255, not used for another key of the same owner while anybody may know that one
 * @see DAP §7
 */
export function generateHpkeKey(id: number, random: RandomSource): Awaitable<HpkeKey> {
  return andThen(generateKeyPair(KEM_X25519_HKDF_SHA256, random), (privateKey) => ({
    config: {
      id,
      kemId: KEM_X25519_HKDF_SHA256,
      kdfId: KDF_HKDF_SHA256,
      aeadId: AEAD_AES_128_GCM,
      publicKey: privateKey.publicKey.bytes,
    },
    privateKey,
  }));
}

/**
 * A key from where it was stored.
 *
 * @param config - its public half
 * @param secret - serialised for the configuration's KEM
 * @throws {@link DapError} `CONFIG_UNUSABLE` when the two do not belong together or the algorithms are unknown
 */
export function importHpkeKey(config: HpkeConfig, secret: Uint8Array): Awaitable<HpkeKey> {
  if (!isConfigUsable(config)) throw configUnusable();
  return andThen(
    replaceErrors(() => importPrivateKey(config.kemId, secret), configUnusable),
    (privateKey) => {
      const { bytes } = privateKey.publicKey;
      if (!bytes.every((byte, i) => byte === config.publicKey[i])) throw configUnusable();
      return { config, privateKey };
    },
  );
}

/** Seals shares to one key for one purpose. Each gets an HPKE context of its own. */
export class ShareSealer {
  /** Goes into every ciphertext. */
  readonly configId: number;
  readonly #setup: SenderSetup;

  /** Made by {@link prepareSealer}. */
  constructor(configId: number, setup: SenderSetup) {
    this.configId = configId;
    this.#setup = setup;
  }

  /**
   * @param aad - what the share is bound to
   * @param plaintext - secret
   * @param random - for the ephemeral key; called anew for each share
   * @throws {@link DapError} `CONFIG_UNUSABLE` when the public key leads to no shared secret
   */
  seal(aad: Uint8Array, plaintext: Uint8Array, random: RandomSource): Awaitable<HpkeCiphertext> {
    return andThen(
      replaceErrors(() => this.#setup.setup(random), configUnusable),
      ({ enc, context }) =>
        andThen(context.seal(aad, plaintext), (payload) => ({ configId: this.configId, enc, payload })),
    );
  }
}

/**
 * Does once what all shares for one key and purpose have in common.
 *
 * @param config - from its owner
 * @param info - from `inputShareInfo` or `aggregateShareInfo`
 * @throws {@link DapError} `CONFIG_UNUSABLE`
 */
export function prepareSealer(config: HpkeConfig, info: Uint8Array): Awaitable<ShareSealer> {
  if (!isConfigUsable(config)) throw configUnusable();
  const suite = suiteOf(config.kemId, config.kdfId, config.aeadId);
  return andThen(
    replaceErrors(() => importPublicKey(config.kemId, config.publicKey), configUnusable),
    (publicKey) => andThen(prepareSender(suite, publicKey, info), (setup) => new ShareSealer(config.id, setup)),
  );
}

/** Opens shares with one key for one purpose. */
export class ShareOpener {
  /** Identifier of the key. */
  readonly configId: number;
  readonly #setup: RecipientSetup;

  /** Made by {@link prepareOpener}. */
  constructor(configId: number, setup: RecipientSetup) {
    this.configId = configId;
    this.#setup = setup;
  }

  /**
   * @param aad - what the share must be bound to
   * @param ciphertext - attacker-controlled
   * @returns secret
   * @throws {@link DapError} `OPEN_FAILED`, whatever is wrong
   */
  open(aad: Uint8Array, { configId, enc, payload }: HpkeCiphertext): Awaitable<Uint8Array> {
    if (configId !== this.configId) throw openFailed();
    return replaceErrors(() => andThen(this.#setup.setup(enc), (context) => context.open(aad, payload)), openFailed);
  }
}

/**
 * Does once what all shares for one own key and purpose have in common.
 *
 * @param info - from `inputShareInfo` or `aggregateShareInfo`
 */
export function prepareOpener({ config, privateKey }: HpkeKey, info: Uint8Array): Awaitable<ShareOpener> {
  const suite = suiteOf(config.kemId, config.kdfId, config.aeadId);
  return andThen(prepareRecipient(suite, privateKey, info), (setup) => new ShareOpener(config.id, setup));
}

function configUnusable(): DapError {
  return new DapError('CONFIG_UNUSABLE', 'Cannot use HPKE configuration: its key or algorithms are not usable here');
}

function openFailed(): DapError {
  return new DapError('OPEN_FAILED', 'Cannot open share: it does not authenticate');
}
