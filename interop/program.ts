/** This kit's command line as a process: one role with a configuration that is written for it. */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Server, startServer } from './processes.ts';

const program = join(import.meta.dirname, '../node_modules/.bin/privacy-edge');

/**
 * Writes a configuration into a folder of its own (JSON is YAML too), starts the command, cleans up when it stops.
 *
 * @param verb - of `privacy-edge gateway`
 * @param config - is given the folder, for what belongs beside the file
 */
export async function startProgram(verb: 'serve' | 'relay', config: (folder: string) => unknown): Promise<Server> {
  if (!existsSync(program)) throw new Error('privacy-edge is not installed: run npm ci');
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-interop-'));
  const file = join(folder, 'privacy-edge.yaml');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    writeFileSync(file, JSON.stringify(config(folder), null, 2));
    const server = await startServer(program, ['gateway', verb, '--config', file]);
    return { ...server, stop: () => server.stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Runs the command to its end, which must be a good one. */
export async function runProgram(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args, { timeout: 30_000 });
}

/** Writes a fresh seed that only its owner may read. */
export function writeSeed(file: string): string {
  writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  return file;
}
