/** Child processes of a run: servers that announce themselves with one JSON line, and tools that print one. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ten times what a start takes on a busy machine: it ends what hangs and judges nothing. */
const START_MS = 60_000;
const TOOL_MS = 30_000;
const STOP_MS = 5_000;

/** A server that runs until it is stopped. */
export interface Server {
  /** Origin it listens on, such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  /** Asks it to read its files again. */
  reload(): void;
  stop(): Promise<void>;
}

/**
 * Starts a server and waits for its first line of output, a JSON object with the origin somewhere in it.
 *
 * Its standard input is a pipe that closes with this process, so that a peer ends even if this process is killed.
 *
 * @throws when it ends early or stays silent for a minute.
 */
export async function startServer(program: string, args: readonly string[]): Promise<Server> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (piece: Buffer) => complaints.push(piece));
  child.stdin.on('error', () => {});
  const line = await firstLine(child, () => Buffer.concat(complaints).toString());
  const origin = findOrigin(JSON.parse(line));
  if (origin === undefined) throw new Error(`Cannot tell the address of ${program} from ${line}`);
  return { origin, reload: () => void child.kill('SIGHUP'), stop: () => stop(child) };
}

async function firstLine(child: ChildProcess, complaints: () => string): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const abort = new AbortController();
  try {
    const outcome = await Promise.race([
      once(lines, 'line', { signal: abort.signal }).then(([line]) => String(line)),
      // Not 'exit': what it said last is read only after that.
      once(child, 'close', { signal: abort.signal }).then(() => undefined),
      sleep(START_MS, undefined, { signal: abort.signal }),
    ]);
    if (outcome !== undefined) return outcome;
  } finally {
    abort.abort();
  }
  await stop(child);
  throw new Error(`Cannot start ${child.spawnfile}: ${summary(complaints())}`);
}

/** The line that names the error, when there is one. */
function summary(complaints: string): string {
  const lines = complaints.trim().split('\n');
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1)) || 'no ready line';
}

function findOrigin(value: unknown): string | undefined {
  if (typeof value === 'string') return /^https?:\/\/[^/\s]+/.exec(value)?.[0];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const part of Object.values(value)) {
    const found = findOrigin(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.stdin?.destroy();
  child.kill('SIGTERM');
  const abort = new AbortController();
  await Promise.race([exit, sleep(STOP_MS, undefined, { signal: abort.signal }).catch(() => {})]);
  abort.abort();
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await exit;
  }
}

/**
 * Runs a tool that prints one JSON object, for at most 30 seconds.
 *
 * @throws with the tool's own `error` when it fails.
 */
export async function runTool(program: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TOOL_MS, killSignal: 'SIGKILL' });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.on('data', (piece: Buffer) => err.push(piece));
  await once(child, 'close');
  const text = Buffer.concat(out).toString();
  if (text.trim() === '') {
    throw new Error(`ended with ${child.signalCode ?? child.exitCode}: ${Buffer.concat(err).toString().slice(0, 300)}`);
  }
  const result = JSON.parse(text) as Record<string, unknown>;
  if (child.exitCode !== 0) throw new Error(String(result['error']));
  return result;
}
