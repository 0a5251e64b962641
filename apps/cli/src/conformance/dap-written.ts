/** Decoded DAP messages as the vectors write them. */
import { toHex } from '@privacy-edge/bytes';
import { BATCH_MODE_TIME_INTERVAL, Interval } from '@privacy-edge/dap';

/** Names that are not only ours in another case. */
const NAMES: Readonly<Record<string, string>> = {
  extensionType: 'type',
  extensionData: 'data',
  leaderAggregatorEndpoint: 'leader',
  helperAggregatorEndpoint: 'helper',
  kind: 'type',
};

/** A value with bytes in hexadecimal and members named as in the documents. */
export function written(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => writtenMember(name, member, value)));
}

function writtenMember(name: string, value: unknown, owner: object): [string, unknown][] {
  // The bytes that a configuration was decoded from.
  if (name === 'encoded') return [];
  if (name === 'config' && value instanceof Uint8Array && 'batchMode' in owner) return writtenBatch(value, owner);
  return [[NAMES[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), written(value)]];
}

/** What is in a query or selector depends on its batch mode. */
function writtenBatch(config: Uint8Array, { batchMode }: { readonly batchMode: unknown }): [string, unknown][] {
  if (batchMode === BATCH_MODE_TIME_INTERVAL) return [['interval', written(Interval.decode(config))]];
  return config.length === 0 ? [] : [['batch_id', toHex(config)]];
}

/** The same JSON value with all members in alphabetical order. */
export function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, inOrder(member)]));
}
