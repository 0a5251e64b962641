/**
 * Two gateway processes on one port with a common Redis, under load for a while: their keys rotate, and both are restarted
 * one after the other. The caller says how long; nothing runs on afterwards, and nothing is written anywhere.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startChild } from '@privacy-edge/node';
import type { GeneratorOptions, GeneratorResult } from './load-generator.ts';
import type { RoleProcess } from './role-process.ts';
import { freePort, residentBytes, type Section, type Stage } from './stage.ts';

/** How long, and how fast things change. */
export interface LoadPlan {
  readonly calibrateMs: number;
  readonly durationMs: number;
  /** Part of the measured capacity that is asked for, 0 to 1. */
  readonly share: number;
  readonly epoch: string;
  readonly publishAhead: string;
  readonly retain: string;
  /** Moments of a rolling restart, as parts of the duration. */
  readonly restartsAt: readonly number[];
  readonly sampleMs: number;
}

/** Memory of one process over its life. */
export interface MemoryReport {
  readonly name: string;
  readonly seconds: number;
  readonly firstMiB: number;
  readonly lastMiB: number;
  readonly maxMiB: number;
  /** MiB a minute, by least squares over the second half of its life. */
  readonly slopeMiBPerMinute: number;
}

/** What came out. */
export interface LoadReport extends GeneratorResult {
  readonly capacityPerSecond: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly restarts: number;
  readonly exitCodes: readonly (number | null)[];
  readonly memory: readonly MemoryReport[];
  /** How the gateways counted what was not answered by the target, calibration included. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Names of log entries at `warn` and above, and how often. */
  readonly complaints: Readonly<Record<string, number>>;
}

const CONNECTIONS = 6;
/** Many times what is under way at 70 % of capacity, and few enough to queue for less than any time limit. */
const CONCURRENCY = 128;
/** Without it V8 collects late, and resident memory says little about what is in use. A leak ends the process. */
const HEAP_LIMIT = '--max-old-space-size=80 --max-semi-space-size=4';

/** Runs the plan. */
export async function runLoad(stage: Stage, plan: LoadPlan): Promise<LoadReport> {
  const target = await startLoadTarget(stage);
  const fleet = await Fleet.start(stage, plan, target);
  const generate = (part: Pick<GeneratorOptions, 'rate' | 'concurrency' | 'durationMs'>): Promise<GeneratorResult> =>
    runGenerator(stage, {
      origin: fleet.origin,
      caFile: fleet.caFile,
      targetUrl: target,
      connections: CONNECTIONS,
      ...part,
    });
  // The first part only warms up: code that is not compiled yet says nothing about capacity.
  await generate({ rate: 0, concurrency: 48, durationMs: plan.calibrateMs / 2 });
  const calibrated = await generate({ rate: 0, concurrency: 48, durationMs: plan.calibrateMs });
  const rate = Math.floor(calibrated.perSecond * plan.share);
  const sampling = fleet.sample(plan.sampleMs);
  const started = performance.now();
  const loaded = generate({ rate, concurrency: CONCURRENCY, durationMs: plan.durationMs });
  for (const part of plan.restartsAt) {
    await pause(Math.max(0, started + part * plan.durationMs - performance.now()));
    await fleet.restart();
  }
  const result = await loaded;
  const seconds = Math.round((performance.now() - started) / 1000);
  sampling.stop();
  const memory = fleet.memory();
  await fleet.stop();
  return {
    ...result,
    capacityPerSecond: calibrated.perSecond,
    ratePerSecond: rate,
    seconds,
    restarts: fleet.restarts,
    exitCodes: fleet.exitCodes,
    memory,
    outcomes: fleet.outcomes,
    complaints: fleet.complaints(),
  };
}

/** The report for people, then for programs. */
export function printReport(report: LoadReport): void {
  const { memory, ...rest } = report;
  const rows = Object.entries(rest).map(([name, value]) => `  ${name.padEnd(18)} ${JSON.stringify(value)}`);
  const header = `  ${'process'.padEnd(18)} ${['seconds', 'first', 'last', 'max MiB', 'MiB/minute'].map((text) => text.padStart(10)).join(' ')}`;
  const processes = memory.map(({ name, seconds, firstMiB, lastMiB, maxMiB, slopeMiBPerMinute }) => {
    const numbers = [seconds, firstMiB, lastMiB, maxMiB, slopeMiBPerMinute].map((value) => String(value).padStart(10));
    return `  ${name.padEnd(18)} ${numbers.join(' ')}`;
  });
  console.log(['Load run', ...rows, '', header, ...processes, '', JSON.stringify(report)].join('\n'));
}

interface Life {
  readonly name: string;
  readonly role: RoleProcess;
  readonly samples: (readonly [seconds: number, bytes: number])[];
}

class Fleet {
  readonly origin: string;
  readonly caFile: string;
  readonly exitCodes: (number | null)[] = [];
  readonly outcomes: Record<string, number> = {};
  restarts = 0;
  readonly #stage: Stage;
  readonly #section: Section;
  readonly #lives: Life[] = [];
  #current: Life[] = [];

