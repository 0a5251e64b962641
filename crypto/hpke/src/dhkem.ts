/** Diffie-Hellman KEMs: what both sides do, and the sender's. RFC 9180 §4.1 and §7.1. */
import { type Awaitable, andThen, concatBytes, replaceErrors } from '@privacy-edge/bytes';
import type { Backend, GroupName, HashName, PrivateHandle } from './backend.ts';
import type { HpkeError } from './error.ts';
import { keyInvalid, type SenderKem } from './kem.ts';
import { EMPTY, kemSuiteId, labeledInfo, labelPrefix } from './steps.ts';
import type { Kem, RandomSource } from './types.ts';

/** In what the groups differ. */
export interface DhGroup<G extends GroupName> {
  readonly name: G;
  /** Hash of the KEM's own KDF, which is not the suite's. */
  readonly hash: HashName;
  /** Whether Npk bytes can be a public key; what else is wrong with them shows in the exchange. */
  isPublic(bytes: Uint8Array): boolean;
  /** Whether Nsk bytes are a private key. */
  isPrivate(secret: Uint8Array): boolean;
  /** Whether a shared secret is one that honest keys lead to. RFC 9180 §7.1.4. */
  isShared(dh: Uint8Array): boolean;
  /** A private key of `length` bytes. */
  generate(random: RandomSource, length: number): Uint8Array;
}

/** One DH KEM: the sender's side, and the steps that the recipient's side takes as well. */
export interface DhKem extends SenderKem {
  importPrivate(secret: Uint8Array): Awaitable<PrivateHandle>;
  generate(random: RandomSource): Uint8Array;
  /** DH with the checks of RFC 9180 §7.1.4; whatever is wrong becomes `failure`. */
  exchange(handle: unknown, peer: Uint8Array, failure: () => HpkeError): Awaitable<Uint8Array>;
  /** ExtractAndExpand with `kem_context` of `enc` and the recipient's public key. */
  extractAndExpand(dh: Uint8Array, enc: Uint8Array, publicBytes: Uint8Array): Awaitable<Uint8Array>;
}

/**
 * One DH KEM.
 *
 * @param kem - its row
 * @param group - its group
 */
export function dhKem<G extends GroupName>(backend: Backend<G>, kem: Kem, group: DhGroup<G>): DhKem {
  const suiteId = kemSuiteId(kem.id);
  const secretInfo = labeledInfo(suiteId, 'shared_secret', EMPTY, kem.Nsecret);
  const ikmPrefix = labelPrefix(suiteId, 'eae_prk');
  const invalid = (): HpkeError => keyInvalid(kem);

  const exchange: DhKem['exchange'] = (handle, peer, failure) => {
    if (!group.isPublic(peer)) throw failure();
    const shared = replaceErrors(() => backend.dh(group.name, handle, peer), failure);
    return andThen(shared, (dh) => {
      if (!group.isShared(dh)) throw failure();
      return dh;
    });
  };

  const extractAndExpand: DhKem['extractAndExpand'] = (dh, enc, publicBytes) => {
    const outputs = [{ info: concatBytes(secretInfo, enc, publicBytes), length: kem.Nsecret }];
    return andThen(
      backend.hkdf(group.hash, EMPTY, concatBytes(ikmPrefix, dh), outputs),
      (results) => results[0] as Uint8Array,
    );
  };

  const importPrivate: DhKem['importPrivate'] = (secret) => {
    if (!group.isPrivate(secret)) throw invalid();
    return replaceErrors(() => backend.dhPrivate(group.name, secret), invalid);
  };

  const generate: DhKem['generate'] = (random) => group.generate(random, kem.Nsk);

  return {
    exchange,
    extractAndExpand,
    importPrivate,
    generate,
    // One exchange with any private key finds what is wrong with a public one: a NIST point off the curve, and an
    // X25519 point of low order, which gives zero with every clamped scalar.
    checkPublic: (bytes) =>
      andThen(importPrivate(new Uint8Array(kem.Nsk).fill(1, 1)), ({ handle }) => exchange(handle, bytes, invalid)),
    encap: (publicBytes, random) =>
      andThen(importPrivate(generate(random)), ({ handle, publicBytes: enc }) =>
        andThen(exchange(handle, publicBytes, invalid), (dh) =>
          andThen(extractAndExpand(dh, enc, publicBytes), (sharedSecret) => ({ sharedSecret, enc })),
        ),
      ),
  };
}
