import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Secret } from '@privacy-edge/bytes';
import { createClient } from '@redis/client';
import { createRedisReplayStore, type LogEvent, type RedisReplayStore, silentLog, systemClock } from '../src/index.ts';
import { listenOn } from './support.ts';

const program = ['/usr/bin/redis-server', '/usr/bin/valkey-server', '/usr/local/bin/redis-server'].find(existsSync);
const skip = program === undefined && 'no redis-server or valkey-server: install redis-server (apt) to run these';
if (skip && process.env['CI']) assert.fail(skip);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function startRedis(port: number, ...more: string[]): Promise<ChildProcess> {
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--daemonize',
    'no',
    ...more,
  ];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) if (/Ready to accept connections/.test(line)) break;
  child.stdout.resume();
  return child;
}

async function stopRedis(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const key = new Secret(new Uint8Array(randomBytes(32)));

function open(t: TestContext, port: number, change = {}): RedisReplayStore {
  const store = createRedisReplayStore({
    url: `redis://127.0.0.1:${port}`,
    fingerprintKey: key,
    windowMs: 60_000,
    clock: systemClock,
    log: silentLog,
    ...change,
  });
  t.after(() => store.close());
  return store;
}

describe('createRedisReplayStore', { skip }, () => {
  let port = 0;
  let redis: ChildProcess;
  before(async () => {
    port = await freePort();
    redis = await startRedis(port);
  });
  after(() => stopRedis(redis));

  it('gives each nonce to exactly one of several gateways', async (t) => {
    const stores = [open(t, port), open(t, port), open(t, port)];
    for (const store of stores) assert.equal(await store.connected(), true);
    for (let round = 0; round < 50; round++) {
      const nonce = randomBytes(32);
      const outcomes = await Promise.all([...stores, ...stores].map((store) => store.remember(nonce)));
      assert.equal(outcomes.filter((outcome) => outcome === 'fresh').length, 1);
      assert.equal(outcomes.filter((outcome) => outcome === 'seen').length, 5);
      for (const store of stores) assert.equal(await store.has(nonce), true);
    }
    assert.equal(await stores[0]!.has(randomBytes(32)), false);
  });

  it('has amnesia for a window from when the data began, the same for every gateway', async (t) => {
    const first = open(t, port, { prefix: 'amnesia:', clock: () => 1_000_000 });
    assert.equal(await first.connected(), true);
    assert.equal(first.amnesiaUntilMs, 1_070_000);
    const second = open(t, port, { prefix: 'amnesia:', clock: () => 1_500_000 });
    assert.equal(await second.connected(), true);
    assert.equal(second.amnesiaUntilMs, 1_070_000);
  });

  it('remembers for the window and what clocks may differ by', async (t) => {
    const admin = createClient({ url: `redis://127.0.0.1:${port}` });
    await admin.connect();
    t.after(() => admin.close());
    for (const [prefix, change, least] of [
      ['usual:', {}, 70_000],
      ['apart:', { skewMs: 30_000 }, 90_000],
    ] as const) {
      const store = open(t, port, { prefix, ...change });
      assert.equal(await store.connected(), true);
      assert.equal(await store.remember(randomBytes(32)), 'fresh');
      const [name] = (await admin.keys(`${prefix}*`)).filter((one) => one !== `${prefix}born`);
      const left = await admin.pTTL(name!);
      assert.ok(left > least - 10_000 && left <= least, `${prefix} ${left}`);
    }
  });

  it('warns of a store that evicts, once for each change, and of none that does not', async (t) => {
    const events: unknown[][] = [];
    let wake = (): void => undefined;
    const log: LogEvent = (level, name, fields) => {
      events.push([level, name, fields?.code]);
      wake();
    };
    const said = async (name: string): Promise<void> => {
      while (!events.some((event) => event[1] === name)) await new Promise<void>((done) => (wake = done));
    };
    const admin = createClient({ url: `redis://127.0.0.1:${port}` });
    await admin.connect();
    t.after(async () => {
      await admin.configSet('maxmemory-policy', 'noeviction');
      await admin.close();
    });
    await admin.configSet('maxmemory-policy', 'allkeys-lru');
    const store = open(t, port, { log });
    assert.equal(await store.connected(), true);
    await said('replay_store_evicts');
    assert.deepEqual(events, [['warn', 'replay_store_evicts', 'allkeys-lru']]);
    // Another connection finds the same, and then another.
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    await said('replay_store_back');
    await admin.configSet('maxmemory-policy', 'noeviction');
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    await said('replay_store_keeps_all');
    assert.equal(events.filter(([, name]) => name === 'replay_store_evicts').length, 1);
  });

  it('asks INFO where CONFIG is forbidden, and says so where both are', async (t) => {
    const ownPort = await freePort();
    const limited = (rule: string): string[] => [
      '--user',
      'some',
      'on',
      'nopass',
      '~*',
      '+@all',
      '-config',
      ...rule.split(' '),
    ];
    const own = await startRedis(ownPort, '--maxmemory-policy', 'volatile-ttl', ...limited('+info'));
    t.after(() => stopRedis(own));
    const told = Promise.withResolvers<unknown[]>();
    const log: LogEvent = (level, name, fields) =>
      void (/evict/.test(name) && told.resolve([level, name, fields?.code]));
    open(t, ownPort, { url: `redis://some:x@127.0.0.1:${ownPort}`, log });
    assert.deepEqual(await told.promise, ['warn', 'replay_store_evicts', 'volatile-ttl']);
    const admin = createClient({ url: `redis://127.0.0.1:${ownPort}` });
    await admin.connect();
    await admin.sendCommand(['ACL', 'SETUSER', 'some', '-info']);
    await admin.close();
    const unknown = Promise.withResolvers<unknown[]>();
    open(t, ownPort, {
      url: `redis://some:x@127.0.0.1:${ownPort}`,
      log: (level: string, name: string) => void (/evict/.test(name) && unknown.resolve([level, name])),
    });
    assert.deepEqual(await unknown.promise, ['info', 'replay_store_eviction_unknown']);
  });

  it('keeps gateways with another fingerprint key apart', async (t) => {
    const [one, other] = [open(t, port), open(t, port, { fingerprintKey: new Secret(new Uint8Array(32)) })];
    await Promise.all([one.connected(), other.connected()]);
    const nonce = randomBytes(32);
    assert.equal(await one.remember(nonce), 'fresh');
    assert.equal(await other.has(nonce), false);
  });

  it('is unavailable while the store is gone, and comes back by itself with new amnesia', async (t) => {
    const ownPort = await freePort();
    let own = await startRedis(ownPort);
    t.after(() => stopRedis(own));
    const events: string[] = [];
    const back = Promise.withResolvers<void>();
    const lost = Promise.withResolvers<void>();
    let now = 1_000_000;
    const store = open(t, ownPort, {
      clock: () => now,
      log: (_level: string, name: string) => {
        events.push(name);
        if (name === 'replay_store_lost') lost.resolve();
        if (name === 'replay_store_back') back.resolve();
      },
    });
    assert.equal(await store.connected(), true);
    const nonce = randomBytes(32);
    assert.equal(await store.remember(nonce), 'fresh');
    await stopRedis(own);
    await lost.promise;
    assert.equal(store.ready, false);
    assert.equal(await store.remember(randomBytes(32)), 'unavailable');
    assert.equal(await store.has(nonce), false);
    now = 2_000_000;
    own = await startRedis(ownPort);
    await back.promise;
    assert.equal(store.ready, true);
    assert.equal(await store.remember(randomBytes(32)), 'fresh');
    assert.equal(store.amnesiaUntilMs, 2_070_000, 'the data was lost with the process');
    assert.deepEqual(events, ['replay_store_lost', 'replay_store_back'], 'one line for each change');
  });

  it('is unavailable when nothing listens, without throwing', async (t) => {
    const store = open(t, await freePort(), { timeoutMs: 20 });
    assert.equal(await store.connected(), false);
    assert.equal(await store.remember(randomBytes(32)), 'unavailable');
  });

  it('is unavailable when the store accepts but never answers', async (t) => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    const store = open(t, await listenOn(t, silent), { timeoutMs: 20 });
    assert.equal(await store.connected(), false);
    assert.equal(await store.remember(randomBytes(32)), 'unavailable');
  });

  it('is unavailable when a command gets no answer in time', async (t) => {
    const store = open(t, port, { timeoutMs: 50, prefix: 'stall:' });
    assert.equal(await store.connected(), true);
    redis.kill('SIGSTOP');
    t.after(() => redis.kill('SIGCONT'));
    assert.equal(await store.remember(randomBytes(32)), 'unavailable');
    redis.kill('SIGCONT');
  });
});
