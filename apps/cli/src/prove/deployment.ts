/** Relay, gateway and target as three processes over TLS, each with a folder of its own, and everything that they let out. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import {
  type Child,
  createLocalAuthority,
  createReplayState,
  startChild,
  systemClock,
  systemRandom,
} from '@privacy-edge/node';
import { createKeyFile } from '../keys/key-file.ts';
import { scheduleSettings } from '../keys/seed.ts';
import { replayStateOf } from '../serve/paths.ts';
import { siblingModule } from '../sibling-module.ts';
import type { ChildTask } from '../up/child.ts';
import { PARTIES, type Party, parseTrace } from '../up/knowledge.ts';
import { within } from './deadline.ts';
import { Haystack } from './search.ts';
import type { Reply, TargetTask } from './target.ts';

/** How to deploy. */
export interface DeploymentOptions {
  /**
   * Whether relay and gateway are the command line as operators run it, or the same roles with everything that reaches them
   * written down.
   */
  readonly roles: 'command-line' | 'recorded';
  /** Name by which the client asks for the relay. */
  readonly relayName: string;
  readonly targetHost: string;
  readonly replies: Readonly<Record<string, Reply>>;
}

/** A role that is run by its command. */
export type Role = 'relay' | 'gateway';

/** What a role left in its folder. */
export interface Leftovers {
  /** Files, by their path in the folder. */
  readonly names: readonly string[];
  readonly bytes: Buffer;
}

/** Milliseconds that a process has to become ready, and to stop. */
const READY_MS = 30_000;
const STOP_MS = 5000;

/** Three running processes. */
export class Deployment {
  readonly #folder: string;
  readonly #options: DeploymentOptions;
  readonly #children = new Map<Party, Child>();
  readonly #lines: Record<Party, string[]> = { relay: [], gateway: [], target: [] };
  /** Files that the operator put there. */
  readonly #given = new Map<string, Buffer>();
  #rootPem = '';

