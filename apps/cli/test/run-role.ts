/** Roles as processes, the way operators start and signal them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { cleanEnvironment, launcher } from './run-cli.ts';

/** A role process. */
export interface Role {
  readonly child: ChildProcess;
  readonly ready: Record<string, string> & { readonly relays?: Record<string, { url: string; keysUrl?: string }> };
  readonly log: () => string;
}

const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts one and waits until it serves. */
export async function start(verb: 'serve' | 'relay', config: string, env: Record<string, string> = {}): Promise<Role> {
  const child = spawn(process.execPath, [launcher, 'gateway', verb, '-c', config], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = once(child, 'exit').then(() => {
    throw new assert.AssertionError({ message: `ended before it was ready: ${log}` });
  });
  const line = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
  const [text] = await Promise.race([line, ended]);
  ended.catch(() => undefined);
  return { child, ready: JSON.parse(text) as Role['ready'], log: () => log };
}

/** Signals it and waits for its exit code. */
export async function stop({ child }: Role, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  child.kill(signal);
  const [code] = (await once(child, 'exit')) as [number | null];
  children.delete(child);
  return code;
}

/** Waits for a line of the log, which comes when it comes. */
export async function logged(role: Role, event: string): Promise<void> {
  while (!role.log().includes(`"event":"${event}"`)) await once(role.child.stderr!, 'data');
}
