/** Keys that all follow from one seed, for processes that share a secret but no file. */
import { fromBase64Url, fromHex, fromUtf8, utf8, Writer } from '@privacy-edge/bytes';
import { type GatewayKeys, type KeyRing, KeySchedule, type KeyScheduleState } from '@privacy-edge/gateway-roles';
import { KDF_HKDF_SHA256, kdfById } from '@privacy-edge/hpke';
import { CliError } from '../cli-error.ts';
import type { KeysSection } from '../config/types.ts';
import { parseDuration } from '../config/units.ts';
import { DEFAULT_SCHEDULE, KEM_IDS, suiteIdsOf } from './algorithms.ts';

/** A schedule without its secrets. */
export type ScheduleSettings = Omit<KeyScheduleState, 'segments'>;

/** Settings of a `keys` section, defaults filled in. */
export function scheduleSettings(keys: KeysSection): ScheduleSettings {
  return {
    epochMs: parseDuration(keys.epoch ?? DEFAULT_SCHEDULE.epoch),
    publishAheadMs: parseDuration(keys.publishAhead ?? DEFAULT_SCHEDULE.publishAhead),
    retainMs: parseDuration(keys.retain ?? DEFAULT_SCHEDULE.retain),
    kemIds: (keys.kems ?? DEFAULT_SCHEDULE.kems).map((kem) => KEM_IDS[kem]),
    suites: (keys.suites ?? DEFAULT_SCHEDULE.suites).map(suiteIdsOf),
  };
}

/**
 * Reads a seed as an operator writes it.
 *
 * @param text - hexadecimal or base64url, at least 32 bytes; white space around it is ignored
 * @param origin - file or variable, for the message
 * @throws {@link CliError} `USAGE`; the message never quotes the text
 */
export function parseSeed(text: string, origin: string): Uint8Array {
  const trimmed = text.trim();
  const refuse = (why: string): never => {
    const fix = 'put 64 hexadecimal digits there, made by "openssl rand -hex 32"';
    throw new CliError('USAGE', { what: `Cannot use the seed in ${origin}`, why, fix });
  };
  let seed: Uint8Array;
  try {
    seed = /^[0-9a-fA-F]+$/.test(trimmed) ? fromHex(trimmed) : fromBase64Url(trimmed);
  } catch {
    return refuse('it is neither hexadecimal nor base64url');
  }
  return seed.length < 32 ? refuse('it has less than 32 bytes') : seed;
}

/** {@link parseSeed} for the content of a file. */
export function parseSeedFile(bytes: Uint8Array, file: string): Uint8Array {
  return parseSeed(fromUtf8(bytes), file);
}

/** Epochs that share one starting secret: deriving any epoch takes at most this many steps. */
const EPOCHS_PER_SEGMENT = 1024;

const LABEL = utf8('privacy-edge ohttp seed');

/**
 * The schedule around a moment. It is the same in every process, whenever each of them was started: segments begin at
 * fixed multiples of the epoch since 1970.
 *
 * @param seed - at least 32 secret bytes
 */
export async function seedSchedule(
  seed: Uint8Array,
  settings: ScheduleSettings,
  nowMs: number,
): Promise<KeyScheduleState> {
  const segmentMs = settings.epochMs * EPOCHS_PER_SEGMENT;
  const kdf = kdfById(KDF_HKDF_SHA256);
  const prk = await kdf.extract(LABEL, seed);
  const last = Math.floor(nowMs / segmentMs) + 1;
  // Retained keys may come from the segment before, published ones from the segment after.
  const first = Math.max(0, Math.floor((nowMs - settings.retainMs) / segmentMs));
  const segments: KeyScheduleState['segments'][number][] = [];
  for (let n = first; n <= last; n++) {
    const secret = await kdf.expand(prk, new Writer(32).bytes(LABEL).u64(n).finish(), 32);
    segments.push({ secret, epoch: n * EPOCHS_PER_SEGMENT, fromMs: n * segmentMs });
  }
  return { ...settings, segments };
}

/** Keys from a seed, over any length of time. */
export class SeedKeys implements GatewayKeys {
  readonly #seed: Uint8Array;
  readonly #settings: ScheduleSettings;
  #schedule: KeySchedule | undefined;
  #validUntilMs = 0;

  /** @param seed - at least 32 secret bytes; kept */
  constructor(seed: Uint8Array, settings: ScheduleSettings) {
    this.#seed = seed;
    this.#settings = settings;
  }

  /** The keys of a moment. */
  ringAt(nowMs: number): KeyRing | PromiseLike<KeyRing> {
    if (this.#schedule !== undefined && nowMs < this.#validUntilMs) return this.#schedule.ringAt(nowMs);
    return this.#renew(nowMs);
  }

  async #renew(nowMs: number): Promise<KeyRing> {
    const schedule = new KeySchedule(await seedSchedule(this.#seed, this.#settings, nowMs));
    const ring = await schedule.ringAt(nowMs);
    this.#schedule = schedule;
    const segmentMs = this.#settings.epochMs * EPOCHS_PER_SEGMENT;
    this.#validUntilMs = (Math.floor(nowMs / segmentMs) + 1) * segmentMs;
    return ring;
  }
}
