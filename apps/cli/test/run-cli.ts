/** Runs the command line as its users do. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What a run gave. */
export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The repository. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));
/** The launcher. */
export const launcher: string = fileURLToPath(new URL('../bin/privacy-edge.cjs', import.meta.url));

/** Environment without the settings of whoever runs the tests. */
export function cleanEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !/^PRIVACY_EDGE_|^FORCE_COLOR|^NODE_TEST/.test(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), NO_COLOR: '1', ...more };
}

/** Runs to the end. */
export function runCli(
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly input?: string | Uint8Array; readonly cwd?: string } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: cleanEnvironment(options.env),
    cwd: options.cwd ?? root,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const collected = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    collected.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    collected.err += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...collected })));
}

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-cli-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
