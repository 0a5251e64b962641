/** Diffie-Hellman keys of WebCrypto. */
import { concatBytes, fromHex } from '@privacy-edge/bytes';
import type { GroupName, PrivateHandle } from './backend.ts';

/** How WebCrypto names a group, and how a private key without its public one is written there. */
export interface Group {
  readonly algorithm: { readonly name: string; readonly namedCurve?: string };
  /** PKCS #8 up to the private key, hexadecimal. */
  readonly pkcs8: string;
  readonly sharedBits: number;
}

/** By group. */
export const GROUPS: Readonly<Record<GroupName, Group>> = {
  X25519: { algorithm: { name: 'X25519' }, pkcs8: '302e020100300506032b656e04220420', sharedBits: 256 },
  'P-256': nist('P-256', '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420', 256),
  'P-384': nist('P-384', '304e020100301006072a8648ce3d020106052b81040022043730350201010430', 384),
  'P-521': nist('P-521', '3060020100301006072a8648ce3d020106052b81040023044930470201010442', 528),
};

function nist(namedCurve: string, pkcs8: string, sharedBits: number): Group {
  return { algorithm: { name: 'ECDH', namedCurve }, pkcs8, sharedBits };
}

/** The declared types tell shared memory apart, which nothing here uses. */
export function source(bytes: Uint8Array): BufferSource {
  return bytes as BufferSource;
}

/** The shared secret of two imported keys. */
export async function deriveBits(group: GroupName, privateKey: CryptoKey, publicKey: CryptoKey): Promise<Uint8Array> {
  const { algorithm, sharedBits } = GROUPS[group];
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: algorithm.name, public: publicKey }, privateKey, sharedBits),
  );
}

/** Imports a private key that comes without its public one. */
export function importPkcs8(group: GroupName, secret: Uint8Array, extractable: boolean): Promise<CryptoKey> {
  const { algorithm, pkcs8 } = GROUPS[group];
  const encoded = concatBytes(fromHex(pkcs8), secret);
  return crypto.subtle.importKey('pkcs8', source(encoded), algorithm, extractable, ['deriveBits']);
}

const X25519_BASE_POINT: Uint8Array = new Uint8Array(32).fill(9, 0, 1);

/** An X25519 private key; its public one is what it makes of the base point. */
export async function x25519Private(secret: Uint8Array): Promise<PrivateHandle> {
  let handle: CryptoKey;
  try {
    handle = await importPkcs8('X25519', secret, false);
  } catch {
    // Any 32 bytes are a key, so only a runtime without X25519 comes here.
    const { x25519 } = await import('@noble/curves/ed25519.js');
    return { handle: secret, publicBytes: x25519.getPublicKey(secret) };
  }
  const base = await crypto.subtle.importKey('raw', source(X25519_BASE_POINT), 'X25519', false, []);
  return { handle, publicBytes: await deriveBits('X25519', handle, base) };
}
