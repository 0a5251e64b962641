/**
 * Keys over simulated time. What must hold at every moment, for any schedule:
 *
 * - one epoch is active, with one key for each KEM; those before are retiring, those behind are next
 * - no two accepted keys share an identifier
 * - whoever fetched the list, and keeps it as long as it may, has his requests accepted until that ends and `retainMs` more
 * - two instances of one state agree, and an advanced state agrees with the one it came from
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toHex } from '@privacy-edge/bytes';
import { KeyConfigList } from '@privacy-edge/ohttp';
import fc from 'fast-check';
import {
  advanceKeySchedule,
  type KeyRing,
  KeySchedule,
  KeyScheduleError,
  type KeyScheduleState,
  rotateKeySchedule,
} from '../src/index.ts';
import { RUNS, SUITE } from './gateway-fixture.ts';

const START = 1_000_000_000;
const HOUR = 3_600_000;

function secretOf(seed: number): Uint8Array {
  return new Uint8Array(32).fill(seed);
}

function stateOf(init: Partial<KeyScheduleState> = {}): KeyScheduleState {
  return {
    segments: [{ secret: secretOf(1), epoch: 0, fromMs: START }],
    epochMs: 24 * HOUR,
    publishAheadMs: 6 * HOUR,
    retainMs: 12 * HOUR,
    kemIds: [0x20],
    suites: [SUITE],
    ...init,
  };
}

/** Everything about a ring that two instances must agree on. */
function describeRing(ring: KeyRing): object {
  return {
    published: toHex(ring.published),
    until: ring.publishedUntilMs,
    epochs: ring.epochs.map(({ epoch, state, keys }) => [
      epoch,
      state,
      keys.map(({ config }) => [config.keyId, toHex(config.publicKey)]),
    ]),
  };
}

/** Checks what must hold of one ring by itself. */
function checkRing(ring: KeyRing, state: KeyScheduleState, now: number): void {
  const states = ring.epochs.map((epoch) => epoch.state);
  assert.deepEqual(states.filter((name) => name === 'active').length, 1);
  assert.deepEqual(
    states,
    states.toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)),
  );
  const ids = ring.epochs.flatMap(({ keys }) => keys.map(({ config }) => config.keyId));
  assert.equal(new Set(ids).size, ids.length, 'identifiers are unique');
  for (const { keys } of ring.epochs) {
    assert.deepEqual(
      keys.map(({ config }) => config.kemId),
      state.kemIds,
    );
    for (const key of keys) assert.equal(ring.find(key.config.keyId), key);
  }
  for (let id = 0; id < 256; id++) assert.equal(ring.find(id) !== undefined, ids.includes(id));
  const offered = ring.epochs.filter((epoch) => epoch.state !== 'retiring').flatMap(({ keys }) => keys);
  assert.deepEqual(
    KeyConfigList.decode(ring.published).usable.map(({ keyId }) => keyId),
    offered.map(({ config }) => config.keyId),
  );
  assert.ok(ring.publishedUntilMs > now && ring.changesAtMs > now && ring.changesAtMs <= ring.publishedUntilMs);
}

const ORDER = ['retiring', 'active', 'next'];

