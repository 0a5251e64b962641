/**
 * Rotation of the keys for input shares. DAP §4.4.1.
 *
 * A key is `pending` until every instance has read it, `active` while it is published, and `expired` for as long as a client
 * may hold a copy of the configuration, or a report sealed to it may wait. There is one active key, but for the moment in
 * which the next one takes over. Any number of instances may run the step at once, and it may stop anywhere.
 */
import { generateHpkeKey, HpkeConfig } from '@privacy-edge/dap';
import { exportPrivateKey } from '@privacy-edge/hpke';
import type { AggregatorContext } from './aggregator-context.ts';
import type { HpkeKeyRow, HpkeKeyState } from './store-rows.ts';

/**
 * Moves keys on, where it is time.
 *
 * @returns how many keys were made, moved or deleted
 */
export async function rotateKeys(context: AggregatorContext): Promise<number> {
  const { store, keys } = context;
  const nowMs = context.clock();
  const moves: Promise<boolean>[] = [];
  const rows = await store.readHpkeKeys();
  const [newest, ...older] = rows.filter(({ state }) => state === 'active');
  const pending = rows.find(({ state }) => state === 'pending');
  if (newest === undefined && pending === undefined) moves.push(makeKey(context, rows, 'active'));
  else if (pending !== undefined) moves.push(...takeOver(context, pending, newest));
  else if (newest !== undefined && age(newest, nowMs) >= context.settings.keyLifetimeMs) {
    moves.push(makeKey(context, rows, 'pending'));
  }
  const now = new Date(nowMs);
  // Left over by an instance that stopped between the two halves of a change.
  moves.push(...older.map(({ configId }) => store.moveHpkeKey(configId, 'active', 'expired', now)));
  for (const row of rows) {
    const isOver = row.state === 'expired' && age(row, nowMs) >= context.settings.keyOverlapMs;
    if (isOver) moves.push(store.deleteHpkeKey(row.configId));
  }
  const moved = (await Promise.all(moves)).filter(Boolean).length;
  if (moved > 0) keys.renew();
  return moved;
}

/** Twice the time between two reads: an instance may have read just before, and may be slow. */
function takeOver(
  { store, settings, clock }: AggregatorContext,
  pending: HpkeKeyRow,
  active: HpkeKeyRow | undefined,
): Promise<boolean>[] {
  const now = new Date(clock());
  if (active !== undefined && age(pending, now.getTime()) < 2 * settings.keyRefreshMs) return [];
  return [takeOverNow(store, pending, active, now)];
}

async function takeOverNow(
  store: AggregatorContext['store'],
  pending: HpkeKeyRow,
  active: HpkeKeyRow | undefined,
  now: Date,
): Promise<boolean> {
  // In this order: there is never a moment without any active key.
  const isMoved = await store.moveHpkeKey(pending.configId, 'pending', 'active', now);
  if (isMoved && active !== undefined) await store.moveHpkeKey(active.configId, 'active', 'expired', now);
  return isMoved;
}

async function makeKey(
  { store, random, clock }: AggregatorContext,
  rows: readonly HpkeKeyRow[],
  state: HpkeKeyState,
): Promise<boolean> {
  const configId = nextId(rows);
  if (configId === undefined) return false;
  const { config, privateKey } = await generateHpkeKey(configId, random);
  const row: HpkeKeyRow = {
    configId,
    config: HpkeConfig.encode(config),
    privateKey: exportPrivateKey(privateKey),
    state,
    since: new Date(clock()),
  };
  return store.putHpkeKey(row);
}

/**
 * The identifier after the newest: one that was just deleted comes back last, so that no client can still know it. Instances
 * that make a key at the same time choose the same identifier, and one of them wins.
 */
function nextId(rows: readonly HpkeKeyRow[]): number | undefined {
  const used = new Set(rows.map(({ configId }) => configId));
  const newest = rows[0]?.configId ?? 255;
  for (let i = 1; i <= 256; i++) {
    const id = (newest + i) % 256;
    if (!used.has(id)) return id;
  }
  return undefined;
}

function age({ since }: HpkeKeyRow, nowMs: number): number {
  return nowMs - since.getTime();
}
