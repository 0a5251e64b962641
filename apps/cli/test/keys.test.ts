import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHex } from '@privacy-edge/bytes';
import { KeySchedule } from '@privacy-edge/gateway-roles';
import { encodeKeyConfig, KeyConfigList } from '@privacy-edge/ohttp';
import { CliError } from '../src/cli-error.ts';
import { formatKeyFile, parseKeyFile, updateKeyFile } from '../src/keys/key-file.ts';
import { parseSeed, SeedKeys, scheduleSettings, seedSchedule } from '../src/keys/seed.ts';
import { runCli, temporaryFolder } from './run-cli.ts';

interface Listed {
  keys: { id: number; kem: string; state: string; from: string; until: string; publicKey: string }[];
  published: { sha256: string; until: string };
}

async function list(file: string, ...more: string[]): Promise<Listed> {
  const { code, out, err } = await runCli(['keys', 'list', file, '--json', ...more]);
  assert.equal(code, 0, err);
  return JSON.parse(out) as Listed;
}

async function generated(...more: string[]): Promise<string> {
  const file = join(temporaryFolder(), 'keys.json');
  const { code, err } = await runCli(['keys', 'generate', file, ...more]);
  assert.equal(code, 0, err);
  return file;
}

test('keys generate makes a file that only its owner may read, and never overwrites one', async () => {
  const file = await generated();
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const before = readFileSync(file, 'utf8');
  const { code, err } = await runCli(['keys', 'generate', file]);
  assert.equal(code, 2);
  assert.match(err, /it exists, and overwriting it would lose keys/);
  assert.equal(readFileSync(file, 'utf8'), before);
  assert.equal(existsSync(`${file}.lock`), false);
});

test('keys generate takes a schedule, and refuses one that cannot work', async () => {
  const file = await generated(
    '--kem',
    'x-wing',
    'x25519',
    '--epoch',
    '1d',
    '--publish-ahead',
    '6h',
    '--retain',
    '12h',
  );
  const { keys } = await list(file);
  assert.deepEqual(
    keys.map(({ id, kem, state }) => [id, kem, state]),
    [
      [0, 'x-wing', 'active'],
      [1, 'x25519', 'active'],
    ],
  );
  assert.equal(Date.parse(keys[0]!.until) - Date.parse(keys[0]!.from), 86_400_000);
  const folder = temporaryFolder();
  for (const wrong of [
    ['--epoch', '7'],
    ['--epoch', '1h', '--publish-ahead', '2h'],
    ['--epoch', '1s', '--publish-ahead', '1s', '--retain', '10d'],
  ]) {
    const { code, err } = await runCli(['keys', 'generate', join(folder, 'k'), ...wrong]);
    assert.equal(code, 2, wrong.join(' '));
    assert.match(err, /^privacy-edge: Cannot /);
    assert.equal(existsSync(join(folder, 'k')), false);
  }
});

test('keys list shows next, active and retiring keys as time passes', async () => {
  const file = await generated();
  const states = async (days: number): Promise<string[]> => {
    const at = new Date(Date.now() + days * 86_400_000).toISOString();
    return (await list(file, '--at', at)).keys.map(({ id, state }) => `${id} ${state}`);
  };
  assert.deepEqual(await states(0), ['0 active']);
  assert.deepEqual(await states(6.5), ['0 active', '1 next']);
  assert.deepEqual(await states(7.5), ['0 retiring', '1 active']);
  assert.deepEqual(await states(9.5), ['1 active']);
});

test('keys rotate starts new keys at once, keeps the old ones for a while, and never reuses an id', async () => {
  const file = await generated();
  const before = await list(file);
  const { code, err } = await runCli(['keys', 'rotate', file]);
  assert.equal(code, 0);
  assert.match(err, /SIGHUP/);
  const after = await list(file);
  assert.deepEqual(
    after.keys.map(({ id, state }) => [id, state]),
    [
      [0, 'retiring'],
      [1, 'active'],
    ],
  );
  assert.equal(after.keys[0]!.publicKey, before.keys[0]!.publicKey);
  assert.notEqual(after.keys[1]!.publicKey, before.keys[0]!.publicKey);
  assert.notEqual(after.published.sha256, before.published.sha256);
});

