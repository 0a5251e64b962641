/**
 * Every kind of vector file, by area. A file belongs to the kind with the longest pattern that matches its path; path names
 * choose the driver and nothing else.
 */
import { checkBhttp } from './bhttp-driver.ts';
import { checkChunkedInvalid, checkChunkedValid } from './chunked-drivers.ts';
import { DAP_KINDS } from './dap-kinds.ts';
import { checkHpke } from './hpke-driver.ts';
import { checkKeyConfigs } from './key-configs-driver.ts';
import type { VectorKind } from './kind.ts';
import { checkMessages, checkPeerExchange } from './ohttp-drivers.ts';
import { VDAF_KINDS } from './vdaf-kinds.ts';

/** Areas that can be checked. */
export const AREAS: readonly string[] = ['ohttp', 'vdaf', 'dap'];

/** All kinds. */
const KINDS: readonly VectorKind[] = [
  { pattern: 'ohttp/bhttp*.json', title: 'Binary HTTP', check: checkBhttp },
  { pattern: 'ohttp/hpke*.json', title: 'HPKE', check: checkHpke },
  { pattern: 'ohttp/key-configs*.json', title: 'key configurations', check: checkKeyConfigs },
  { pattern: 'ohttp/ohttp-messages*.json', title: 'encapsulated messages', check: checkMessages },
  { pattern: 'ohttp/ohttp-*-peer*.json', title: "a peer's exchanges", check: checkPeerExchange },
  { pattern: 'ohttp/ohttp-chunked-valid*.json', title: 'chunked messages', check: checkChunkedValid },
  { pattern: 'ohttp/ohttp-chunked-invalid*.json', title: 'chunked messages to refuse', check: checkChunkedInvalid },
  ...VDAF_KINDS,
  ...DAP_KINDS,
];

/** The kind of a file, if it has one. */
export function kindOf(path: string): VectorKind | undefined {
  let best: VectorKind | undefined;
  for (const kind of KINDS) {
    if (!toExpression(kind.pattern).test(path)) continue;
    if (best === undefined || kind.pattern.length > best.pattern.length) best = kind;
  }
  return best;
}

function toExpression(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`);
}
