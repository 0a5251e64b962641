/** The suites, as the two independent JavaScript HPKE libraries name them. */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { AeadEncryptionContext, AeadInterface } from '@hpke/core';
import * as core from '@hpke/core';
import * as noble from '@panva/hpke-noble';
import * as panva from 'hpke';
import { concat, view } from './bytes.ts';

/** Numbers of one HPKE suite in the IANA registry. */
export interface SuiteIds {
  readonly kem: number;
  readonly kdf: number;
  readonly aead: number;
}

export const X25519 = 0x0020;
export const P256 = 0x0010;
export const P384 = 0x0011;
export const P521 = 0x0012;
export const X_WING = 0x647a;
export const EXPORT_ONLY = 0xffff;

/** One KEM in each library; `core` is missing where @hpke/core has no such KEM. */
interface KemRow {
  readonly name: string;
  readonly panva: panva.KEMFactory;
  readonly noble: panva.KEMFactory;
  readonly core?: () => core.KemInterface;
  /** Bytes of input keying material given to DeriveKeyPair; what every peer's interface accepts. */
  readonly ikm: number;
}

// WebCrypto keys and noble keys are different types; a suite is only ever used with keys it made itself.
const any = (factory: unknown): panva.KEMFactory => factory as panva.KEMFactory;

export const KEMS: ReadonlyMap<number, KemRow> = new Map([
  [
    X25519,
    {
      name: 'x25519',
      panva: any(panva.KEM_DHKEM_X25519_HKDF_SHA256),
      noble: any(noble.KEM_DHKEM_X25519_HKDF_SHA256),
      core: () => new core.DhkemX25519HkdfSha256(),
      ikm: 32,
    },
  ],
  [
    P256,
    {
      name: 'p256',
      panva: any(panva.KEM_DHKEM_P256_HKDF_SHA256),
      noble: any(noble.KEM_DHKEM_P256_HKDF_SHA256),
      core: () => new core.DhkemP256HkdfSha256(),
      ikm: 32,
    },
  ],
  [
    P384,
    {
      name: 'p384',
      panva: any(panva.KEM_DHKEM_P384_HKDF_SHA384),
      noble: any(noble.KEM_DHKEM_P384_HKDF_SHA384),
      core: () => new core.DhkemP384HkdfSha384(),
      ikm: 48,
    },
  ],
  [
    P521,
    {
      name: 'p521',
      panva: any(panva.KEM_DHKEM_P521_HKDF_SHA512),
      noble: any(noble.KEM_DHKEM_P521_HKDF_SHA512),
      core: () => new core.DhkemP521HkdfSha512(),
      ikm: 66,
    },
  ],
  [X_WING, { name: 'xwing', panva: panva.KEM_MLKEM768_X25519, noble: any(noble.KEM_MLKEM768_X25519), ikm: 32 }],
]);

/** KEMs that the kit refuses, made here so that its refusal can be tested with real messages. */
export const REFUSED_KEMS: ReadonlyMap<number, KemRow> = new Map([
  [
    0x0021,
    {
      name: 'x448',
      panva: any(panva.KEM_DHKEM_X448_HKDF_SHA512),
      noble: any(noble.KEM_DHKEM_X448_HKDF_SHA512),
      ikm: 56,
    },
  ],
  [0x0041, { name: 'mlkem768', panva: any(panva.KEM_ML_KEM_768), noble: any(noble.KEM_ML_KEM_768), ikm: 64 }],
  [0x0050, { name: 'mlkem768-p256', panva: panva.KEM_MLKEM768_P256, noble: any(noble.KEM_MLKEM768_P256), ikm: 32 }],
]);

export const KDFS: ReadonlyMap<number, { hash: 'sha256' | 'sha384' | 'sha512'; nh: number; panva: panva.KDFFactory }> =
  new Map([
    [1, { hash: 'sha256', nh: 32, panva: panva.KDF_HKDF_SHA256 }],
    [2, { hash: 'sha384', nh: 48, panva: panva.KDF_HKDF_SHA384 }],
    [3, { hash: 'sha512', nh: 64, panva: panva.KDF_HKDF_SHA512 }],
  ]);