describe('KeySchedule', () => {
  it('passes through active, next and retiring', async () => {
    const schedule = new KeySchedule(stateOf());
    const at = async (hours: number): Promise<unknown> =>
      (await schedule.ringAt(START + hours * HOUR)).epochs.map(({ epoch, state }) => `${epoch} ${state}`);
    assert.deepEqual(await at(0), ['0 active']);
    assert.deepEqual(await at(17.99), ['0 active']);
    assert.deepEqual(await at(18), ['0 active', '1 next']);
    assert.deepEqual(await at(24), ['0 retiring', '1 active']);
    assert.deepEqual(await at(35.99), ['0 retiring', '1 active']);
    assert.deepEqual(await at(36), ['1 active']);
    assert.deepEqual(await at(42), ['1 active', '2 next']);
  });

  it('holds its promises at every change over 400 days, with three KEMs, identifiers going round', async () => {
    const state = stateOf({ kemIds: [0x647a, 0x20, 0x10], retainMs: 60 * HOUR });
    const schedule = new KeySchedule(state);
    let now = START;
    let round = 0;
    for (let before = -1; now < START + 400 * 24 * HOUR; ) {
      const ring = await schedule.ringAt(now);
      checkRing(ring, state, now);
      const active = ring.epochs.find((epoch) => epoch.state === 'active')!;
      assert.equal(active.epoch, Math.floor((now - START) / (24 * HOUR)));
      if (active.keys[0]!.config.keyId < before) round++;
      before = active.keys[0]!.config.keyId;
      now = ring.changesAtMs;
    }
    assert.equal(round, Math.floor((400 * 3) / 256));
  });

  it('gives the same ring until it changes, also for a clock that steps back', async () => {
    const schedule = new KeySchedule(stateOf());
    const ring = await schedule.ringAt(START + 20 * HOUR);
    assert.equal(await schedule.ringAt(START + 20 * HOUR + 1), ring);
    const later = await schedule.ringAt(ring.changesAtMs);
    assert.notEqual(later, ring);
    assert.deepEqual(describeRing(await schedule.ringAt(START + 20 * HOUR)), describeRing(ring));
  });

  it('has keys before its beginning: those of the first epoch', async () => {
    const schedule = new KeySchedule(stateOf());
    const early = await schedule.ringAt(START - 100 * 24 * HOUR);
    assert.deepEqual(
      early.epochs.map(({ epoch, state }) => [epoch, state]),
      [[0, 'active']],
    );
    assert.equal(early.publishedUntilMs, START + 18 * HOUR);
  });

  it('finds its way through a state that is many epochs old', async () => {
    const schedule = new KeySchedule(stateOf({ epochMs: 60_000, publishAheadMs: 0, retainMs: 0 }));
    const ring = await schedule.ringAt(START + 50_000 * 60_000);
    assert.deepEqual(
      ring.epochs.map(({ epoch }) => epoch),
      [50_000],
    );
  });

  const shape = fc.record({
    epochMs: fc.integer({ min: 1000, max: 10_000 }),
    ahead: fc.integer({ min: 0, max: 100 }),
    retainMs: fc.integer({ min: 0, max: 60_000 }),
    kems: fc.constantFrom<readonly number[]>([0x20], [0x10, 0x20]),
    rotations: fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 4 }),
  });
  type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

  /** A schedule with some rotations in it, or undefined when that would be refused. */
  function build({ epochMs, ahead, retainMs, kems, rotations }: Shape): KeyScheduleState | undefined {
    let state = stateOf({ epochMs, publishAheadMs: Math.floor((epochMs * ahead) / 100), retainMs, kemIds: kems });
    try {
      let at = START;
      for (const [index, wait] of rotations.entries()) {
        at += wait;
        state = rotateKeySchedule(state, secretOf(index + 2), at);
      }
      new KeySchedule(state);
      return state;
    } catch (error) {
      assert.ok(error instanceof KeyScheduleError);
      return undefined;
    }
  }

  it('holds its promises for any epochs, publishing ahead, retention and rotations', async () => {
    await fc.assert(
      fc.asyncProperty(shape, fc.array(fc.nat(100_000), { maxLength: 6 }), async (init, moments) => {
        const state = build(init);
        if (state === undefined) return;
        const [schedule, other] = [new KeySchedule(state), new KeySchedule(state)];
        for (const after of moments) {
          const now = START + after;
          const ring = await schedule.ringAt(now);
          checkRing(ring, state, now);
          assert.deepEqual(describeRing(await other.ringAt(now)), describeRing(ring), 'two instances agree');
          await checkOldClient(state, ring, now);
        }
      }),
      { numRuns: Math.ceil(Math.min(RUNS, 2000) / 4) },
    );
  });

  /** Follows a client that keeps the list of `now` as long as it may. */
  async function checkOldClient(state: KeyScheduleState, ring: KeyRing, now: number): Promise<void> {
    const { usable } = KeyConfigList.decode(ring.published);
    const until = ring.publishedUntilMs;
    // It takes the first of the list. With `retainMs` 0 the very end counts as too late.
    const first = usable.slice(0, state.kemIds.length);
    for (const at of [now, Math.floor((now + until) / 2), until - 1, until - 1 + state.retainMs]) {
      const later = await new KeySchedule(state).ringAt(at);
      for (const { keyId, publicKey } of first) {
        assert.equal(
          toHex(later.find(keyId)?.config.publicKey ?? new Uint8Array(0)),
          toHex(publicKey),
          `at +${at - now}`,
        );
      }
    }
    // The list really changes then, and not before.
    assert.equal(toHex((await new KeySchedule(state).ringAt(until - 1)).published), toHex(ring.published));
    assert.notEqual(toHex((await new KeySchedule(state).ringAt(until)).published), toHex(ring.published));
  }

  it('advanceKeySchedule() keeps everything of now and later, and nothing that is over', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.nat(80_000),
        fc.array(fc.nat(60_000), { maxLength: 4 }),
        async (init, after, later) => {
          const state = build(init);
          if (state === undefined) return;
          const now = START + after;
          const advanced = await advanceKeySchedule(state, now);
          for (const more of [0, ...later]) {
            const expected = describeRing(await new KeySchedule(state).ringAt(now + more));
            assert.deepEqual(describeRing(await new KeySchedule(advanced).ringAt(now + more)), expected);
          }
          const oldest = (await new KeySchedule(state).ringAt(now)).epochs[0]!;
          assert.equal(advanced.segments[0]!.epoch, oldest.epoch, 'the state begins with the oldest that is accepted');
          assert.deepEqual(await advanceKeySchedule(advanced, now), advanced);
          // Nor does advancing step by step make a difference.
          const [some] = later;
          if (some === undefined) return;
          assert.deepEqual(await advanceKeySchedule(advanced, now + some), await advanceKeySchedule(state, now + some));
        },
      ),
      { numRuns: Math.ceil(Math.min(RUNS, 2000) / 4) },
    );
  });

  it('advanceKeySchedule() makes keys that are over underivable', async () => {
    const state = stateOf();
    const now = START + 10 * 24 * HOUR;
    const old = (await new KeySchedule(state).ringAt(START)).epochs[0]!.keys[0]!;
    const advanced = await advanceKeySchedule(state, now);
    assert.notEqual(toHex(advanced.segments[0]!.secret), toHex(state.segments[0]!.secret));
    const keys = new Set<string>();
    for (let day = -1; day < 300; day++) {
      const ring = await new KeySchedule(advanced).ringAt(START + day * 24 * HOUR);
      for (const epoch of ring.epochs) for (const key of epoch.keys) keys.add(toHex(key.config.publicKey));
    }
    assert.equal(keys.has(toHex(old.config.publicKey)), false);
    // Before its first epoch an advanced state shows that epoch: it has no others.
    assert.equal((await new KeySchedule(advanced).ringAt(START)).epochs[0]!.epoch, 9);
  });

  it('advanceKeySchedule() returns the state itself while nothing is over', async () => {
    const state = stateOf();
    for (const hours of [-100, 0, 24, 35.9]) {
      assert.equal(await advanceKeySchedule(state, START + hours * HOUR), state);
    }
    assert.notEqual(await advanceKeySchedule(state, START + 36 * HOUR), state);
  });
});

