/**
 * Real servers and browsers for the tests. Looks for them, installs what is missing where it may (root on a Debian system,
 * never starting a service), and otherwise says what will be skipped; with CI=true a missing one is a failure.
 *
 * node scripts/ensure-tools.ts            for the tests
 * node scripts/ensure-tools.ts --bench    also what the benches compare with
 *
 * What is found reaches the tests by environment: PRIVACY_EDGE_REDIS_SERVER, PRIVACY_EDGE_CHROMIUM, PRIVACY_EDGE_NGINX and
 * PRIVACY_EDGE_WRK hold absolute paths. PRIVACY_EDGE_NO_INSTALL=1 forbids installing.
 */
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { requireNode, run, secondsSince } from './lib/node.ts';

/** A program that some tests need. */
export interface Tool {
  /** Environment variable that carries its path to the tests. */
  readonly variable: string;
  /** Names it goes by, best first. */
  readonly commands: readonly string[];
  /** Debian package. */
  readonly debian: string;
  /** What cannot be tested without it. */
  readonly purpose: string;
}

const TEST_TOOLS: readonly Tool[] = [
  {
    variable: 'PRIVACY_EDGE_REDIS_SERVER',
    commands: ['redis-server', 'valkey-server'],
    debian: 'redis-server',
    purpose: 'several gateways sharing one replay store',
  },
  {
    variable: 'PRIVACY_EDGE_CHROMIUM',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium',
    purpose: 'the client in a real browser',
  },
];

const BENCH_TOOLS: readonly Tool[] = [
  { variable: 'PRIVACY_EDGE_NGINX', commands: ['nginx'], debian: 'nginx-light', purpose: 'relay against nginx' },
  { variable: 'PRIVACY_EDGE_WRK', commands: ['wrk'], debian: 'wrk', purpose: 'load on a socket' },
];

/** Debian asks this script before it starts a service of a package; 101 means no. */
const POLICY = '/usr/sbin/policy-rc.d';

/** What {@link ensureTools} found out. */
export interface Tools {
  /** Variables for the environment of the tests. */
  readonly environment: Readonly<Record<string, string>>;
  readonly missing: readonly Tool[];
}

/** Absolute path of a tool: from its variable, else from the search path. */
export function findTool(tool: Tool, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const chosen = environment[tool.variable];
  if (chosen !== undefined) return executable(chosen) ? chosen : undefined;
  const folders = [...(environment['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return tool.commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(executable);
}

/** Finds or installs everything, and prints what it did. */
export async function ensureTools(withBench = false): Promise<Tools> {
  const tools = withBench ? [...TEST_TOOLS, ...BENCH_TOOLS] : TEST_TOOLS;
  const wanted = tools.filter((tool) => findTool(tool) === undefined);
  if (wanted.length > 0 && mayInstall()) await install(wanted.map((tool) => tool.debian));
  const missing = tools.filter((tool) => findTool(tool) === undefined);
  for (const tool of missing) {
    console.log(`Skipping ${tool.purpose}: ${tool.commands[0]} is not installed (Debian package ${tool.debian})`);
  }
  const found = tools.flatMap((tool) => {
    const path = findTool(tool);
    return path === undefined ? [] : [[tool.variable, path] as const];
  });
  return { environment: Object.fromEntries(found), missing };
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function mayInstall(): boolean {
  const root = process.getuid?.() === 0;
  return (
    root &&
    existsSync('/etc/debian_version') &&
    executable('/usr/bin/apt-get') &&
    !process.env['PRIVACY_EDGE_NO_INSTALL']
  );
}

async function install(packages: readonly string[]): Promise<void> {
  const started = performance.now();
  console.log(`Installing ${packages.join(', ')} ...`);
  const guard = !existsSync(POLICY);
  if (guard) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    const update = await run('apt-get', ['update', '-q'], { env });
    const args = ['install', '-y', '-q', '--no-install-recommends', ...packages];
    const done = await run('apt-get', args, { env });
    if (done.ok) console.log(`Installed, ${secondsSince(started)}`);
    else console.log(`apt-get failed:\n${lastLines(update.ok ? '' : update.output)}${lastLines(done.output)}`);
  } finally {
    if (guard) rmSync(POLICY, { force: true });
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-15).join('\n');
}

if (import.meta.main) {
  requireNode();
  const { environment, missing } = await ensureTools(process.argv.includes('--bench'));
  for (const [name, path] of Object.entries(environment)) console.log(`${name}=${path}`);
  if (missing.length > 0 && process.env['CI'] === 'true') process.exitCode = 1;
}
