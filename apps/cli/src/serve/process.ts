/** A process that serves one role: configuration, threads, admin listener, signals. */
import { createServer } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import {
  createLog,
  createMetrics,
  type EventFields,
  errorFields,
  handleSignals,
  type Listener,
  type LogEvent,
  type Metrics,
  type MetricsSnapshot,
  serveAdmin,
  startWorkers,
} from '@privacy-edge/node';
import { CliError } from '../cli-error.ts';
import type { Environment } from '../config/environment.ts';
import { requireConfig } from '../config/load.ts';
import type { SectionName } from '../config/types.ts';
import { parseDuration } from '../config/units.ts';
import { ExitCode } from '../exit-code.ts';
import { packageVersion } from '../package-version.ts';
import { siblingModule } from '../sibling-module.ts';
import { type Duty, gatewayDuty, type OwnSection, relayDuty } from './duty.ts';
import { PRIVACY_NOTICE_PATH } from './paths.ts';
import { followSectionCertificate, type SectionCertificate } from './reload.ts';
import type { PlainCertificate, RunningRole } from './role.ts';
import { type RoleUpdate, startRole, updatedStart } from './start.ts';
import type { WorkerData, WorkerReadiness } from './worker.ts';

/** How to start a process. */
export interface ProcessOptions {
  readonly config: string | undefined;
  readonly environment: Environment;
  /** Starts the role in this thread; a demonstration passes its own. */
  readonly startRole?: typeof startRole;
}

/** What the ready line says. */
export interface ReadyLine {
  readonly event: 'ready';
  readonly role: string;
  readonly version: string;
  readonly pid: number;
  readonly url: string;
  readonly adminUrl: string | undefined;
  readonly [name: string]: unknown;
}

/** A process that serves. */
export interface ServingProcess {
  readonly ready: ReadyLine;
  /** Settles after a drain. */
  readonly ended: Promise<ExitCode>;
}

/** The threads of a role, seen from the main thread. */
interface Crew {
  readonly url: string;
  apply(update: RoleUpdate): void;
  ready(): boolean;
  metrics(): Promise<readonly MetricsSnapshot[]>;
  drain(graceMs: number): Promise<boolean>;
}

/** Milliseconds between looks at certificate files and at keys that are over. */
const UPKEEP_MS = 60_000;

/**
 * Starts a role.
 *
 * @throws {@link CliError} `USAGE` for a configuration that cannot be used
 * @throws RuntimeError for files and ports that cannot be used
 */
export async function startProcess(role: SectionName, options: ProcessOptions): Promise<ServingProcess> {
  const section = await readSection(role, options);
  const log = createLog(section.settings.log);
  const metrics = createMetrics();
  const duty = await dutyOf(role, options.environment);
  return new RoleProcess(section, log.event, metrics, duty, options).start();
}

/** Databases and protocols of aggregators are loaded by those who need them only. */
async function dutyOf(role: SectionName, environment: Environment): Promise<Duty> {
  if (role === 'gateway') return gatewayDuty(environment);
  if (role === 'relay') return relayDuty();
  return (await import('./aggregator-duty.ts')).aggregatorDuty(role, environment);
}

/** The name of a section's role in its standard. */
export function roleName(section: SectionName): string {
  return section.replace(/^analytics/, '').toLowerCase();
}

async function readSection(role: SectionName, options: ProcessOptions): Promise<OwnSection> {
  const { config, environment } = options;
  const loaded = await requireConfig({ file: config, environment, sections: [role] });
  const settings = loaded.config[role];
  if (settings !== undefined) return { role, folder: loaded.folder, settings };
  throw new CliError('USAGE', {
    what: `Cannot serve the ${roleName(role)}`,
    why: `${loaded.file} has no ${role} section`,
    fix: `add one; "privacy-edge config init --for ${roleName(role)}" prints a sample`,
  });
}

class RoleProcess {
  #section: OwnSection;
  /** What cannot change while it runs is as it was here. */
  readonly #started: OwnSection;
  readonly #log: LogEvent;
  readonly #metrics: Metrics;
  readonly #duty: Duty;
  readonly #options: ProcessOptions;
  #crew: Crew | undefined;
  #certificate: SectionCertificate | undefined;
  #draining = false;

  constructor(section: OwnSection, log: LogEvent, metrics: Metrics, duty: Duty, options: ProcessOptions) {
    this.#section = section;
    this.#started = section;
    this.#log = log;
    this.#metrics = metrics;
    this.#duty = duty;
    this.#options = options;
  }

