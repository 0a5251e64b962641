/** Starts the aggregators of the demonstration, each with a database and secrets of its own. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, createLocalAuthority, startChild, stopChildren } from '@privacy-edge/node';
import { stringify } from 'yaml';
import { withProgress } from '../progress.ts';
import { siblingModule } from '../sibling-module.ts';
import { createDemoTasks, type DemoTasks, documentsFor } from './analytics-tasks.ts';
import type { AggregatorTask } from './demo-aggregator.ts';
import { type Holdings, parseTrace } from './knowledge.ts';

/** Processes that aggregate. */
export type AggregatorParty = 'leader' | 'helper';

const PARTIES: readonly AggregatorParty[] = ['leader', 'helper'];
const READY_MS = 20_000;
const STOP_MS = 3000;

/** A running pair of aggregators and their folder. */
export class AnalyticsDeployment {
  /** Everything below is removed by {@link AnalyticsDeployment.stop}. */
  readonly folder: string;
  readonly #children: Child[] = [];
  readonly #lines: Readonly<Record<AggregatorParty, string[]>> = { leader: [], helper: [] };
  readonly #ready = new Map<AggregatorParty, Readonly<Record<string, unknown>>>();
  #tasks: DemoTasks | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Starts both; stops them again when something fails.
   *
   * @param people - no batch of fewer is collected
   */
  static async start(people: number): Promise<AnalyticsDeployment> {
    const deployment = new AnalyticsDeployment(await mkdtemp(join(tmpdir(), 'privacy-edge-up-')));
    try {
      await deployment.#start(people);
      return deployment;
    } catch (error) {
      await deployment.stop();
      throw error;
    }
  }

  /** What is measured. */
  get tasks(): DemoTasks {
    if (this.#tasks === undefined) throw new ReferenceError('The demonstration is not running yet');
    return this.#tasks;
  }

  /** Certificate of the local authority. */
  get rootPath(): string {
    return join(this.folder, 'ca.pem');
  }

  /** Settles with the name of the first process that ends by itself. */
  get firstToEnd(): Promise<string> {
    return Promise.race(this.#children.map((child) => child.exited.then(() => child.name)));
  }

  /** A member of the ready line. */
  url(party: AggregatorParty, name: 'endpointUrl' | 'adminUrl' | 'noticeUrl'): string {
    return String(this.#ready.get(party)?.[name]);
  }

  /** What a party got hold of so far: requests, answers, log, metrics, and all of its database. */
  async holdings(party: AggregatorParty): Promise<Holdings> {
    const entries = [...parseTrace(await readFile(this.#path(`${party}.trace`), 'utf8'))];
    const files = (await readdir(this.folder)).filter((name) => name.startsWith(`${party}.sqlite`));
    for (const name of files) {
      entries.push({ kind: 'bytes', what: name, base64: (await readFile(this.#path(name))).toString('base64') });
    }
    const metrics = await (await fetch(`${this.url(party, 'adminUrl')}/metrics`)).text();
    return { entries, writings: [...this.#lines[party], metrics].join('\n') };
  }

  /** Stops both processes and removes the folder; once. */
  stop(): Promise<void> {
    this.#stopped ??= stopChildren(this.#children, STOP_MS).then(() =>
      rm(this.folder, { recursive: true, force: true }),
    );
    return this.#stopped;
  }

  async #start(people: number): Promise<void> {
    const ports = await freePorts();
    const [leader, helper] = ports.map((port) => `https://127.0.0.1:${port}`);
    const authority = await createLocalAuthority(this.folder, Date.now());
    this.#tasks = await createDemoTasks(leader ?? '', helper ?? '', people);
    for (const [i, party] of PARTIES.entries()) {
      await authority.issue(party);
      await this.#prepare(party, ports[i] ?? 0, documentsFor(this.#tasks, party));
    }
    await withProgress('Starting leader and helper', () =>
      Promise.all(PARTIES.map((party) => this.#startParty(party))),
    );
  }

  async #prepare(party: AggregatorParty, port: number, documents: readonly object[]): Promise<void> {
    const tasksFolder = `${party}-tasks`;
    await mkdir(this.#path(tasksFolder), { mode: 0o700 });
    for (const [i, document] of documents.entries()) {
      await writeFile(this.#path(`${tasksFolder}/${i}.json`), JSON.stringify(document), { mode: 0o600 });
    }
    await writeFile(this.#path(`${party}.secret`), randomBytes(32).toString('hex'), { mode: 0o600 });
    const section = {
      port,
      tls: { certFile: `${party}.pem`, keyFile: `${party}.key` },
      caFile: 'ca.pem',
      admin: { port: 0 },
      log: { format: 'json' },
      secretFile: `${party}.secret`,
      tasksFolder,
      storage: { sqliteFile: `${party}.sqlite` },
      paces: { work: '100ms' },
      retryAfter: '1s',
      ...(party === 'leader' && { helpers: { allowPrivate: true }, jobs: { maxSize: 250, maxWait: '1s' } }),
    };
    await writeFile(this.#path(`${party}.yaml`), stringify({ [sectionOf(party)]: section }));
  }

  async #startParty(party: AggregatorParty): Promise<void> {
    const task: AggregatorTask = {
      section: sectionOf(party),
      config: this.#path(`${party}.yaml`),
      trace: this.#path(`${party}.trace`),
    };
    const cache = getCompileCacheDir();
    const child = await startChild({
      name: `the ${party}`,
      command: process.execPath,
      args: [fileURLToPath(siblingModule(import.meta.url, 'demo-aggregator')), JSON.stringify(task)],
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) },
      readyLine: /"event":"ready"/,
      readyTimeoutMs: READY_MS,
      onLine: (line, from) => {
        if (from === 'stderr') this.#lines[party].push(line);
      },
    });
    this.#children.push(child);
    this.#ready.set(party, JSON.parse(child.readyLine) as Record<string, unknown>);
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

function sectionOf(party: AggregatorParty): AggregatorTask['section'] {
  return party === 'leader' ? 'analyticsLeader' : 'analyticsHelper';
}

/** Tasks name the ports of both, so these are found before either process starts. */
async function freePorts(): Promise<readonly number[]> {
  const servers = PARTIES.map(() => createServer());
  for (const server of servers) {
    await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  }
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise<void>((done) => void server.close(() => done()))));
  return ports;
}
