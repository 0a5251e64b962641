/**
 * Primitives of WebCrypto, for browsers, workers and every other runtime. What WebCrypto lacks is loaded when it is
 * first used, so a client that keeps to X25519 and AES-GCM never downloads it.
 */
import { concatBytes } from '@privacy-edge/bytes';
import type { Backend, HashName } from './backend.ts';
import type { AeadKey } from './types.ts';
import { deriveBits, GROUPS, source, x25519Private } from './web-dh.ts';

export const backend: Backend = {
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  hmac: async (hash, key, message, counter) => {
    const data = counter === undefined ? message : concatBytes(message, Uint8Array.of(counter));
    const imported = await crypto.subtle.importKey('raw', source(key), { name: 'HMAC', hash }, false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('HMAC', imported, source(data)));
  },
  // One call for both halves of HKDF, side by side for all outputs.
  hkdf: async (hash, salt, ikm, outputs) => {
    const imported = await crypto.subtle.importKey('raw', source(ikm), 'HKDF', false, ['deriveBits']);
    return Promise.all(outputs.map(({ info, length }) => hkdfOutput(imported, hash, salt, info, length)));
  },
  aeadKey: (cipher, key) => (cipher === 'ChaCha20-Poly1305' ? chaChaKey(key) : aesKey(key)),
  dhPrivate: async (group, secret) =>
    group === 'X25519' ? x25519Private(secret) : (await import('./web-nist.ts')).nistPrivate(group, secret),
  dh: async (group, handle, peer) => {
    if (handle instanceof Uint8Array)
      return (await import('@noble/curves/ed25519.js')).x25519.getSharedSecret(handle, peer);
    const imported = await crypto.subtle.importKey('raw', source(peer), GROUPS[group].algorithm, false, []);
    return deriveBits(group, handle as CryptoKey, imported);
  },
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
};

async function hkdfOutput(
  key: CryptoKey,
  hash: HashName,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Promise<Uint8Array> {
  const algorithm = { name: 'HKDF', hash, salt: source(salt), info: source(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 8 * length));
}

async function mlKem(): Promise<typeof import('@noble/post-quantum/ml-kem.js')['ml_kem768']> {
  return (await import('@noble/post-quantum/ml-kem.js')).ml_kem768;
}

async function aesKey(key: Uint8Array): Promise<AeadKey> {
  const imported = await crypto.subtle.importKey('raw', source(key), 'AES-GCM', false, ['encrypt', 'decrypt']);
  const parameters = (nonce: Uint8Array, aad: Uint8Array): AesGcmParams => ({
    name: 'AES-GCM',
    iv: source(nonce),
    additionalData: source(aad),
  });
  return {
    seal: async (nonce, aad, plaintext) =>
      new Uint8Array(await crypto.subtle.encrypt(parameters(nonce, aad), imported, source(plaintext))),
    open: async (nonce, aad, ciphertext) =>
      new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, aad), imported, source(ciphertext))),
  };
}

async function chaChaKey(key: Uint8Array): Promise<AeadKey> {
  const { chacha20poly1305 } = await import('@noble/ciphers/chacha.js');
  return {
    seal: (nonce, aad, plaintext) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
    open: (nonce, aad, ciphertext) => chacha20poly1305(key, nonce, aad).decrypt(ciphertext),
  };
}