  constructor(stage: Stage, section: Section, origin: string, caFile: string) {
    this.#stage = stage;
    this.#section = section;
    this.origin = origin;
    this.caFile = caFile;
  }

  static async start(stage: Stage, plan: LoadPlan, target: string): Promise<Fleet> {
    const { epoch, publishAhead, retain } = plan;
    const file = stage.path('load-keys.json');
    const schedule = ['--epoch', epoch, '--publish-ahead', publishAhead, '--retain', retain];
    await stage.cli('keys', 'generate', file, ...schedule);
    const port = await freePort();
    const section = {
      port,
      sharePort: true,
      tls: await stage.certificate('load'),
      keys: { file },
      targets: [{ origin: target, allowPrivate: true }],
      replay: { store: 'redis', redisUrl: (await stage.redis()).url, tolerance: '10s' },
    };
    const { rootPath } = await stage.authority();
    const fleet = new Fleet(stage, section, `https://127.0.0.1:${port}`, rootPath);
    fleet.#current = [await fleet.#begin('gateway a'), await fleet.#begin('gateway b')];
    return fleet;
  }

  async #begin(name: string): Promise<Life> {
    const role = await this.#stage.gateway({ section: this.#section, env: { NODE_OPTIONS: HEAP_LIMIT } });
    const life = { name, role, samples: [] };
    this.#lives.push(life);
    return life;
  }

  /** Ends and starts each process, one after the other: the other one serves meanwhile. */
  async restart(): Promise<void> {
    for (const [at, life] of this.#current.entries()) {
      await this.#end(life);
      this.#current[at] = await this.#begin(`${life.name}'`);
      this.restarts++;
    }
  }

  async #end({ role }: Life): Promise<void> {
    const { text } = await role.admin('/metrics');
    for (const [, outcome = '', count] of text.matchAll(/^gateway_requests_total\{outcome="([a-z-]+)".*\} (\d+)$/gm)) {
      const counted = Number(count);
      if (counted > 0 && outcome !== 'answered') this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + counted;
    }
    this.exitCodes.push((await role.stop(30_000)).exitCode);
  }

  sample(everyMs: number): { stop(): void } {
    const started = performance.now();
    const timer = setInterval(() => {
      for (const { role, samples } of this.#current) {
        if (role.exit !== undefined) continue;
        residentBytes(role.pid).then(
          // A process that has just ended still has an entry, without memory.
          (bytes) => Number.isFinite(bytes) && samples.push([(performance.now() - started) / 1000, bytes]),
          () => undefined,
        );
      }
    }, everyMs);
    return { stop: () => clearInterval(timer) };
  }

  memory(): MemoryReport[] {
    return this.#lives.map(({ name, samples }) => describeMemory(name, samples));
  }

  complaints(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { role } of this.#lives) {
      for (const line of role.log) {
        const { level, event } = line.startsWith('{')
          ? (JSON.parse(line) as { level: number; event: string })
          : { level: 99, event: line };
        if (level >= 40) counts[event] = (counts[event] ?? 0) + 1;
      }
    }
    return counts;
  }

  async stop(): Promise<void> {
    for (const life of this.#current) await this.#end(life);
  }
}

function describeMemory(name: string, samples: Life['samples']): MemoryReport {
  const mebibytes = (bytes: number | undefined): number => Math.round((bytes ?? 0) / 2 ** 20);
  const half = samples.slice(Math.floor(samples.length / 2));
  return {
    name,
    seconds: Math.round((samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0)),
    firstMiB: mebibytes(samples[0]?.[1]),
    lastMiB: mebibytes(samples.at(-1)?.[1]),
    maxMiB: mebibytes(Math.max(0, ...samples.map(([, bytes]) => bytes))),
    slopeMiBPerMinute: Math.round((100 * 60 * slope(half)) / 2 ** 20) / 100,
  };
}

/** Least squares, units of y for each unit of x. */
function slope(points: Life['samples']): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const across = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return spread === 0 ? 0 : across / spread;
}

async function startLoadTarget(stage: Stage): Promise<string> {
  const body = Buffer.alloc(200, 'x');
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length }).end(body);
  });
  server.keepAliveTimeout = 120_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stage.later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function runGenerator(stage: Stage, options: GeneratorOptions): Promise<GeneratorResult> {
  let result: GeneratorResult | undefined;
  const output: string[] = [];
  const child = await startChild({
    name: 'load generator',
    command: process.execPath,
    args: [join(import.meta.dirname, 'load-generator.ts'), JSON.stringify(options)],
    env: { NODE_OPTIONS: undefined },
    readyLine: /"started"/,
    onLine: (line) => {
      if (line.includes('"event":"result"')) result = JSON.parse(line) as GeneratorResult;
      else output.push(line);
    },
  });
  let exited = false;
  stage.later(async () => (exited ? undefined : child.stop(1000)));
  await child.exited;
  exited = true;
  if (result === undefined) throw new Error(`The load generator gave no result:\n${output.join('\n')}`);
  return result;
}
