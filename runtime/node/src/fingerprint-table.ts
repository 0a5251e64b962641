/**
 * A set of fingerprints in shared memory that forgets only after a window: an open-addressed hash table which any number of
 * worker threads fill with compare-and-swap. It knows nothing of what it remembers; replay windows and spent tokens are
 * policies on top.
 *
 * Two generations take turns. A value enters the current one; every look-up reads both. When the current one is at least one
 * window old the older one is emptied and becomes current, so a value stays for one to two windows.
 */
import { hash } from 'node:crypto';
import type { Clock, RandomSource } from '@privacy-edge/gateway-roles';
import { RuntimeError } from './error.ts';
import { sipHash24 } from './siphash.ts';

/** What `add` found. `full`: not remembered, because the generation holds as many values as it was made for. */
export type FingerprintOutcome = 'fresh' | 'seen' | 'full';

/** Shared memory of one table; send it to a worker thread and attach there. Holds the hash key: treat it as a secret. */
export interface FingerprintTableHandle {
  readonly memory: SharedArrayBuffer;
}

/** Size and age of a new table. */
export interface FingerprintTableOptions {
  /** Values one generation holds, 1 to 2^26. Memory is 24 to 48 bytes for each. */
  readonly capacity: number;
  /** Milliseconds for which a value is remembered at least. */
  readonly windowMs: number;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Load of a table at one moment. */
export interface FingerprintTableStats {
  /** Values in the current generation. */
  readonly used: number;
  /** Values the current generation can hold. */
  readonly capacity: number;
  /** `used / capacity`, 0 to 1. */
  readonly fill: number;
  /** How often generations have taken turns. */
  readonly rotations: number;
}

/** Everything a table knows, for writing to disk while nothing adds to it. */
export interface FingerprintSnapshot {
  readonly key: Uint8Array;
  readonly windowMs: number;
  /** Milliseconds since the epoch at which the current generation is due to be replaced. */
  readonly endMs: number;
  readonly current: BigInt64Array;
  readonly previous: BigInt64Array;
}

// Words of the header, 32 bits each. Seconds fit until the year 2106.
const MAGIC = 0;
const SLOTS = 1;
const LIMIT = 2;
const WINDOW_MS = 3;
const EPOCH = 4;
const END_SECONDS = 5;
const ROTATING = 6;
const USED = 7; // and 8
const KEY = 9; // to 12
const HEADER_BYTES = 64;
const MAGIC_VALUE = 0x70656631;

/** A run of occupied slots longer than this is treated as a full table; at the load allowed it does not happen. */
const MAX_PROBES = 1024;
/** Longer values are digested first, so that the cost of one look-up has a bound. */
const DIRECT_BYTES = 160;

/** One thread's view of a table. */
export class FingerprintTable {
  /** Send this to other threads of the process. */
  readonly handle: FingerprintTableHandle;
  readonly #clock: Clock;
  readonly #header: Uint32Array;
  readonly #key: Int32Array;
  readonly #generations: readonly [BigInt64Array, BigInt64Array];
  readonly #mask: number;
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #words = new Int32Array(2);
  readonly #tag = new BigInt64Array(this.#words.buffer);

  /** @throws {@link RuntimeError} `TABLE_INVALID` when the memory was not made by this version */
  constructor(handle: FingerprintTableHandle, clock: Clock) {
    this.handle = handle;
    this.#clock = clock;
    this.#header = new Uint32Array(handle.memory, 0, HEADER_BYTES / 4);
    const slots = this.#header[SLOTS] ?? 0;
    if (this.#header[MAGIC] !== MAGIC_VALUE || handle.memory.byteLength !== HEADER_BYTES + 16 * slots) {
      throw new RuntimeError('TABLE_INVALID', 'Cannot attach to the fingerprint table: made by another version');
    }
    this.#key = new Int32Array(handle.memory, KEY * 4, 4);
    this.#generations = [
      new BigInt64Array(handle.memory, HEADER_BYTES, slots),
      new BigInt64Array(handle.memory, HEADER_BYTES + 8 * slots, slots),
    ];
    this.#mask = slots - 1;
    this.#limit = this.#header[LIMIT] ?? 0;
    this.#windowMs = this.#header[WINDOW_MS] ?? 0;
  }

