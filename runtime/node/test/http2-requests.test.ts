/** Requests over HTTP/2: what is sent, how long is waited, how many connections there are and when they end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, type Server, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TargetRequest } from '@privacy-edge/gateway-roles';
import { Http2Connection } from '../src/http2-connection.ts';
import { createFetchTarget, createLocalAuthority, type OutboundOptions, type TargetFetcher } from '../src/index.ts';
import { data, framePeer, ok, reset } from './http2-frames.ts';
import { bytes, collect, LOOPBACK_ROUTE, listenOn, never, targetRequest, temporaryFolder, text } from './support.ts';

const CANCEL = 8;
const ROUTE = { ...LOOPBACK_ROUTE, protocol: 'http2' } as const;
const QUICK = { ...ROUTE, timeoutMs: 50 };

function request(port: number, change: Partial<TargetRequest> = {}): TargetRequest {
  return targetRequest({ port, route: ROUTE, ...change });
}

function open(t: TestContext, options: OutboundOptions = {}): TargetFetcher {
  const fetcher = createFetchTarget(options);
  t.after(() => fetcher.close());
  return fetcher;
}

interface Seen {
  readonly stream: ServerHttp2Stream;
  readonly raw: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

/** A server of node:http2; `answer` is called when a request is whole. */
async function http2Server(
  t: TestContext,
  answer: (seen: Seen) => void,
  server: Http2Server | Server = createServer(),
): Promise<{ readonly port: number; readonly sessions: readonly ServerHttp2Session[] }> {
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session: ServerHttp2Session) => sessions.push(session.on('error', () => undefined)));
  server.on('stream', (stream: ServerHttp2Stream, _headers: unknown, _flags: number, raw: string[]) => {
    let trailers: readonly string[] = [];
    stream
      .on('error', () => undefined)
      .on('trailers', (_trailers, _bits, lines) => {
        trailers = lines;
      });
    collect(stream).then(
      (body) => answer({ stream, raw, body: text(body), trailers }),
      () => undefined,
    );
  });
  const port = await listenOn(t, server);
  t.after(() => {
    for (const session of sessions) session.destroy();
  });
  return { port, sessions };
}

function echo({ stream, raw, body, trailers }: Seen): void {
  stream.respond({ ':status': 200 });
  stream.end(JSON.stringify([raw, body, trailers]));
}

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield bytes(part);
}

