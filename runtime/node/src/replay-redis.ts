/**
 * The replay window in Redis or Valkey, for several gateway processes: `SET key "" NX PX window` is the one atomic step.
 * The keys are fingerprints under a secret all gateways share, so the store never learns an `enc` and nobody who can write
 * to it can aim at one.
 */
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { type Secret, toBase64Url } from '@privacy-edge/bytes';
import type { Clock, ReplayOutcome, ReplayStore } from '@privacy-edge/gateway-roles';
import type * as RedisClient from '@redis/client';
import { errorFields, type LogEvent } from './log.ts';
import { type EvictionCommands, evictionPolicy, NO_EVICTION } from './redis-eviction.ts';

/** Milliseconds that clocks may differ by unless said otherwise: what machines differ by that follow NTP, many times over. */
export const REPLAY_SKEW_MS = 10_000;

/** Where the store is and how long it remembers. */
export interface RedisReplayOptions {
  /** `redis://`, `rediss://` or `unix://` URL with credentials; operator-controlled. */
  readonly url: string | Secret<string>;
  /** 32 bytes that every gateway of this store shares. */
  readonly fingerprintKey: Secret<Uint8Array>;
  /** Milliseconds during which a gateway may take a message by its Date. */
  readonly windowMs: number;
  /**
   * Milliseconds by which the clocks of the gateways may differ; default {@link REPLAY_SKEW_MS}. Everything is remembered that much longer: a
   * gateway whose clock is behind takes a message for longer than the one that remembered it.
   */
  readonly skewMs?: number;
  /** Milliseconds after which an unanswered command counts as `unavailable`; default 500. */
  readonly timeoutMs?: number;
  /** Put before every key; default `pe:replay:`. */
  readonly prefix?: string;
  readonly clock: Clock;
  readonly log: LogEvent;
}

/** A replay store over a network. */
export interface RedisReplayStore extends ReplayStore {
  /** True while the store can be asked. */
  readonly ready: boolean;
  /** Resolves once the store can be asked: true; or after the time-out: false. Never rejects. */
  connected(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens the store and keeps it open: it reconnects in the background, and while it is out of reach every `remember` is
 * `unavailable`, so that nothing is served unremembered.
 */
export function createRedisReplayStore(options: RedisReplayOptions): RedisReplayStore {
  const timeoutMs = options.timeoutMs ?? 500;
  const prefix = options.prefix ?? 'pe:replay:';
  const keepMs = options.windowMs + (options.skewMs ?? REPLAY_SKEW_MS);
  const key = Buffer.from(options.fingerprintKey.reveal());
  const url = typeof options.url === 'string' ? options.url : options.url.reveal();
  // Loaded only here: it is larger than everything else of this package together.
  const { createClient } = createRequire(import.meta.url)('@redis/client') as typeof RedisClient;
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    socket: {
      connectTimeout: timeoutMs * 4,
      reconnectStrategy: (retries: number) => Math.min(50 * 2 ** Math.min(retries, 6), 2000),
    },
  });
  let down = false;
  let usable = false;
  let amnesiaUntilMs = 0;
  const watchEviction = evictionWatch(client, options.log);
  const first = Promise.withResolvers<boolean>();
  const lose = (error: unknown): void => {
    usable = false;
    // One line for each loss, not for each attempt to come back.
    if (!down) options.log('error', 'replay_store_lost', errorFields(error));
    down = true;
  };
  client.on('error', lose);
  client.on('ready', () => {
    bornAt(client, `${prefix}born`, options.clock()).then((bornMs) => {
      amnesiaUntilMs = bornMs + keepMs;
      usable = true;
      first.resolve(true);
      if (down) options.log('info', 'replay_store_back');
      down = false;
      void watchEviction();
    }, lose);
  });
  const connecting = client.connect().catch(() => undefined);
  const name = (nonce: Uint8Array): string =>
    prefix + toBase64Url(createHmac('sha256', key).update(nonce).digest().subarray(0, 16));

  return {
    get amnesiaUntilMs() {
      return amnesiaUntilMs;
    },
    get ready() {
      return usable && client.isReady;
    },
    connected: () => within(first.promise, timeoutMs * 4, false),
    has: async (nonce) => {
      if (!usable || !client.isReady) return false;
      return within(
        client.exists(name(nonce)).then((count) => count === 1),
        timeoutMs,
        false,
      ).catch(() => false);
    },
    remember: async (nonce) => {
      if (!usable || !client.isReady) return 'unavailable';
      const expiration = { type: 'PX', value: keepMs } as const;
      const answer = client.set(name(nonce), '', { condition: 'NX', expiration }).then(outcome);
      return within<ReplayOutcome>(answer, timeoutMs, 'unavailable').catch(() => 'unavailable');
    },
    close: async () => {
      if (client.isReady) await client.close().catch(() => client.destroy());
      else client.destroy();
      await connecting;
    },
  };
}

/**
 * Says when a store may forget inside the window to make room. Each connection can lead to another server, and settings
 * change while a server runs, so it looks after each and repeats itself only when the answer is another one.
 */
function evictionWatch(client: EvictionCommands, log: LogEvent): () => Promise<void> {
  let said: string | undefined = NO_EVICTION;
  return async () => {
    const policy = await evictionPolicy(client);
    if (policy === said) return;
    said = policy;
    if (policy === undefined) log('info', 'replay_store_eviction_unknown');
    else if (policy === NO_EVICTION) log('info', 'replay_store_keeps_all');
    else log('warn', 'replay_store_evicts', { entry: 'maxmemory-policy', code: policy });
  };
}

/**
 * When the content of the store began, milliseconds since the epoch: a mark without expiry, set by whoever finds none. A
 * store that lost its data lost the mark too, and what it saw before is forgotten for one window from then.
 */
async function bornAt(client: RedisCommands, key: string, now: number): Promise<number> {
  const before = await client.set(key, String(now), { condition: 'NX', GET: true });
  const bornMs = Number(before ?? now);
  return Number.isFinite(bornMs) ? Math.min(bornMs, now) : now;
}

/** The one command {@link bornAt} needs. */
interface RedisCommands {
  set(key: string, value: string, options: { condition: 'NX'; GET: true }): Promise<unknown>;
}

/** `NX` answers null when the key exists. */
function outcome(answer: unknown): ReplayOutcome {
  return answer === null ? 'seen' : 'fresh';
}

/** The promise's value, or `otherwise` when it takes too long; its late failure is not an error of anyone. */
async function within<T>(promise: Promise<T>, timeoutMs: number, otherwise: T): Promise<T> {
  const late = Promise.withResolvers<T>();
  // What arrived while this process was busy is read before giving up: a stall of ours is no failure of the store.
  const timer = setTimeout(() => setImmediate(() => late.resolve(otherwise)), timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
