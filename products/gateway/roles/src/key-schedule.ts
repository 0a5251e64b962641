/**
 * Which keys a gateway has at any moment. RFC 9458 §6.4 asks for a plan to replace keys; this is how it is done without coordination.
 *
 * Time is cut into epochs. Each epoch has one key per KEM, derived from a secret that moves forward like a ratchet:
 *
 *     secret(n+1) = Expand(secret(n), "privacy-edge ohttp next")         keys(n) = DeriveKeyPair(Expand(secret(n), "… key" || KEM))
 *
 * Every process that starts from the same state has the same keys at the same time. A state can be advanced: what is left
 * then derives the keys of now and later, and the keys of epochs that are over are gone for good (forward secrecy).
 *
 * A key is published some time before its epoch starts (next), used while it lasts (active), and still accepted for a while
 * afterwards (retiring). Key identifiers count up through all epochs modulo 256, so no two keys that are accepted at the same
 * time ever share one.
 */
import { type Awaitable, andThen, isPromiseLike, utf8, Writer } from '@privacy-edge/bytes';
import { deriveKeyPair, KDF_HKDF_SHA256, kdfById } from '@privacy-edge/hpke';
import {
  createGatewayKey,
  type GatewayKey,
  isSuiteUsable,
  KeyConfigList,
  type SymmetricSuite,
} from '@privacy-edge/ohttp';

/** A run of epochs that derive from one secret. A new segment begins where an operator rotates ahead of time. */
export interface KeySegment {
  /** 32 bytes: the secret of epoch number `epoch`. */
  readonly secret: Uint8Array;
  /** Number of the epoch that `secret` belongs to, counted through all segments. */
  readonly epoch: number;
  /** When that epoch begins, milliseconds since the Unix epoch. */
  readonly fromMs: number;
}

/** What all processes of one gateway share. The secrets in it are as sensitive as the private keys. */
export interface KeyScheduleState {
  /** In order of time, at least one; each ends where the next begins. */
  readonly segments: readonly KeySegment[];
  readonly epochMs: number;
  /** How long before its epoch a key is published. At most `epochMs`. */
  readonly publishAheadMs: number;
  /** How long after its epoch a key is accepted. */
  readonly retainMs: number;
  /** KEMs, in order of preference. */
  readonly kemIds: readonly number[];
  /** Suites offered with every key, in order of preference. */
  readonly suites: readonly SymmetricSuite[];
}

/** What a key is for at some moment. */
export type KeyState = 'next' | 'active' | 'retiring';

/** One epoch that has keys now. */
export interface KeyEpoch {
  /** Number, counted through all segments. */
  readonly epoch: number;
  readonly state: KeyState;
  readonly fromMs: number;
  /** End of the epoch; the keys are accepted for `retainMs` more. */
  readonly untilMs: number;
  /** One per KEM, in order of preference. */
  readonly keys: readonly GatewayKey[];
}

/** All keys of one moment, valid until `changesAtMs`. */
export interface KeyRing {
  readonly epochs: readonly KeyEpoch[];
  /** Active keys, then next ones: `application/ohttp-keys`. */
  readonly published: Uint8Array;
  /** When `published` changes, milliseconds since the Unix epoch: nothing may cache it beyond. */
  readonly publishedUntilMs: number;
  /** When anything changes. */
  readonly changesAtMs: number;
  /** The accepted key with this identifier. */
  find(keyId: number): GatewayKey | undefined;
}

/** A schedule that cannot work. */
export class KeyScheduleError extends Error {
  override readonly name = 'KeyScheduleError';
  readonly code = 'SCHEDULE_INVALID';
}

/** An epoch before its keys are derived. */
interface Slot {
  readonly segment: KeySegment;
  readonly epoch: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Keys over time, derived when they are first needed and forgotten when they are over. */
export class KeySchedule {
  readonly state: KeyScheduleState;
  #ring: KeyRing | undefined;
  #ringFromMs = 0;
  readonly #keys = new Map<number, readonly GatewayKey[]>();

  /** @throws {@link KeyScheduleError} for a state whose keys would not work together */
  constructor(state: KeyScheduleState) {
    checkState(state);
    this.state = state;
  }

