/** Targets that cut their answers into single bytes, and requests that need a connection of their own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TargetRequest } from '@privacy-edge/gateway-roles';
import { createFetchTarget, type OutboundOptions, type TargetFetcher } from '../src/index.ts';
import { LoneConnections } from '../src/lone-connections.ts';
import { bytes, collect, listenOn, never, text } from './support.ts';

function open(t: TestContext, options: OutboundOptions = {}): TargetFetcher {
  const fetcher = createFetchTarget(options);
  t.after(() => fetcher.close());
  return fetcher;
}

function request(port: number, change: Partial<TargetRequest> = {}): TargetRequest {
  const route = { socketPath: undefined, protocol: 'auto', allowPrivate: true, timeoutMs: 5000 } as const;
  const to = {
    method: 'POST',
    scheme: 'http',
    host: '127.0.0.1',
    port,
    authority: 'target.example',
    path: '/',
  } as const;
  return { ...to, fields: [], body: bytes('abc'), trailers: undefined, route, ...change };
}

/** Accepts, and tells of each connection once its request is whole. */
async function target(
  t: TestContext,
  onRequest: (socket: Socket) => void,
): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let seen = '';
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        seen += chunk.toString('latin1');
        if (!/(\r\n0\r\nx-t: 1\r\n\r\n|\r\n\r\nabc)$/.test(seen)) return;
        seen = '';
        onRequest(socket);
      });
  });
  const port = await listenOn(t, server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, sockets };
}

const trailers = (): [string, string][] => [['x-t', '1']];
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an answer in single bytes', () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const content = `${head}${'1\r\na\r\n'.repeat(100_000)}0\r\n\r\n`;

  for (const [name, change] of [
    ['a pool', {}],
    ['a connection of its own', { trailers }],
  ] as const) {
    it(`is one buffer when read whole, and few pieces when streamed, from ${name}`, async (t) => {
      const { port } = await target(t, (socket) => socket.write(content));
      const { fetchTarget } = open(t);
      const whole = await (await fetchTarget(request(port, change), never)).body.read(100_000);
      assert.equal(text(whole), 'a'.repeat(100_000));
      assert.ok(whole.buffer.byteLength <= 400_000);
      let [sum, pieces] = [0, 0];
      for await (const piece of (await fetchTarget(request(port, change), never)).body.stream()) {
        sum += piece.length;
        pieces++;
      }
      assert.equal(sum, 100_000);
      assert.ok(pieces < 10_000, `${pieces} pieces`);
      const long = await fetchTarget(request(port, change), never);
      await assert.rejects(long.body.read(99_999), { code: 'TOO_LARGE' });
    });
  }

  it('arrives piece by piece when its sender is slow', async (t) => {
    const { port, sockets } = await target(t, (socket) => socket.write(head));
    const { fetchTarget } = open(t);
    const response = await fetchTarget(request(port), never);
    const stream = response.body.stream()[Symbol.asyncIterator]();
    for (const letter of 'abc') {
      sockets[0]?.write(`1\r\n${letter}\r\n`);
      assert.equal(text((await stream.next()).value), letter);
    }
    sockets[0]?.write('0\r\n\r\n');
    assert.equal((await stream.next()).done, true);
  });
});

describe('requests with trailers', () => {
  it('take no more connections than an origin may have, and wait for one', async (t) => {
    const asked: Socket[] = [];
    const { port, sockets } = await target(t, (socket) => asked.push(socket));
    const fetcher = open(t, { connectionsPerOrigin: 2 });
    const answers = Array.from({ length: 5 }, () => fetcher.fetchTarget(request(port, { trailers }), never));
    while (fetcher.inFlight < 5) await turn();
    for (let answered = 0; answered < 5; answered++) {
      while (asked.length === 0) await turn();
      assert.ok(sockets.filter((socket) => !socket.destroyed).length <= 2);
      asked.shift()?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      const response = await Promise.race(answers.splice(0, 1));
      assert.equal(text(await collect(response?.body.stream() ?? assert.fail())), 'ok');
    }
    while (fetcher.inFlight > 0) await turn();
    assert.equal(sockets.length, 5);
  });

  it('are refused above the limit of requests, and when none of the connections becomes free in time', async (t) => {
    const { port } = await target(t, () => undefined);
    const route = { ...request(port).route, timeoutMs: 50 };
    const fetcher = open(t, { connectionsPerOrigin: 1, maxRequestsPerOrigin: 2 });
    const ask = (): Promise<unknown> => fetcher.fetchTarget(request(port, { trailers, route }), never);
    const [first, second, third] = await Promise.allSettled([ask(), ask(), ask()]);
    assert.deepEqual(
      [first, second, third].map((end) => (end?.status === 'rejected' ? (end.reason as { code: string }).code : end)),
      ['TIMEOUT', 'OVERLOADED', 'OVERLOADED'],
    );
    while (fetcher.inFlight > 0) await turn();
  });

  it('give their place back when the answer is too large, the caller leaves or nobody listens', async (t) => {
    const { port, sockets } = await target(t, (socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n12'),
    );
    const fetcher = open(t, { connectionsPerOrigin: 1 });
    const big = await fetcher.fetchTarget(request(port, { trailers }), never);
    await assert.rejects(big.body.read(5), { code: 'TOO_LARGE' });
    const left = await fetcher.fetchTarget(request(port, { trailers }), never);
    const stream = left.body.stream()[Symbol.asyncIterator]();
    assert.equal(text((await stream.next()).value), '12');
    await stream.return?.();
    const abort = new AbortController();
    const cut = await fetcher.fetchTarget(request(port, { trailers }), abort.signal);
    abort.abort();
    await assert.rejects(cut.body.read(100), { code: 'ABORTED' });
    for (const socket of sockets) if (!socket.destroyed) await once(socket, 'close');
    await assert.rejects(fetcher.fetchTarget(request(1, { trailers }), never), { code: 'CONNECT_FAILED' });
    while (fetcher.inFlight > 0) await turn();
  });
});

describe('LoneConnections', () => {
  it('enter() serves in order and forgets those that leave', async () => {
    const places = new LoneConnections(1);
    const leave = await places.enter(60_000, never);
    const abort = new AbortController();
    const given = places.enter(60_000, abort.signal);
    const next = places.enter(60_000, never);
    abort.abort();
    await assert.rejects(given, { code: 'BROKEN' });
    leave();
    (await next)();
    await assert.rejects(places.enter(60_000, abort.signal), { code: 'BROKEN' });
    (await places.enter(60_000, never))();
  });
});
