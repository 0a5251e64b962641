/**
 * The file a replay window is saved in.
 *
 * magic "pe-replay-state1" (16) | digest (32) | window ms (8) | saved at ms (8) | end ms (8) | key (16) |
 * current count (4) | previous count (4) | tags (8 each). Integers are big-endian; the digest is SHA-256 of all after it.
 */
import { hash } from 'node:crypto';
import { equalBytes, utf8 } from '@privacy-edge/bytes';
import type { FingerprintSnapshot } from './fingerprint-table.ts';

/** A snapshot and when it was taken. */
export interface ReplayState extends FingerprintSnapshot {
  /** Milliseconds since the epoch. */
  readonly savedAtMs: number;
}

const MAGIC = utf8('pe-replay-state1');
const DIGEST_BYTES = 32;

/** The bytes of the file. */
export function encodeReplayState(state: ReplayState): Uint8Array {
  const tags = 8 * (state.current.length + state.previous.length);
  const content = new Uint8Array(48 + tags);
  const view = new DataView(content.buffer);
  view.setBigUint64(0, BigInt(state.windowMs));
  view.setBigUint64(8, BigInt(state.savedAtMs));
  view.setBigUint64(16, BigInt(state.endMs));
  content.set(state.key, 24);
  view.setUint32(40, state.current.length);
  view.setUint32(44, state.previous.length);
  let at = 48;
  for (const generation of [state.current, state.previous]) {
    for (const tag of generation) {
      view.setBigInt64(at, tag);
      at += 8;
    }
  }
  return Buffer.concat([MAGIC, hash('sha256', content, 'buffer'), content]);
}

/** Reads the file's bytes; undefined for anything that was not written whole by {@link encodeReplayState}. */
export function decodeReplayState(bytes: Uint8Array): ReplayState | undefined {
  const start = MAGIC.length + DIGEST_BYTES;
  if (bytes.length < start + 48 || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined;
  const content = bytes.subarray(start);
  if (!equalBytes(bytes.subarray(MAGIC.length, start), hash('sha256', content, 'buffer'))) return undefined;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const current = view.getUint32(40);
  const previous = view.getUint32(44);
  if (content.length !== 48 + 8 * (current + previous)) return undefined;
  const tags = (from: number, count: number): BigInt64Array =>
    BigInt64Array.from({ length: count }, (_, index) => view.getBigInt64(from + 8 * index));
  return {
    windowMs: Number(view.getBigUint64(0)),
    savedAtMs: Number(view.getBigUint64(8)),
    endMs: Number(view.getBigUint64(16)),
    key: Uint8Array.from(content.subarray(24, 40)),
    current: tags(48, current),
    previous: tags(48 + 8 * current, previous),
  };
}