  /** The keys of a moment. Cached, so that asking for the same moment again costs nothing. */
  ringAt(nowMs: number): Awaitable<KeyRing> {
    const ring = this.#ring;
    if (ring !== undefined && nowMs >= this.#ringFromMs && nowMs < ring.changesAtMs) return ring;
    const slots = slotsAt(this.state, nowMs);
    const live = new Set(slots.map((slot) => slot.epoch));
    for (const epoch of this.#keys.keys()) if (!live.has(epoch)) this.#keys.delete(epoch);
    return andThen(this.#deriveAll(slots, 0), () => {
      const made = makeRing(this.state, slots, this.#keys, nowMs);
      this.#ring = made;
      this.#ringFromMs = nowMs;
      return made;
    });
  }

  #deriveAll(slots: readonly Slot[], from: number): Awaitable<void> {
    const slot = slots[from];
    if (slot === undefined) return undefined;
    if (this.#keys.has(slot.epoch)) return this.#deriveAll(slots, from + 1);
    return andThen(deriveEpochKeys(this.state, slot), (keys) => {
      this.#keys.set(slot.epoch, keys);
      return this.#deriveAll(slots, from + 1);
    });
  }
}

function checkState(state: KeyScheduleState): void {
  const fail = (why: string): never => {
    throw new KeyScheduleError(`Cannot use key schedule: ${why}`);
  };
  const { segments, epochMs, publishAheadMs, retainMs, kemIds, suites } = state;
  if (segments.length === 0) fail('it has no segment');
  if (kemIds.length === 0 || new Set(kemIds).size !== kemIds.length) fail('it needs one or more different KEMs');
  if (suites.length === 0) fail('it has no suite');
  if (!kemIds.every((kemId) => suites.every((suite) => isSuiteUsable(kemId, suite))))
    fail('it has a KEM or a suite that Oblivious HTTP cannot use here');
  if (!(epochMs >= 1000)) fail('an epoch lasts at least one second');
  if (!(publishAheadMs >= 0 && publishAheadMs <= epochMs)) fail('keys are published at most one epoch ahead');
  if (!(retainMs >= 0)) fail('keys cannot be retained for a negative time');
  for (const [index, segment] of segments.entries()) {
    if (segment.secret.length !== 32) fail('the secret of a segment has 32 bytes');
    const before = segments[index - 1];
    if (before === undefined) continue;
    if (segment.fromMs <= before.fromMs) fail('segments must be in order of time');
    if (segment.epoch !== before.epoch + Math.ceil((segment.fromMs - before.fromMs) / epochMs)) {
      fail('epochs are not counted through its segments');
    }
  }
  // Everything accepted at one moment must fit in the 256 identifiers; one epoch more for the boundary.
  const fit = (epochs: number): void => {
    if ((epochs + 1) * kemIds.length > 256) fail('more keys would be accepted at once than there are key identifiers');
  };
  fit(Math.ceil((retainMs + publishAheadMs) / epochMs) + 2);
  for (const { fromMs } of segments) {
    fit(slotsAt(state, fromMs - publishAheadMs).length);
    fit(slotsAt(state, fromMs).length);
  }
}

/** Epochs whose keys are accepted at a moment, oldest first. Before the first epoch begins, it counts as begun. */
function slotsAt(state: KeyScheduleState, nowMs: number): Slot[] {
  const { segments, epochMs, publishAheadMs, retainMs } = state;
  const first = segments[0] as KeySegment;
  const now = Math.max(nowMs, first.fromMs);
  const slots: Slot[] = [];
  for (const [index, segment] of segments.entries()) {
    const endMs = segments[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
    // Start at the oldest epoch that may still be accepted.
    let n = Math.max(0, Math.floor((now - retainMs - segment.fromMs) / epochMs));
    for (; ; n++) {
      const fromMs = segment.fromMs + n * epochMs;
      if (fromMs >= endMs || fromMs - publishAheadMs > now) break;
      const untilMs = Math.min(fromMs + epochMs, endMs);
      if (untilMs + retainMs > now) slots.push({ segment, epoch: segment.epoch + n, fromMs, untilMs });
    }
  }
  return slots;
}

function makeRing(
  state: KeyScheduleState,
  slots: readonly Slot[],
  keys: ReadonlyMap<number, readonly GatewayKey[]>,
  nowMs: number,
): KeyRing {
  const first = (state.segments[0] as KeySegment).fromMs;
  const now = Math.max(nowMs, first);
  const byId = new Map<number, GatewayKey>();
  const epochs: KeyEpoch[] = [];
  for (const { epoch, fromMs, untilMs } of slots) {
    const epochKeys = keys.get(epoch) ?? [];
    for (const key of epochKeys) byId.set(key.config.keyId, key);
    const keyState = now >= untilMs ? 'retiring' : now >= fromMs ? 'active' : 'next';
    epochs.push({ epoch, state: keyState, fromMs, untilMs, keys: epochKeys });
  }
  const offered = (wanted: KeyState): GatewayKey[] =>
    epochs.filter((epoch) => epoch.state === wanted).flatMap((epoch) => [...epoch.keys]);
  // The list changes when a further key appears in it, and when the active one is over.
  const ends = epochs.filter((epoch) => epoch.state === 'active').map((epoch) => epoch.untilMs);
  const publishedUntilMs = Math.min(nextAppearanceMs(state, now), ...ends);
  const forgotten = epochs.map((epoch) => epoch.untilMs + state.retainMs).filter((at) => at > now);
  return {
    epochs,
    published: KeyConfigList.encode([...offered('active'), ...offered('next')].map((key) => key.config)),
    publishedUntilMs,
    changesAtMs: Math.min(publishedUntilMs, ...forgotten),
    find: (keyId) => byId.get(keyId),
  };
}

/** When the next key is published that is not published yet. */
function nextAppearanceMs({ segments, epochMs, publishAheadMs }: KeyScheduleState, now: number): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const [index, { fromMs }] of segments.entries()) {
    const n = Math.max(0, Math.floor((now + publishAheadMs - fromMs) / epochMs) + 1);
    const beginMs = fromMs + n * epochMs;
    if (beginMs < (segments[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY))
      earliest = Math.min(earliest, beginMs - publishAheadMs);
  }
  return earliest;
}

const NEXT = utf8('privacy-edge ohttp next');
const KEY = utf8('privacy-edge ohttp key');

function nextSecret(secret: Uint8Array): Awaitable<Uint8Array> {
  return kdfById(KDF_HKDF_SHA256).expand(secret, NEXT, 32);
}

/** Walks the ratchet `steps` times; in a loop, because a state that was never advanced can be thousands of epochs old. */
function walk(secret: Uint8Array, steps: number): Awaitable<Uint8Array> {
  let current = secret;
  for (let left = steps; left > 0; left--) {
    const next = nextSecret(current);
    if (isPromiseLike(next)) return next.then((ahead) => walk(ahead, left - 1));
    current = next;
  }
  return current;
}

function deriveEpochKeys(state: KeyScheduleState, slot: Slot): Awaitable<readonly GatewayKey[]> {
  return andThen(walk(slot.segment.secret, slot.epoch - slot.segment.epoch), (secret) =>
    deriveFrom(state, slot.epoch, secret, 0, []),
  );
}

function deriveFrom(
  state: KeyScheduleState,
  epoch: number,
  secret: Uint8Array,
  from: number,
  made: GatewayKey[],
): Awaitable<readonly GatewayKey[]> {
  const kemId = state.kemIds[from];
  if (kemId === undefined) return made;
  const keyId = (epoch * state.kemIds.length + from) % 256;
  const info = new Writer(32).bytes(KEY).u16(kemId).finish();
  return andThen(kdfById(KDF_HKDF_SHA256).expand(secret, info, 66), (ikm) =>
    andThen(deriveKeyPair(kemId, ikm), (privateKey) =>
      andThen(createGatewayKey({ keyId, privateKey, suites: state.suites }), (key) =>
        deriveFrom(state, epoch, secret, from + 1, [...made, key]),
      ),
    ),
  );
}

/**
 * The state without what is over: from it, keys that are no longer accepted cannot be derived.
 *
 * @returns the same state when nothing is over
 */
export function advanceKeySchedule(state: KeyScheduleState, nowMs: number): Awaitable<KeyScheduleState> {
  const oldest = slotsAt(state, nowMs)[0];
  if (oldest === undefined) return state;
  const index = state.segments.indexOf(oldest.segment);
  if (index === 0 && oldest.epoch === oldest.segment.epoch) return state;
  return andThen(walk(oldest.segment.secret, oldest.epoch - oldest.segment.epoch), (secret) => ({
    ...state,
    segments: [{ secret, epoch: oldest.epoch, fromMs: oldest.fromMs }, ...state.segments.slice(index + 1)],
  }));
}

/**
 * Starts a new segment with a fresh secret: what an operator does when a key may have leaked. Rotations that were planned for
 * later are taken back, since the new secret takes the place of theirs.
 *
 * @param secret - 32 fresh random bytes
 * @param atMs - when the new keys take over; rounded to the next millisecond after the last segment's start
 * @throws {@link KeyScheduleError} when there would be more keys at once than key identifiers
 */
export function rotateKeySchedule(state: KeyScheduleState, secret: Uint8Array, atMs: number): KeyScheduleState {
  const kept = state.segments.filter((segment, index) => index === 0 || segment.fromMs < atMs);
  const last = kept.at(-1) as KeySegment;
  const fromMs = Math.max(atMs, last.fromMs + 1);
  const epoch = last.epoch + Math.ceil((fromMs - last.fromMs) / state.epochMs);
  const rotated = { ...state, segments: [...kept, { secret, epoch, fromMs }] };
  checkState(rotated);
  return rotated;
}
