import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  attachReplayTable,
  createReplayState,
  createReplayTable,
  loadReplayTable,
  systemRandom,
} from '../src/index.ts';
import { temporaryFolder } from './support.ts';

describe('ReplayTable', () => {
  const options = (clock: () => number) => ({ capacity: 1000, windowMs: 60_000, clock, random: systemRandom });

  it('starts with amnesia of one window', () => {
    assert.equal(createReplayTable(options(() => 5000)).amnesiaUntilMs, 65_000);
  });

  it('shares its memory and its amnesia through a handle', () => {
    const table = createReplayTable(options(() => 5000));
    const other = attachReplayTable(structuredClone(table.handle), () => 5000);
    const nonce = randomBytes(32);
    assert.equal(table.remember(nonce), 'fresh');
    assert.equal(other.has(nonce), true);
    assert.equal(other.remember(nonce), 'seen');
    assert.equal(other.amnesiaUntilMs, 65_000);
    assert.deepEqual(table.stats(), other.stats());
  });

  it('remembers everything, both generations, across a clean restart, without amnesia', async (t) => {
    const path = join(await temporaryFolder(t), 'replay');
    let now = 1_000_000;
    const before = createReplayTable(options(() => now));
    const old = Array.from({ length: 50 }, () => randomBytes(32));
    for (const nonce of old) before.remember(nonce);
    now += 61_000;
    const young = Array.from({ length: 50 }, () => randomBytes(32));
    for (const nonce of young) before.remember(nonce);
    await before.save(path, now);
    assert.equal((await stat(path)).mode & 0o777, 0o600);

    now += 1000;
    const after = await loadReplayTable(
      path,
      options(() => now),
    );
    assert.equal(after.amnesiaUntilMs, 0);
    for (const nonce of [...old, ...young]) assert.equal(after.remember(nonce), 'seen');
    assert.equal(after.remember(randomBytes(32)), 'fresh');
    await assert.rejects(stat(path), { code: 'ENOENT' }, 'a crash from here on must not find the file');
    assert.notEqual(
      (
        await loadReplayTable(
          path,
          options(() => now),
        )
      ).amnesiaUntilMs,
      0,
    );
  });

  const damages: Record<string, (content: Buffer) => Buffer> = {
    empty: () => Buffer.alloc(0),
    truncated: (content) => content.subarray(0, content.length - 1),
    longer: (content) => Buffer.concat([content, Buffer.alloc(8)]),
    'one bit flipped': (content) => {
      content[content.length - 3]! ^= 1;
      return content;
    },
    'another magic': (content) => {
      content[0]! ^= 1;
      return content;
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(`starts with amnesia when the file is ${name}, and removes it`, async (t) => {
      const path = join(await temporaryFolder(t), 'replay');
      const table = createReplayTable(options(() => 1000));
      table.remember(randomBytes(32));
      await table.save(path, 1000);
      await writeFile(path, damage(await readFile(path)));
      assert.equal(
        (
          await loadReplayTable(
            path,
            options(() => 2000),
          )
        ).amnesiaUntilMs,
        62_000,
      );
      await assert.rejects(stat(path), { code: 'ENOENT' });
    });
  }

  it('starts with amnesia when the file is stale, from the future, for a shorter window or too large', async (t) => {
    const path = join(await temporaryFolder(t), 'replay');
    const table = createReplayTable(options(() => 100_000));
    for (let i = 0; i < 20; i++) table.remember(randomBytes(32));
    const load = async (now: number, change = {}): Promise<number> => {
      await table.save(path, 100_000);
      return (await loadReplayTable(path, { ...options(() => now), ...change })).amnesiaUntilMs;
    };
    assert.equal(await load(100_001), 0);
    assert.equal(await load(160_001), 220_001);
    assert.equal(await load(99_999), 159_999);
    assert.equal(await load(100_001, { windowMs: 60_001 }), 160_002);
    assert.equal(await load(100_001, { capacity: 10 }), 160_001);
  });

  it('starts for the first time without amnesia, and rotates like any other', async (t) => {
    const path = join(await temporaryFolder(t), 'replay');
    let now = 100_000;
    const clock = (): number => now;
    await createReplayState(path, clock, systemRandom);
    const first = await loadReplayTable(path, options(clock));
    assert.equal(first.amnesiaUntilMs, 0);
    const nonce = randomBytes(32);
    assert.equal(first.remember(nonce), 'fresh');
    assert.equal(first.has(nonce), true);
    now += 10 * 60_000;
    assert.equal(first.stats().used, 0);
    assert.equal(first.stats().rotations, 1);
    assert.equal((await loadReplayTable(path, options(clock))).amnesiaUntilMs, now + 60_000);
  });

  it('does not believe an old copy of the file for a first start', async (t) => {
    const path = join(await temporaryFolder(t), 'replay');
    await createReplayState(path, () => 100_000, systemRandom);
    const now = 100_000 + 15 * 60_000 + 1;
    assert.equal(
      (
        await loadReplayTable(
          path,
          options(() => now),
        )
      ).amnesiaUntilMs,
      now + 60_000,
    );
  });
});
