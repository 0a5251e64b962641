/** One source of primitives, and the algorithms over it. */
import type { Awaitable } from '@privacy-edge/bytes';
import type { PlatformBackend } from './backend.ts';
import type { DhKem } from './dhkem.ts';
import { unsupported } from './error.ts';
import type { SenderKem } from './kem.ts';
import type { OwnSuite } from './key-schedule.ts';
import { MODE_BASE } from './registry.ts';
import { find, has, isKemSupported, kemById, X25519 } from './rows.ts';
import { aeadRows, type KdfRow, kdfRows } from './suites.ts';
import type { Aead, Kem } from './types.ts';
import { x25519Kem } from './x25519.ts';

/** What every function of this package starts from. */
export interface Platform {
  readonly backend: PlatformBackend;
  readonly kdfs: readonly KdfRow[];
  readonly aeads: readonly Aead[];
  readonly x25519: DhKem;
}

/** The algorithms over one backend. */
export function platformOf(backend: PlatformBackend): Platform {
  return { backend, kdfs: kdfRows(backend), aeads: aeadRows(backend), x25519: x25519Kem(backend) };
}

/** `suiteOf`. */
export function suiteFrom(
  platform: Platform,
  kemId: number,
  kdfId: number,
  aeadId: number,
  mode: number = MODE_BASE,
): OwnSuite {
  if (mode !== MODE_BASE) throw unsupported('mode', mode);
  return Object.freeze({
    kem: kemById(kemId),
    kdf: find(platform.kdfs, kdfId, 'KDF'),
    aead: find(platform.aeads, aeadId, 'AEAD'),
  });
}

/** `isSuiteSupported`. */
export function hasSuite(platform: Platform, kemId: number, kdfId: number, aeadId: number): boolean {
  return isKemSupported(kemId) && has(platform.kdfs, kdfId) && has(platform.aeads, aeadId);
}

/** The sender's side of a KEM. */
export function senderKem({ backend, x25519 }: Platform, kem: Kem): Awaitable<SenderKem> {
  return kem === X25519 ? x25519 : backend.moreKem(kem.id);
}
