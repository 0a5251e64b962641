import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { writeOncePerTurn } from '../src/turn-writes.ts';

async function pair(t: TestContext): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far };
}

function say(socket: Socket, text: string): void {
  socket.cork();
  socket.write(text);
  socket.uncork();
}

describe('writeOncePerTurn()', () => {
  it('keeps corked writes until the end of the turn, in order, also when there are several', async (t) => {
    const { near, far } = await pair(t);
    writeOncePerTurn(near);
    say(near, 'one ');
    say(near, 'two ');
    near.write('three');
    assert.equal(near.bytesWritten, 13);
    assert.equal(near.writableLength, 13, 'nothing left yet');
    await turn();
    assert.equal(near.writableLength, 0, 'all of it left');
    near.end();
    let heard = '';
    for await (const piece of far) heard += String(piece);
    assert.equal(heard, 'one two three');
  });

  it('delivers what was written before the end of the stream', async (t) => {
    const { near, far } = await pair(t);
    writeOncePerTurn(near);
    say(near, 'last words');
    near.end();
    let heard = '';
    for await (const piece of far) heard += String(piece);
    assert.equal(heard, 'last words');
  });

  it('tells of a peer that does not take what was written, and not of one that does', async (t) => {
    const { near, far } = await pair(t);
    far.pause();
    let stalled = 0;
    writeOncePerTurn(near, () => stalled++);
    say(near, 'small');
    await turn();
    assert.equal(stalled, 0);
    say(near, 'x'.repeat(32 << 20));
    await turn();
    assert.equal(stalled, 1);
  });

  it('lets a destroyed socket be', async (t) => {
    const { near } = await pair(t);
    writeOncePerTurn(near);
    say(near, 'never sent');
    near.destroy();
    await turn();
    assert.equal(near.destroyed, true);
  });
});
