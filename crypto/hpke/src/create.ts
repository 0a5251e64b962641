/** Ties the protocol steps to one source of primitives. */
import { type Awaitable, andThen } from '@privacy-edge/bytes';
import type { Backend } from './backend.ts';
import { recipientContext, senderContext } from './context.ts';
import { HpkeError, openFailed } from './error.ts';
import { type KemAlgorithm, keyInvalid } from './kem.ts';
import { type KeySchedule, prepareKeySchedule } from './key-schedule.ts';
import { PrivateKey, PublicKey, privateMaterial } from './keys.ts';
import { MODE_BASE } from './registry.ts';
import { type Tables, tablesOf } from './suites.ts';
import type { Hpke, RecipientSetup, SenderSetup, Suite } from './types.ts';

/** All functions of this package over one source of primitives. */
export function createHpke(backend: Backend): Hpke {
  const tables = tablesOf(backend);
  const keys = keyFunctions(tables);
  const { prepareSender, prepareRecipient } = setupFunctions(backend, tables);
  return {
    ...lookups(tables),
    ...keys,
    systemRandom: backend.random,
    prepareSender,
    prepareRecipient,
    setupBaseSender: (suite, publicKey, info, random) =>
      andThen(prepareSender(suite, publicKey, info), (prepared) => prepared.setup(random)),
    setupBaseRecipient: (suite, privateKey, enc, info) =>
      andThen(prepareRecipient(suite, privateKey, info), (prepared) => prepared.setup(enc)),
  };
}

type Lookups = Pick<Hpke, 'kemById' | 'kdfById' | 'aeadById' | 'suiteOf' | 'isKemSupported' | 'isSuiteSupported'>;
type KeyFunctions = Pick<
  Hpke,
  'importPublicKey' | 'importPrivateKey' | 'exportPrivateKey' | 'deriveKeyPair' | 'generateKeyPair'
>;

/** The row of an identifier, or `SUITE_UNSUPPORTED`. */
function find<T>(table: ReadonlyMap<number, T>, id: number, what: string): T {
  const found = table.get(id);
  if (found === undefined) {
    // Identifiers come from peers, and callers may pass anything a peer sent: nothing but a number is repeated.
    throw new HpkeError('SUITE_UNSUPPORTED', `Cannot use ${what}: ${Number(id)} is not supported`);
  }
  return found;
}

function lookups({ kems, kdfs, aeads }: Tables): Lookups {
  return {
    kemById: (id) => find(kems, id, 'KEM').kem,
    kdfById: (id) => find(kdfs, id, 'KDF').kdf,
    aeadById: (id) => find(aeads, id, 'AEAD'),
    suiteOf: (kemId, kdfId, aeadId, mode = MODE_BASE) => {
      if (mode !== MODE_BASE) throw new HpkeError('SUITE_UNSUPPORTED', 'Cannot use mode: only base mode is supported');
      return Object.freeze({
        kem: find(kems, kemId, 'KEM').kem,
        kdf: find(kdfs, kdfId, 'KDF').kdf,
        aead: find(aeads, aeadId, 'AEAD'),
      });
    },
    isKemSupported: (id) => kems.has(id),
    isSuiteSupported: (kemId, kdfId, aeadId) => kems.has(kemId) && kdfs.has(kdfId) && aeads.has(aeadId),
  };
}

function keyFunctions({ kems }: Tables): KeyFunctions {
  const privateKey = (algorithm: KemAlgorithm, secret: Uint8Array): Awaitable<PrivateKey> =>
    andThen(
      algorithm.importPrivate(secret),
      ({ handle, publicBytes }) => new PrivateKey(new PublicKey(algorithm.kem, publicBytes), { secret, handle }),
    );
  return {
    importPublicKey: (kemId, bytes) => {
      const algorithm = find(kems, kemId, 'KEM');
      if (bytes.length !== algorithm.kem.Npk) throw keyInvalid(algorithm.kem);
      const copy = new Uint8Array(bytes);
      return andThen(algorithm.checkPublic(copy), () => new PublicKey(algorithm.kem, copy));
    },
    importPrivateKey: (kemId, bytes) => {
      const algorithm = find(kems, kemId, 'KEM');
      if (bytes.length !== algorithm.kem.Nsk) throw keyInvalid(algorithm.kem);
      return privateKey(algorithm, new Uint8Array(bytes));
    },
    exportPrivateKey: (key) => new Uint8Array(privateMaterial(key).secret),
    deriveKeyPair: (kemId, ikm) => {
      const algorithm = find(kems, kemId, 'KEM');
      return andThen(algorithm.derive(ikm), (secret) => privateKey(algorithm, secret));
    },
    generateKeyPair: (kemId, random) => {
      const algorithm = find(kems, kemId, 'KEM');
      return privateKey(algorithm, algorithm.generate(random));
    },
  };
}

function setupFunctions(backend: Backend, tables: Tables): Pick<Hpke, 'prepareSender' | 'prepareRecipient'> {
  /** Looks up the rows, checks the key, and does what both sides share. */
  const prepare = (suite: Suite, key: PublicKey, info: Uint8Array): Awaitable<[KemAlgorithm, KeySchedule]> => {
    const algorithm = find(tables.kems, suite.kem.id, 'KEM');
    const kdf = find(tables.kdfs, suite.kdf.id, 'KDF');
    // The rows of these tables, whatever object the caller put the identifiers in.
    const own = { kem: algorithm.kem, kdf: kdf.kdf, aead: find(tables.aeads, suite.aead.id, 'AEAD') };
    if (!PublicKey.is(key)) throw new TypeError('A key comes from this package');
    if (key.kem.id !== suite.kem.id) throw new TypeError(`A key for ${key.kem.name} does not fit ${suite.kem.name}`);
    return andThen(prepareKeySchedule(backend, own, kdf, info), (schedule) => [algorithm, schedule]);
  };

  return {
    prepareSender: (suite, publicKey, info) =>
      andThen(
        prepare(suite, publicKey, info),
        ([algorithm, schedule]): SenderSetup => ({
          suite,
          publicKey,
          setup: (random) =>
            andThen(algorithm.encap(publicKey.bytes, random), ({ sharedSecret, enc }) =>
              andThen(schedule(sharedSecret), (keys) => ({ enc, context: senderContext(keys) })),
            ),
        }),
      ),
    prepareRecipient: (suite, privateKey, info) => {
      const { handle } = privateMaterial(privateKey);
      const publicBytes = privateKey.publicKey.bytes;
      return andThen(
        prepare(suite, privateKey.publicKey, info),
        ([algorithm, schedule]): RecipientSetup => ({
          suite,
          privateKey,
          setup: (enc) => {
            if (enc.length !== algorithm.kem.Nenc) throw openFailed();
            // A copy of our own: the bytes are read twice, and the caller's could change between the two.
            return andThen(algorithm.decap(handle, publicBytes, new Uint8Array(enc)), (sharedSecret) =>
              andThen(schedule(sharedSecret), (keys) => recipientContext(keys)),
            );
          },
        }),
      );
    },
  };
}
