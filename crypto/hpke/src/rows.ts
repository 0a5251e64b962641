/** The KEMs there are, and how a row is found. RFC 9180 §7. */
import { unsupported } from './error.ts';
import {
  KEM_MLKEM768_X25519,
  KEM_P256_HKDF_SHA256,
  KEM_P384_HKDF_SHA384,
  KEM_P521_HKDF_SHA512,
  KEM_X25519_HKDF_SHA256,
} from './registry.ts';
import type { Kem } from './types.ts';

/** DHKEM(X25519, HKDF-SHA256). */
export const X25519: Kem = dhRow(KEM_X25519_HKDF_SHA256, 'X25519', 256, 32, 32);

const KEMS: readonly Kem[] = [
  dhRow(KEM_P256_HKDF_SHA256, 'P-256', 256, 65, 32),
  dhRow(KEM_P384_HKDF_SHA384, 'P-384', 384, 97, 48),
  dhRow(KEM_P521_HKDF_SHA512, 'P-521', 512, 133, 66),
  X25519,
  row(KEM_MLKEM768_X25519, 'MLKEM768-X25519', 32, 1120, 1216, 32),
];

function dhRow(id: number, group: string, hashBits: number, Npk: number, Nsk: number): Kem {
  return row(id, `DHKEM(${group}, HKDF-SHA${hashBits})`, hashBits / 8, Npk, Npk, Nsk);
}

function row(id: number, name: string, Nsecret: number, Nenc: number, Npk: number, Nsk: number): Kem {
  return Object.freeze({ id, name, Nsecret, Nenc, Npk, Nsk });
}

/** Whether a table has a row for an identifier. */
export function has(rows: readonly { readonly id: number }[], id: number): boolean {
  return rows.some((candidate) => candidate.id === id);
}

/**
 * The row of an identifier.
 *
 * @param what - name of the table, for the message
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 */
export function find<T extends { readonly id: number }>(rows: readonly T[], id: number, what: string): T {
  const found = rows.find((candidate) => candidate.id === id);
  if (found === undefined) throw unsupported(what, id);
  return found;
}

/**
 * @param id - KEM identifier, from anywhere
 * @throws {@link HpkeError} `SUITE_UNSUPPORTED`
 * @see RFC 9180 §7.1
 */
export function kemById(id: number): Kem {
  return find(KEMS, id, 'KEM');
}

/** Whether {@link kemById} has a row for this identifier. */
export function isKemSupported(id: number): boolean {
  return has(KEMS, id);
}
