/** Leader and helper as processes, in folders of their own, and tasks for them. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateCollectorKey } from '@privacy-edge/analytics/collector';
import {
  createPrivateTask,
  createTaskSecrets,
  type HpkeKey,
  type PrivateTask,
  type Statistic,
  splitTask,
  systemRandom,
  type TaskSecrets,
} from '@privacy-edge/analytics/task';
import { type Child, type ChildExit, startChild } from '@privacy-edge/node';

/** Names of the aggregators. */
export type AggregatorName = 'leader' | 'helper';

/** A running aggregator. */
export interface AggregatorProcess {
  readonly pid: number;
  /** Members of the ready line. */
  readonly ready: Readonly<Record<string, string>>;
  readonly exited: Promise<ChildExit>;
  log(): string;
  signal(name: NodeJS.Signals): void;
  /** Sends a signal and waits for the end. */
  end(name: NodeJS.Signals): Promise<number | null>;
}

/** A task with everything that its parties know. */
export interface MadeTask<S extends Statistic> {
  readonly task: PrivateTask<S>;
  readonly key: HpkeKey;
  readonly secrets: TaskSecrets;
}

/** Options of {@link Aggregators.open}. */
export interface AggregatorsOptions {
  /** Members of `storage`; default SQLite in the folder. */
  readonly storage?: Readonly<Record<AggregatorName, object>> | undefined;
  /** Further keys of the sections. */
  readonly leader?: object;
  readonly helper?: object;
}

const READY_MS = 60_000;
const LAUNCHER = fileURLToPath(new URL('../../apps/cli/bin/privacy-edge.cjs', import.meta.url));
/** Quick enough for a test, and slow enough for a machine that is busy. */
const HASTY = {
  paces: { work: '40ms', upkeep: '1s', garbage: '3s' },
  lease: '4s',
  retryAfter: '1s',
  drain: '10s',
};
const LEADER = {
  jobs: { minSize: 1, maxSize: 20, maxWait: '1s' },
  helpers: { allowPrivate: true, timeout: '2s', firstRetry: '50ms', longestRetry: '500ms' },
};

/** Configurations and secrets of a pair, whose ports stay the same over restarts. */
export class Aggregators {
  readonly folder: string;
  readonly urls: Readonly<Record<AggregatorName, string>>;
  readonly #ports: Readonly<Record<AggregatorName, number>>;
  readonly #options: AggregatorsOptions;
  readonly #running = new Set<Child>();
  #tasks = 0;

  private constructor(folder: string, ports: Readonly<Record<AggregatorName, number>>, options: AggregatorsOptions) {
    this.folder = folder;
    this.#ports = ports;
    this.#options = options;
    this.urls = { leader: `http://127.0.0.1:${ports.leader}`, helper: `http://127.0.0.1:${ports.helper}` };
  }

  /** @param folder - empty; somebody else removes it */
  static async open(folder: string, options: AggregatorsOptions = {}): Promise<Aggregators> {
    const [leader = 0, helper = 0] = await freePorts();
    const pair = new Aggregators(folder, { leader, helper }, options);
    for (const name of ['leader', 'helper'] as const) {
      await mkdir(join(folder, `${name}-tasks`));
      await writeFile(join(folder, `${name}.secret`), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
      await pair.configure(name, name);
    }
    return pair;
  }

  /**
   * Writes a configuration.
   *
   * @param file - without its ending
   * @param change - further keys of the section
   */
  async configure(name: AggregatorName, file: string, change: object = {}): Promise<void> {
    const section = {
      port: this.#ports[name],
      admin: { port: 0 },
      log: { format: 'json' },
      secretFile: `${name}.secret`,
      tasksFolder: `${name}-tasks`,
      storage: this.#options.storage?.[name] ?? { sqliteFile: `${name}.sqlite` },
      ...HASTY,
      ...(name === 'leader' ? LEADER : {}),
      ...this.#options[name],
      ...change,
    };
    const key = name === 'leader' ? 'analyticsLeader' : 'analyticsHelper';
    await writeFile(join(this.folder, `${file}.yaml`), JSON.stringify({ [key]: section }));
  }

  /** Puts a task into both folders. */
  async addTask<const S extends Statistic>(statistic: S, minBatchSize = 1): Promise<MadeTask<S>> {
    const key = await generateCollectorKey();
    const { leader, helper } = this.urls;
    const options = { title: 'Test', statistic, leader, helper, collectorConfig: key.config, minBatchSize };
    const task = await createPrivateTask(options, systemRandom);
    const secrets = createTaskSecrets(task, systemRandom);
    const documents = splitTask(task, secrets);
    this.#tasks++;
    for (const name of ['leader', 'helper'] as const) {
      const file = join(this.folder, `${name}-tasks`, `${this.#tasks}.json`);
      await writeFile(file, JSON.stringify(documents[name]), { mode: 0o600 });
    }
    return { task, key, secrets };
  }

  /** Starts one and waits until it serves. */
  async start(name: AggregatorName, file: string = name): Promise<AggregatorProcess> {
    const lines: string[] = [];
    const child = await startChild({
      name: `the ${name}`,
      command: process.execPath,
      args: [LAUNCHER, 'analytics', name, '-c', join(this.folder, `${file}.yaml`)],
      env: {},
      readyLine: /"event":"ready"/,
      readyTimeoutMs: READY_MS,
      onLine: (line, from) => void (from === 'stderr' && lines.push(line)),
    }).catch((cause: unknown) => {
      throw new Error(`The ${name} did not start:\n${lines.join('\n')}`, { cause });
    });
    this.#running.add(child);
    void child.exited.then(() => this.#running.delete(child));
    const signal = (signalName: NodeJS.Signals): void => void process.kill(child.pid, signalName);
    return {
      pid: child.pid,
      ready: JSON.parse(child.readyLine) as Record<string, string>,
      exited: child.exited,
      log: () => lines.join('\n'),
      signal,
      end: async (signalName) => {
        signal(signalName);
        return (await child.exited).exitCode;
      },
    };
  }

  /** Ends everything that still runs. */
  async close(): Promise<void> {
    const running = [...this.#running];
    for (const { pid } of running) process.kill(pid, 'SIGKILL');
    await Promise.all(running.map(({ exited }) => exited));
  }
}

/** What a process that does not get to serve says. */
export async function failToStart(
  name: AggregatorName,
  config: string,
): Promise<{ readonly code: number | null; readonly err: string }> {
  const child = spawn(process.execPath, [LAUNCHER, 'analytics', name, '-c', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    err += piece;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, err };
}

/** Two ports that nobody uses now. */
async function freePorts(): Promise<readonly number[]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (typeof address === 'object' && address !== null) ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise<void>((done) => void server.close(() => done()))));
  return ports;
}
