/** Diffie-Hellman KEMs. RFC 9180 §4.1 and §7.1. */
import { type Awaitable, andThen, concatBytes } from '@privacy-edge/bytes';
import type { Backend, GroupName, HashName } from './backend.ts';
import { type HpkeError, openFailed } from './error.ts';
import { expand, extract } from './hkdf.ts';
import { type KemAlgorithm, keyInvalid } from './kem.ts';
import { drawBytes, isScalar, MAX_CANDIDATES, maskCandidate, randomScalar } from './scalar.ts';
import { EMPTY, isAllZero, kemSuiteId, labeledIkm, labeledInfo, labelPrefix, orFail } from './steps.ts';
import type { Kem } from './types.ts';

const UNCOMPRESSED = 0x04;

/**
 * One DH KEM.
 *
 * @param kem - its row
 * @param group - its group
 * @param hash - hash of the KEM's own KDF, which is not the suite's
 */
export function dhKem(backend: Backend, kem: Kem, group: GroupName, hash: HashName): KemAlgorithm {
  const suiteId = kemSuiteId(kem.id);
  const secretInfo = labeledInfo(suiteId, 'shared_secret', EMPTY, kem.Nsecret);
  const ikmPrefix = labelPrefix(suiteId, 'eae_prk');
  const invalid = (): HpkeError => keyInvalid(kem);

  // Same length, other first byte: the hybrid form of X9.62, which OpenSSL would accept.
  const isPoint = (peer: Uint8Array): boolean => group === 'X25519' || peer[0] === UNCOMPRESSED;

  /** DH with the checks of RFC 9180 §7.1.4; whatever is wrong becomes `failure`. */
  const exchange = (handle: unknown, peer: Uint8Array, failure: () => HpkeError): Awaitable<Uint8Array> => {
    if (!isPoint(peer)) throw failure();
    const shared = orFail(() => backend.dh(group, handle, peer), failure);
    return andThen(shared, (dh) => {
      if (isAllZero(dh) && group === 'X25519') throw failure();
      return dh;
    });
  };

  const extractAndExpand = (dh: Uint8Array, enc: Uint8Array, publicBytes: Uint8Array): Awaitable<Uint8Array> => {
    const outputs = [{ info: concatBytes(secretInfo, enc, publicBytes), length: kem.Nsecret }];
    return andThen(
      backend.hkdf(hash, EMPTY, concatBytes(ikmPrefix, dh), outputs),
      (results) => results[0] as Uint8Array,
    );
  };

  const importPrivate: KemAlgorithm['importPrivate'] = (secret) => {
    if (!isScalar(group, secret)) throw invalid();
    return orFail(() => backend.dhPrivate(group, secret), invalid);
  };

  const generate: KemAlgorithm['generate'] = (random) =>
    group === 'X25519' ? drawBytes(random, kem.Nsk) : randomScalar(group, kem.Nsk, random);

  const derive: KemAlgorithm['derive'] = (ikm) =>
    andThen(extract(backend.hmac, hash, EMPTY, labeledIkm(suiteId, 'dkp_prk', ikm)), (prk) => {
      const labeled = (label: string, context: Uint8Array): Awaitable<Uint8Array> =>
        expand(backend.hmac, hash, prk, labeledInfo(suiteId, label, context, kem.Nsk), kem.Nsk);
      if (group === 'X25519') return labeled('sk', EMPTY);
      const candidate = (counter: number): Awaitable<Uint8Array> => {
        if (counter === MAX_CANDIDATES) throw invalid();
        return andThen(labeled('candidate', Uint8Array.of(counter)), (bytes) =>
          isScalar(group, maskCandidate(group, bytes)) ? bytes : candidate(counter + 1),
        );
      };
      return candidate(0);
    });

  return {
    kem,
    importPrivate,
    derive,
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
    decap: (handle, publicBytes, enc) => {
      const { dhKemDecap } = backend;
      if (dhKemDecap === undefined) {
        return andThen(exchange(handle, enc, openFailed), (dh) => extractAndExpand(dh, enc, publicBytes));
      }
      if (!isPoint(enc)) throw openFailed();
      return orFail(() => dhKemDecap(handle, enc), openFailed);
    },
  };
}