describe('rotateKeySchedule()', () => {
  it('takes over at once, and keeps the key before for its retention', async () => {
    const now = START + 30 * HOUR;
    const rotated = rotateKeySchedule(stateOf(), secretOf(2), now);
    const at = async (hours: number): Promise<unknown> =>
      (await new KeySchedule(rotated).ringAt(now + hours * HOUR)).epochs.map(({ epoch, state }) => `${epoch} ${state}`);
    assert.deepEqual(await at(-1), ['0 retiring', '1 active', '2 next']);
    assert.deepEqual(await at(0), ['0 retiring', '1 retiring', '2 active']);
    assert.deepEqual(await at(12), ['2 active']);
    assert.deepEqual(await at(18), ['2 active', '3 next']);
    const before = (await new KeySchedule(stateOf()).ringAt(now + 20 * HOUR)).epochs.find(({ epoch }) => epoch === 2);
    const after = (await new KeySchedule(rotated).ringAt(now)).epochs.find(({ epoch }) => epoch === 2);
    assert.equal(after!.keys[0]!.config.keyId, before!.keys[0]!.config.keyId);
    assert.notEqual(toHex(after!.keys[0]!.config.publicKey), toHex(before!.keys[0]!.config.publicKey));
  });

  it('of a later moment is published ahead', async () => {
    const rotated = rotateKeySchedule(stateOf(), secretOf(2), START + 10 * HOUR);
    const ring = await new KeySchedule(rotated).ringAt(START + 5 * HOUR);
    assert.deepEqual(
      ring.epochs.map(({ state }) => state),
      ['active', 'next'],
    );
    assert.equal((await new KeySchedule(rotated).ringAt(START)).publishedUntilMs, START + 4 * HOUR);
  });

  it('twice in the future tells of each change of the list', async () => {
    const once = rotateKeySchedule(stateOf(), secretOf(2), START + 10 * HOUR);
    const twice = rotateKeySchedule(once, secretOf(3), START + 12 * HOUR);
    const schedule = new KeySchedule(twice);
    assert.equal((await schedule.ringAt(START + 5 * HOUR)).publishedUntilMs, START + 6 * HOUR);
    assert.equal((await schedule.ringAt(START + 7 * HOUR)).publishedUntilMs, START + 10 * HOUR);
  });

  it('takes back a rotation that was planned for later', () => {
    const once = rotateKeySchedule(stateOf(), secretOf(2), START + 10 * HOUR);
    const { segments } = rotateKeySchedule(once, secretOf(3), START + 2 * HOUR);
    assert.deepEqual(
      segments.map(({ fromMs }) => fromMs),
      [START, START + 2 * HOUR],
    );
    assert.deepEqual(segments.at(-1)!.secret, secretOf(3));
  });

  it('of a moment before the first segment comes right after that one began', () => {
    const { segments } = rotateKeySchedule(stateOf(), secretOf(3), START - HOUR);
    assert.equal(segments.at(-1)!.fromMs, START + 1);
  });

  it('is refused when identifiers would run out', () => {
    let state = stateOf({ retainMs: 30 * 24 * HOUR, kemIds: [0x20, 0x10, 0x11, 0x12, 0x647a] });
    assert.throws(() => {
      for (let i = 1; i < 100; i++) state = rotateKeySchedule(state, secretOf(i), START + i * 1000);
    }, KeyScheduleError);
    new KeySchedule(state);
  });
});

