/** Peers that cut their bytes into as many pieces as they can, or send them as slowly as they may. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { BodyError, type BodySource, type RoleHandler } from '@privacy-edge/http-exchange';
import { pump } from '../src/answer-stream.ts';
import { IncomingBody, type IncomingBodyOptions } from '../src/incoming-body.ts';
import { type EventFields, type Listener, type ListenerOptions, serve, silentLog } from '../src/index.ts';
import { bytes, received, talk, text } from './support.ts';

async function open(t: TestContext, handler: RoleHandler, change: Partial<ListenerOptions> = {}): Promise<Listener> {
  const listener = await serve(handler, { log: silentLog, ...change });
  t.after(() => listener.close(0));
  return listener;
}

function bodyOf(stream: Readable, change: Partial<IncomingBodyOptions> = {}): IncomingBody {
  return new IncomingBody(stream, { announcedLength: undefined, timeoutMs: 60_000, ...change });
}

/** Reads a stream whole, and says what became of it. */
async function outcome(source: BodySource): Promise<{ bytes: number; pieces: number; code: string | undefined }> {
  const seen = { bytes: 0, pieces: 0, code: undefined as string | undefined };
  try {
    for await (const piece of source.stream()) {
      seen.bytes += piece.length;
      seen.pieces++;
    }
  } catch (error) {
    assert.ok(error instanceof BodyError);
    seen.code = error.code;
  }
  return seen;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Sends a byte every few milliseconds for as long as the connection lives. */
function drip(port: number, path = '/'): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n`);
  const timer = setInterval(() => socket.write('x'), 5);
  socket.once('close', () => clearInterval(timer));
  return { socket, answer: received(socket) };
}

describe('a body in single bytes', () => {
  const oneByteChunks = '1\r\na\r\n'.repeat(200_000);

  it('costs about its bytes when it is read whole', async (t) => {
    const { port } = await open(t, async (request) => {
      const before = process.memoryUsage().rss;
      const body = await request.body.read(1_000_000);
      const grown = process.memoryUsage().rss - before;
      // Kept as objects these were 80 MB; the margin is for what else is collected late.
      assert.equal(body.length, 200_000);
      assert.ok(body.buffer.byteLength <= 1_000_000);
      return { status: 200, fields: [['x-grown', String(grown)]], body: null };
    });
    const answer = await talk(
      port,
      `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${oneByteChunks}0\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.ok(Number(/x-grown: (-?\d+)/.exec(answer)?.[1]) < 60_000_000, answer);
  });

  it('keeps the bytes in order, whether it is read whole or streamed', async () => {
    const sent = Buffer.from(Array.from({ length: 3000 }, (_, at) => at % 251));
    const pieces = (): Readable => Readable.from(Array.from(sent, (_, at) => sent.subarray(at, at + 1)));
    assert.deepEqual(Buffer.from(await bodyOf(pieces()).read(10_000)), sent);
    const streamed: Uint8Array[] = [];
    for await (const piece of bodyOf(pieces()).stream()) streamed.push(piece);
    assert.deepEqual(Buffer.concat(streamed), sent);
    await assert.rejects(bodyOf(pieces()).read(2999), { code: 'TOO_LARGE' });
  });

  it('reaches a consumer of the stream in few pieces', async (t) => {
    const { port } = await open(t, async (request) => {
      const seen = await outcome(request.body);
      return { status: 200, fields: [], body: bytes(`${seen.bytes} in ${seen.pieces}`) };
    });
    const answer = await talk(
      port,
      `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${oneByteChunks}0\r\n\r\n`,
    );
    const [, sum, pieces] = /(\d+) in (\d+)$/.exec(answer) ?? [];
    assert.equal(sum, '200000');
    assert.ok(Number(pieces) < 20_000, `${pieces} pieces`);
  });

  it('joins what arrived while the consumer was busy, and holds no more than it has to', async () => {
    const source = new PassThrough({ highWaterMark: 1024 });
    const stream = bodyOf(source).stream()[Symbol.asyncIterator]();
    source.write('a');
    assert.equal(text((await stream.next()).value ?? assert.fail()), 'a');
    for (const letter of 'bcdef') source.write(letter);
    await turn();
    assert.equal(text((await stream.next()).value ?? assert.fail()), 'bcdef');
    let sent = 0;
    for (; sent < 4000; sent++) {
      source.write(new Uint8Array(1000));
      await Promise.resolve();
      if (source.isPaused()) break;
    }
    await turn();
    assert.ok(source.isPaused(), 'the sender has to wait');
    assert.ok(sent < 200, `${sent} kilobytes were taken`);
  });
});