  async start(): Promise<ServingProcess> {
    const { role, folder, settings } = this.#section;
    this.#certificate = await followSectionCertificate(
      settings,
      folder,
      (certificate) => this.#crew?.apply({ kind: 'certificate', certificate }),
      this.#log,
    );
    const crew = await this.#startCrew(this.#certificate?.current);
    this.#crew = crew;
    // While it was down, epochs may have ended whose secrets are still in the file.
    await this.#keepUp();
    const admin = await this.#startAdmin(crew);
    const upkeep = setInterval(() => void this.#upkeep(), UPKEEP_MS);
    upkeep.unref();
    const ended = Promise.withResolvers<ExitCode>();
    handleSignals({
      log: this.#log,
      reload: () => this.#reload(),
      reloadFailure,
      drain: async () => {
        clearInterval(upkeep);
        await this.#drain(crew, admin);
      },
      exit: (code) => {
        // A second signal does not wait for anything.
        if (code === 130) process.exit(code);
        ended.resolve(code === 0 ? ExitCode.OK : ExitCode.FAILED);
      },
    });
    this.#log('info', 'serving', {
      role: roleName(role),
      listen: crew.url,
      pid: process.pid,
      version: packageVersion(),
    });
    return { ready: this.#readyLine(crew, admin), ended: ended.promise };
  }

  async #startCrew(certificate: PlainCertificate | undefined): Promise<Crew> {
    const { settings } = this.#section;
    const shared = settings.workers > 1;
    const port = shared && settings.port === 0 ? await freePort(settings.host) : settings.port;
    const start = await this.#duty.prepare(this.#section, port, certificate, this.#metrics);
    if (!shared) return oneThread(await (this.#options.startRole ?? startRole)(start, this.#host()));
    // A thread that dies starts again from what the others have by then.
    let current = start;
    const able = new Map<number, boolean>();
    const workers = await startWorkers<WorkerData>({
      module: siblingModule(import.meta.url, 'worker'),
      count: settings.workers,
      data: () => ({ start: current, log: settings.log }),
      log: this.#log,
      onMessage: (message, worker) => able.set(worker, (message as WorkerReadiness).ready),
    });
    return {
      url: `${certificate === undefined ? 'http' : 'https'}://${bracketed(settings.host)}:${port}`,
      apply: (update) => {
        current = updatedStart(current, update);
        workers.broadcast(update);
      },
      ready: () => workers.ready > 0 && ![...able.values()].includes(false),
      metrics: () => workers.metrics(),
      drain: (graceMs) => workers.close(graceMs),
    };
  }

  #host(): { log: LogEvent; metrics: Metrics } {
    return { log: this.#log, metrics: this.#metrics };
  }

  async #startAdmin(crew: Crew): Promise<Listener | undefined> {
    const { admin } = this.#section.settings;
    if (!admin.enabled) return undefined;
    return serveAdmin({
      host: admin.host,
      port: admin.port,
      names: admin.names,
      log: this.#log,
      metrics: this.#metrics,
      otherMetrics: () => crew.metrics(),
      ready: () => !this.#draining && crew.ready(),
    });
  }

  #readyLine(crew: Crew, admin: Listener | undefined): ReadyLine {
    const noticeUrl = `${crew.url}${PRIVACY_NOTICE_PATH}`;
    return {
      event: 'ready',
      role: roleName(this.#section.role),
      version: packageVersion(),
      pid: process.pid,
      url: crew.url,
      ...this.#duty.urls(this.#section, crew.url),
      noticeUrl,
      adminUrl: admin?.url,
    };
  }

  async #reload(): Promise<void> {
    const after = await readSection(this.#section.role, this.#options);
    // Other files that cannot be used fail the reload before anything of it is taken up.
    if (after.settings.tls !== undefined) await this.#certificate?.follow(after.settings.tls);
    const updates = await this.#duty.reload(this.#section, after);
    for (const update of updates) this.#crew?.apply(update);
    this.#sayWhatNeedsRestart(after);
    this.#section = after;
    await this.#keepUp();
  }

  #sayWhatNeedsRestart(after: OwnSection): void {
    const started = this.#started.settings as unknown as Record<string, unknown>;
    const wanted = after.settings as unknown as Record<string, unknown>;
    for (const key of new Set([...Object.keys(started), ...Object.keys(wanted)])) {
      // A listener goes on with or without TLS, as it began; only the files may be others.
      const same = key === 'tls' ? !started[key] === !wanted[key] : isDeepStrictEqual(wanted[key], started[key]);
      if (!same && !this.#duty.reloadable.includes(key))
        this.#log('warn', 'restart_needed_for_setting', { entry: key });
    }
  }

  async #upkeep(): Promise<void> {
    await this.#certificate?.reload();
    await this.#keepUp();
  }

  /** What time alone changes. */
  async #keepUp(): Promise<void> {
    try {
      for (const update of await this.#duty.upkeep(this.#log)) this.#crew?.apply(update);
    } catch (error) {
      this.#log('error', 'upkeep_failed', errorFields(error));
    }
  }

  async #drain(crew: Crew, admin: Listener | undefined): Promise<void> {
    this.#draining = true;
    const graceMs = parseDuration(this.#section.settings.drain);
    const clean = await crew.drain(graceMs);
    await this.#duty.afterDrain(this.#section);
    await admin?.close(0);
    this.#log(clean ? 'info' : 'warn', clean ? 'drained' : 'drained_with_broken_requests');
  }
}

/** An operator's mistake is found by file, line and key; where in the source it was noticed helps nobody. */
function reloadFailure(error: unknown): EventFields {
  const { stack, ...fields } = errorFields(error);
  if (!(error instanceof CliError)) return stack === undefined ? fields : { ...fields, stack };
  return { ...fields, ...error.place, ...(error.code === 'USAGE' || stack === undefined ? {} : { stack }) };
}

function oneThread(role: RunningRole<RoleUpdate>): Crew {
  return {
    url: role.listener.url,
    apply: (update) => role.apply(update),
    ready: () => role.ready(),
    metrics: async () => [],
    drain: (graceMs) => role.drain(graceMs),
  };
}

/** A port that nobody uses now. Threads that share a port cannot each ask for any. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, fail) => server.once('error', fail).listen({ host, port: 0 }, done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