describe('new KeySchedule()', () => {
  const segment = stateOf().segments[0]!;
  const bad: Record<string, Partial<KeyScheduleState>> = {
    'no segments': { segments: [] },
    'no KEM': { kemIds: [] },
    'a KEM twice': { kemIds: [0x20, 0x20] },
    'an unknown KEM': { kemIds: [0x20, 0x30] },
    'no suite': { suites: [] },
    'a one-stage KDF': { suites: [SUITE, { kdfId: 0x11, aeadId: 1 }] },
    'the export-only AEAD': { suites: [{ kdfId: 1, aeadId: 0xffff }] },
    'epochs of under a second': { epochMs: 999 },
    'epochs of no length': { epochMs: Number.NaN },
    'keys published more than an epoch ahead': { publishAheadMs: 24 * HOUR + 1 },
    'a negative time ahead': { publishAheadMs: -1 },
    'a negative retention': { retainMs: -1 },
    'a retention without end': { retainMs: Number.POSITIVE_INFINITY },
    'a retention of more epochs than there are identifiers': { retainMs: 253 * 24 * HOUR },
    'an enormous retention behind a rotation': {
      retainMs: 1e15,
      epochMs: 1000,
      publishAheadMs: 0,
      segments: [segment, { ...segment, epoch: 1_000_000_000, fromMs: START + 1e12 }],
    },
    'a secret of another length': { segments: [{ ...segment, secret: new Uint8Array(31) }] },
    'segments out of order': { segments: [segment, { ...segment, epoch: 0 }] },
    'epochs that are not counted through': { segments: [segment, { ...segment, fromMs: START + HOUR, epoch: 2 }] },
  };
  for (const [name, init] of Object.entries(bad)) {
    it(`refuses ${name}`, () => assert.throws(() => new KeySchedule(stateOf(init)), KeyScheduleError));
  }
});