test('keys rotate --at plans a change, and refuses the past and nonsense', async () => {
  const file = await generated();
  const at = new Date(Date.now() + 3 * 86_400_000).toISOString();
  assert.equal((await runCli(['keys', 'rotate', file, '--at', at])).code, 0);
  assert.deepEqual(
    (await list(file)).keys.map(({ until }) => until),
    [at],
  );
  for (const wrong of ['2020-01-01T00:00:00Z', 'tomorrow', '2030-13-01T00:00:00Z', '2030-01-01T00:00:00'])
    assert.equal((await runCli(['keys', 'rotate', file, '--at', wrong])).code, 2, wrong);
});

test('keys prune forgets secrets of keys that are over and keeps the rest', async () => {
  const file = await generated('--epoch', '1s', '--publish-ahead', '0s', '--retain', '0s');
  const { state, shared } = parseKeyFile(file, readFileSync(file));
  const old = { ...state, segments: [{ ...state.segments[0]!, fromMs: Date.now() - 600_000 }] };
  writeFileSync(file, formatKeyFile({ state: { ...old, epochMs: 60_000 }, shared }), { mode: 0o600 });
  const before = await list(file);
  assert.equal((await runCli(['keys', 'prune', file])).code, 0);
  const pruned = parseKeyFile(file, readFileSync(file));
  assert.notDeepEqual(pruned.state.segments[0]!.secret, state.segments[0]!.secret);
  assert.deepEqual(pruned.shared, shared);
  assert.equal((await list(file)).published.sha256, before.published.sha256);
});

