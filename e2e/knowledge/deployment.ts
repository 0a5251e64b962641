/** Relay, gateway and target as three processes over TLS, each with a folder of its own, and everything that they let out. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Child, createLocalAuthority, startChild } from '@privacy-edge/node';
import { within } from '../lib/until.ts';
import type { PartyTask, Reply } from './party.ts';
import { Haystack } from './search.ts';

export type Party = PartyTask['role'];

const CLI = join(import.meta.dirname, '../../apps/cli/bin/privacy-edge.cjs');
const PARTY = join(import.meta.dirname, 'party.ts');

/** How to deploy. */
export interface DeploymentOptions {
  /** Whether relay and gateway are the command line as operators run it, or the same roles with everything recorded. */
  readonly roles: 'command-line' | 'recorded';
  readonly relayName: string;
  readonly targetHost: string;
  readonly answers: Readonly<Record<string, Reply>>;
}

/** Three running processes. */
export class Deployment {
  readonly folder: string;
  rootPem = '';
  relayPort = 0;
  gatewayUrl = '';
  targetOrigin = '';
  readonly #options: DeploymentOptions;
  readonly #children = new Map<Party, Child>();
  readonly #lines: Record<Party, string[]> = { relay: [], gateway: [], target: [] };
  /** Files that the operator put there. */
  readonly #given = new Map<string, Buffer>();

  private constructor(folder: string, options: DeploymentOptions) {
    this.folder = folder;
    this.#options = options;
  }

  static async start(options: DeploymentOptions): Promise<Deployment> {
    const deployment = new Deployment(await mkdtemp(join(tmpdir(), 'privacy-edge-knowledge-')), options);
    try {
      await deployment.#start();
      return deployment;
    } catch (error) {
      await deployment.close();
      throw error;
    }
  }

  pid(party: Party): number {
    return this.#children.get(party)?.pid ?? 0;
  }

