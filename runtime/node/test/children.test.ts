import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ChildOptions, handleSignals, silentLog, startChild, stopChildren } from '../src/index.ts';
import { listenOn } from './support.ts';

const script = fileURLToPath(new URL('./child-role.ts', import.meta.url));
const child = (mode: string, change: Partial<ChildOptions> = {}): ChildOptions => ({
  name: mode,
  command: process.execPath,
  args: [script, mode],
  readyLine: /^ready/,
  ...change,
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startChild', () => {
  it('waits for the ready line, passes lines on, and stops', async () => {
    const lines: string[] = [];
    const started = await startChild(child('serve', { onLine: (line, from) => lines.push(`${from}: ${line}`) }));
    assert.match(started.readyLine, /^ready \d+$/);
    assert.ok(lines.includes(`stdout: ${started.readyLine}`));
    assert.equal(alive(started.pid), true);
    assert.deepEqual(await started.stop(5000), { exitCode: 0, signal: null });
    assert.equal(alive(started.pid), false);
  });

  it('kills a child that does not stop', async () => {
    const started = await startChild(child('stubborn'));
    await stopChildren([started], 50);
    assert.deepEqual(await started.exited, { exitCode: null, signal: 'SIGKILL' });
  });

  it('says CHILD_FAILED when it ends early, is never ready or cannot be run, and leaves nothing behind', async () => {
    await assert.rejects(startChild(child('fail')), { code: 'CHILD_FAILED', message: /ended with code 7/ });
    await assert.rejects(startChild(child('silent', { readyTimeoutMs: 30 })), { code: 'CHILD_FAILED' });
    await assert.rejects(startChild(child('x', { command: '/nonexistent' })), { code: 'CHILD_FAILED' });
  });

  it('leaves no orphan when the parent is killed with SIGKILL', async (t) => {
    // The grandchild holds a connection to this server for as long as it lives.
    const server = createServer();
    const port = await listenOn(t, server);
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const parent = spawn(process.execPath, [script, 'parent'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PE_TEST_PORT: String(port) },
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    assert.equal(alive(Number(line.split(' ')[1])), true);
    const [grandchild] = await connected;
    grandchild.on('error', () => undefined).resume();
    const gone = once(grandchild, 'close');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await gone;
  });
});

describe('handleSignals', () => {
  it('drains on SIGTERM, reloads on SIGHUP in order, and gives up on a second SIGTERM', async () => {
    const codes: number[] = [];
    const exited = Promise.withResolvers<void>();
    const drained = Promise.withResolvers<void>();
    let reloads = 0;
    const reloaded = Promise.withResolvers<void>();
    const stop = handleSignals({
      log: silentLog,
      drain: () => drained.promise,
      reload: async () => {
        reloads++;
        if (reloads === 1) throw new TypeError('planned: the old keys stay');
        reloaded.resolve();
      },
      exit: (code) => {
        codes.push(code);
        if (codes.length === 2) exited.resolve();
      },
    });
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGHUP', 'SIGHUP');
    await reloaded.promise;
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    drained.resolve();
    await exited.promise;
    assert.deepEqual(codes, [130, 0]);
    stop();
    assert.equal(process.listenerCount('SIGHUP'), 0);
  });
});