  /** Milliseconds for which a value is remembered at least. */
  get windowMs(): number {
    return this.#windowMs;
  }

  /** True when `value` was added within the window; false may be wrong while another thread is adding it. */
  has(value: Uint8Array): boolean {
    const tag = this.#fingerprint(value);
    return this.#contains(0, tag) || this.#contains(1, tag);
  }

  /**
   * Remembers `value`. Of any number of concurrent calls with one value, in all threads, exactly one gets `fresh`.
   *
   * @param value - peer-controlled, any length
   */
  add(value: Uint8Array): FingerprintOutcome {
    const tag = this.#fingerprint(value);
    let insertedAt = -2;
    for (;;) {
      const epoch = this.#currentEpoch();
      const previous = (epoch + 1) & 1;
      // Our own entry in what has meanwhile become the previous generation is no proof of another call.
      if (insertedAt !== epoch - 1 && this.#contains(previous, tag)) return 'seen';
      const outcome = this.#insert(epoch & 1, tag);
      if (outcome !== 'fresh') return outcome;
      // Had the generations turned while we inserted, another thread may already have looked past our entry: compete
      // for the new generation as well, where one of us wins.
      if (Atomics.load(this.#header, EPOCH) === epoch) return 'fresh';
      insertedAt = epoch;
    }
  }

  /** How full the current generation is. */
  stats(): FingerprintTableStats {
    const rotations = this.#currentEpoch();
    const used = Atomics.load(this.#header, USED + (rotations & 1));
    return { used, capacity: this.#limit, fill: used / this.#limit, rotations };
  }

  /** Copies the table. Call only when no thread adds any more. */
  snapshot(): FingerprintSnapshot {
    const epoch = Atomics.load(this.#header, EPOCH);
    const generation = (index: number): BigInt64Array =>
      (index === 0 ? this.#generations[0] : this.#generations[1]).filter((tag) => tag !== 0n);
    return {
      key: new Uint8Array(this.#key.slice().buffer),
      windowMs: this.#windowMs,
      endMs: Atomics.load(this.#header, END_SECONDS) * 1000,
      current: generation(epoch & 1),
      previous: generation((epoch + 1) & 1),
    };
  }

  /**
   * Puts a snapshot into this table, which must be new: not shared and without values.
   *
   * @returns false when it does not fit; the table is then unusable as a memory of the snapshot
   */
  restore(snapshot: FingerprintSnapshot): boolean {
    new Uint8Array(this.handle.memory, KEY * 4, 16).set(snapshot.key);
    const epoch = Atomics.load(this.#header, EPOCH);
    Atomics.store(this.#header, END_SECONDS, Math.ceil(snapshot.endMs / 1000));
    const fill = (index: number, tags: BigInt64Array): boolean =>
      tags.every((tag) => this.#insert(index, tag) !== 'full');
    return fill(epoch & 1, snapshot.current) && fill((epoch + 1) & 1, snapshot.previous);
  }

  /** The keyed hash of a value; 0 marks an empty slot, so no value has it. */
  #fingerprint(value: Uint8Array): bigint {
    const input = value.length > DIRECT_BYTES ? hash('sha256', value, 'buffer') : value;
    sipHash24(this.#key, input, this.#words);
    const tag = this.#tag[0] ?? 0n;
    return tag === 0n ? 1n : tag;
  }

  #contains(generation: number, tag: bigint): boolean {
    const table = generation === 0 ? this.#generations[0] : this.#generations[1];
    let at = Number(BigInt.asUintN(32, tag)) & this.#mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const found = Atomics.load(table, at);
      if (found === tag) return true;
      if (found === 0n) return false;
      at = (at + 1) & this.#mask;
    }
    return false;
  }

  #insert(generation: number, tag: bigint): FingerprintOutcome {
    const table = generation === 0 ? this.#generations[0] : this.#generations[1];
    let at = Number(BigInt.asUintN(32, tag)) & this.#mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      let found = Atomics.load(table, at);
      if (found === 0n) {
        if (Atomics.load(this.#header, USED + generation) >= this.#limit) return 'full';
        found = Atomics.compareExchange(table, at, 0n, tag);
        if (found === 0n) {
          Atomics.add(this.#header, USED + generation, 1);
          return 'fresh';
        }
      }
      if (found === tag) return 'seen';
      at = (at + 1) & this.#mask;
    }
    return 'full';
  }

  #currentEpoch(): number {
    const now = this.#clock();
    if (now >= Atomics.load(this.#header, END_SECONDS) * 1000) this.#rotate(now);
    return Atomics.load(this.#header, EPOCH);
  }

  /**
   * Empties the older generation, whose values are all at least one window old, and makes it current. The others go on
   * with the present generation meanwhile.
   */
  #rotate(now: number): void {
    const seconds = Math.floor(now / 1000);
    const holder = Atomics.load(this.#header, ROTATING);
    // A thread that died in here would stop rotation for ever; a living one is done long before a window has passed.
    if (holder !== 0 && seconds <= holder + this.#windowMs / 1000) return;
    if (Atomics.compareExchange(this.#header, ROTATING, holder, seconds) !== holder) return;
    if (now >= Atomics.load(this.#header, END_SECONDS) * 1000) {
      const next = Atomics.load(this.#header, EPOCH) + 1;
      (next & 1 ? this.#generations[1] : this.#generations[0]).fill(0n);
      Atomics.store(this.#header, USED + (next & 1), 0);
      Atomics.store(this.#header, END_SECONDS, Math.ceil((now + this.#windowMs) / 1000));
      Atomics.store(this.#header, EPOCH, next);
    }
    Atomics.store(this.#header, ROTATING, 0);
  }
}

/**
 * Makes an empty table with a fresh random key.
 *
 * @throws {@link RuntimeError} `TABLE_INVALID` for a capacity or window out of range
 */
export function createFingerprintTable(options: FingerprintTableOptions): FingerprintTable {
  const { capacity, windowMs, clock, random } = options;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > 2 ** 26 || !(windowMs >= 1 && windowMs < 2 ** 32)) {
    throw new RuntimeError(
      'TABLE_INVALID',
      `Cannot make a fingerprint table: capacity ${capacity}, window ${windowMs} ms`,
    );
  }
  // At most two thirds full, so that runs of occupied slots stay short.
  const slots = 2 ** Math.ceil(Math.log2(Math.max(16, capacity * 1.5)));
  const memory = new SharedArrayBuffer(HEADER_BYTES + 16 * slots);
  const header = new Uint32Array(memory, 0, HEADER_BYTES / 4);
  header[MAGIC] = MAGIC_VALUE;
  header[SLOTS] = slots;
  header[LIMIT] = capacity;
  header[WINDOW_MS] = windowMs;
  header[END_SECONDS] = Math.ceil((clock() + windowMs) / 1000);
  new Uint8Array(memory, KEY * 4, 16).set(random(16));
  return new FingerprintTable({ memory }, clock);
}

/**
 * Uses, in another thread, a table that {@link createFingerprintTable} made.
 *
 * @param clock - must read the same time as the other threads' clocks
 * @throws {@link RuntimeError} `TABLE_INVALID`
 */
export function attachFingerprintTable(handle: FingerprintTableHandle, clock: Clock): FingerprintTable {
  return new FingerprintTable(handle, clock);
}