describe('HTTP/2 requests', () => {
  const told = async (response: Promise<{ body: { read(max: number): Promise<Uint8Array> } }>): Promise<unknown> =>
    JSON.parse(Buffer.from(await (await response).body.read(10_000)).toString('utf8'));
  const pseudo = (method: string, path = '/'): string[] =>
    Object.entries({ ':method': method, ':scheme': 'http', ':authority': 'target.example', ':path': path }).flat();

  it('carry method, path, authority, and fields in order with repeats and bytes', async (t) => {
    const { port } = await http2Server(t, echo);
    const { fetchTarget } = open(t);
    const fields = [
      ['x-a', '1'],
      ['cookie', 'a=b'],
      ['x-b', '\xe9'],
      ['x-a', '2'],
      ['content-type', 'a/b'],
      ['content-type', 'c/d'],
      ['te', 'gzip'],
      ['te', 'trailers'],
      ['connection', 'x-a'],
      ['host', 'other.example'],
    ] as const;
    const kept = fields.slice(0, 6).flat();
    assert.deepEqual(await told(fetchTarget(request(port, { method: 'QUERY', path: '/p?q', fields }), never)), [
      [...pseudo('QUERY', '/p?q'), ...kept, 'te', 'trailers'],
      '',
      [],
    ]);
    assert.deepEqual(await told(fetchTarget(request(port, { method: 'OPTIONS', path: '*' }), never)), [
      pseudo('OPTIONS', '*'),
      '',
      [],
    ]);
  });

  it('carry bodies whole, streamed and empty, with the length where it is known', async (t) => {
    const { port } = await http2Server(t, echo);
    const { fetchTarget } = open(t);
    const post = async (body: TargetRequest['body'], fields: TargetRequest['fields'] = []): Promise<unknown> => {
      const answer = await told(fetchTarget(request(port, { method: 'POST', body, fields }), never));
      const [raw, sent] = answer as [string[], string];
      return [raw.slice(8).join(' '), sent];
    };
    assert.deepEqual(await post(bytes('hello'), [['content-length', '99']]), ['content-length 5', 'hello']);
    assert.deepEqual(await post(bytes('')), ['content-length 0', '']);
    assert.deepEqual(await post(null), ['content-length 0', '']);
    assert.deepEqual(await post(chunks('ab', 'cd')), ['', 'abcd']);
    assert.deepEqual(await post(chunks()), ['', '']);
    assert.deepEqual(await post(chunks('ab', 'cd'), [['content-length', '4']]), ['content-length 4', 'abcd']);
  });

  it('carry trailers after a body that is whole, streamed or empty', async (t) => {
    const { port } = await http2Server(t, echo);
    const { fetchTarget } = open(t);
    const sent = [
      ['x-t', '1'],
      ['x-u', '\xe9'],
      ['x-t', '2'],
    ] as const;
    for (const body of [bytes('abc'), bytes(''), chunks('ab', 'c'), chunks()]) {
      let calls = 0;
      const trailers = (): typeof sent => {
        calls++;
        return sent;
      };
      const answer = await told(fetchTarget(request(port, { method: 'POST', body, trailers }), never));
      const [, , received] = answer as [string[], string, string[]];
      assert.deepEqual(received, ['x-t', '1', 'x-t', '2', 'x-u', '\xe9']);
      assert.equal(calls, 1);
    }
    const none = request(port, { method: 'POST', body: bytes('abc'), trailers: () => [] });
    const [, body, received] = (await told(fetchTarget(none, never))) as [string[], string, string[]];
    assert.deepEqual([body, received], ['abc', []]);
  });

  it('are refused, unsent, when a field would become another one', async (t) => {
    let requests = 0;
    const { port } = await http2Server(t, (seen) => {
      requests++;
      echo(seen);
    });
    const { fetchTarget } = open(t);
    const bad: Partial<TargetRequest>[] = [
      { fields: [['x-a', '1\0x-evil\x002\0']] },
      { fields: [['x-a', '1\r\nx-evil: 2']] },
      { fields: [['x-a', '\u0100']] },
      { fields: [[':path', '/other']] },
      { fields: [['x a', '1']] },
      { fields: [['', '1']] },
      { path: '/a b' },
      { path: '/\0' },
      { authority: 'a\0b' },
      { method: 'GET /' },
      { method: ':path' },
    ];
    for (const change of bad) {
      await assert.rejects(fetchTarget(request(port, change), never), { code: 'BROKEN' }, JSON.stringify(change));
    }
    const body = bytes('x');
    for (const name of [':status', 'x a', 'connection']) {
      const sent = request(port, { method: 'POST', body, trailers: () => [[name, '1']] });
      await assert.rejects(fetchTarget(sent, never), { code: 'BROKEN' }, name);
    }
    assert.equal(requests, 0);
    assert.equal((await fetchTarget(request(port), never)).status, 200);
  });

  it('are BROKEN, and reset, when the body breaks or is not as long as announced', async (t) => {
    const { port, peers } = await framePeer(t, () => undefined);
    const { fetchTarget } = open(t);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes('ab');
      throw new TypeError('The source broke');
    }
    const fields = [['content-length', '3']] as const;
    const bodies = [{ body: broken() }, { body: chunks('ab'), fields }, { body: chunks('ab', 'cd'), fields }];
    for (const [index, change] of bodies.entries()) {
      await assert.rejects(fetchTarget(request(port, { method: 'POST', ...change }), never), { code: 'BROKEN' });
      assert.equal(await peers[0]?.resetOf(2 * index + 1), CANCEL);
    }
  });

  it('wait for the window of the peer, and stop when the peer resets', async (t) => {
    const { port, peers } = await framePeer(t, () => undefined);
    let pulled = 0;
    const closed = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          pulled += 10_000;
          yield new Uint8Array(10_000);
        }
      } finally {
        closed.resolve();
      }
    }
    const answer = open(t).fetchTarget(request(port, { method: 'POST', body: endless() }), never);
    for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pulled >= 65_535 && pulled < 300_000, `${pulled} bytes`);
    peers[0]?.send(reset(1, CANCEL));
    await assert.rejects(answer, { code: 'BROKEN' });
    await closed.promise;
  });

  it('are cut short when the answer is whole before them', async (t) => {
    const { port, peers } = await framePeer(t, (peer, id) => peer.send(ok(id), data(id, 'early', true)));
    const closed = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(10_000);
      } finally {
        closed.resolve();
      }
    }
    const response = await open(t).fetchTarget(request(port, { method: 'POST', body: endless() }), never);
    assert.equal(text(await response.body.read(10)), 'early');
    assert.equal(await peers[0]?.resetOf(1), CANCEL);
    await closed.promise;
  });

  it('are not reset when they and their answers are whole', async (t) => {
    const { port, peers } = await framePeer(t, (peer, id, ended) => {
      if (ended) peer.send(ok(id), data(id, 'x', true));
    });
    const { fetchTarget } = open(t);
    for (let i = 0; i < 100; i++) {
      const sent = request(port, { method: 'POST', body: new Uint8Array(300) });
      await (await fetchTarget(sent, never)).body.read(10);
    }
    assert.equal(peers[0]?.resets.size, 0);
  });
});

