/**
 * What this kit offers of HPKE, written down a second time on purpose: an algorithm that disappears by accident must show
 * as failed vectors, not as expected refusals.
 */
import { HpkeError, importPrivateKey, importPublicKey, suiteOf } from '@privacy-edge/hpke';
import type { Verdict } from './kind.ts';
import { expectFailure, type Vector } from './vector.ts';

const OFFERED_MODES: ReadonlySet<number> = new Set([0x00]);
const OFFERED_KEMS: ReadonlySet<number> = new Set([0x0010, 0x0011, 0x0012, 0x0020, 0x647a]);
const OFFERED_KDFS: ReadonlySet<number> = new Set([0x0001, 0x0002, 0x0003]);
const OFFERED_AEADS: ReadonlySet<number> = new Set([0x0001, 0x0002, 0x0003, 0xffff]);

/** Identifiers of a vector's algorithms. */
export interface SuiteIds {
  readonly mode: number;
  readonly kemId: number;
  readonly kdfId: number;
  readonly aeadId: number;
}

/** Reads the identifiers; a vector without a mode means base mode. */
export function suiteIds(vector: Vector): SuiteIds {
  return {
    mode: vector.has('mode') ? vector.integer('mode') : 0,
    kemId: vector.integer('kem_id'),
    kdfId: vector.integer('kdf_id'),
    aeadId: vector.integer('aead_id'),
  };
}

/**
 * If the algorithms are not offered: checks that they are refused, before any key is looked at.
 *
 * @returns undefined when they are offered, and the vector has to be checked
 * @throws VectorError when they are not offered and yet not refused as they should be
 */
export async function expectedRefusal(ids: SuiteIds): Promise<Verdict | undefined> {
  const { mode, kemId, kdfId, aeadId } = ids;
  const offered =
    OFFERED_MODES.has(mode) && OFFERED_KEMS.has(kemId) && OFFERED_KDFS.has(kdfId) && OFFERED_AEADS.has(aeadId);
  if (offered) return undefined;
  await expectFailure('the suite', () => suiteOf(kemId, kdfId, aeadId, mode), isUnsupported);
  if (!OFFERED_KEMS.has(kemId)) {
    // An empty key would be KEY_INVALID to whoever looks at it before looking at the algorithm.
    const nothing = new Uint8Array(0);
    await expectFailure('a private key of the KEM', () => importPrivateKey(kemId, nothing), isUnsupported);
    await expectFailure('a public key of the KEM', () => importPublicKey(kemId, nothing), isUnsupported);
  }
  return { kind: 'refused', what: refusedPart(ids) };
}

function isUnsupported(error: unknown): boolean {
  return error instanceof HpkeError && error.code === 'SUITE_UNSUPPORTED';
}

function refusedPart({ mode, kemId, kdfId, aeadId }: SuiteIds): string {
  const id = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
  if (!OFFERED_MODES.has(mode)) return `HPKE mode ${mode}`;
  if (!OFFERED_KEMS.has(kemId)) return `KEM ${id(kemId)}`;
  if (!OFFERED_KDFS.has(kdfId)) return `KDF ${id(kdfId)}`;
  return `AEAD ${id(aeadId)}`;
}