export const AEADS: ReadonlyMap<number, { cipher: string; nk: number; panva: panva.AEADFactory }> = new Map([
  [1, { cipher: 'aes-128-gcm', nk: 16, panva: panva.AEAD_AES_128_GCM }],
  [2, { cipher: 'aes-256-gcm', nk: 32, panva: panva.AEAD_AES_256_GCM }],
  [3, { cipher: 'chacha20-poly1305', nk: 32, panva: panva.AEAD_ChaCha20Poly1305 }],
  [EXPORT_ONLY, { cipher: '', nk: 0, panva: panva.AEAD_EXPORT_ONLY }],
]);

export const NN = 12;
export const NT = 16;

/** The suite in panva's `hpke`, with WebCrypto KEMs or with the pure JavaScript ones of `@panva/hpke-noble`. */
export function panvaSuite(ids: SuiteIds, kems: 'webcrypto' | 'noble' = 'webcrypto'): panva.CipherSuite {
  const kem = KEMS.get(ids.kem) ?? REFUSED_KEMS.get(ids.kem)!;
  const kdf = ids.kdf === 0x10 ? noble.KDF_SHAKE128 : KDFS.get(ids.kdf)!.panva;
  return new panva.CipherSuite(kems === 'noble' ? kem.noble : kem.panva, kdf, AEADS.get(ids.aead)!.panva);
}

/** The suite in `@hpke/core`; undefined for a KEM or KDF it does not have. */
export function coreSuite(ids: SuiteIds): core.CipherSuite | undefined {
  const kem = KEMS.get(ids.kem)?.core;
  const kdf = { 1: core.HkdfSha256, 2: core.HkdfSha384, 3: core.HkdfSha512 }[ids.kdf];
  if (kem === undefined || kdf === undefined) return undefined;
  const aead = { 1: core.Aes128Gcm, 2: core.Aes256Gcm, 3: ChaCha, [EXPORT_ONLY]: core.ExportOnly }[ids.aead]!;
  return new core.CipherSuite({ kem: kem(), kdf: new kdf(), aead: new aead() });
}

/** ChaCha20-Poly1305 for @hpke/core, which ships only AES-GCM. */
class ChaCha implements AeadInterface {
  readonly id = 3;
  readonly keySize = 32;
  readonly nonceSize = NN;
  readonly tagSize = NT;

  createEncryptionContext(key: ArrayBufferLike | ArrayBufferView): AeadEncryptionContext {
    const k = toView(key);
    return {
      seal: async (iv, data, aad) => sealRaw(3, k, toView(iv), toView(data), toView(aad)).buffer,
      open: async (iv, data, aad) => openRaw(3, k, toView(iv), toView(data), toView(aad)).buffer,
    };
  }
}

function toView(data: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : view(data as ArrayBuffer);
}

/** AEAD seal with node:crypto; ciphertext then tag. */
export function sealRaw(
  aead: number,
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  aad: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const name = AEADS.get(aead)!.cipher as 'chacha20-poly1305';
  const cipher = createCipheriv(name, key, nonce, { authTagLength: NT });
  cipher.setAAD(aad, { plaintextLength: plain.length });
  const body = cipher.update(plain);
  return concat(body, cipher.final(), cipher.getAuthTag());
}

/** AEAD open with node:crypto. @throws when the tag does not match. */
export function openRaw(
  aead: number,
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const name = AEADS.get(aead)!.cipher as 'chacha20-poly1305';
  if (sealed.length < NT) throw new Error('Ciphertext is shorter than its tag');
  const cipher = createDecipheriv(name, key, nonce, { authTagLength: NT });
  cipher.setAuthTag(sealed.subarray(sealed.length - NT));
  cipher.setAAD(aad, { plaintextLength: sealed.length - NT });
  return concat(cipher.update(sealed.subarray(0, sealed.length - NT)), cipher.final());
}
