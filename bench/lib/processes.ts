/** Programs that a bench starts, and surely stops. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A started program. */
export interface Running {
  readonly pid: number;
  /** What its first line of JSON on standard output said. */
  readonly ready: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Starts a program that prints one line of JSON when it is ready. */
export async function startJson(command: string, args: readonly string[], timeoutMs = 15_000): Promise<Running> {
  const child = start(command, args, ['pipe', 'pipe', 'inherit']);
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command} did not get ready`)), timeoutMs);
    child.once('exit', (code) => reject(new Error(`${command} ${args.join(' ')} ended with ${code}`)));
    if (child.stdout === null) throw new Error('no standard output');
    createInterface({ input: child.stdout }).once('line', (text) => {
      clearTimeout(timer);
      resolve(text);
    });
  });
  return { pid: child.pid ?? 0, ready: JSON.parse(line) as Record<string, unknown>, stop: () => stop(child) };
}

/** Starts a program that says nothing; `probe` decides when it is ready. */
export async function startProbed(
  command: string,
  args: readonly string[],
  probe: () => Promise<boolean>,
): Promise<Running> {
  const child = start(command, args, ['ignore', 'ignore', 'inherit']);
  const until = Date.now() + 10_000;
  while (!(await probe().catch(() => false))) {
    if (Date.now() > until || child.exitCode !== null) throw new Error(`${command} did not get ready`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { pid: child.pid ?? 0, ready: {}, stop: () => stop(child) };
}

function start(
  command: string,
  args: readonly string[],
  stdio: ['pipe' | 'ignore', 'pipe' | 'ignore', 'inherit'],
): ChildProcess {
  const child = spawn(command, args, { stdio });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(timer);
}
