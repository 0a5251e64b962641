/**
 * What a report costs both aggregators together, from upload to a collected batch: CPU time (user and system) of leader and helper,
 * each a process of its own with its own database, divided by the reports. The client that makes the reports is not counted, nor is
 * the PostgreSQL server.
 *
 * Run: npm run bench -- analytics [reports]
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReporter, type Statistic, type ValueOf } from '@privacy-edge/analytics';
import { createCollector, generateCollectorKey } from '@privacy-edge/analytics/collector';
import { numberBuckets } from '@privacy-edge/analytics/statistics';
import { createPrivateTask, createTaskSecrets, splitTask } from '@privacy-edge/analytics/task';
import { systemRandom } from '@privacy-edge/node';
import { startPostgres } from '@privacy-edge/testing/postgres-server';
import { processCpuMicros } from './lib/cpu.ts';
import { type Running, startProbed } from './lib/processes.ts';
import { type Row, report } from './lib/report.ts';

const count = Number(process.argv[3] ?? 4000);
const cli = join(import.meta.dirname, '../apps/cli/bin/privacy-edge.cjs');
const rows: Row[] = [];

interface Case {
  readonly name: string;
  readonly statistic: Statistic;
  readonly value: (i: number) => ValueOf<Statistic>;
  /** Reports per CPU second that are aimed at. */
  readonly aim: number;
}

const CASES: readonly Case[] = [
  { name: 'Count', statistic: { kind: 'count' }, value: (i) => i % 2 === 0, aim: 4000 },
  {
    name: 'Histogram of 100',
    statistic: { kind: 'histogram', buckets: numberBuckets(Array.from({ length: 99 }, (_, i) => i + 1)) },
    value: (i) => i % 100,
    aim: 2000,
  },
];

const HOUR_MS = 3_600_000;

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Storage of one aggregator, as lines of its configuration. */
type Storage = (role: 'leader' | 'helper', folder: string) => Promise<string>;

async function startRole(role: 'leader' | 'helper', folder: string, port: number, storage: Storage): Promise<Running> {
  writeFileSync(join(folder, `${role}.secret`), randomBytes(32).toString('hex'), { mode: 0o600 });
  const section = role === 'leader' ? 'analyticsLeader' : 'analyticsHelper';
  const onlyLeader = '  helpers: { allowPrivate: true }\n  jobs: { minSize: 1, maxSize: 100, maxWait: 1s }\n';
  const config = join(folder, `${role}.yaml`);
  writeFileSync(
    config,
    `${section}:
  port: ${port}
  admin: { enabled: false }
  log: { level: error }
  secretFile: ${role}.secret
  tasksFolder: ${role}-tasks
  storage: { ${await storage(role, folder)} }
  paces: { work: 100ms }
${role === 'leader' ? onlyLeader : ''}`,
  );
  const url = `http://127.0.0.1:${port}/hpke_config`;
  return startProbed(process.execPath, [cli, 'analytics', role, '--config', config], async () => (await fetch(url)).ok);
}

/** @returns CPU microseconds of both aggregators for one report, and how many reports a second of the clock took */
async function measure(one: Case, storage: Storage): Promise<{ cpuMicros: number; perSecond: number; rss: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-bench-'));
  const started: Running[] = [];
  try {
    const [leaderPort, helperPort] = [await freePort(), await freePort()];
    const key = await generateCollectorKey();
    const task = await createPrivateTask(
      {
        title: one.name,
        statistic: one.statistic,
        leader: `http://127.0.0.1:${leaderPort}`,
        helper: `http://127.0.0.1:${helperPort}`,
        collectorConfig: key.config,
        minBatchSize: 100,
      },
      systemRandom,
    );
    const secrets = createTaskSecrets(task, systemRandom);
    const parts = splitTask(task, secrets, key);
    for (const role of ['leader', 'helper'] as const) {
      mkdirSync(join(folder, `${role}-tasks`));
      writeFileSync(join(folder, `${role}-tasks`, 'task.json'), JSON.stringify(parts[role]), { mode: 0o600 });
    }
    const helper = await startRole('helper', folder, helperPort, storage);
    started.push(helper);
    const leader = await startRole('leader', folder, leaderPort, storage);
    started.push(leader);
    const reporter = createReporter(task);
    const collector = createCollector(task, { key, token: secrets.collectorToken, pollMs: 200 });
    const hours = Math.floor(Date.now() / HOUR_MS);
    /** Uploads reports of one hour and collects them. */
    const pass = async (hour: number): Promise<void> => {
      const [from, to] = [new Date(hour * HOUR_MS), new Date((hour + 1) * HOUR_MS)];
      const values = Array.from({ length: count }, (_, i) => one.value(i));
      const { refused } = await reporter.reportMany(values, { time: from });
      if (refused.length > 0) throw new Error(`${refused.length} reports were refused`);
      const { reports } = await collector.collect({ from, to });
      if (reports !== count) throw new Error(`${reports} of ${count} reports were collected`);
    };
    const cpu = (): number => processCpuMicros(leader.pid) + processCpuMicros(helper.pid);
    await pass(hours - 2);
    const before = cpu();
    const begun = performance.now();
    await pass(hours - 1);
    const seconds = (performance.now() - begun) / 1000;
    const rss = [leader, helper].map(({ pid }) => `${residentMiB(pid)} MiB`).join(' and ');
    return { cpuMicros: (cpu() - before) / count, perSecond: count / seconds, rss };
  } finally {
    await Promise.all(started.map((running) => running.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

function residentMiB(pid: number): number {
  const line = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

const sqlite: Storage = (role) => Promise.resolve(`sqliteFile: ${role}.sqlite`);

async function run(engine: string, storage: Storage): Promise<void> {
  for (const one of CASES) {
    note(`measuring ${one.name}, ${engine}`);
    const { cpuMicros, perSecond, rss } = await measure(one, storage);
    const perCpuSecond = 1e6 / cpuMicros;
    rows.push({
      name: `${one.name}, ${engine}, both roles`,
      cpuMicros,
      note: `${(perCpuSecond / one.aim).toFixed(2)} of the aim of ${one.aim} per CPU-s, ${Math.round(perSecond)} per second of the clock, ${rss}`,
    });
  }
}

await run('SQLite', sqlite);
const server = await startPostgres();
if (server === undefined) note('PostgreSQL is not here; its rows are left out');
else {
  try {
    await run('PostgreSQL', async (role, folder) => {
      const file = join(folder, `${role}.url`);
      writeFileSync(file, await server.database(), { mode: 0o600 });
      return `postgresUrlFile: ${file}`;
    });
  } finally {
    await server.stop();
  }
}
report('analytics', rows, { reports: String(count) });
