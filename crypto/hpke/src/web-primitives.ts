/** Primitives of WebCrypto that every client needs. */
import { concatBytes } from '@privacy-edge/bytes';
import type { Backend } from './backend.ts';
import type { AeadKey } from './types.ts';
import { deriveBits, importRaw } from './web-crypto.ts';
import { x25519, x25519Private } from './web-x25519.ts';

export const primitives: Backend = {
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  hmac: async (hash, key, message, counter) => {
    const data = counter === undefined ? message : concatBytes(message, Uint8Array.of(counter));
    const imported = await importRaw(key, { name: 'HMAC', hash }, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data as BufferSource));
  },
  // One call for both halves of HKDF, side by side for all outputs.
  hkdf: async (hash, salt, ikm, outputs) => {
    const imported = await importRaw(ikm, 'HKDF', ['deriveBits']);
    return Promise.all(
      outputs.map(({ info, length }) =>
        deriveBits(
          { name: 'HKDF', hash, salt: salt as BufferSource, info: info as BufferSource },
          imported,
          8 * length,
        ),
      ),
    );
  },
  aeadKey: async (cipher, key) =>
    cipher === 'ChaCha20-Poly1305' ? (await import('./web-chacha.ts')).chaChaKey(key) : aesKey(key),
  dhPrivate: (_, secret) => x25519Private(secret),
  dh: (_, handle, peer) => x25519(handle, peer),
};

async function aesKey(key: Uint8Array): Promise<AeadKey> {
  const imported = await importRaw(key, 'AES-GCM', ['encrypt', 'decrypt']);
  const cipher =
    (operation: 'encrypt' | 'decrypt'): AeadKey['seal'] =>
    async (nonce, aad, data) => {
      const parameters = { name: 'AES-GCM', iv: nonce as BufferSource, additionalData: aad as BufferSource };
      return new Uint8Array(await crypto.subtle[operation](parameters, imported, data as BufferSource));
    };
  return { seal: cipher('encrypt'), open: cipher('decrypt') };
}
