/**
 * Primitives of Node: synchronous, because handing a microsecond of work to a thread costs ten.
 *
 * Short-lived secrets pass through strings here and through buffers everywhere: JavaScript cannot wipe either.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  hash as digest,
  encapsulate,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import type { CipherName, GroupName, HashName, PlatformBackend, PrivateHandle, WideBackend } from './backend.ts';
import { extractAndExpand, HASH_BYTES } from './hkdf.ts';
import type { KemAlgorithm } from './kem.ts';
import { moreKems } from './more-kems.ts';
import type { AeadKey, RandomSource } from './types.ts';

const primitives: WideBackend = {
  random: pooledRandom(),
  hmac,
  hkdf: (hash, salt, ikm, outputs) => extractAndExpand(hmac, hash, salt, ikm, outputs),
  aeadKey: (cipher, key) => new NodeAeadKey(cipher, key),
  dhPrivate: (group, secret) => {
    const { type, curve } = GROUPS[group];
    return privateHandle(createPrivateKey({ key: secret, format: 'raw-private', asymmetricKeyType: type, ...curve }));
  },
  dh: (group, handle, peer) => {
    const { type, curve } = GROUPS[group];
    // Raw bytes in place of a KeyObject: one object less for each message. The declared types do not know it yet.
    const publicKey = { key: peer, format: 'raw-public', asymmetricKeyType: type, ...curve };
    return plain(diffieHellman({ privateKey: handle as KeyObject, publicKey: publicKey as unknown as KeyObject }));
  },
  // OpenSSL's DHKEM: the exchanged secret never becomes an object here, and two HMACs are cheaper there.
  dhKemDecap: (handle, enc) => plain(decapsulate(handle as KeyObject, enc)),
  mlKemPrivate: (seed) =>
    privateHandle(createPrivateKey({ key: seed, format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' })),
  mlKemCheck: mlKemPublic,
  mlKemEncapsulate: (publicBytes, message) => {
    if (message !== undefined) return encapsulateWith(publicBytes, message);
    const { ciphertext, sharedKey } = encapsulate(mlKemPublic(publicBytes));
    return { ciphertext: plain(ciphertext), sharedSecret: plain(sharedKey) };
  },
  mlKemDecapsulate: (handle, ciphertext) => plain(decapsulate(handle as KeyObject, ciphertext)),
  sha3: (message) => plain(digest('sha3-256', message, 'buffer')),
  shake: (message, length) => plain(digest('shake256', message, { outputEncoding: 'buffer', outputLength: length })),
};

const MORE_KEMS = moreKems(primitives);

/** Everything at once, so that nothing has to be waited for. */
export const backend: PlatformBackend & WideBackend = {
  ...primitives,
  moreKem: (id) => MORE_KEMS.get(id) as KemAlgorithm,
};

/** How node:crypto names a group. */
interface Group {
  readonly type: 'x25519' | 'ec';
  readonly curve?: { readonly namedCurve: string };
}

const GROUPS: Readonly<Record<GroupName, Group>> = {
  X25519: { type: 'x25519' },
  'P-256': { type: 'ec', curve: { namedCurve: 'prime256v1' } },
  'P-384': { type: 'ec', curve: { namedCurve: 'secp384r1' } },
  'P-521': { type: 'ec', curve: { namedCurve: 'secp521r1' } },
};

/** A Uint8Array proper: what leaves this package is never a Buffer, whose methods differ. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer);
}

function privateHandle(handle: KeyObject): PrivateHandle {
  return { handle, publicBytes: plain(createPublicKey(handle).export({ format: 'raw-public' })) };
}

function mlKemPublic(publicBytes: Uint8Array): KeyObject {
  return createPublicKey({ key: publicBytes, format: 'raw-public', asymmetricKeyType: 'ml-kem-768' });
}

/** OpenSSL's encapsulation takes no randomness from outside, which fixed test vectors need. */
async function encapsulateWith(
  publicBytes: Uint8Array,
  message: Uint8Array,
): Promise<{ ciphertext: Uint8Array; sharedSecret: Uint8Array }> {
  const { ml_kem768 } = await import('@noble/post-quantum/ml-kem.js');
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicBytes, message);
  return { ciphertext: cipherText, sharedSecret };
}

/** What HMAC needs to know about a hash. */
interface HmacHash {
  readonly name: string;
  readonly bytes: number;
  /** Padded key, then message. */
  readonly inner: Uint8Array;
  /** Padded key, then inner hash. */
  readonly outer: Uint8Array;
  readonly block: number;
}

