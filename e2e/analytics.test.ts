/**
 * Aggregators as processes: one of them is killed, or told to stop, at any moment while reports flow and while they are collected.
 * Every report has a bucket of its own, so that each must count once if it was acknowledged, and once or never if it was not.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { AnalyticsError, createReporter } from '@privacy-edge/analytics';
import { createCollector } from '@privacy-edge/analytics/collector';
import { type PostgresServer, startPostgres } from '@privacy-edge/testing/postgres-server';
import { type AggregatorName, type AggregatorProcess, Aggregators, type MadeTask } from './lib/aggregators.ts';

const LONG = process.env['PRIVACY_EDGE_LONG'] === '1';
/** Kills for each kind of database. */
const SCHEDULES = LONG ? 100 : 2;
const REPORTS = 30;
/** More buckets than reports: what nobody reported must stay at zero. */
const BUCKETS = 34;
/** A kill comes somewhere in this time after the first report. */
const SPREAD_MS = 1500;
const TIMEOUT_MS = 120_000;
const HOUR_MS = 3_600_000;
const SEED = Number(process.env['PRIVACY_EDGE_SEED'] ?? Date.now() % 2 ** 32);

const categories = Array.from({ length: BUCKETS }, (_, i) => `bucket ${i}`);
const HISTOGRAM = { kind: 'histogram', buckets: { kind: 'categories', categories, other: false } } as const;

/** One moment for all, so that no hour ends in between. */
const time = new Date();
const from = new Date(Math.floor(time.getTime() / HOUR_MS) * HOUR_MS);
const batch = { from, to: new Date(from.getTime() + HOUR_MS) };

const postgres = await startPostgres();
after(() => postgres?.stop());

for (const database of ['SQLite', 'PostgreSQL'] as const) {
  const skip = database === 'PostgreSQL' && postgres === undefined ? 'no PostgreSQL on this machine' : false;
  const timeout = SCHEDULES * TIMEOUT_MS;
  describe(`leader and helper on ${database}`, { skip, timeout }, () => {
    test(`each report counts once, whoever is killed and whenever, seed ${SEED}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'privacy-edge-aggregators-'));
      const storage = database === 'PostgreSQL' && postgres !== undefined ? await storageOn(postgres) : undefined;
      const pair = await Aggregators.open(folder, { storage });
      try {
        await runSchedules(pair, database === 'PostgreSQL');
      } finally {
        await pair.close();
        await rm(folder, { recursive: true });
      }
    });
  });
}

async function storageOn(server: PostgresServer): Promise<Record<AggregatorName, object>> {
  return { leader: { postgresUrl: await server.database() }, helper: { postgresUrl: await server.database() } };
}

async function runSchedules(pair: Aggregators, hasSecondLeader: boolean): Promise<void> {
  const random = generator(SEED);
  const tasks: MadeTask<typeof HISTOGRAM>[] = [];
  for (let i = 0; i < SCHEDULES; i++) tasks.push(await pair.addTask(HISTOGRAM));
  const running = { leader: await pair.start('leader'), helper: await pair.start('helper') };
  // Takes no reports, but works on the same jobs: whatever the other one leaves behind is taken over.
  if (hasSecondLeader) {
    await pair.configure('leader', 'second', { port: 0 });
    await pair.start('leader', 'second');
  }
  let total = 0;
  for (const [i, made] of tasks.entries()) {
    const victim = random() < 0.5 ? 'leader' : 'helper';
    const signal = random() < 0.75 ? 'SIGKILL' : 'SIGTERM';
    const moment = random() * SPREAD_MS;
    const what = `schedule ${i}: ${signal} to the ${victim} after ${Math.round(moment)} ms`;
    const restart = endAndRestart(pair, running, victim, signal, moment);
    const acknowledged = await reportEach(made);
    total += acknowledged.size;
    const { counts, reports } = await collect(made).catch((cause: unknown) => {
      const logs = [running.leader, running.helper].map((one) => one.log()).join('\n');
      throw new Error(`${what}: nothing was collected\n${logs}`, { cause });
    });
    assert.equal(await restart, signal === 'SIGTERM' ? 0 : null, what);
    for (const [bucket, count] of counts.entries()) {
      const least = acknowledged.has(bucket) ? 1 : 0;
      const most = bucket < REPORTS ? 1 : 0;
      assert.ok(count >= least && count <= most, `${what}: bucket ${bucket} has ${count}, acknowledged ${least}`);
    }
    assert.equal(
      reports,
      counts.reduce((sum, count) => sum + count, 0),
      what,
    );
  }
  assert.ok(total >= (SCHEDULES * REPORTS) / 4, `only ${total} reports were acknowledged`);
  assert.equal(await running.leader.end('SIGTERM'), 0);
  assert.equal(await running.helper.end('SIGTERM'), 0);
}

/** Gives the exit code of the process that was ended. */
async function endAndRestart(
  pair: Aggregators,
  running: Record<AggregatorName, AggregatorProcess>,
  victim: AggregatorName,
  signal: NodeJS.Signals,
  moment: number,
): Promise<number | null> {
  await pause(moment);
  const code = await running[victim].end(signal);
  running[victim] = await pair.start(victim);
  return code;
}

/** Reports one value for each bucket, a few at a time; gives those that the leader has acknowledged. */
async function reportEach({ task }: MadeTask<typeof HISTOGRAM>): Promise<ReadonlySet<number>> {
  const acknowledged = new Set<number>();
  let next = 0;
  const reporter = createReporter(task, { timeoutMs: 5000 });
  const worker = async (): Promise<void> => {
    while (next < REPORTS) {
      const bucket = next++;
      try {
        await reporter.report(`bucket ${bucket}`, { time });
        acknowledged.add(bucket);
      } catch (error) {
        if (!(error instanceof AnalyticsError)) throw error;
        assert.ok(['UNREACHABLE', 'TIMEOUT', 'KEYS_UNAVAILABLE'].includes(error.code), error.code);
      }
      await pause(20);
    }
  };
  await Promise.all([worker(), worker()]);
  return acknowledged;
}

/** Asks again and again: the same query finds the same job. */
async function collect({
  task,
  key,
  secrets,
}: MadeTask<typeof HISTOGRAM>): Promise<{ readonly counts: readonly number[]; readonly reports: number }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const collector = createCollector(task, { key, token: secrets.collectorToken, pollMs: 100, timeoutMs: 5000 });
  for (;;) {
    try {
      const { result, reports } = await collector.collect(batch, { signal });
      return { counts: result.bars.map(({ count }) => count), reports };
    } catch (error) {
      const isPassing = error instanceof AnalyticsError && ['UNREACHABLE', 'TIMEOUT'].includes(error.code);
      if (!isPassing) throw error;
    }
  }
}

/** Random numbers from 0 to below 1 that a seed decides. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
