/**
 * Every KEM but DHKEM(X25519, HKDF-SHA256). Node has them from the start; elsewhere they are loaded with the first key that
 * needs one.
 */
import type { WideBackend } from './backend.ts';
import type { KemAlgorithm } from './kem.ts';
import { nistKem } from './nist.ts';
import { KEM_MLKEM768_X25519, KEM_P256_HKDF_SHA256, KEM_P384_HKDF_SHA384, KEM_P521_HKDF_SHA512 } from './registry.ts';
import { kemById } from './rows.ts';
import { xWing } from './xwing.ts';

/** These KEMs over one backend, by identifier. */
export function moreKems(backend: WideBackend): ReadonlyMap<number, KemAlgorithm> {
  return new Map([
    [KEM_P256_HKDF_SHA256, nistKem(backend, kemById(KEM_P256_HKDF_SHA256), 'P-256', 'SHA-256')],
    [KEM_P384_HKDF_SHA384, nistKem(backend, kemById(KEM_P384_HKDF_SHA384), 'P-384', 'SHA-384')],
    [KEM_P521_HKDF_SHA512, nistKem(backend, kemById(KEM_P521_HKDF_SHA512), 'P-521', 'SHA-512')],
    [KEM_MLKEM768_X25519, xWing(backend, kemById(KEM_MLKEM768_X25519))],
  ]);
}