describe('HTTP/2 requests in time', () => {
  it('end with TIMEOUT without a header, or without more of a body, and reset their streams', async (t) => {
    const silent = await framePeer(t, () => undefined);
    const { fetchTarget } = open(t, { idleTimeoutMs: 50 });
    const asked = fetchTarget(request(silent.port, { route: QUICK }), never);
    await assert.rejects(asked, { name: 'TargetError', code: 'TIMEOUT' });
    assert.equal(await silent.peers[0]?.resetOf(1), CANCEL);
    const { port, peers } = await framePeer(t, (peer, id) => peer.send(ok(id), data(id, 'one')));
    const [first, second] = await Promise.all([1, 2].map(() => fetchTarget(request(port), never)));
    const late = { name: 'BodyError', code: 'TIMEOUT' };
    await Promise.all([
      assert.rejects((async () => first?.body.read(10))(), late),
      assert.rejects((async () => second && collect(second.body.stream()))(), late),
    ]);
    assert.deepEqual([await peers[0]?.resetOf(1), await peers[0]?.resetOf(3)], [CANCEL, CANCEL]);
  });

  it('leave a connection that died without a word, and break what is on it', async (t) => {
    const { port, peers } = await framePeer(t, (peer, id) => {
      if (peer !== peers[0]) peer.send(ok(id, [], true));
      else if (id === 1) peer.send(ok(id), data(id, 'one'));
      else peer.polite = false;
    });
    const { fetchTarget } = open(t, { connectTimeoutMs: 300 });
    const first = (await fetchTarget(request(port), never)).body.read(10);
    const broken = assert.rejects(first, { name: 'BodyError', code: 'ABORTED' });
    await assert.rejects(fetchTarget(request(port, { route: QUICK }), never), { code: 'TIMEOUT' });
    assert.equal((await fetchTarget(request(port), never)).status, 200);
    await broken;
    assert.equal(peers.length, 2);
  });

  it('are given up when the signal fires: waiting for a connection, for the header, during the body', async (t) => {
    const { port, peers } = await framePeer(t, (peer, id) => {
      if (id === 3) peer.send(ok(id), data(id, 'one'));
      arrived.shift()?.();
    });
    const arrived: (() => void)[] = [];
    const fetcher = open(t);
    await assert.rejects(fetcher.fetchTarget(request(port), AbortSignal.abort()), { code: 'BROKEN' });
    assert.equal(peers.length, 0);
    const waiting = new AbortController();
    const unsent = fetcher.fetchTarget(request(port), waiting.signal);
    waiting.abort();
    await assert.rejects(unsent, { code: 'BROKEN' });
    const sent = new AbortController();
    const come = new Promise<void>((resolve) => arrived.push(resolve));
    const pending = fetcher.fetchTarget(request(port), sent.signal);
    await come;
    sent.abort();
    await assert.rejects(pending, { code: 'BROKEN' });
    assert.equal(await peers[0]?.resetOf(1), CANCEL);
    const during = new AbortController();
    const body = (await fetcher.fetchTarget(request(port), during.signal)).body.read(10);
    during.abort();
    await assert.rejects(body, { name: 'BodyError', code: 'ABORTED' });
    assert.equal(await peers[0]?.resetOf(3), CANCEL);
    assert.equal(fetcher.inFlight, 0);
  });

  it('end with CONNECT_FAILED, or OVERLOADED above the limit and when no stream becomes free', async (t) => {
    const closed = createServer();
    const closedPort = await listenOn(t, closed as unknown as Server);
    closed.close();
    await once(closed, 'close');
    await assert.rejects(open(t).fetchTarget(request(closedPort), never), { code: 'CONNECT_FAILED' });
    const oneStream = Buffer.of(0, 3, 0, 0, 0, 1);
    const { port, peers } = await framePeer(t, () => undefined, { settings: oneStream });
    const { fetchTarget } = open(t, { http2ConnectionsPerOrigin: 1, maxRequestsPerOrigin: 2 });
    const slow = { ...ROUTE, timeoutMs: 200 };
    const first = assert.rejects(fetchTarget(request(port, { route: slow }), never), { code: 'TIMEOUT' });
    const second = assert.rejects(fetchTarget(request(port, { route: QUICK }), never), { code: 'OVERLOADED' });
    await assert.rejects(fetchTarget(request(port), never), { code: 'OVERLOADED' });
    await Promise.all([first, second]);
    assert.equal(peers.length, 1);
  });
});

