/** Starts the processes of the demonstration: local authority, keys, configurations, target, gateway, relay. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Child,
  createLocalAuthority,
  createReplayState,
  startChild,
  stopChildren,
  systemClock,
  systemRandom,
} from '@privacy-edge/node';
import { stringify } from 'yaml';
import { createKeyFile } from '../keys/key-file.ts';
import { scheduleSettings } from '../keys/seed.ts';
import { withProgress } from '../progress.ts';
import { replayStateOf } from '../serve/paths.ts';
import { siblingModule } from '../sibling-module.ts';
import type { ChildTask } from './child.ts';
import type { TargetTask } from './demo-target.ts';
import { type Holdings, type Party, parseTrace } from './knowledge.ts';

/** URLs of a running demonstration. */
export interface DemoUrls {
  readonly relay: string;
  readonly relayKeys: string;
  readonly gateway: string;
  readonly gatewayKeys: string;
  readonly target: string;
  readonly relayAdmin: string;
  readonly gatewayAdmin: string;
  readonly relayNotice: string;
  readonly gatewayNotice: string;
}

/** What each process runs. */
const ENTRIES: Readonly<Record<Party, URL>> = {
  relay: siblingModule(import.meta.url, 'demo-relay'),
  gateway: siblingModule(import.meta.url, 'demo-gateway'),
  target: siblingModule(import.meta.url, 'demo-target'),
};

/** Milliseconds that a process has to become ready. */
const READY_MS = 20_000;
/** Milliseconds that processes have to stop. */
const STOP_MS = 3000;

/** Running processes and their folder. */
export class Deployment {
  /** Everything below is removed by {@link Deployment.stop}. */
  readonly folder: string;
  readonly #children: Child[] = [];
  readonly #writings = new Map<Party, string[]>();
  #urls: DemoUrls | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Starts everything; stops it again when something fails.
   *
   * @param answer - text that the target answers with
   * @param targetHost - name of the target, known to the gateway only
   */
  static async start(answer: string, targetHost: string): Promise<Deployment> {
    const deployment = new Deployment(await mkdtemp(join(tmpdir(), 'privacy-edge-up-')));
    try {
      await deployment.#start(answer, targetHost);
      return deployment;
    } catch (error) {
      await deployment.stop();
      throw error;
    }
  }

  /** Where everything is. */
  get urls(): DemoUrls {
    if (this.#urls === undefined) throw new ReferenceError('The demonstration is not running yet');
    return this.#urls;
  }

  /** Certificate of the local authority. */
  get rootPath(): string {
    return join(this.folder, 'ca.pem');
  }

  /** Settles with the name of the first process that ends by itself. */
  get firstToEnd(): Promise<string> {
    return Promise.race(this.#children.map((child) => child.exited.then(() => child.name)));
  }

  /** What a party got hold of so far. */
  async holdings(party: Party): Promise<Holdings> {
    const entries = parseTrace(await readFile(this.#trace(party), 'utf8'));
    const admin = { relay: this.urls.relayAdmin, gateway: this.urls.gatewayAdmin, target: undefined }[party];
    const metrics = admin === undefined ? '' : await (await fetch(`${admin}/metrics`)).text();
    return { entries, writings: [...(this.#writings.get(party) ?? []), metrics].join('\n') };
  }

  /** Stops every process and removes the folder; once. */
  stop(): Promise<void> {
    this.#stopped ??= stopChildren(this.#children, STOP_MS).then(() =>
      rm(this.folder, { recursive: true, force: true }),
    );
    return this.#stopped;
  }

  async #start(answer: string, targetHost: string): Promise<void> {
    await withProgress('Making certificates and keys', () => this.#prepare(targetHost));
    const target = await withProgress('Starting the target', () => this.#startTarget(answer));
    const origin = `https://${targetHost}:${String(target['port'])}`;
    await this.#writeConfig('gateway', gatewayConfig(origin));
    const gateway = await withProgress('Starting the gateway', () => this.#startRole('gateway', targetHost));
    await this.#writeConfig('relay', relayConfig(String(gateway['gatewayUrl']), String(gateway['keysUrl'])));
    const relay = await withProgress('Starting the relay', () => this.#startRole('relay', targetHost));
    this.#urls = {
      relay: `${String(relay['url'])}/demo`,
      relayKeys: `${String(relay['url'])}/demo/keys`,
      gateway: String(gateway['gatewayUrl']),
      gatewayKeys: String(gateway['keysUrl']),
      target: origin,
      relayAdmin: String(relay['adminUrl']),
      gatewayAdmin: String(gateway['adminUrl']),
      relayNotice: String(relay['noticeUrl']),
      gatewayNotice: String(gateway['noticeUrl']),
    };
  }

  async #prepare(targetHost: string): Promise<void> {
    const now = Date.now();
    const authority = await createLocalAuthority(this.folder, now);
    await authority.issue('relay');
    await authority.issue('gateway');
    await authority.issue('target', [targetHost]);
    const fresh = (): Uint8Array => new Uint8Array(randomBytes(32));
    const segments = [{ secret: fresh(), epoch: 0, fromMs: now }];
    await createKeyFile(join(this.folder, 'gateway-keys.json'), {
      state: { ...scheduleSettings({}), segments },
      shared: fresh(),
    });
    await createReplayState(replayStateOf(join(this.folder, 'gateway-keys.json')), systemClock, systemRandom);
  }

  #startTarget(answer: string): Promise<Record<string, unknown>> {
    const task: TargetTask = {
      certFile: join(this.folder, 'target.pem'),
      keyFile: join(this.folder, 'target.key'),
      trace: this.#trace('target'),
      answer,
    };
    return this.#startChild('target', task);
  }

  #startRole(party: 'gateway' | 'relay', targetHost: string): Promise<Record<string, unknown>> {
    const task: ChildTask = { config: this.#config(party), trace: this.#trace(party), targetHost };
    return this.#startChild(party, task);
  }

  async #startChild(party: Party, task: ChildTask | TargetTask): Promise<Record<string, unknown>> {
    const lines: string[] = [];
    this.#writings.set(party, lines);
    const cache = getCompileCacheDir();
    const child = await startChild({
      name: `the ${party}`,
      command: process.execPath,
      args: [fileURLToPath(ENTRIES[party]), JSON.stringify(task)],
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) },
      readyLine: /"event":"ready"/,
      readyTimeoutMs: READY_MS,
      onLine: (line, from) => {
        if (from === 'stderr') lines.push(line);
      },
    });
    this.#children.push(child);
    return JSON.parse(child.readyLine) as Record<string, unknown>;
  }

  async #writeConfig(party: 'gateway' | 'relay', section: Record<string, unknown>): Promise<void> {
    const tls = { certFile: `${party}.pem`, keyFile: `${party}.key` };
    const common = { port: 0, tls, caFile: 'ca.pem', admin: { port: 0 }, log: { format: 'json' } };
    await writeFile(this.#config(party), stringify({ [party]: { ...common, ...section } }));
  }

  #config(party: Party): string {
    return join(this.folder, `${party}.yaml`);
  }

  #trace(party: Party): string {
    return join(this.folder, `${party}.trace`);
  }
}

function gatewayConfig(origin: string): Record<string, unknown> {
  return {
    keys: { file: 'gateway-keys.json' },
    targets: [{ origin, allowPrivate: true }],
  };
}

function relayConfig(url: string, keysUrl: string): Record<string, unknown> {
  return { gateways: [{ name: 'demo', path: '/demo', url, keysUrl, allowPrivate: true }], rateLimit: {} };
}
