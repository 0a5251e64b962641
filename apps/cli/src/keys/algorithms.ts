/** Names of algorithms in configurations and key files. Light: the command line's help imports this. */
import type { KemName, SuiteName } from '../config/types.ts';

/** Registry numbers of KEMs by name. RFC 9180 §7.1. */
export const KEM_IDS: Readonly<Record<KemName, number>> = {
  x25519: 0x0020,
  'p-256': 0x0010,
  'p-384': 0x0011,
  'p-521': 0x0012,
  'x-wing': 0x647a,
};

const KDF_IDS = { 'hkdf-sha256': 0x0001, 'hkdf-sha384': 0x0002, 'hkdf-sha512': 0x0003 } as const;
const AEAD_IDS = { 'aes-128-gcm': 0x0001, 'aes-256-gcm': 0x0002, 'chacha20-poly1305': 0x0003 } as const;

type KdfName = keyof typeof KDF_IDS;
type AeadName = keyof typeof AEAD_IDS;

/** Names of KEMs. */
export const KEM_NAMES: readonly KemName[] = Object.keys(KEM_IDS) as KemName[];

/** Names of KDF and AEAD pairs. */
export const SUITE_NAMES: readonly SuiteName[] = (Object.keys(KDF_IDS) as KdfName[]).flatMap((kdf) =>
  (Object.keys(AEAD_IDS) as AeadName[]).map((aead): SuiteName => `${kdf}/${aead}`),
);

/** How keys change when nobody says otherwise. */
export const DEFAULT_SCHEDULE: {
  readonly epoch: string;
  readonly publishAhead: string;
  readonly retain: string;
  readonly kems: readonly KemName[];
  readonly suites: readonly SuiteName[];
} = {
  epoch: '7d',
  publishAhead: '1d',
  retain: '2d',
  kems: ['x25519'],
  suites: ['hkdf-sha256/aes-128-gcm', 'hkdf-sha256/chacha20-poly1305'],
};

/** Registry numbers of a pair. */
export function suiteIdsOf(name: SuiteName): { kdfId: number; aeadId: number } {
  const [kdf, aead] = name.split('/') as [KdfName, AeadName];
  return { kdfId: KDF_IDS[kdf], aeadId: AEAD_IDS[aead] };
}

/** Name of a KEM for people, or its number. */
export function kemName(id: number): string {
  return KEM_NAMES.find((name) => KEM_IDS[name] === id) ?? hexId(id);
}

/** Name of a KDF for people, or its number. */
export function kdfName(id: number): string {
  return nameIn(KDF_IDS, id);
}

/** Name of an AEAD for people, or its number. */
export function aeadName(id: number): string {
  return id === 0xffff ? 'export-only' : nameIn(AEAD_IDS, id);
}

function nameIn(table: Readonly<Record<string, number>>, id: number): string {
  return Object.keys(table).find((name) => table[name] === id) ?? hexId(id);
}

function hexId(id: number): string {
  return `0x${id.toString(16).padStart(4, '0')}`;
}
