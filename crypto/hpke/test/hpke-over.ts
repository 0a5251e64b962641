/** The functions of the package over a backend of choice, where the package itself takes the one of its platform. */
import { type Awaitable, andThen } from '@privacy-edge/bytes';
import type { PlatformBackend } from '../src/backend.ts';
import { hasSuite, platformOf, suiteFrom } from '../src/platform.ts';
import { type PrivateKey, privateMaterial } from '../src/private-key.ts';
import type { PublicKey } from '../src/public-key.ts';
import { derivePair, generatePair, importPrivate, recipientSetup } from '../src/recipient.ts';
import { find, isKemSupported, kemById } from '../src/rows.ts';
import { importPublic, senderSetup } from '../src/setup.ts';
import type {
  Aead,
  Kdf,
  Kem,
  RandomSource,
  RecipientContext,
  RecipientSetup,
  SenderSetup,
  SenderSetupResult,
  Suite,
} from '../src/types.ts';

/** What the package exports. */
export interface Hpke {
  kemById(id: number): Kem;
  kdfById(id: number): Kdf;
  aeadById(id: number): Aead;
  suiteOf(kemId: number, kdfId: number, aeadId: number, mode?: number): Suite;
  readonly systemRandom: RandomSource;
  isKemSupported(id: number): boolean;
  isSuiteSupported(kemId: number, kdfId: number, aeadId: number): boolean;
  importPublicKey(kemId: number, bytes: Uint8Array): Awaitable<PublicKey>;
  importPrivateKey(kemId: number, bytes: Uint8Array): Awaitable<PrivateKey>;
  exportPrivateKey(key: PrivateKey): Uint8Array;
  deriveKeyPair(kemId: number, ikm: Uint8Array): Awaitable<PrivateKey>;
  generateKeyPair(kemId: number, random: RandomSource): Awaitable<PrivateKey>;
  prepareSender(suite: Suite, publicKey: PublicKey, info: Uint8Array): Awaitable<SenderSetup>;
  prepareRecipient(suite: Suite, privateKey: PrivateKey, info: Uint8Array): Awaitable<RecipientSetup>;
  setupBaseSender(
    suite: Suite,
    publicKey: PublicKey,
    info: Uint8Array,
    random: RandomSource,
  ): Awaitable<SenderSetupResult>;
  setupBaseRecipient(
    suite: Suite,
    privateKey: PrivateKey,
    enc: Uint8Array,
    info: Uint8Array,
  ): Awaitable<RecipientContext>;
}

export function hpkeOver(backend: PlatformBackend): Hpke {
  const platform = platformOf(backend);
  return {
    kemById,
    kdfById: (id) => find(platform.kdfs, id, 'KDF'),
    aeadById: (id) => find(platform.aeads, id, 'AEAD'),
    suiteOf: (...ids) => suiteFrom(platform, ...ids),
    systemRandom: backend.random,
    isKemSupported,
    isSuiteSupported: (...ids) => hasSuite(platform, ...ids),
    importPublicKey: (...key) => importPublic(platform, ...key),
    importPrivateKey: (...key) => importPrivate(platform, ...key),
    exportPrivateKey: (key) => new Uint8Array(privateMaterial(key).secret),
    deriveKeyPair: (...key) => derivePair(platform, ...key),
    generateKeyPair: (...key) => generatePair(platform, ...key),
    prepareSender: (...setup) => senderSetup(platform, ...setup),
    prepareRecipient: (...setup) => recipientSetup(platform, ...setup),
    setupBaseSender: (suite, publicKey, info, random) =>
      andThen(senderSetup(platform, suite, publicKey, info), (prepared) => prepared.setup(random)),
    setupBaseRecipient: (suite, privateKey, enc, info) =>
      andThen(recipientSetup(platform, suite, privateKey, info), (prepared) => prepared.setup(enc)),
  };
}