  private constructor(folder: string, options: DeploymentOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts everything; stops it again when something fails. */
  static async start(options: DeploymentOptions): Promise<Deployment> {
    const deployment = new Deployment(await mkdtemp(join(tmpdir(), 'privacy-edge-prove-')), options);
    try {
      await deployment.#start();
      return deployment;
    } catch (error) {
      await deployment.close();
      throw error;
    }
  }

  /** Certificate of the authority that all trust. */
  get rootPem(): string {
    return this.#rootPem;
  }

  get relayPort(): number {
    return Number(new URL(String(this.#ready('relay')['url'])).port);
  }

  get gatewayUrl(): string {
    return String(this.#ready('gateway')['gatewayUrl']);
  }

  /** Scheme, host and port of the target, as requests name it. */
  get targetOrigin(): string {
    const { roles, targetHost } = this.#options;
    return roles === 'recorded' ? `https://${targetHost}:${this.#ready('target')['port']}` : `https://${targetHost}`;
  }

  pid(party: Party): number {
    return this.#children.get(party)?.pid ?? 0;
  }

  /** Everything that a party got hold of, with the pieces of each kind in order, so that a value cut in two is found. */
  async holdings(party: Party): Promise<Haystack> {
    const kinds = new Map<string, Buffer[]>();
    for (const entry of parseTrace(await readFile(this.#trace(party), 'utf8'))) {
      const bytes = entry.kind === 'text' ? Buffer.from(`${entry.text}\n`) : Buffer.from(entry.base64, 'base64');
      kinds.set(entry.what, [...(kinds.get(entry.what) ?? []), bytes]);
    }
    return new Haystack(Buffer.concat([...kinds.values()].flatMap((pieces) => [...pieces, Buffer.from('\n')])));
  }

  /** Everything that a role shows or has shown to its operator: log, metrics, health, notice. */
  async writings(role: Role): Promise<string> {
    const { adminUrl, noticeUrl } = this.#ready(role);
    const pages = ['/metrics', '/healthz', '/readyz'].map(async (path) => (await fetch(adminUrl + path)).text());
    const notice = await this.#get(String(noticeUrl));
    return [...this.#lines[role], notice, ...(await Promise.all(pages))].join('\n');
  }

  /** Ends the roles as an operator does, and returns what they left behind in their folders. */
  async leftovers(): Promise<Readonly<Record<Role, Leftovers>>> {
    await Promise.all([this.#stop('relay'), this.#stop('gateway')]);
    return { relay: await this.#written('relay'), gateway: await this.#written('gateway') };
  }

  /** Stops every process and removes every folder. */
  async close(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((party) => this.#stop(party)));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    for (const party of PARTIES) await mkdir(join(this.#folder, party));
    const authority = await createLocalAuthority(this.#tls(''), Date.now());
    this.#rootPem = authority.rootPem;
    await authority.issue('relay', [this.#options.relayName]);
    await authority.issue('gateway');
    await authority.issue('target', [this.#options.targetHost]);
    await this.#startTarget();
    await this.#makeKeys();
    await this.#configure('gateway', { keys: { file: 'keys.json' }, targets: [this.#targetRule()] });
    await this.#startRole('gateway');
    const { gatewayUrl: url, keysUrl } = this.#ready('gateway');
    await this.#configure('relay', {
      gateways: [{ name: 'demo', path: '/demo', url, keysUrl, allowPrivate: true }],
      rateLimit: { requestsPerSecond: 0.01, burst: 20 },
    });
    await this.#startRole('relay');
  }

  #startTarget(): Promise<void> {
    const task: TargetTask = {
      certFile: this.#tls('target.pem'),
      keyFile: this.#tls('target.key'),
      trace: this.#trace('target'),
      replies: this.#options.replies,
      socketPath: this.#socketPath,
    };
    return this.#spawn('target', [moduleFile('target'), JSON.stringify(task)]);
  }

  async #makeKeys(): Promise<void> {
    const file = join(this.#folder, 'gateway', 'keys.json');
    const fresh = (): Uint8Array => new Uint8Array(randomBytes(32));
    const segments = [{ secret: fresh(), epoch: 0, fromMs: Date.now() }];
    await createKeyFile(file, { state: { ...scheduleSettings({}), segments }, shared: fresh() });
    await createReplayState(replayStateOf(file), systemClock, systemRandom);
  }

  /** No resolver knows the target's name; the command line reaches it by a unix socket, the recorded role is told. */
  #targetRule(): Readonly<Record<string, unknown>> {
    const where = this.#options.roles === 'recorded' ? { allowPrivate: true } : { socketPath: this.#socketPath };
    return { origin: this.targetOrigin, timeout: '5s', ...where };
  }

  async #configure(role: Role, section: Readonly<Record<string, unknown>>): Promise<void> {
    const common = {
      host: '127.0.0.1',
      port: 0,
      tls: { certFile: this.#tls(`${role}.pem`), keyFile: this.#tls(`${role}.key`) },
      caFile: this.#tls('ca.pem'),
      admin: { port: 0 },
      log: { level: 'debug', format: 'json' },
    };
    // JSON is YAML.
    await writeFile(this.#config(role), JSON.stringify({ [role]: { ...common, ...section } }));
    for (const [path, bytes] of await filesIn(join(this.#folder, role))) this.#given.set(path, bytes);
  }

  #startRole(role: Role): Promise<void> {
    const config = this.#config(role);
    if (this.#options.roles === 'command-line') {
      const verb = role === 'gateway' ? 'serve' : 'relay';
      return this.#spawn(role, [moduleFile('../main'), 'gateway', verb, '--config', config]);
    }
    const task: ChildTask = { config, trace: this.#trace(role), targetHost: this.#options.targetHost };
    return this.#spawn(role, [moduleFile(`../up/demo-${role}`), JSON.stringify(task)]);
  }

  async #spawn(party: Party, args: readonly string[]): Promise<void> {
    const child = await startChild({
      name: `the ${party}`,
      command: process.execPath,
      args,
      cwd: join(this.#folder, party),
      env: foreignVariables(),
      readyLine: /"event":"ready"/,
      readyTimeoutMs: READY_MS,
      onLine: (line) => this.#lines[party].push(line),
    });
    this.#children.set(party, child);
  }

  #get(url: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const read = (response: IncomingMessage): void => void text(response).then(resolve, reject);
    get(url, { ca: this.#rootPem, agent: false }, read).on('error', reject);
    return within(promise, 'a privacy notice');
  }

  #ready(party: Party): Readonly<Record<string, string | number>> {
    return JSON.parse(this.#children.get(party)?.readyLine ?? '{}') as Record<string, string | number>;
  }

  async #stop(party: Party): Promise<void> {
    const child = this.#children.get(party);
    this.#children.delete(party);
    await child?.stop(STOP_MS);
  }

  async #written(role: Role): Promise<Leftovers> {
    const folder = join(this.#folder, role);
    const own = [...(await filesIn(folder))].filter(([path, bytes]) => this.#given.get(path)?.equals(bytes) !== true);
    return {
      names: own.map(([path]) => path.slice(folder.length + 1)),
      bytes: Buffer.concat(own.map(([, bytes]) => bytes)),
    };
  }

  get #socketPath(): string {
    return join(this.#folder, 'target', 'socket');
  }

  #tls(name: string): string {
    return join(this.#folder, 'tls', name);
  }

  #config(role: Role): string {
    return join(this.#folder, role, 'config.yaml');
  }

  /** Outside of the folder that a process may write to. */
  #trace(party: Party): string {
    return join(this.#folder, `${party}.trace`);
  }
}

function moduleFile(name: string): string {
  return fileURLToPath(siblingModule(import.meta.url, name));
}

/** Settings of other deployments, and of a test runner that watches this process, to be left out. */
function foreignVariables(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => /^(?:PRIVACY_EDGE_|NODE_OPTIONS$|NODE_V8_)/.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (path) => [path, await readFile(path)] as const)));
}
