/** Everything a file of tests starts: a folder, role processes, servers. One `close` ends it all, last started first. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, createLocalAuthority, type LocalAuthority, startChild } from '@privacy-edge/node';
import { RoleProcess } from './role-process.ts';

const CLI = join(import.meta.dirname, '../../apps/cli/bin/privacy-edge.cjs');

/** A section of a configuration: what the schema allows, defaults are the program's. */
export type Section = Readonly<Record<string, unknown>>;

/** How a role starts. */
export interface RoleStart {
  readonly section: Section;
  readonly env?: Readonly<Record<string, string>>;
}

/** Owner of all that is started. */
export class Stage {
  readonly folder: string;
  readonly #endings: (() => Promise<unknown>)[] = [];
  #authority: Promise<LocalAuthority> | undefined;
  #files = 0;

  constructor(folder: string) {
    this.folder = folder;
    this.later(() => rm(folder, { recursive: true, force: true }));
  }

  /** Has something ended with the stage. */
  later(ending: () => Promise<unknown>): void {
    this.#endings.push(ending);
  }

  /** Ends everything, last started first, whatever fails. */
  async close(): Promise<void> {
    for (const ending of this.#endings.splice(0).reverse()) {
      await ending().catch((error: unknown) => console.error(error));
    }
  }

  /** Absolute path of a file in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** A certificate authority that nobody else trusts. */
  authority(): Promise<LocalAuthority> {
    this.#authority ??= createLocalAuthority(join(this.folder, 'tls'), Date.now());
    return this.#authority;
  }

  /** Issues a certificate and returns the `tls` group of a section. */
  async certificate(name: string, names: readonly string[] = []): Promise<{ certFile: string; keyFile: string }> {
    await (await this.authority()).issue(name, names);
    return { certFile: join(this.folder, 'tls', `${name}.pem`), keyFile: join(this.folder, 'tls', `${name}.key`) };
  }

  /** A file with a fresh seed that only its owner may read. */
  async seedFile(): Promise<string> {
    const file = this.path(`seed-${this.#files++}`);
    await writeFile(file, randomBytes(32).toString('hex'), { mode: 0o600 });
    return file;
  }

  /** Starts `privacy-edge gateway serve`, on a free port unless the section names one. */
  gateway(start: RoleStart): Promise<RoleProcess> {
    return this.#role('gateway', 'serve', start);
  }

  /** Starts `privacy-edge gateway relay`, on a free port unless the section names one. */
  relay(start: RoleStart): Promise<RoleProcess> {
    return this.#role('relay', 'relay', start);
  }

  async #role(role: 'gateway' | 'relay', verb: string, { section, env = {} }: RoleStart): Promise<RoleProcess> {
    const file = this.path(`${role}-${this.#files++}.yaml`);
    const started = new RoleProcess(file);
    await started.configure(role, { host: '127.0.0.1', port: 0, admin: { port: 0 }, ...section });
    await started.start((onLine) =>
      startChild({
        name: role,
        command: process.execPath,
        args: [CLI, 'gateway', verb, '--config', file],
        env: { NODE_OPTIONS: undefined, ...env },
        readyLine: /"event":"ready"/,
        readyTimeoutMs: 30_000,
        onLine,
      }),
    );
    this.later(async () => {
      const running = started.exit === undefined;
      const { exitCode } = await started.stop();
      if (running && exitCode === null) console.error(`The ${role} had to be killed:\n${started.log.join('\n')}`);
    });
    return started;
  }

  /** Runs the command line to its end, which must be good, and returns what it printed. */
  async cli(...args: readonly string[]): Promise<string> {
    const output: string[] = [];
    const marker = `done-${randomBytes(4).toString('hex')}`;
    const child = await startChild({
      name: args.join(' '),
      command: '/bin/sh',
      args: ['-c', '"$@" && echo "$0"', marker, process.execPath, CLI, ...args],
      env: { NODE_OPTIONS: undefined },
      readyLine: new RegExp(`^${marker}$`),
      readyTimeoutMs: 30_000,
      onLine: (line) => output.push(line),
    });
    await child.exited;
    return output.slice(0, -1).join('\n');
  }

  /** Starts a Redis server without persistence. */
  async redis(port?: number): Promise<{ readonly port: number; readonly url: string; readonly child: Child }> {
    const chosen = port ?? (await freePort());
    const child = await startChild({
      name: 'redis-server',
      command: process.env['PRIVACY_EDGE_REDIS_SERVER'] ?? 'redis-server',
      args: ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.folder],
      readyLine: /Ready to accept connections/,
    });
    let exited = false;
    void child.exited.then(() => (exited = true));
    this.later(async () => (exited ? undefined : child.stop(2000)));
    return { port: chosen, url: `redis://127.0.0.1:${chosen}`, child };
  }
}

/** Opens a stage in a folder of its own. */
export async function openStage(): Promise<Stage> {
  const stage = new Stage(await mkdtemp(join(tmpdir(), 'privacy-edge-e2e-')));
  // Also when a run is broken off: nothing that was started may stay.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void stage.close().finally(() => process.exit(1)));
  return stage;
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Open files and sockets of a process. */
export async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Resident memory of a process, bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
