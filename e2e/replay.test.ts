/**
 * The guarantees of docs/operating/replay.md, row by row, with real processes: copies of one message at once, restarts,
 * kills, a shared store that goes away or forgets, a full store, clocks that jump.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { getField } from '@privacy-edge/bhttp';
import { decodeProblem, PROBLEM_DATE } from '@privacy-edge/http-fields';
import { MEDIA_TYPE_REQUEST } from '@privacy-edge/ohttp';
import { type Message, OhttpClient } from './lib/ohttp-client.ts';
import type { RoleProcess } from './lib/role-process.ts';
import { freePort, openStage, type Section } from './lib/stage.ts';
import { startTarget } from './lib/target-server.ts';
import { until } from './lib/until.ts';
import { http1 } from './lib/wire.ts';

const LONG = process.env['PRIVACY_EDGE_LONG'] === '1';
/** Rounds of the races. */
const RACES = LONG ? 300 : 4;
/** Rounds of kill and restart. */
const KILLS = LONG ? 25 : 1;
const COPIES = 64;
/** Short, for tests in which it has to pass; long enough for a restart on a busy machine. */
const TOLERANCE_MS = 4000;

const stage = await openStage();
after(() => stage.close());
const target = await startTarget(stage);
const seedFile = await stage.seedFile();
let paths = 0;

function start(section: Section = {}, env: Readonly<Record<string, string>> = {}): Promise<RoleProcess> {
  return stage.gateway({
    section: { keys: { seedFile }, targets: [{ origin: target.url, allowPrivate: true }], ...section },
    env,
  });
}

/** A message for a path of its own, so that the target tells how often it arrived. */
interface Sample {
  readonly path: string;
  readonly message: Message;
}

async function sample(gateway: RoleProcess, method: 'GET' | 'POST' = 'GET', dateMs = Date.now()): Promise<Sample> {
  const keys = await http1({ origin: gateway.url, ca: undefined }, { method: 'GET', path: '/ohttp-keys', fields: {} });
  const client = await OhttpClient.from(keys!.body);
  const path = `/${method.toLowerCase()}-${paths++}`;
  return { path, message: await client.whole({ url: `${target.url}${path}`, method, dateMs }) };
}

/** What one copy led to: `clear` for an answer that is not encapsulated. */
interface Outcome {
  readonly clear: number | undefined;
  readonly inner: number | undefined;
  readonly retryAfter: string | undefined;
  readonly problem: string | undefined;
}

async function send(gateway: RoleProcess, { message }: Sample): Promise<Outcome> {
  const answer = await http1(
    { origin: gateway.url, ca: undefined },
    {
      path: '/.well-known/ohttp-gateway',
      fields: { 'content-type': MEDIA_TYPE_REQUEST },
      body: [message.bytes],
    },
  );
  assert.ok(answer !== undefined, 'an answer');
  if (answer.status !== 200) {
    assert.equal(answer.body.length, 0);
    return { clear: answer.status, inner: undefined, retryAfter: undefined, problem: undefined };
  }
  const inner = await message.open(answer.body);
  const retryAfter = getField(inner.fields, 'retry-after');
  const problem = inner.status >= 400 ? decodeProblem(inner.body)?.type : undefined;
  return { clear: undefined, inner: inner.status, retryAfter, problem };
}

/** Sends a new message; and another one when it took so long on a busy machine that its Date was over. */
async function sendFresh(gateway: RoleProcess, method: 'GET' | 'POST' = 'GET'): Promise<Outcome & Sample> {
  for (let tries = 0; ; tries++) {
    const fresh = await sample(gateway, method);
    const outcome = await send(gateway, fresh);
    if (outcome.problem !== PROBLEM_DATE || tries === 5) return { ...outcome, ...fresh };
  }
}

/** A message that has just been served. */
async function served(gateway: RoleProcess, method: 'GET' | 'POST' = 'GET'): Promise<Sample> {
  const made = await sendFresh(gateway, method);
  assert.equal(made.inner, 200);
  assert.equal(target.count(made.path), 1);
  return made;
}

/** Takes unsafe requests: what a gateway without memory does not do at first. */
function takesUnsafe(gateway: RoleProcess): Promise<void> {
  return until(async () => (await sendFresh(gateway, 'POST')).inner === 200, 'unsafe requests to be taken');
}

function assertRefused(outcome: Outcome, what: string): void {
  assert.ok(outcome.clear === 400 || outcome.inner === 409, `${what}: ${JSON.stringify(outcome)}`);
}

