/** ChaCha20-Poly1305, which WebCrypto lacks. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { AeadKey } from './types.ts';

/** @param key - 32 bytes, secret */
export function chaChaKey(key: Uint8Array): AeadKey {
  return {
    seal: (nonce, aad, plaintext) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
    open: (nonce, aad, ciphertext) => chacha20poly1305(key, nonce, aad).decrypt(ciphertext),
  };
}