  /** Everything that a party got hold of, with the pieces of each kind in order. */
  async holdings(party: Party): Promise<Haystack> {
    const kinds = new Map<string, Buffer[]>();
    for (const line of (await readFile(this.#trace(party), 'utf8')).split('\n').filter((entry) => entry !== '')) {
      const { what, base64 } = JSON.parse(line) as { what: string; base64: string };
      kinds.set(what, [...(kinds.get(what) ?? []), Buffer.from(base64, 'base64')]);
    }
    return new Haystack(Buffer.concat([...kinds.values()].flatMap((pieces) => [...pieces, Buffer.from('\n')])));
  }

  /** Everything that a role shows or has shown to its operator: log, metrics, notices. */
  async writings(party: 'relay' | 'gateway'): Promise<string> {
    const { adminUrl, noticeUrl } = this.#ready(party);
    const pages = ['/metrics', '/healthz', '/readyz'].map(async (path) => (await fetch(adminUrl + path)).text());
    const notice = await this.#get(String(noticeUrl));
    return [...this.#lines[party], notice, ...(await Promise.all(pages))].join('\n');
  }

  /** Ends the roles as an operator does, and returns what they left behind in their folders. */
  async leftovers(): Promise<
    Readonly<Record<'relay' | 'gateway', { readonly names: string[]; readonly bytes: Buffer }>>
  > {
    await Promise.all(['relay', 'gateway'].map((party) => this.#stop(party as Party)));
    const [relay, gateway] = await Promise.all([this.#written('relay'), this.#written('gateway')]);
    return { relay, gateway };
  }

  log(party: Party): readonly string[] {
    return this.#lines[party];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((party) => this.#stop(party)));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { relayName, targetHost, answers } = this.#options;
    for (const party of ['relay', 'gateway', 'target'] as const) await mkdir(join(this.folder, party));
    const authority = await createLocalAuthority(join(this.folder, 'tls'), Date.now());
    this.rootPem = authority.rootPem;
    await authority.issue('relay', [relayName]);
    await authority.issue('gateway');
    await authority.issue('target', [targetHost]);
    const socketPath = join(this.folder, 'target', 'socket');
    await this.#startParty('target', { answers, socketPath });
    if (this.#options.roles === 'recorded') await this.#startRecorded();
    else await this.#startCommandLine(socketPath);
    this.gatewayUrl = String(this.#ready('gateway')['gatewayUrl']);
    this.relayPort = Number(new URL(String(this.#ready('relay')['url'])).port);
  }

  async #startRecorded(): Promise<void> {
    this.targetOrigin = `https://${this.#options.targetHost}:${this.#ready('target')['port']}`;
    await this.#startParty('gateway', { answers: {}, targetOrigin: this.targetOrigin });
    await this.#startParty('relay', { answers: {}, gatewayUrl: String(this.#ready('gateway')['gatewayUrl']) });
  }

  /** No resolver knows the target's name: it is reached by a unix socket. */
  async #startCommandLine(socketPath: string): Promise<void> {
    this.targetOrigin = `https://${this.#options.targetHost}`;
    await writeFile(join(this.folder, 'gateway', 'seed'), randomBytes(32).toString('hex'), { mode: 0o600 });
    await this.#configure('gateway', {
      keys: { seedFile: 'seed' },
      replay: { stateFile: 'replay.state' },
      targets: [{ origin: this.targetOrigin, socketPath, timeout: '5s' }],
    });
    // The first start knows that it may have forgotten something, and is careful for a minute; the second knows better.
    await this.#startRole('gateway', 'serve');
    await this.#stop('gateway');
    await this.#startRole('gateway', 'serve');
    const { gatewayUrl: url, keysUrl } = this.#ready('gateway');
    await this.#configure('relay', {
      gateways: [{ name: 'demo', path: '/demo', url, keysUrl, allowPrivate: true }],
      rateLimit: { requestsPerSecond: 0.01, burst: 20 },
    });
    await this.#startRole('relay', 'relay');
  }

  #get(url: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const read = (response: IncomingMessage): void => void text(response).then(resolve, reject);
    get(url, { ca: this.rootPem, agent: false }, read).on('error', reject);
    return within(promise, url);
  }

  async #configure(party: 'relay' | 'gateway', section: Record<string, unknown>): Promise<void> {
    const tls = join(this.folder, 'tls');
    const common = {
      host: '127.0.0.1',
      port: 0,
      tls: { certFile: join(tls, `${party}.pem`), keyFile: join(tls, `${party}.key`) },
      caFile: join(tls, 'ca.pem'),
      admin: { port: 0 },
      log: { level: 'debug', format: 'json' },
    };
    await writeFile(this.#config(party), JSON.stringify({ [party]: { ...common, ...section } }));
    for (const [path, bytes] of await filesIn(join(this.folder, party))) this.#given.set(path, bytes);
  }

  async #startRole(party: 'relay' | 'gateway', verb: string): Promise<void> {
    await this.#spawn(party, [CLI, 'gateway', verb, '--config', this.#config(party)]);
  }

  async #startParty(role: Party, task: Omit<PartyTask, 'role' | 'tls' | 'trace'>): Promise<void> {
    await this.#spawn(role, [
      PARTY,
      JSON.stringify({ role, tls: join(this.folder, 'tls'), trace: this.#trace(role), ...task }),
    ]);
  }

  async #spawn(party: Party, args: readonly string[]): Promise<void> {
    const child = await startChild({
      name: party,
      command: process.execPath,
      args,
      cwd: join(this.folder, party),
      env: { NODE_OPTIONS: undefined, NODE_V8_COVERAGE: undefined },
      readyLine: /"event":"ready"/,
      readyTimeoutMs: 30_000,
      onLine: (line) => this.#lines[party].push(line),
    });
    this.#children.set(party, child);
  }

  #ready(party: Party): Readonly<Record<string, string | number>> {
    return JSON.parse(this.#children.get(party)?.readyLine ?? '{}') as Record<string, string | number>;
  }

  async #stop(party: Party): Promise<void> {
    const child = this.#children.get(party);
    this.#children.delete(party);
    await child?.stop(5000);
  }

  async #written(party: Party): Promise<{ names: string[]; bytes: Buffer }> {
    const files = await filesIn(join(this.folder, party));
    const own = [...files].filter(([path, bytes]) => this.#given.get(path)?.equals(bytes) !== true);
    return {
      names: own.map(([path]) => path.slice(this.folder.length + 1)),
      bytes: Buffer.concat(own.map(([, bytes]) => bytes)),
    };
  }

  #config(party: Party): string {
    return join(this.folder, party, 'config.yaml');
  }

  /** Outside of the folder that a process may write to. */
  #trace(party: Party): string {
    return join(this.folder, `${party}.trace`);
  }
}

async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (path) => [path, await readFile(path)] as const)));
}
