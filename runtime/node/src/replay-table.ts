/**
 * The replay window of one process: which `enc` values opened already, shared by all of its worker threads, and carried over
 * a clean restart. RFC 9458 §6.5 leaves the method to the server.
 */
import { readFile, unlink } from 'node:fs/promises';
import type { Clock, RandomSource, ReplayOutcome, ReplayStore } from '@privacy-edge/gateway-roles';
import { writeSecretFile } from './files.ts';
import {
  attachFingerprintTable,
  createFingerprintTable,
  type FingerprintTable,
  type FingerprintTableHandle,
  type FingerprintTableStats,
} from './fingerprint-table.ts';
import { decodeReplayState, encodeReplayState } from './replay-state.ts';

/** What a worker thread needs to share the window. */
export interface ReplayTableHandle {
  readonly table: FingerprintTableHandle;
  readonly amnesiaUntilMs: number;
}

/** Size and age of a replay window. */
export interface ReplayTableOptions {
  /** Requests remembered in one window, over all threads; above it requests are refused as `full`. */
  readonly capacity: number;
  /** Milliseconds; twice the tolerance of the Date check. */
  readonly windowMs: number;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** A replay store in shared memory; both methods answer at once. */
export class ReplayTable implements ReplayStore {
  readonly amnesiaUntilMs: number;
  readonly #table: FingerprintTable;

  constructor(table: FingerprintTable, amnesiaUntilMs: number) {
    this.#table = table;
    this.amnesiaUntilMs = amnesiaUntilMs;
  }

  /** Send this to worker threads; see {@link attachReplayTable}. */
  get handle(): ReplayTableHandle {
    return { table: this.#table.handle, amnesiaUntilMs: this.amnesiaUntilMs };
  }

  /** True when the nonce was remembered within the window, by any thread. */
  has(nonce: Uint8Array): boolean {
    return this.#table.has(nonce);
  }

  /** Of any number of concurrent calls with one nonce, in all threads, exactly one gets `fresh`; never `unavailable`. */
  remember(nonce: Uint8Array): ReplayOutcome {
    return this.#table.add(nonce);
  }

  /** Load, for a metric. */
  stats(): FingerprintTableStats {
    return this.#table.stats();
  }

  /**
   * Writes the window to a secret file, for {@link loadReplayTable} of the next start. Call after every thread stopped
   * serving: what is remembered later is not in the file.
   *
   * @throws {@link RuntimeError} `FILE_FAILED`
   */
  async save(path: string, now: number): Promise<void> {
    await writeSecretFile(path, encodeReplayState({ ...this.#table.snapshot(), savedAtMs: now }));
  }
}

/** An empty window. A process that starts without state may have forgotten what it saw, for one window. */
export function createReplayTable(options: ReplayTableOptions): ReplayTable {
  return new ReplayTable(createFingerprintTable(options), options.clock() + options.windowMs);
}

/** Longer than any window, so that an empty state suits every configuration. */
const ANY_WINDOW_MS = 86_400_000;
/** How old the state of a gateway that never served may be: long enough to set one up, too short to be baked into an image. */
const FIRST_START_MS = 15 * 60_000;

/**
 * Writes the state of a gateway that has never served anything, for {@link loadReplayTable} of its first start.
 *
 * @param path - of a secret file, which is replaced
 * @param clock - now
 * @param random - for the key of the fingerprints
 * @throws {@link RuntimeError} `FILE_FAILED`
 */
export async function createReplayState(path: string, clock: Clock, random: RandomSource): Promise<void> {
  await createReplayTable({ capacity: 1024, windowMs: ANY_WINDOW_MS, clock, random }).save(path, clock());
}

/** The same window in another thread. */
export function attachReplayTable(handle: ReplayTableHandle, clock: Clock): ReplayTable {
  return new ReplayTable(attachFingerprintTable(handle.table, clock), handle.amnesiaUntilMs);
}

/**
 * Continues the window that the last clean shutdown saved, without amnesia. The file is deleted before anything is served,
 * so that after a crash no start can mistake it for the latest state. A file that is absent, damaged, older than its window,
 * from the future, for a shorter window or too large for `capacity` gives an empty window with amnesia: an old file may be a
 * copy from before requests that are forgotten. {@link createReplayState} makes the file for a first start.
 */
export async function loadReplayTable(path: string, options: ReplayTableOptions): Promise<ReplayTable> {
  const bytes = await readFile(path).catch(() => undefined);
  // If it cannot be removed, it must not be believed: the next start would find it again.
  const removed = await unlink(path).then(
    () => true,
    () => false,
  );
  const state = bytes === undefined || !removed ? undefined : decodeReplayState(bytes);
  const now = options.clock();
  if (state === undefined || state.savedAtMs > now || state.windowMs < options.windowMs)
    return createReplayTable(options);
  const table = createFingerprintTable(options);
  const neverServed = state.windowMs === ANY_WINDOW_MS && state.current.length + state.previous.length === 0;
  if (neverServed && now - state.savedAtMs <= FIRST_START_MS) return new ReplayTable(table, 0);
  if (neverServed || state.savedAtMs + options.windowMs < now) return createReplayTable(options);
  return table.restore(state) ? new ReplayTable(table, 0) : createReplayTable(options);
}