/** Longer messages than fit here go through the streaming HMAC, whose fixed cost they no longer notice. */
const SHORT_MESSAGE_BYTES = 512;

const HMAC_HASHES: Readonly<Record<HashName, HmacHash>> = {
  'SHA-256': hmacHash('SHA-256', 'sha256', 64),
  'SHA-384': hmacHash('SHA-384', 'sha384', 128),
  'SHA-512': hmacHash('SHA-512', 'sha512', 128),
};

function hmacHash(hash: HashName, name: string, block: number): HmacHash {
  const bytes = HASH_BYTES[hash];
  return {
    name,
    bytes,
    block,
    inner: new Uint8Array(block + SHORT_MESSAGE_BYTES),
    outer: new Uint8Array(block + bytes),
  };
}

/**
 * HMAC out of two one-shot hashes over reused buffers: half the time of an Hmac object for the short inputs of HPKE.
 * The buffers are free again when the function returns, and nothing can run in between.
 */
function hmac(hash: HashName, key: Uint8Array, message: Uint8Array, counter?: number): Uint8Array {
  const { name, bytes, block, inner, outer } = HMAC_HASHES[hash];
  if (key.length > block || message.length >= SHORT_MESSAGE_BYTES) {
    return streamingHmac(name, key, message, counter);
  }
  inner.fill(0x36, key.length, block);
  outer.fill(0x5c, key.length, block);
  for (let i = 0; i < key.length; i++) {
    const byte = key[i] as number;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  inner.set(message, block);
  let end = block + message.length;
  if (counter !== undefined) inner[end++] = counter;
  digestInto(outer, block, bytes, name, inner.subarray(0, end));
  const mac = new Uint8Array(bytes);
  digestInto(mac, 0, bytes, name, outer);
  return mac;
}

function streamingHmac(name: string, key: Uint8Array, message: Uint8Array, counter: number | undefined): Uint8Array {
  const stream = createHmac(name, key).update(message);
  if (counter !== undefined) stream.update(Uint8Array.of(counter));
  return plain(stream.digest());
}

/** A string costs half of what a Buffer does. */
function digestInto(into: Uint8Array, at: number, bytes: number, name: string, message: Uint8Array): void {
  const text = digest(name, message, 'latin1');
  for (let i = 0; i < bytes; i++) into[at + i] = text.charCodeAt(i);
}

const CIPHERS: Readonly<Record<CipherName, CipherGCMTypes>> = {
  'AES-128-GCM': 'aes-128-gcm',
  'AES-256-GCM': 'aes-256-gcm',
  // Same calls as for GCM; the declared types know the two apart by literal only.
  'ChaCha20-Poly1305': 'chacha20-poly1305' as CipherGCMTypes,
};

const TAG_BYTES = 16;
const TAG_OPTIONS = { authTagLength: TAG_BYTES };

class NodeAeadKey implements AeadKey {
  readonly #cipher: CipherGCMTypes;
  readonly #key: Uint8Array;

  constructor(cipher: CipherName, key: Uint8Array) {
    this.#cipher = CIPHERS[cipher];
    this.#key = key;
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const cipher = createCipheriv(this.#cipher, this.#key, nonce, TAG_OPTIONS);
    if (aad.length > 0) cipher.setAAD(aad);
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const length = ciphertext.length - TAG_BYTES;
    const decipher = createDecipheriv(this.#cipher, this.#key, nonce, TAG_OPTIONS);
    if (aad.length > 0) decipher.setAAD(aad);
    decipher.setAuthTag(ciphertext.subarray(length));
    const plaintext = decipher.update(ciphertext.subarray(0, length));
    decipher.final();
    return plaintext.byteLength === plaintext.buffer.byteLength ? new Uint8Array(plaintext.buffer) : plain(plaintext);
  }
}

/** Small draws come out of a block, because a call of the generator costs more than a kilobyte of it. */
function pooledRandom(): RandomSource {
  const pool = new Uint8Array(4096);
  let used = pool.length;
  return (length) => {
    if (length > 256) return randomFillSync(new Uint8Array(length));
    if (used + length > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const bytes = pool.slice(used, used + length);
    // What was handed out must not be found here later.
    pool.fill(0, used, used + length);
    used += length;
    return bytes;
  };
}