describe('a body that is too slow', () => {
  it('loses its place, so that others are served', async (t) => {
    const answered: string[] = [];
    const listener = await open(
      t,
      async (request) => {
        if (request.method === 'GET') return { status: 200, fields: [], body: bytes('honest') };
        answered.push((await outcome(request.body)).code ?? 'whole');
        return { status: 408, fields: [], body: null };
      },
      { limits: { bodyTimeoutMs: 60, maxInFlight: 8 } },
    );
    const honest = (): Promise<string> => talk(listener.port, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const drips = Array.from({ length: 8 }, () => drip(listener.port));
    while (listener.inFlight < 8) await turn();
    assert.match(await honest(), /^HTTP\/1\.1 503 /);
    for (const one of drips) assert.match(await one.answer, /^HTTP\/1\.1 408 /);
    assert.deepEqual(new Set(answered), new Set(['TIMEOUT']));
    assert.match(await honest(), /honest$/);
    assert.equal(listener.inFlight, 0);
  });

  it('is one that is read whole, too', async (t) => {
    const listener = await open(
      t,
      async (request) => {
        const code = await request.body.read(1_000_000).then(
          () => 'whole',
          (error: BodyError) => error.code,
        );
        return { status: 408, fields: [['x-code', code]], body: null };
      },
      { limits: { bodyTimeoutMs: 60 } },
    );
    assert.match(await drip(listener.port).answer, /x-code: TIMEOUT/);
  });

  it('is not one that its consumer leaves waiting', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const source = new PassThrough();
    const stream = bodyOf(source, { timeoutMs: 20, minBytesPerSecond: 512 }).stream()[Symbol.asyncIterator]();
    source.write('a');
    assert.equal((await stream.next()).value?.length, 1);
    t.mock.timers.tick(1_000_000);
    source.end('b');
    assert.equal((await stream.next()).value?.length, 1);
    assert.equal((await stream.next()).done, true);
  });

  it('buys time with its bytes, and no more than the time it had', async (t) => {
    let nowMs = 0;
    t.mock.method(performance, 'now', () => nowMs);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const source = new PassThrough();
    const stream = bodyOf(source, { timeoutMs: 10_000, minBytesPerSecond: 100 }).stream()[Symbol.asyncIterator]();
    const wait = async (elapsedMs: number, length: number): Promise<number | undefined> => {
      const next = stream.next();
      // The body's own end of a wait must not come before its pieces.
      nowMs += elapsedMs;
      t.mock.timers.tick(elapsedMs);
      source.write(new Uint8Array(length));
      return (await next).value?.length;
    };
    // Exactly the rate, for long.
    for (let i = 0; i < 100; i++) assert.equal(await wait(5000, 500), 500);
    // A lot at once is not saved up for later: 9 s and 0.01 s, and then 1 s are left.
    assert.equal(await wait(1000, 100_000), 100_000);
    assert.equal(await wait(9000, 1), 1);
    await assert.rejects(wait(1011, 1), { code: 'TIMEOUT' });
  });

  it('may be silent for ten times as long once it is relaxed', async (t) => {
    let nowMs = 0;
    t.mock.method(performance, 'now', () => nowMs);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const source = new PassThrough();
    const body = bodyOf(source, { timeoutMs: 1000, minBytesPerSecond: 100 });
    const stream = body.stream()[Symbol.asyncIterator]();
    const first = stream.next();
    body.relax();
    for (let i = 0; i < 50; i++) {
      const next = i === 0 ? first : stream.next();
      nowMs += 9000;
      t.mock.timers.tick(9000);
      source.write('x');
      assert.equal((await next).value?.length, 1);
    }
    const last = stream.next();
    t.mock.timers.tick(10_000);
    await assert.rejects(last, { code: 'TIMEOUT' });
  });

  it('ends at once when its consumer closes it while waiting', async () => {
    const stream = bodyOf(new PassThrough()).stream()[Symbol.asyncIterator]();
    const next = stream.next();
    await stream.return?.();
    assert.deepEqual(await next, { done: true, value: undefined });
  });
});