describe('HTTP/2 connections', () => {
  it('hold no more streams than the peer allows, from the first moment, and are bounded in number', async (t) => {
    let now = 0;
    let most = 0;
    const held: ServerHttp2Stream[] = [];
    const answerAll = (): void => {
      for (const stream of held.splice(0)) {
        stream.respond({ ':status': 200 }, { endStream: true });
      }
    };
    const server = createServer({ settings: { maxConcurrentStreams: 3 } });
    const { port, sessions } = await http2Server(
      t,
      ({ stream }) => {
        most = Math.max(most, ++now);
        stream.once('close', () => now--);
        held.push(stream);
        if (held.length === 6) setImmediate(answerAll);
      },
      server as unknown as Server,
    );
    const { fetchTarget } = open(t, { http2ConnectionsPerOrigin: 2 });
    const asked = Array.from({ length: 30 }, () => fetchTarget(request(port), never));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(sessions.length, 2);
    assert.equal(most, 6);
  });

  it('end when unused, after a GOAWAY, and after their last stream', async (t) => {
    const { port, sessions } = await http2Server(t, ({ stream }) => {
      stream.respond({ ':status': 200 });
      if (sessions.length === 2) stream.session?.close();
      stream.end('x');
    });
    const { fetchTarget } = open(t, { keepAliveMs: 20 });
    const ask = async (): Promise<string> => text(await (await fetchTarget(request(port), never)).body.read(10));
    assert.equal(await ask(), 'x');
    if (sessions[0]?.destroyed !== true) await once(sessions[0] as ServerHttp2Session, 'close');
    assert.equal(await ask(), 'x');
    if (sessions[1]?.destroyed !== true) await once(sessions[1] as ServerHttp2Session, 'close');
    assert.equal(await ask(), 'x');
    assert.equal(sessions.length, 3);

    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const gone = Promise.withResolvers<void>();
    const connection = new Http2Connection(socket, {
      secure: false,
      keepAliveMs: 60_000,
      pingTimeoutMs: 60_000,
      maxHeaderBytes: 10_000,
      maxStreams: 1,
      onChange: () => undefined,
      onGone: () => gone.resolve(),
    });
    assert.equal(connection.hasRoom, true);
    const stream = connection.open([':path', '/'], { endStream: true });
    assert.equal(connection.isClosed, true);
    assert.equal(text(await collect(stream)), 'x');
    await gone.promise;
  });

  it('let requests under way finish when closed, and break them when the time is up', async (t) => {
    for (const graceMs of [10_000, 0]) {
      const come = Promise.withResolvers<ServerHttp2Stream>();
      const { port } = await http2Server(t, ({ stream }) => {
        stream.respond({ ':status': 200 });
        stream.write('one');
        come.resolve(stream);
      });
      const fetcher = createFetchTarget();
      const response = await fetcher.fetchTarget(request(port), never);
      const body = response.body.read(10);
      body.catch(() => undefined);
      const closed = fetcher.close(graceMs);
      await assert.rejects(fetcher.fetchTarget(request(port), never), { code: 'OVERLOADED' });
      if (graceMs > 0) {
        (await come.promise).end('two');
        assert.equal(text(await body), 'onetwo');
      } else {
        await assert.rejects(body, { name: 'BodyError', code: 'ABORTED' });
      }
      await closed;
    }
  });

  it('stream with backpressure, and reset the stream when the reader stops', async (t) => {
    const total = 16 * 1024 * 1024;
    let sent = 0;
    const closed = Promise.withResolvers<number>();
    const { port } = await http2Server(t, ({ stream }) => {
      stream.respond({ ':status': 200 });
      const write = (): void => {
        for (; sent < total && !stream.closed; sent += 65_536) if (!stream.write(Buffer.alloc(65_536))) return;
      };
      stream.on('drain', write).on('close', () => closed.resolve(stream.rstCode));
      write();
    });
    const response = await open(t).fetchTarget(request(port), never);
    const iterator = response.body.stream()[Symbol.asyncIterator]();
    await iterator.next();
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(sent < 2_000_000, `${sent} bytes`);
    let length = 0;
    for (; length < total / 2; length += (await iterator.next()).value?.length ?? 0);
    await iterator.return?.();
    assert.equal(await closed.promise, CANCEL);
    assert.ok(sent < total);
  });
});

