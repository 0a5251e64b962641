/** The algorithms there are: one row each. RFC 9180 §7. */
import { type Awaitable, andThen } from '@privacy-edge/bytes';
import type { Backend, CipherName, HashName } from './backend.ts';
import { dhKem } from './dhkem.ts';
import { exportOnly, openFailed } from './error.ts';
import { expand, extract, HASH_BYTES } from './hkdf.ts';
import type { KemAlgorithm } from './kem.ts';
import {
  AEAD_AES_128_GCM,
  AEAD_AES_256_GCM,
  AEAD_CHACHA20_POLY1305,
  AEAD_EXPORT_ONLY,
  KDF_HKDF_SHA256,
  KDF_HKDF_SHA384,
  KDF_HKDF_SHA512,
  KEM_MLKEM768_X25519,
  KEM_P256_HKDF_SHA256,
  KEM_P384_HKDF_SHA384,
  KEM_P521_HKDF_SHA512,
  KEM_X25519_HKDF_SHA256,
} from './registry.ts';
import { orFail } from './steps.ts';
import type { Aead, AeadKey, Kdf } from './types.ts';
import { xWing } from './xwing.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A KDF with the name of its hash. */
export interface KdfAlgorithm {
  readonly kdf: Kdf;
  readonly hash: HashName;
}

/** All rows, by identifier. */
export interface Tables {
  readonly kems: ReadonlyMap<number, KemAlgorithm>;
  readonly kdfs: ReadonlyMap<number, KdfAlgorithm>;
  readonly aeads: ReadonlyMap<number, Aead>;
}

/** The rows over one backend. */
export function tablesOf(backend: Backend): Tables {
  const kems = [
    dhKem(backend, row(KEM_P256_HKDF_SHA256, 'DHKEM(P-256, HKDF-SHA256)', 32, 65, 65, 32), 'P-256', 'SHA-256'),
    dhKem(backend, row(KEM_P384_HKDF_SHA384, 'DHKEM(P-384, HKDF-SHA384)', 48, 97, 97, 48), 'P-384', 'SHA-384'),
    dhKem(backend, row(KEM_P521_HKDF_SHA512, 'DHKEM(P-521, HKDF-SHA512)', 64, 133, 133, 66), 'P-521', 'SHA-512'),
    dhKem(backend, row(KEM_X25519_HKDF_SHA256, 'DHKEM(X25519, HKDF-SHA256)', 32, 32, 32, 32), 'X25519', 'SHA-256'),
    xWing(backend, row(KEM_MLKEM768_X25519, 'MLKEM768-X25519', 32, 1120, 1216, 32)),
  ];
  const kdfs = [
    hkdf(backend, KDF_HKDF_SHA256, 'HKDF-SHA256', 'SHA-256'),
    hkdf(backend, KDF_HKDF_SHA384, 'HKDF-SHA384', 'SHA-384'),
    hkdf(backend, KDF_HKDF_SHA512, 'HKDF-SHA512', 'SHA-512'),
  ];
  const aeads = [
    aead(backend, AEAD_AES_128_GCM, 'AES-128-GCM', 16),
    aead(backend, AEAD_AES_256_GCM, 'AES-256-GCM', 32),
    aead(backend, AEAD_CHACHA20_POLY1305, 'ChaCha20-Poly1305', 32),
    EXPORT_ONLY,
  ];
  return {
    kems: new Map(kems.map((algorithm) => [algorithm.kem.id, algorithm])),
    kdfs: new Map(kdfs.map((algorithm) => [algorithm.kdf.id, algorithm])),
    aeads: new Map(aeads.map((algorithm) => [algorithm.id, algorithm])),
  };
}

function row(id: number, name: string, Nsecret: number, Nenc: number, Npk: number, Nsk: number): KemAlgorithm['kem'] {
  return Object.freeze({ id, name, Nsecret, Nenc, Npk, Nsk });
}

function hkdf(backend: Backend, id: number, name: string, hash: HashName): KdfAlgorithm {
  const kdf: Kdf = Object.freeze({
    id,
    name,
    Nh: HASH_BYTES[hash],
    extract: (salt: Uint8Array, ikm: Uint8Array) => extract(backend.hmac, hash, salt, ikm),
    expand: (prk: Uint8Array, info: Uint8Array, length: number) => expand(backend.hmac, hash, prk, info, length),
  });
  return { kdf, hash };
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
      return orFail(() => inner.open(nonce, aad, ciphertext), openFailed);
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
