import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { attachFingerprintTable, createFingerprintTable, RuntimeError, systemRandom } from '../src/index.ts';
import { sipHash24 } from '../src/siphash.ts';

const runs = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

function table(capacity: number, windowMs: number, clock: () => number = () => 0) {
  return createFingerprintTable({ capacity, windowMs, clock, random: systemRandom });
}

describe('sipHash24', () => {
  // From the reference implementation's table: key 00..0f, input 00, 01, ... of each length.
  const expected: Record<number, string> = {
    0: '310e0edd47db6f72',
    1: 'fd67dc93c539f874',
    2: '5a4fa9d909806c0d',
    7: '37d1018bf50002ab',
    8: '6224939a79f5f593',
    15: 'e545be4961ca29a1',
    63: '724506eb4c328a95',
  };
  for (const [length, hex] of Object.entries(expected)) {
    it(`gives the reference value for ${length} bytes`, () => {
      const key = new Int32Array(Uint8Array.from({ length: 16 }, (_, i) => i).buffer);
      const out = new Int32Array(2);
      sipHash24(
        key,
        Uint8Array.from({ length: Number(length) }, (_, i) => i),
        out,
      );
      assert.equal(Buffer.from(out.buffer).toString('hex'), hex);
    });
  }
});

describe('FingerprintTable', () => {
  it('says fresh once and seen afterwards, like a set', () => {
    const set = table(100_000, 60_000);
    const model = new Set<string>();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
        const key = Buffer.from(value).toString('hex');
        assert.equal(set.has(value), model.has(key));
        assert.equal(set.add(value), model.has(key) ? 'seen' : 'fresh');
        model.add(key);
        assert.equal(set.has(value), true);
      }),
      { numRuns: Math.min(runs, 50_000) },
    );
    assert.equal(set.stats().used, model.size);
  });

  it('is full exactly at its capacity, and still knows what it holds', () => {
    const set = table(1000, 60_000);
    const values = Array.from({ length: 1000 }, () => randomBytes(32));
    for (const value of values) assert.equal(set.add(value), 'fresh');
    assert.equal(set.add(randomBytes(32)), 'full');
    for (const value of values) assert.equal(set.add(value), 'seen');
    assert.deepEqual(set.stats(), { used: 1000, capacity: 1000, fill: 1, rotations: 0 });
  });

  it('never forgets inside of the window, and forgets after two', () => {
    const windowMs = 10_000;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 20, maxLength: 60 }), (steps) => {
        let now = 1_000_000;
        const set = table(1000, windowMs, () => now);
        const added: { value: Uint8Array; at: number }[] = [];
        for (const step of steps) {
          now += step;
          for (const { value, at } of added) if (now - at <= windowMs) assert.equal(set.has(value), true);
          const value = randomBytes(32);
          assert.equal(set.add(value), 'fresh');
          added.push({ value, at: now });
        }
        // Rotation happens in whole seconds, so two windows and two seconds.
        now += windowMs + 1000;
        set.add(randomBytes(32));
        now += windowMs + 1000;
        set.add(randomBytes(32));
        for (const { value } of added) assert.equal(set.has(value), false);
      }),
      { numRuns: 100 },
    );
  });

  it('says seen for a value of the generation before', () => {
    let now = 0;
    const set = table(10, 1000, () => now);
    const value = randomBytes(32);
    assert.equal(set.add(value), 'fresh');
    now = 1500;
    assert.equal(set.add(value), 'seen');
    assert.equal(set.stats().rotations, 1);
    now = 5000;
    assert.equal(set.add(randomBytes(32)), 'fresh');
    now = 9000;
    assert.equal(set.add(value), 'fresh');
  });

  it('does not rotate back when the clock is set back', () => {
    let now = 10_000;
    const set = table(10, 1000, () => now);
    now = 11_500;
    const value = randomBytes(32);
    assert.equal(set.add(value), 'fresh');
    now = 0;
    assert.equal(set.add(value), 'seen');
    assert.equal(set.stats().rotations, 1);
  });

  it('has another hash under another key', () => {
    const a = table(10, 1000);
    const b = table(10, 1000);
    const value = randomBytes(32);
    a.add(value);
    b.add(value);
    assert.notDeepEqual(a.snapshot().current, b.snapshot().current);
  });

  it('refuses sizes that make no sense, and memory of something else', () => {
    for (const [capacity, windowMs] of [
      [0, 1000],
      [1.5, 1000],
      [2 ** 27, 1000],
      [10, 0],
      [10, Number.NaN],
    ] as const) {
      assert.throws(() => table(capacity, windowMs), { code: 'TABLE_INVALID' });
    }
    const foreign = { memory: new SharedArrayBuffer(1024) };
    assert.throws(() => attachFingerprintTable(foreign, () => 0), RuntimeError);
  });

  it('gives each value to exactly one of many threads', async (t) => {
    const threads = 4;
    const perRound = 2000;
    const rounds = Math.max(10, Math.min(200, runs / 200));
    // A tiny window on a real clock would rotate during the race; here the shared clock is a counter that the threads
    // push on, so generations turn while they compete.
    const shared = new SharedArrayBuffer(16);
    const set = createFingerprintTable({
      capacity: 200_000,
      windowMs: 500_000,
      clock: () => Atomics.load(new Int32Array(shared), 0),
      random: systemRandom,
    });
    const values = new SharedArrayBuffer(32 * perRound);
    const wins = new SharedArrayBuffer(4 * perRound);
    const data = { handle: set.handle, shared, values, wins, perRound };
    const workers = Array.from(
      { length: threads },
      () => new Worker(new URL('./fingerprint-racer.ts', import.meta.url), { workerData: data }),
    );
    t.after(() => Promise.all(workers.map((worker) => worker.terminate())));
    const answers = (): Promise<unknown> =>
      Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    await answers();
    for (let round = 0; round < rounds; round++) {
      new Uint8Array(values).set(randomBytes(32 * perRound));
      new Int32Array(wins).fill(0);
      const done = answers();
      for (const worker of workers) worker.postMessage(round);
      await done;
      assert.deepEqual(
        new Int32Array(wins).findIndex((count) => count !== 1),
        -1,
        `round ${round}: a value was fresh to none or to several threads`,
      );
    }
    assert.ok(set.stats().rotations >= 2, 'generations turned during the race');
  });
});
