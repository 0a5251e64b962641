/** The keys of an aggregator for input shares, as one instance knows them. DAP §4.4.1. */
import {
  type AggregatorRole,
  type FindOpener,
  HpkeConfig,
  type HpkeKey,
  importHpkeKey,
  inputShareInfo,
  prepareOpener,
  type ShareOpener,
  type VersionTag,
} from '@privacy-edge/dap';
import type { HpkeKeyStore } from './store.ts';
import type { HpkeKeyRow } from './store-rows.ts';

/** Reads keys from the store, not more often than needed, and prepares them once. */
export class KeyRing {
  readonly #store: HpkeKeyStore;
  readonly #refreshMs: number;
  #rows: readonly HpkeKeyRow[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;
  readonly #openers = new Map<string, ShareOpener>();

  /** @param refreshMs - how long to go without reading */
  constructor(store: HpkeKeyStore, refreshMs: number) {
    this.#store = store;
    this.#refreshMs = refreshMs;
  }

  /** Has keys read again before they are used again. */
  renew(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  /** What clients may seal to, the newest first. */
  async published(nowMs: number): Promise<HpkeConfig[]> {
    const rows = await this.#current(nowMs);
    return rows.filter(({ state }) => state === 'active').map(({ config }) => HpkeConfig.decode(config));
  }

  /** Whether a share that is sealed to a key can be opened: also one that is not published yet, or any more. */
  async isKnown(nowMs: number): Promise<(configId: number) => boolean> {
    const ids = new Set((await this.#current(nowMs)).map(({ configId }) => configId));
    return (configId) => ids.has(configId);
  }

  /** Openers for one role. */
  async openers(version: VersionTag, role: AggregatorRole, nowMs: number): Promise<FindOpener> {
    const found = new Map<number, ShareOpener>();
    for (const row of await this.#current(nowMs)) {
      found.set(row.configId, await this.#opener(row, version, role));
    }
    return (configId) => found.get(configId);
  }

  async #current(nowMs: number): Promise<readonly HpkeKeyRow[]> {
    if (nowMs - this.#readAtMs >= this.#refreshMs || nowMs < this.#readAtMs) {
      this.#rows = await this.#store.readHpkeKeys();
      this.#readAtMs = nowMs;
    }
    return this.#rows;
  }

  async #opener(row: HpkeKeyRow, version: VersionTag, role: AggregatorRole): Promise<ShareOpener> {
    // The public key is part of the name: an identifier may come back with another key.
    const name = `${version} ${role} ${row.config.join()}`;
    const known = this.#openers.get(name);
    if (known !== undefined) return known;
    const key: HpkeKey = await importHpkeKey(HpkeConfig.decode(row.config), row.privateKey);
    const opener = await prepareOpener(key, inputShareInfo(version, role));
    if (this.#openers.size >= MAX_OPENERS) this.#openers.clear();
    this.#openers.set(name, opener);
    return opener;
  }
}

const MAX_OPENERS = 256;
