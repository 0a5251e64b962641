/** The runtimes: where their programs come from, and how each is made to run the checks. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ToolchainMissing } from '../toolchain.ts';
import type { Outcome, World } from './checks.ts';
import { chromiumVersion, runInChromium } from './chromium.ts';
import type { Trust } from './network.ts';
import { runInWorkerd } from './workerd.ts';

const here = import.meta.dirname;
/** Where the runtimes are installed. */
const programs = join(here, 'programs');
const RUN_MS = 300_000;

/** One runtime. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** Runs the checks in it. */
  run(world: World, trust: Trust): Promise<Outcome[]>;
}

/** Programs inside of the registry packages that `programs/package.json` pins; each package is for Linux on x64. */
const PROGRAMS = {
  bun: '@oven/bun-linux-x64/bin/bun',
  deno: '@deno/linux-x64-glibc/deno',
  workerd: '@cloudflare/workerd-linux-64/bin/workerd',
} as const;

/**
 * Node itself, a Chromium that is installed, and the runtimes of `programs/package.json`, which are installed into the git-ignored `node_modules` there.
 *
 * @param report - called with one line before packages are fetched
 * @throws {ToolchainMissing} where there are no programs for this platform, or no browser
 */
export async function findRuntimes(report: (line: string) => void): Promise<Runtime[]> {
  const versions = await install(report);
  const [bun, deno, workerd] = [pathOf(PROGRAMS.bun), pathOf(PROGRAMS.deno), pathOf(PROGRAMS.workerd)];
  const program = join(here, 'in-process.ts');
  return [
    {
      name: 'node',
      version: process.versions.node,
      run: (world, { caFile }) => runFile(process.execPath, [program], world, { NODE_EXTRA_CA_CERTS: caFile }),
    },
    {
      name: 'bun',
      version: versions(PROGRAMS.bun),
      run: (world, { caFile }) => runFile(bun, ['run', program], world, { NODE_EXTRA_CA_CERTS: caFile }),
    },
    {
      name: 'deno',
      version: versions(PROGRAMS.deno),
      // The network and nothing else: no file, no variable, no other host.
      run: (world, { caFile }) =>
        runFile(deno, ['run', '--no-prompt', '--allow-net=localhost', `--cert=${caFile}`, program], world, {}),
    },
    {
      name: 'workerd',
      version: versions(PROGRAMS.workerd),
      run: (world, { caFile }) => runInWorkerd(workerd, world, caFile),
    },
    { name: 'chromium', version: await chromiumVersion(), run: runInChromium },
  ];
}

async function install(report: (line: string) => void): Promise<(program: string) => string> {
  const wanted = (JSON.parse(readFileSync(join(programs, 'package.json'), 'utf8')) as Manifest).optionalDependencies;
  const installed = Object.entries(wanted).every(([name, version]) => versionOf(name) === version);
  if (!installed) {
    report('fetching the runtimes');
    const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: programs,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(npm, 'exit')) as [number | null];
    if (code !== 0)
      throw new ToolchainMissing('Cannot install the runtimes: npm ci failed in interop/runtimes/programs');
  }
  return (program) => versionOf(packageOf(program)) ?? '';
}

interface Manifest {
  readonly version?: string;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

function packageOf(program: string): string {
  return program.split('/', 2).join('/');
}

function versionOf(name: string): string | undefined {
  const file = join(programs, 'node_modules', name, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest).version : undefined;
}

function pathOf(program: string): string {
  const path = join(programs, 'node_modules', program);
  if (existsSync(path)) return path;
  throw new ToolchainMissing(
    `Cannot run ${packageOf(program)}: it has no program for ${process.platform} ${process.arch}`,
  );
}

/** From the sources, by the conditions that the runtime itself chooses. */
async function runFile(
  command: string,
  args: readonly string[],
  world: World,
  env: Readonly<Record<string, string>>,
): Promise<Outcome[]> {
  const child = spawn(command, [...args, JSON.stringify(world)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS,
    killSignal: 'SIGKILL',
  });
  const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const last = out.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('['))
    throw new Error(`it ended with ${child.signalCode ?? child.exitCode}: ${complaints.trim()}`);
  return JSON.parse(last) as Outcome[];
}
