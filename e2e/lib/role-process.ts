/** A spawned role: what it said, where it listens, and how to signal it. */
import { writeFile } from 'node:fs/promises';
import type { Child, ChildExit } from '@privacy-edge/node';
import { until } from './until.ts';

type OnLine = (line: string, from: 'stdout' | 'stderr') => void;

/** One entry of a role's log. */
export interface LogLine {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** One running `privacy-edge gateway …` process. */
export class RoleProcess {
  readonly configFile: string;
  /** Lines on standard error. */
  readonly log: string[] = [];
  #child: Child | undefined;
  #exit: ChildExit | undefined;
  #role = '';
  #section: Readonly<Record<string, unknown>> = {};

  constructor(configFile: string) {
    this.configFile = configFile;
  }

  /** Writes the configuration file. JSON is YAML. */
  async configure(role: string, section: Readonly<Record<string, unknown>>): Promise<void> {
    this.#role = role;
    this.#section = section;
    await writeFile(this.configFile, JSON.stringify({ [role]: section }));
  }

  /** Changes some keys in the configuration file. */
  reconfigure(change: Readonly<Record<string, unknown>>): Promise<void> {
    return this.configure(this.#role, { ...this.#section, ...change });
  }

  async start(spawn: (onLine: OnLine) => Promise<Child>): Promise<void> {
    try {
      this.#child = await spawn((line, from) => void (from === 'stderr' && this.log.push(line)));
    } catch (cause) {
      throw new Error(`The ${this.#role} did not start:\n${this.log.join('\n')}`, { cause });
    }
    void this.#child.exited.then((exit) => (this.#exit = exit));
  }

  get #started(): Child {
    if (this.#child === undefined) throw new Error('Not started');
    return this.#child;
  }

  get pid(): number {
    return this.#started.pid;
  }

  /** Members of the ready line. */
  get ready(): Readonly<Record<string, string>> {
    return JSON.parse(this.#started.readyLine) as Record<string, string>;
  }

  get url(): string {
    return this.ready['url'] ?? '';
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get exited(): Promise<ChildExit> {
    return this.#started.exited;
  }

  /** Undefined while the process runs. */
  get exit(): ChildExit | undefined {
    return this.#exit;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Log entries with this name. */
  events(name: string): LogLine[] {
    return this.log
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => line.event === name);
  }

  /** Sends SIGHUP and waits until the settings are taken up. */
  async reload(): Promise<void> {
    const before = this.events('reloaded').length + this.events('reload_failed').length;
    this.signal('SIGHUP');
    await until(
      () => this.events('reloaded').length + this.events('reload_failed').length > before,
      'the role to reload',
    );
  }

  /** A resource of the admin listener. */
  async admin(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.ready['adminUrl']}${path}`, { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, text: await response.text() };
  }

  /** Sum of the samples of a metric whose labels are these. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const { text } = await this.admin('/metrics');
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => wanted.every((pair) => line.includes(pair)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Ends it as an operator does; kills it when it does not end. */
  async stop(graceMs = 10_000): Promise<ChildExit> {
    return this.#exit ?? this.#started.stop(graceMs);
  }

  /** Ends it without any warning. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }
}
