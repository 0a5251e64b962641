/** The runtime this repository needs, and starting programs with it. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './workspace.ts';

const REQUIRED_MAJOR = 26;

/** Environment for children: whatever they call `node` is the one that came with the install. */
function childEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const path = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  return { ...inherited, NO_COLOR: '1', PATH: path, ...extra };
}

/**
 * Makes sure this process is a Node that is new enough. A Node that can read this file but is older is replaced by the
 * installed one, with the same arguments; where there is none the process ends with a sentence saying what to do.
 */
export function requireNode(): void {
  if (Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR) return;
  const installed = join(ROOT, 'node_modules/.bin/node');
  if (!existsSync(installed)) {
    console.error(`This needs Node ${REQUIRED_MAJOR} or newer, this is ${process.version}.`);
    console.error('On Linux x64 "npm ci" brings it; elsewhere install it and try again.');
    process.exit(1);
  }
  const done = spawnSync(installed, process.argv.slice(1), { stdio: 'inherit', env: childEnvironment() });
  process.exit(done.status ?? 1);
}

/** How a program ended. */
export interface Ended {
  readonly ok: boolean;
  /** Both streams in the order they came. */
  readonly output: string;
}

/** Runs a program to its end and keeps what it prints. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: childEnvironment(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
      if (options.echo === true) process.stdout.write(chunk);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ ok: false, output: `${output}${error.message}\n` }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** Settings of {@link run}. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Also print while it runs. */
  readonly echo?: boolean;
}

/** "3.2 s" since a `performance.now()` reading. */
export function secondsSince(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}
