/**
 * The key configurations in use. Loaded when needed, once for all requests that wait, and again when they are stale or a
 * gateway rejected them. RFC 9458 §3 and §5.3.
 */
import {
  decodeKeyConfigList,
  type Encapsulator,
  encodeKeyConfig,
  type KeyConfig,
  MEDIA_TYPE_KEYS,
  prepareEncapsulator,
  selectSuite,
} from '@privacy-edge/ohttp';
import { isMediaType, lifetimeMs } from './http.ts';
import { ObliviousError } from './oblivious-error.ts';
import { type Settings, secureUrl } from './options.ts';
import { OUTER_GET_INIT, readBody } from './outer.ts';

/** Longest list that is read. */
const MAX_KEYS_BYTES = 65_536;
/** Lifetime of a fetched list whose server does not say. */
const DEFAULT_LIFETIME_MS = 3_600_000;

/** A list that was accepted, and what requests are encapsulated with. */
export interface KeySet {
  /** Digest of the list: two sets with the same one are the same. */
  readonly digest: string;
  readonly encapsulator: Encapsulator;
  /** Milliseconds since the epoch. */
  readonly freshUntilMs: number;
}

interface LoadedList {
  readonly bytes: Uint8Array;
  readonly freshUntilMs: number;
}

/** Holds the current {@link KeySet}. */
export class KeyStore {
  readonly #settings: Settings;
  #held: KeySet | undefined;
  #pending: Promise<KeySet> | undefined;
  /** Counts invalidations: what was asked for before one must not be stored after it. */
  #generation = 0;

  /** @param settings - name the source, the way to it, and the clock */
  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * The current set.
   *
   * @throws {@link ObliviousError} `KEYS_…`
   */
  async get(): Promise<KeySet> {
    for (;;) {
      if (this.#held !== undefined && this.#settings.now() < this.#held.freshUntilMs) return this.#held;
      const generation = this.#generation;
      this.#pending ??= this.#load();
      const loaded = await this.#pending;
      if (generation === this.#generation) return loaded;
    }
  }

  /**
   * Gives up a set that a gateway rejected, unless it has been replaced already.
   *
   * @param rejected - what the request was encapsulated with; without it whatever is held, or is being loaded, goes
   */
  invalidate(rejected: KeySet | undefined = this.#held): void {
    if (this.#held !== rejected) return;
    this.#generation += 1;
    this.#held = undefined;
    this.#pending = undefined;
  }

  async #load(): Promise<KeySet> {
    const generation = this.#generation;
    try {
      const loaded = await this.#accept(await this.#read());
      if (generation === this.#generation) this.#held = loaded;
      return loaded;
    } finally {
      if (generation === this.#generation) this.#pending = undefined;
    }
  }

  async #read(): Promise<LoadedList> {
    const source = this.#settings.keys;
    const forever = Number.POSITIVE_INFINITY;
    if (source instanceof Uint8Array) return { bytes: source, freshUntilMs: forever };
    try {
      if (typeof source === 'function') return { bytes: await source(), freshUntilMs: forever };
      return await this.#download(secureUrl(source.url), source.fetch ?? this.#settings.fetch);
    } catch (cause) {
      if (cause instanceof ObliviousError && cause.code === 'KEYS_UNAVAILABLE') throw cause;
      throw unavailable('there is no answer', { cause });
    }
  }

  async #download(url: string, send: Settings['fetch']): Promise<LoadedList> {
    const { now, timeoutMs } = this.#settings;
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await send(url, { ...OUTER_GET_INIT, headers: { accept: MEDIA_TYPE_KEYS }, signal });
    const { status, headers } = response;
    if (status !== 200 || !isMediaType(headers.get('content-type'), MEDIA_TYPE_KEYS)) {
      throw unavailable(`the answer is ${status} and no list of them`);
    }
    const bytes = await readBody(response, MAX_KEYS_BYTES);
    return { bytes, freshUntilMs: now() + lifetimeMs(headers, DEFAULT_LIFETIME_MS) };
  }

  async #accept({ bytes, freshUntilMs }: LoadedList): Promise<KeySet> {
    const { usable, skipped } = decode(bytes);
    const digest = await digestOf(bytes);
    const configs = await this.#pinned(usable, digest);
    this.#settings.onEvent({ type: 'keys', usable: usable.length, skipped });
    return { digest, encapsulator: await this.#prepare(configs), freshUntilMs };
  }

  /** RFC 9458 §3: the first one that works; a configuration that cannot be used is no reason to give up the others. */
  async #prepare(configs: readonly KeyConfig[], cause?: unknown): Promise<Encapsulator> {
    const selected = selectSuite(configs, this.#settings.preference);
    if (selected === undefined) {
      throw new ObliviousError('KEYS_UNUSABLE', 'Cannot use key configurations: none is known and valid', { cause });
    }
    try {
      return await prepareEncapsulator(selected.config, selected.suite);
    } catch (invalid) {
      return this.#prepare(
        configs.filter((config) => config !== selected.config),
        invalid,
      );
    }
  }

  async #pinned(configs: readonly KeyConfig[], digest: string): Promise<readonly KeyConfig[]> {
    const { keys } = this.#settings;
    const pins = 'pin' in keys ? keys.pin?.map(readPin) : undefined;
    if (pins === undefined || pins.includes(digest)) return configs;
    const digests = await Promise.all(configs.map((config) => digestOf(encodeKeyConfig(config))));
    const pinned = configs.filter((_, i) => pins.includes(digests[i] ?? ''));
    if (pinned.length > 0) return pinned;
    throw new ObliviousError('KEYS_REFUSED', 'Cannot use key configurations: none is pinned');
  }
}

function decode(bytes: Uint8Array): ReturnType<typeof decodeKeyConfigList> {
  try {
    return decodeKeyConfigList(bytes);
  } catch (cause) {
    throw unavailable('the list is malformed', { cause });
  }
}

/** SHA-256, a character for each byte, as pins are compared. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  return String.fromCharCode(
    ...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)),
  );
}

/** The digest in a pin, in the form of {@link digestOf}. */
function readPin(pin: string): string {
  const digest = pin.replace(/^sha-?256-/, '');
  if (!/^[\da-f]{64}$/i.test(digest)) return atob(digest.replaceAll('-', '+').replaceAll('_', '/'));
  return digest.replace(/../g, (pair) => String.fromCharCode(Number(`0x${pair}`)));
}

function unavailable(why: string, options?: ErrorOptions): ObliviousError {
  return new ObliviousError('KEYS_UNAVAILABLE', `Cannot get key configurations: ${why}`, options);
}
