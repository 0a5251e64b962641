/** The HPKE configuration of one aggregator: fetched when needed, once for all who wait. DAP §4.4.1. */
import { DecodeError } from '@privacy-edge/bytes';
import {
  DapError,
  HPKE_CONFIG_PATH,
  type HpkeConfig,
  HpkeConfigList,
  resourceUrl,
  selectHpkeConfig,
} from '@privacy-edge/dap';
import { freshnessMs } from '@privacy-edge/http-fields';
import { AnalyticsError } from '../analytics-error.ts';
import { type Answer, exchange, requireMessage } from '../exchange.ts';
import type { ReporterSettings } from './options.ts';

/** Longest list that is read. */
const MAX_LIST_BYTES = 65_537;
/** Lifetime of a list whose server does not say. */
const DEFAULT_LIFETIME_MS = 3_600_000;

interface Held {
  readonly config: HpkeConfig;
  /** Milliseconds since the epoch. */
  readonly freshUntilMs: number;
}

/** Holds the current configuration. */
export class KeyStore {
  readonly #from: 'leader' | 'helper';
  readonly #url: string;
  readonly #settings: ReporterSettings;
  #held: Held | undefined;
  #pending: Promise<HpkeConfig> | undefined;
  /** Counts invalidations: what was asked for before one must not be stored after it. */
  #generation = 0;

  /** @param endpoint - of the aggregator */
  constructor(from: 'leader' | 'helper', endpoint: string, settings: ReporterSettings) {
    this.#from = from;
    this.#url = resourceUrl(endpoint, HPKE_CONFIG_PATH);
    this.#settings = settings;
  }

  /**
   * The configuration to seal to. The request behind it belongs to all who wait, so no signal of one of them ends it.
   *
   * @throws {@link AnalyticsError} `KEYS_UNAVAILABLE`, `KEYS_UNUSABLE`
   */
  async get(): Promise<HpkeConfig> {
    for (;;) {
      if (this.#held !== undefined && this.#settings.network.now() < this.#held.freshUntilMs) return this.#held.config;
      const generation = this.#generation;
      this.#pending ??= this.#load();
      const loaded = await this.#pending;
      if (generation === this.#generation) return loaded;
    }
  }

  /**
   * Gives a configuration up, unless it has been replaced already.
   *
   * @param outdated - what reports were sealed to; without it whatever is held, or is being fetched, goes
   */
  invalidate(outdated: HpkeConfig | undefined = this.#held?.config): void {
    if (this.#held !== undefined && this.#held.config !== outdated) return;
    this.#generation += 1;
    this.#held = undefined;
    this.#pending = undefined;
  }

  async #load(): Promise<HpkeConfig> {
    const generation = this.#generation;
    try {
      const answer = await this.#fetch();
      const config = this.#select(answer);
      const freshUntilMs = this.#settings.network.now() + this.#lifetimeMs(answer);
      if (generation === this.#generation) this.#held = { config, freshUntilMs };
      this.#settings.onEvent({ type: 'keys', from: this.#from });
      return config;
    } finally {
      if (generation === this.#generation) this.#pending = undefined;
    }
  }

  async #fetch(): Promise<Answer> {
    const action = `get keys of the ${this.#from}`;
    const accept = HpkeConfigList.mediaType ?? '';
    try {
      const request = { action, method: 'GET', url: this.#url, headers: { accept }, maxBytes: MAX_LIST_BYTES } as const;
      const answer = await exchange(this.#settings.network, request, undefined);
      requireMessage(answer, 'hpke-config-list', action);
      return answer;
    } catch (error) {
      if (!(error instanceof AnalyticsError)) throw error;
      const { message, status } = error;
      throw new AnalyticsError('KEYS_UNAVAILABLE', message, { status, cause: error });
    }
  }

  #select({ body }: Answer): HpkeConfig {
    try {
      return selectHpkeConfig(HpkeConfigList.decode(body));
    } catch (cause) {
      const action = `Cannot use keys of the ${this.#from}`;
      if (cause instanceof DapError) {
        throw new AnalyticsError('KEYS_UNUSABLE', `${action}: none is known and valid`, { cause });
      }
      if (cause instanceof DecodeError) {
        throw new AnalyticsError('KEYS_UNAVAILABLE', `${action}: the list is malformed`, { cause });
      }
      throw cause;
    }
  }

  #lifetimeMs({ headers }: Answer): number {
    const field = (name: string): string | undefined => headers.get(name) ?? undefined;
    const lifetime = freshnessMs({
      cacheControl: field('cache-control'),
      age: field('age'),
      date: field('date'),
      expires: field('expires'),
      nowMs: this.#settings.network.now(),
    });
    return lifetime ?? DEFAULT_LIFETIME_MS;
  }
}