/** Sends copies from as many connections at once, spread over the gateways. */
async function race(gateways: readonly RoleProcess[], method: 'GET' | 'POST'): Promise<string> {
  const copied = await sample(gateways[0]!, method);
  const outcomes = await Promise.all(
    Array.from({ length: COPIES }, (_, at) => send(gateways[at % gateways.length]!, copied)),
  );
  const answered = outcomes.filter((outcome) => outcome.inner === 200).length;
  assert.ok(answered <= gateways.length, `${answered} answers`);
  for (const outcome of outcomes) if (outcome.inner !== 200) assertRefused(outcome, 'a copy');
  return copied.path;
}

describe('replay', { concurrency: LONG ? 3 : 6 }, () => {
  test('one process, several threads: of many copies at once exactly one reaches the target', async () => {
    const gateway = await start({ workers: 2, replay: { tolerance: `${TOLERANCE_MS}ms` } });
    for (let round = 0; round < RACES; round++) assert.equal(target.count(await race([gateway], 'GET')), 1);
    await takesUnsafe(gateway);
    for (let round = 0; round < RACES; round++) assert.equal(target.count(await race([gateway], 'POST')), 1);
    await gateway.stop();
  });

  test('several processes on one Redis: of many copies at once exactly one reaches the target', async () => {
    const { url } = await stage.redis();
    const replay = { store: 'redis', redisUrl: url };
    const gateways = await Promise.all([start({ replay }), start({ replay })]);
    for (let round = 0; round < RACES; round++) assert.equal(target.count(await race(gateways, 'GET')), 1);
    // What one of them served long ago, the other knows too.
    const before = await served(gateways[0]!);
    assert.equal((await send(gateways[1]!, before)).clear, 400);
    for (const gateway of gateways) await gateway.stop();
  });

  test('several processes with a memory each: once per process', async () => {
    const gateways = await Promise.all([start(), start()]);
    for (let round = 0; round < RACES; round++) {
      const count = target.count(await race(gateways, 'GET'));
      assert.equal(count, 2);
    }
    for (const gateway of gateways) await gateway.stop();
  });

  test('first start with a new key file, then clean restarts: exactly once, and no pause for unsafe methods', async () => {
    const file = stage.path('first-start-keys.json');
    await stage.cli('keys', 'generate', file);
    const section = { keys: { file } };
    const stateFile = `${file}.replay`;
    assert.ok(existsSync(stateFile));
    let gateway = await start(section);
    for (let round = 0; round < KILLS; round++) {
      // Loaded once: after a crash nobody may mistake it for the latest state.
      assert.ok(!existsSync(stateFile));
      const before = [await served(gateway), await served(gateway, 'POST')];
      assert.deepEqual(await gateway.stop(), { exitCode: 0, signal: null });
      assert.ok(existsSync(stateFile));
      gateway = await start(section);
      for (const sent of before) {
        assertRefusedOrOld(await send(gateway, sent));
        assert.equal(target.count(sent.path), 1);
      }
      await served(gateway, 'POST');
    }
    await gateway.stop();
  });

  for (const [how, withStateFile, end] of [
    ['clean restart without stateFile', false, (gateway: RoleProcess) => gateway.stop()],
    ['kill -9', true, (gateway: RoleProcess) => gateway.kill()],
  ] as const) {
    test(`${how}: unsafe methods exactly once, safe methods once more at most`, async () => {
      const tolerance = `${TOLERANCE_MS}ms`;
      const section = { replay: { tolerance, ...(withStateFile ? { stateFile: stage.path('state-lost') } : {}) } };
      let gateway = await start(section);
      for (let round = 0; round < KILLS; round++) {
        await takesUnsafe(gateway);
        const unsafe = await served(gateway, 'POST');
        const safe = await served(gateway);
        await end(gateway);
        gateway = await start(section);
        const startedMs = Date.now();
        const first = await send(gateway, unsafe);
        // Refused for its age instead, when the restart took longer than the tolerance.
        if (first.inner === 425) assert.match(first.retryAfter ?? '', /^[1-9]$/);
        else assert.equal(first.problem, PROBLEM_DATE);
        const early = await sendFresh(gateway, 'POST');
        assert.equal(early.inner, 425);
        assert.equal(target.count(early.path), 0);
        const again = [await send(gateway, safe), await send(gateway, safe)];
        assert.ok(target.count(safe.path) <= 2);
        assertRefusedOrOld(again[1]!);
        assert.equal((await sendFresh(gateway)).inner, 200);
        // The pause ends by itself, not before its time, and never lets the old message through.
        await until(async () => {
          assert.equal((await send(gateway, unsafe)).inner === 200, false);
          return (await sendFresh(gateway, 'POST')).inner === 200;
        }, 'unsafe requests to be taken again');
        assert.ok(Date.now() - startedMs >= TOLERANCE_MS - 1000);
        assert.equal(target.count(unsafe.path), 1);
      }
      await gateway.stop();
    });
  }

  test('Redis out of reach: encapsulated 503, nothing is served; restarted empty: as after a crash', async () => {
    const port = await freePort();
    const redis = await stage.redis(port);
    const replay = { store: 'redis', redisUrl: redis.url, tolerance: `${TOLERANCE_MS}ms` };
    const gateway = await start({ replay, workers: 2 });
    await takesUnsafe(gateway);
    const unsafe = await served(gateway, 'POST');
    const safe = await served(gateway);
    await redis.child.stop(5000);
    await until(async () => (await gateway.admin('/readyz')).status === 503, 'the gateway to say that it is not ready');
    for (const method of ['GET', 'POST'] as const) {
      const refused = await sendFresh(gateway, method);
      assert.equal(refused.inner, 503);
      assert.equal(refused.retryAfter, '5');
      assert.equal(target.count(refused.path), 0);
    }
    // One line of each thread, not of each attempt.
    assert.equal(gateway.events('replay_store_lost').length, 2);
    await stage.redis(port);
    await until(() => gateway.events('replay_store_back').length === 2, 'both threads to find the store');
    await until(async () => (await gateway.admin('/readyz')).status === 200, 'the gateway to be ready again');
    // The documented loss: what the empty store has forgotten may pass once more, unless it is unsafe.
    assert.notEqual((await send(gateway, unsafe)).inner, 200);
    assert.equal((await sendFresh(gateway, 'POST')).inner, 425);
    await send(gateway, safe);
    await send(gateway, safe);
    assert.ok(target.count(safe.path) <= 2);
    const fresh = await served(gateway);
    assertRefused(await send(gateway, fresh), 'a copy after the loss');
    await takesUnsafe(gateway);
    assert.equal(target.count(unsafe.path), 1);
    await gateway.stop();
  });

  test('store full: encapsulated 503, nothing is let through unremembered', async () => {
    const capacity = 1024;
    const gateway = await start({ replay: { capacity } });
    const first = await served(gateway);
    const fill = async (count: number): Promise<void> => {
      for (let left = count; left > 0; left--) assert.equal((await sendFresh(gateway)).inner, 200);
    };
    await Promise.all(Array.from({ length: 11 }, () => fill((capacity - 1) / 11)));
    assert.equal(await gateway.metric('gateway_replay_window_fill'), 1);
    const refused = await sendFresh(gateway);
    assert.equal(refused.inner, 503);
    assert.equal(refused.retryAfter, '5');
    assert.equal(target.count(refused.path), 0);
    assertRefused(await send(gateway, first), 'a copy at a full store');
    assert.equal(target.count(first.path), 1);
    await gateway.stop();
  });

  test('clock set back: what was accepted stays remembered, right clocks get #date until it is set right', () =>
    withShiftedClock(-100_000));

  test('clock set forward: clients get #date, nothing is replayed', () => withShiftedClock(500_000));
});