describe('an answer in single bytes', () => {
  /** Counts writes. */
  function sink(): { out: Writable; writes: string[] } {
    const writes: string[] = [];
    const out = new Writable({
      write(chunk: Buffer, _encoding, done) {
        writes.push(chunk.toString('latin1'));
        done();
      },
    });
    return { out, writes };
  }

  it('is written in few pieces, and others get their turns', async () => {
    const { out, writes } = sink();
    let turns = 0;
    let going = true;
    const tick = (): void => {
      turns++;
      if (going) setImmediate(tick);
    };
    setImmediate(tick);
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 64_000; i++) yield bytes(String(i % 10));
    };
    await pump(source(), out, 1000, () => undefined);
    going = false;
    assert.equal(writes.join(''), '0123456789'.repeat(6400));
    assert.ok(writes.length <= 2100, `${writes.length} writes`);
    assert.ok(turns >= 900, `${turns} turns`);
  });

  it('sends a lone piece before the next is made', async () => {
    const { out, writes } = sink();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 50; i++) {
        yield bytes(`event ${i}`);
        assert.equal(writes.at(-1), `event ${i}`, 'it was there when the next was asked for');
        await turn();
      }
    };
    await pump(source(), out, 1000, () => undefined);
    assert.equal(writes.length, 50);
  });

  it('sends all pieces of a turn before it waits for the next', async (t) => {
    const go = Promise.withResolvers<void>();
    const { port } = await open(t, async () => ({
      status: 200,
      fields: [],
      body: (async function* () {
        for (const letter of 'abc') yield bytes(letter);
        await go.promise;
        yield bytes('late');
      })(),
    }));
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    let seen = '';
    while (!seen.includes('c\r\n') || !/\r\nbc\r\n|\r\nc\r\n/.test(seen)) {
      const [chunk] = await once(socket, 'data');
      seen += String(chunk);
    }
    assert.match(seen, /\r\na\r\n/);
    go.resolve();
    assert.match(await received(socket), /late/);
  });

  it('sends what was there before its source failed, and says nothing at level error of a body that broke off', async (t) => {
    const events: { level: string; name: string; fields: EventFields | undefined }[] = [];
    const { port } = await open(
      t,
      async (request) => ({
        status: 200,
        fields: [],
        body: (async function* () {
          yield bytes('ab');
          yield bytes('cd');
          if (request.path === '/fault') throw new TypeError('x');
          throw new BodyError('ABORTED', 'The body ended early');
        })(),
      }),
      { log: (level, name, fields) => events.push({ level, name, fields }) },
    );
    const answer = await talk(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    assert.doesNotMatch(answer, /\r\n0\r\n\r\n$/);
    assert.deepEqual(events, [{ level: 'debug', name: 'answer_cut', fields: { code: 'ABORTED' } }]);
    await talk(port, 'GET /fault HTTP/1.1\r\nhost: x\r\n\r\n');
    assert.equal(events[1]?.level, 'error');
  });

  it('closes the source of an answer whose peer left before it', async (t) => {
    const closed = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const { port } = await open(t, async (request) => {
      request.signal.addEventListener('abort', () => gone.resolve());
      entered.resolve();
      await gone.promise;
      const body: AsyncIterableIterator<Uint8Array> = {
        [Symbol.asyncIterator]: () => body,
        next: () => assert.fail('nobody reads'),
        return: () => {
          closed.resolve();
          return Promise.resolve({ done: true, value: undefined });
        },
      };
      return { status: 200, fields: [], body };
    });
    const entered = Promise.withResolvers<void>();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await entered.promise;
    socket.destroy();
    await closed.promise;
  });
});