test('keys export writes what a gateway publishes, and its digest', async () => {
  const file = await generated('--kem', 'p-256', 'x25519');
  const output = join(temporaryFolder(), 'out');
  const { code, out, err } = await runCli(['keys', 'export', file, '-o', output]);
  assert.deepEqual([code, out], [0, '']);
  const { published } = await list(file);
  const { usable, skipped } = KeyConfigList.decode(readFileSync(output));
  const pin = (bytes: Uint8Array): string => `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
  const [first, second] = usable.map((config) => pin(encodeKeyConfig(config)));
  const whole = pin(readFileSync(output));
  const pins = `pin ${whole} whole list\npin ${first} key 0 p-256 active\npin ${second} key 1 x25519 active\n`;
  assert.equal(err, `sha256 ${published.sha256}\nuntil  ${published.until}\n${pins}`);
  assert.deepEqual([usable.map(({ kemId }) => kemId), skipped], [[0x0010, 0x0020], 0]);
  const json = JSON.parse((await runCli(['keys', 'export', file, '--json'])).out) as Record<string, string>;
  assert.equal(json['sha256'], published.sha256);
  assert.equal(json['pin'], whole);
  assert.deepEqual(Buffer.from(json['base64']!, 'base64'), readFileSync(output));
});

test('a key file that others may read, or that is damaged, is refused without quoting it', async () => {
  const file = await generated();
  chmodSync(file, 0o640);
  const exposed = await runCli(['keys', 'list', file]);
  assert.equal(exposed.code, 2);
  assert.match(exposed.err, /run chmod 600/);
  const good = readFileSync(file, 'utf8');
  const damaged = [
    '{',
    '[]',
    good.replace('"version": 1', '"version": 2'),
    good.replace('"epoch": "7d"', '"epoch": 7'),
    good.replace('"kems"', '"kem"'),
    good.replace(/"secret": "/, '"secret": "AA'),
    good.replace(/"segments": \[[^\]]*\]/, '"segments": []'),
  ];
  for (const text of damaged) {
    const secret = /"secret": "([^"]+)"/.exec(good)?.[1] ?? 'no secret';
    assert.throws(
      () => parseKeyFile('k.json', Buffer.from(text)),
      (error: unknown) =>
        error instanceof CliError && error.code === 'USAGE' && !error.message.includes(secret.slice(0, 8)),
      text.slice(0, 60),
    );
  }
});

test('two programs that change a key file do not lose each other', async () => {
  const file = await generated();
  await updateKeyFile(file, async (state) => {
    await assert.rejects(
      updateKeyFile(file, (other) => other),
      (error: unknown) => error instanceof CliError && error.code === 'FAILED' && /another program/.test(error.message),
    );
    return state;
  });
  assert.equal(existsSync(`${file}.lock`), false);
  await assert.rejects(
    updateKeyFile(file, () => {
      throw new RangeError('no');
    }),
    RangeError,
  );
  assert.equal(existsSync(`${file}.lock`), false);
});

test('a seed gives the same keys to every process, whenever it starts', async () => {
  const seed = parseSeed('ab'.repeat(32), 'test');
  const settings = scheduleSettings({ epoch: '1h', publishAhead: '10m', retain: '2h', kems: ['x25519'] });
  const segmentMs = 3_600_000 * 1024;
  const boundary = Math.floor(Date.parse('2026-11-22T00:00:00Z') / segmentMs) * segmentMs;
  for (const at of [boundary - 1, boundary, boundary + 60_000, boundary + 3 * 3_600_000, boundary + segmentMs / 2]) {
    const early = new SeedKeys(seed, settings);
    await early.ringAt(boundary - 7_200_000);
    const late = new SeedKeys(seed, settings);
    const rings = [await early.ringAt(at), await late.ringAt(at)];
    assert.equal(toHex(rings[0]!.published), toHex(rings[1]!.published));
    const ids = rings[0]!.epochs.flatMap((epoch) => epoch.keys.map((key) => key.config.keyId));
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.ok(rings[1]!.find(id));
  }
});

test('another seed gives other keys, and keys survive the boundary between segments', async () => {
  const settings = scheduleSettings({ epoch: '1h', publishAhead: '10m', retain: '2h' });
  const boundary = Math.ceil(Date.parse('2026-11-22T00:00:00Z') / (3_600_000 * 1024)) * 3_600_000 * 1024;
  const one = new SeedKeys(parseSeed('01'.repeat(32), 'test'), settings);
  const before = await one.ringAt(boundary - 1000);
  const after = await one.ringAt(boundary + 1000);
  const active = before.epochs.find((epoch) => epoch.state === 'active')!.keys[0]!;
  const next = before.epochs.find((epoch) => epoch.state === 'next')!.keys[0]!;
  assert.deepEqual(after.find(active.config.keyId)?.config.publicKey, active.config.publicKey);
  assert.deepEqual(
    after.epochs.find((epoch) => epoch.state === 'active')!.keys[0]!.config.publicKey,
    next.config.publicKey,
  );
  const other = new KeySchedule(await seedSchedule(parseSeed('02'.repeat(32), 'test'), settings, boundary));
  assert.notDeepEqual((await other.ringAt(boundary)).published, (await one.ringAt(boundary)).published);
});

test('seeds that are short or no text of bytes are refused without quoting them', () => {
  for (const wrong of ['', 'ab', 'ab'.repeat(31), 'a b'.repeat(30), '!'.repeat(64), 'A'.repeat(41)])
    assert.throws(
      () => parseSeed(wrong, 'PRIVACY_EDGE_GATEWAY_SEED'),
      (error: unknown) =>
        error instanceof CliError && error.code === 'USAGE' && (wrong.length < 8 || !error.message.includes(wrong)),
    );
  assert.equal(parseSeed(` ${'z'.repeat(42)}A\n`, 'x').length, 32);
});

test('keys list and export follow the configuration when no file is named', async () => {
  const folder = temporaryFolder();
  const env = { PRIVACY_EDGE_GATEWAY_SEED: 'cd'.repeat(32) };
  writeFileSync(join(folder, 'privacy-edge.yaml'), 'gateway: {keys: {kems: [p-521]}}\n');
  const { code, out, err } = await runCli(['keys', 'list', '--json'], { cwd: folder, env });
  assert.equal(code, 0, err);
  assert.equal((JSON.parse(out) as Listed).keys[0]!.kem, 'p-521');
  assert.doesNotMatch(out + err, /cdcdcdcd/);
  assert.equal((await runCli(['keys', 'export', '--json'], { cwd: folder, env })).code, 0);
  assert.equal((await runCli(['keys', 'list'], { cwd: folder })).code, 2);
});
