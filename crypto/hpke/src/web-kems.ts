/** The KEMs that a client in a browser seldom needs, with what is below them. */
import type { KemAlgorithm } from './kem.ts';
import { moreKems } from './more-kems.ts';
import { nistPrivate, nistShared } from './web-nist.ts';
import { primitives } from './web-primitives.ts';

/** By identifier. */
export const WEB_KEMS: ReadonlyMap<number, KemAlgorithm> = moreKems({
  ...primitives,
  dhPrivate: (group, secret) => (group === 'X25519' ? primitives.dhPrivate(group, secret) : nistPrivate(group, secret)),
  dh: (group, handle, peer) =>
    group === 'X25519' ? primitives.dh(group, handle, peer) : nistShared(group, handle as CryptoKey, peer),
  mlKemPrivate: async (seed) => {
    const { publicKey, secretKey } = (await mlKem()).keygen(seed);
    return { handle: secretKey, publicBytes: publicKey };
  },
  // Encapsulating is the library's way to run the check.
  mlKemCheck: async (publicBytes) => (await mlKem()).encapsulate(publicBytes, new Uint8Array(32)),
  mlKemEncapsulate: async (publicBytes, message) => {
    const { cipherText, sharedSecret } = (await mlKem()).encapsulate(publicBytes, message);
    return { ciphertext: cipherText, sharedSecret };
  },
  mlKemDecapsulate: async (handle, ciphertext) => (await mlKem()).decapsulate(ciphertext, handle as Uint8Array),
  sha3: async (message) => (await import('@noble/hashes/sha3.js')).sha3_256(message),
  shake: async (message, length) => (await import('@noble/hashes/sha3.js')).shake256(message, { dkLen: length }),
});

async function mlKem(): Promise<typeof import('@noble/post-quantum/ml-kem.js')['ml_kem768']> {
  return (await import('@noble/post-quantum/ml-kem.js')).ml_kem768;
}
