/** The HPKE key schedule (RFC 9180 §5.1, base mode), written out once more to record the values libraries hide. */

import { createHmac } from 'node:crypto';
import { concat, hex, uint16, utf8 } from './bytes.ts';
import { AEADS, EXPORT_ONLY, KDFS, NN, type SuiteIds } from './suites.ts';

/** Every intermediate value of one context. */
export interface Schedule {
  readonly context: Uint8Array;
  readonly secret: Uint8Array;
  readonly key: Uint8Array;
  readonly baseNonce: Uint8Array;
  readonly exporterSecret: Uint8Array;
}

/** Runs KeySchedule for base mode. */
export function keySchedule(ids: SuiteIds, sharedSecret: Uint8Array, info: Uint8Array): Schedule {
  const context = concat(
    Uint8Array.of(0),
    labeledExtract(ids, EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(ids, EMPTY, 'info_hash', info),
  );
  const secret = labeledExtract(ids, sharedSecret, 'secret', EMPTY);
  const exportOnly = ids.aead === EXPORT_ONLY;
  return {
    context,
    secret,
    key: exportOnly ? EMPTY : labeledExpand(ids, secret, 'key', context, AEADS.get(ids.aead)!.nk),
    baseNonce: exportOnly ? EMPTY : labeledExpand(ids, secret, 'base_nonce', context, NN),
    exporterSecret: labeledExpand(ids, secret, 'exp', context, KDFS.get(ids.kdf)!.nh),
  };
}

/** Context.Export (RFC 9180 §5.3). */
export function exportSecret(
  ids: SuiteIds,
  exporterSecret: Uint8Array,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return labeledExpand(ids, exporterSecret, 'sec', context, length);
}

const EMPTY = new Uint8Array(0);

function suiteId(ids: SuiteIds): Uint8Array {
  return concat(utf8('HPKE'), uint16(ids.kem), uint16(ids.kdf), uint16(ids.aead));
}

function labeledExtract(ids: SuiteIds, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return extract(KDFS.get(ids.kdf)!.hash, salt, concat(utf8('HPKE-v1'), suiteId(ids), utf8(label), ikm));
}

function labeledExpand(ids: SuiteIds, prk: Uint8Array, label: string, context: Uint8Array, length: number): Uint8Array {
  const info = concat(uint16(length), utf8('HPKE-v1'), suiteId(ids), utf8(label), context);
  return expand(KDFS.get(ids.kdf)!.hash, prk, info, length);
}

/** HKDF-Extract (RFC 5869 §2.2). */
export function extract(hash: string, salt: Uint8Array, ikm: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(createHmac(hash, salt).update(ikm).digest());
}

/** HKDF-Expand (RFC 5869 §2.3). */
export function expand(hash: string, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  let block = new Uint8Array(0);
  let out = new Uint8Array(0);
  for (let i = 1; out.length < length; i++) {
    block = Uint8Array.from(
      createHmac(hash, prk)
        .update(concat(block, info, Uint8Array.of(i)))
        .digest(),
    );
    out = concat(out, block);
  }
  return out.slice(0, length);
}

/** The nonce of sequence number `seq`: base nonce XOR big-endian counter (RFC 9180 §5.2). */
export function sequenceNonce(baseNonce: Uint8Array, seq: number): Uint8Array<ArrayBuffer> {
  const out = Uint8Array.from(baseNonce);
  for (let i = 0, left = seq; left > 0; i++, left = Math.floor(left / 256)) out[out.length - 1 - i]! ^= left % 256;
  return out;
}

/** The values as the vector files spell them. */
export function scheduleFields(schedule: Schedule): Record<string, string> {
  return {
    key_schedule_context: hex(schedule.context),
    secret: hex(schedule.secret),
    key: hex(schedule.key),
    base_nonce: hex(schedule.baseNonce),
    exporter_secret: hex(schedule.exporterSecret),
  };
}
