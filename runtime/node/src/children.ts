/**
 * Child processes that never outlive their parent. A child's standard input is a pipe that the parent holds open: whatever
 * ends the parent, even SIGKILL, closes it, and a child that called {@link endWithParent} ends too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { RuntimeError } from './error.ts';

/** What to run. */
export interface ChildOptions {
  /** Name in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** The child is ready when a line of its standard output matches. */
  readonly readyLine: RegExp;
  /** Milliseconds until it must be ready. Default 10000. */
  readonly readyTimeoutMs?: number;
  /** Every line of output and where it came from. */
  readonly onLine?: (line: string, from: 'stdout' | 'stderr') => void;
}

/** How a child ended. */
export interface ChildExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A running child. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The line that said it is ready. */
  readonly readyLine: string;
  /** Settles when it ends, for whatever reason. */
  readonly exited: Promise<ChildExit>;
  /** Sends SIGHUP. */
  reload(): void;
  /** Sends SIGTERM, and SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<ChildExit>;
}

/** Children of this process that still run; killed when it exits in an orderly way. */
const running = new Set<ChildProcess>();
let exitHandlerSet = false;

/**
 * Starts a child and waits until it is ready.
 *
 * @throws {@link RuntimeError} `CHILD_FAILED` when it cannot be started, ends early, or is not ready in time; it is then gone
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, args, cwd } = options;
  const child = spawn(command, [...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  track(child);
  // Writing to a child that is gone is not our failure.
  child.stdin.on('error', () => undefined);
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    child.once('error', () => resolve({ exitCode: null, signal: null }));
  });
  const stop = (graceMs: number): Promise<ChildExit> => stopChild(child, exited, graceMs);
  try {
    const readyLine = await untilReady(child, options);
    return { name, pid: child.pid ?? 0, readyLine, exited, stop, reload: () => child.kill('SIGHUP') };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

/** Stops children in reverse order of the list, all at once within one order. */
export async function stopChildren(children: readonly Child[], graceMs: number): Promise<void> {
  await Promise.all(children.map((child) => child.stop(graceMs)));
}

/**
 * For the child's side: calls `onParentGone` once when the parent has closed our standard input or has died. Does nothing on a
 * terminal. The default ends the process at once.
 */
export function endWithParent(onParentGone: () => void = () => process.exit(0)): void {
  if (process.stdin.isTTY) return;
  let told = false;
  const gone = (): void => {
    if (told) return;
    told = true;
    onParentGone();
  };
  process.stdin.on('end', gone).on('close', gone).on('error', gone).resume();
  // A process that has nothing else to do may end.
  if ('unref' in process.stdin) process.stdin.unref();
}

function untilReady(child: ChildProcess, options: ChildOptions): Promise<string> {
  const { name, readyLine, readyTimeoutMs = 10_000, onLine } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fail = (why: string, cause?: Error): void =>
    reject(new RuntimeError('CHILD_FAILED', `Cannot start ${name}: ${why}`, { cause }));
  const timer = setTimeout(() => fail(`not ready after ${readyTimeoutMs} ms`), readyTimeoutMs);
  child.once('error', (cause) => fail('the command cannot be run', cause));
  child.once('exit', (code, signal) => fail(`it ended with ${signal ?? `code ${code}`}`));
  for (const from of ['stdout', 'stderr'] as const) {
    const stream = child[from];
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      onLine?.(line, from);
      if (from === 'stdout' && readyLine.test(line)) resolve(line);
    });
  }
  return promise.finally(() => clearTimeout(timer));
}

async function stopChild(child: ChildProcess, exited: Promise<ChildExit>, graceMs: number): Promise<ChildExit> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  const exit = await exited;
  clearTimeout(timer);
  return exit;
}

function track(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  if (exitHandlerSet) return;
  exitHandlerSet = true;
  process.on('exit', () => {
    for (const left of running) left.kill('SIGKILL');
  });
}
