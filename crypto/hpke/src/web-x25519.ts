/** X25519 keys of WebCrypto. */
import { concatBytes } from '@privacy-edge/bytes';
import type { PrivateHandle } from './backend.ts';
import { deriveBits, importRaw } from './web-crypto.ts';

/** PKCS #8 up to the private key: WebCrypto takes no raw one. */
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32);
const BASE_POINT = new Uint8Array(32).fill(9, 0, 1);

/** An X25519 private key; its public one is what it makes of the base point. */
export async function x25519Private(secret: Uint8Array): Promise<PrivateHandle> {
  let handle: CryptoKey;
  try {
    handle = await crypto.subtle.importKey('pkcs8', concatBytes(PKCS8, secret) as BufferSource, 'X25519', false, [
      'deriveBits',
    ]);
  } catch {
    // Any 32 bytes are a key, so only a runtime without X25519 comes here.
    return { handle: secret, publicBytes: (await portable()).getPublicKey(secret) };
  }
  return { handle, publicBytes: await x25519(handle, BASE_POINT) };
}

/** @param handle - from {@link x25519Private} */
export async function x25519(handle: unknown, peer: Uint8Array): Promise<Uint8Array> {
  if (handle instanceof Uint8Array) return (await portable()).getSharedSecret(handle, peer);
  const publicKey = await importRaw(peer, 'X25519', []);
  return deriveBits({ name: 'X25519', public: publicKey }, handle as CryptoKey, 256);
}

async function portable(): Promise<typeof import('@noble/curves/ed25519.js')['x25519']> {
  return (await import('@noble/curves/ed25519.js')).x25519;
}
