/** The symmetric algorithms there are: one row each. RFC 9180 §7.2 and §7.3. */
import { type Awaitable, andThen, replaceErrors } from '@privacy-edge/bytes';
import type { Backend, CipherName, HashName } from './backend.ts';
import { exportOnly, openFailed } from './error.ts';
import { expand, extract, HASH_BYTES } from './hkdf.ts';
import {
  AEAD_AES_128_GCM,
  AEAD_AES_256_GCM,
  AEAD_CHACHA20_POLY1305,
  AEAD_EXPORT_ONLY,
  KDF_HKDF_SHA256,
  KDF_HKDF_SHA384,
  KDF_HKDF_SHA512,
} from './registry.ts';
import type { Aead, AeadKey, Kdf } from './types.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A KDF with the name of its hash. */
export interface KdfRow extends Kdf {
  readonly hash: HashName;
}

/** The KDFs over one backend. */
export function kdfRows(backend: Backend): readonly KdfRow[] {
  return [
    hkdf(backend, KDF_HKDF_SHA256, 'SHA-256'),
    hkdf(backend, KDF_HKDF_SHA384, 'SHA-384'),
    hkdf(backend, KDF_HKDF_SHA512, 'SHA-512'),
  ];
}

/** The AEADs over one backend. */
export function aeadRows(backend: Backend): readonly Aead[] {
  return [
    aead(backend, AEAD_AES_128_GCM, 'AES-128-GCM', 16),
    aead(backend, AEAD_AES_256_GCM, 'AES-256-GCM', 32),
    aead(backend, AEAD_CHACHA20_POLY1305, 'ChaCha20-Poly1305', 32),
    EXPORT_ONLY,
  ];
}

function hkdf(backend: Backend, id: number, hash: HashName): KdfRow {
  return Object.freeze({
    id,
    name: `HKDF-${hash.replace('-', '')}`,
    hash,
    Nh: HASH_BYTES[hash],
    extract: (salt: Uint8Array, ikm: Uint8Array) => extract(backend.hmac, hash, salt, ikm),
    expand: (prk: Uint8Array, info: Uint8Array, length: number) => expand(backend.hmac, hash, prk, info, length),
  });
}

function aead(backend: Backend, id: number, name: CipherName, Nk: number): Aead {
  return Object.freeze({
    id,
    name,
    Nk,
    Nn: NONCE_BYTES,
    Nt: TAG_BYTES,
    importKey: (key: Uint8Array): Awaitable<AeadKey> => {
      checkLength(key, Nk, 'key');
      return andThen(backend.aeadKey(name, new Uint8Array(key)), guarded);
    },
  });
}

/** Checks what a caller can get wrong, and hides why a ciphertext was refused. */
function guarded(inner: AeadKey): AeadKey {
  return {
    seal(nonce, aad, plaintext) {
      checkLength(nonce, NONCE_BYTES, 'nonce');
      return inner.seal(nonce, aad, plaintext);
    },
    open(nonce, aad, ciphertext) {
      checkLength(nonce, NONCE_BYTES, 'nonce');
      if (ciphertext.length < TAG_BYTES) throw openFailed();
      return replaceErrors(() => inner.open(nonce, aad, ciphertext), openFailed);
    },
  };
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`An AEAD ${what} has ${length} bytes, not ${bytes.length}`);
}

const EXPORT_ONLY: Aead = Object.freeze({
  id: AEAD_EXPORT_ONLY,
  name: 'Export-only',
  Nk: 0,
  Nn: 0,
  Nt: 0,
  importKey(): AeadKey {
    throw exportOnly();
  },
});