function assertRefusedOrOld(outcome: Outcome): void {
  if (outcome.problem !== PROBLEM_DATE) assertRefused(outcome, 'a second copy');
}

async function withShiftedClock(shiftMs: number): Promise<void> {
  const file = stage.path(`clock-${shiftMs}`);
  const shift = async (gateway: RoleProcess, ms: number): Promise<void> => {
    const before = gateway.events('clock_shifted').length;
    await writeFile(file, String(ms));
    gateway.signal('SIGUSR2');
    await until(() => gateway.events('clock_shifted').length > before, 'the clock to jump');
  };
  await writeFile(file, '0');
  const preload = join(import.meta.dirname, 'preload/shifted-clock.ts');
  const gateway = await start({}, { PRIVACY_EDGE_TEST_CLOCK: file, NODE_OPTIONS: `--import=${preload}` });
  const before = await served(gateway);
  await shift(gateway, shiftMs);
  assert.notEqual((await send(gateway, before)).inner, 200);
  const fresh = await sendFresh(gateway);
  assert.equal(fresh.problem, PROBLEM_DATE);
  assert.equal(target.count(fresh.path), 0);
  // A client whose clock is wrong in the same way is served, and only once.
  const agreeing = await sample(gateway, 'GET', Date.now() + shiftMs);
  assert.equal((await send(gateway, agreeing)).inner, 200);
  assertRefused(await send(gateway, agreeing), 'a copy');
  await shift(gateway, 0);
  assertRefused(await send(gateway, before), 'a copy after the clock was set right');
  assert.equal(target.count(before.path), 1);
  assert.equal((await sendFresh(gateway)).inner, 200);
  await gateway.stop();
}
