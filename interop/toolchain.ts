/** Building the foreign peers: finds Go and cargo, builds the peers into git-ignored folders. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const here = import.meta.dirname;

/** Paths of the built peers of the matrix. */
export interface Peers {
  readonly go: string;
  readonly rust: string;
}

/** Where the peers of the matrix are when they are built. */
export const PEERS: Peers = {
  go: join(here, 'go/target/ohttp-go-peer'),
  rust: join(here, 'rust/target/release/ohttp-rust-peer'),
};

/** Raised when a toolchain is missing; the caller prints the message and exits with code 2. */
export class ToolchainMissing extends Error {
  override name = 'ToolchainMissing';
}

/**
 * Builds the Go and the Rust peer; modules and crates come from their registries as pinned in go.sum and Cargo.toml.
 *
 * @param report - called with one line before each build.
 * @returns the paths of both programs.
 * @throws {ToolchainMissing} when Go or cargo is not installed.
 */
export function buildPeers(report: (line: string) => void): Peers {
  const go = find('go', ['/usr/local/go/bin', '/usr/lib/go/bin'], 'Go 1.26 or newer');
  const cargo = findCargo();
  mkdirSync(join(here, 'go/target'), { recursive: true });
  report('building the Go peer');
  run(go, ['build', '-trimpath', '-o', 'target/ohttp-go-peer', '.'], 'go');
  report('building the Rust peer');
  run(cargo, ['build', '--release', '--quiet'], 'rust');
  return PEERS;
}

/**
 * Builds the peer with the VDAFs, for which cargo is enough.
 *
 * @param report - called with one line before the build.
 * @returns the path of the program.
 * @throws {ToolchainMissing} when cargo is not installed.
 */
export function buildPrioPeer(report: (line: string) => void): string {
  const cargo = findCargo();
  report('building the VDAF peer');
  run(cargo, ['build', '--release', '--quiet'], 'rust-prio');
  return join(here, 'rust-prio/target/release/prio-rust-peer');
}

function findCargo(): string {
  return find('cargo', [join(homedir(), '.cargo/bin')], 'Rust 1.89 or newer with cargo');
}

function find(name: string, extra: readonly string[], what: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...extra];
  for (const folder of folders) {
    if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
  }
  throw new ToolchainMissing(`Cannot build the peers: ${name} is not installed (${what} is needed)`);
}

function run(command: string, args: readonly string[], folder: string): void {
  const path = [join(command, '..'), process.env['PATH'] ?? ''].join(delimiter);
  const done = spawnSync(command, args, {
    cwd: join(here, folder),
    env: { ...process.env, PATH: path, CARGO_TARGET_DIR: join(here, folder, 'target') },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 15 * 60_000,
  });
  if (done.status !== 0) throw new Error(`Cannot build the peers: ${command} ${args[0]} failed in interop/${folder}`);
}

/**
 * Runs one `vectors` command: jobs go in as JSON, results come back in the same order.
 *
 * @param program - path of a built peer.
 * @param jobs - what to do; see `vectors.go` and `vectors.rs`.
 * @returns the peer's versions and one result for each job, with `error` set where the peer refused.
 */
export function runVectorJobs<T>(
  program: string,
  jobs: readonly unknown[],
): { versions: Record<string, string>; results: (T & { error?: string })[] } {
  const done = spawnSync(program, ['vectors'], {
    input: JSON.stringify(jobs),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    timeout: 120_000,
  });
  if (done.status !== 0) throw new Error(`Cannot run ${program} vectors: ${done.stdout}${done.stderr}`);
  return JSON.parse(done.stdout) as { versions: Record<string, string>; results: (T & { error?: string })[] };
}