describe('Origins that negotiate', () => {
  async function secureServer(t: TestContext, options: SecureServerOptions) {
    const authority = await createLocalAuthority(await temporaryFolder(t), Date.now());
    const { certificatePem, keyPem } = await authority.issue('target');
    const server = createSecureServer({ cert: certificatePem, key: keyPem.reveal(), ...options });
    const sockets: Socket[] = [];
    server.on('secureConnection', (socket) => sockets.push(socket));
    server.on('request', (req, res) => {
      req.resume().on('end', () => {
        res.end(`${req.httpVersion} ${String(req.trailers['x-t'] ?? '')}`);
      });
    });
    const port = await listenOn(t, server);
    const { fetchTarget } = open(t, { extraRoots: [authority.rootPem] });
    const ask = async (change: Partial<TargetRequest> = {}): Promise<string> => {
      const route = { ...ROUTE, protocol: 'auto' } as const;
      const sent = request(port, { scheme: 'https', host: 'localhost', route, ...change });
      return text(await (await fetchTarget(sent, never)).body.read(100));
    };
    return { ask, connections: () => sockets.length, last: () => sockets.at(-1) };
  }
  const withTrailers: Partial<TargetRequest> = {
    method: 'POST',
    body: bytes('x'),
    trailers: () => [['x-t', '9']],
  };

  it('use the connection that told them HTTP/1.1, then remember', async (t) => {
    const { ask, connections } = await secureServer(t, { allowHTTP1: true, ALPNCallback: () => 'http/1.1' });
    assert.equal(await ask(), '1.1 ');
    assert.equal(connections(), 1);
    assert.deepEqual(await Promise.all([ask(), ask(), ask()]), ['1.1 ', '1.1 ', '1.1 ']);
    assert.equal(await ask(withTrailers), '1.1 9');
  });

  it('send trailers over HTTP/2 where it was negotiated, be it the first request', async (t) => {
    const { ask, connections } = await secureServer(t, {});
    assert.equal(await ask(withTrailers), '2.0 9');
    assert.equal(await ask(), '2.0 ');
    assert.equal(await ask(withTrailers), '2.0 9');
    assert.equal(connections(), 1);
  });

  it('ask once for many first requests, whatever the answer', async (t) => {
    const newer = await secureServer(t, {});
    assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => newer.ask()))), new Set(['2.0 ']));
    assert.equal(newer.connections(), 1);
    const older = await secureServer(t, { allowHTTP1: true, ALPNCallback: () => 'http/1.1' });
    assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => older.ask()))), new Set(['1.1 ']));
  });

  it('follow a peer that goes back to HTTP/1.1', async (t) => {
    let protocol = 'h2';
    const { ask, last } = await secureServer(t, { allowHTTP1: true, ALPNCallback: () => protocol });
    assert.equal(await ask(), '2.0 ');
    protocol = 'http/1.1';
    const socket = last();
    socket?.destroy();
    if (socket?.closed === false) await once(socket, 'close');
    const answers = [];
    // The client may hear of the end after the next request is sent; it does not send that again.
    while (answers.at(-1) !== '1.1 ') answers.push(await ask().catch(({ code }) => code));
    assert.ok(answers.length <= 2 && (answers.length === 1 || answers[0] === 'BROKEN'), answers.join());
    assert.deepEqual(await Promise.all([ask(), ask(withTrailers)]), ['1.1 ', '1.1 9']);
  });
});
