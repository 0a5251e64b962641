import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { TargetInformational, TargetRequest, TargetRoute } from '@privacy-edge/gateway-roles';
import { createFetchTarget, createLocalAuthority, type OutboundOptions, type TargetFetcher } from '../src/index.ts';
import { bytes, collect, LOOPBACK_ROUTE, listenOn, never, targetRequest, temporaryFolder, text } from './support.ts';

function request(port: number, change: Partial<TargetRequest> = {}): TargetRequest {
  return targetRequest({ port, authority: `target.example:${port}`, path: '/p?q', ...change });
}

function open(t: TestContext, options: OutboundOptions = {}): TargetFetcher {
  const fetcher = createFetchTarget(options);
  t.after(() => fetcher.close());
  return fetcher;
}

/** A server that answers with raw bytes once it has seen the end of a request header, and counts connections. */
async function rawServer(
  t: TestContext,
  answer: (socket: Socket, head: string) => void,
): Promise<{ port: number; connections: Socket[] }> {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
    socket.setEncoding('latin1');
    let head = '';
    socket.on('data', (chunk: string) => {
      head += chunk;
      if (head.includes('\r\n\r\n')) {
        answer(socket, head);
        head = '';
      }
    });
  });
  const port = await listenOn(t, server);
  t.after(() => {
    for (const socket of connections) socket.destroy();
  });
  return { port, connections };
}

function http(t: TestContext, listener: RequestListener): Promise<number> {
  return listenOn(t, createHttp(listener));
}

describe('createFetchTarget over HTTP/1.1', () => {
  it('sends what the gateway decided: method, path, authority as Host, fields in order with repeats and bytes', async (t) => {
    const heads: string[] = [];
    const { port } = await rawServer(t, (socket, head) => {
      heads.push(head);
      socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
    const fields = [
      ['x-a', '1'],
      ['x-b', '\xe9'],
      ['x-a', '2'],
      ['cookie', 'a=b'],
    ] as const;
    const { fetchTarget } = open(t);
    const response = await fetchTarget(request(port, { method: 'QUERY', fields }), never);
    assert.equal(response.status, 204);
    assert.equal((await response.body.read(0)).length, 0);
    assert.match(
      heads[0] ?? '',
      /^QUERY \/p\?q HTTP\/1\.1\r\nhost: target\.example:\d+\r\nconnection: keep-alive\r\nx-a: 1\r\nx-b: \xe9\r\nx-a: 2\r\ncookie: a=b\r\n/,
    );
  });

  it('keeps the order, repeats and bytes of the answer, its 1xx answers and its trailers', async (t) => {
    const { port } = await rawServer(t, (socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n', 'latin1');
      socket.write(
        'HTTP/1.1 200 OK\r\nX-A: 1\r\nSet-Cookie: a\r\nX-B: \xe9\r\nx-a: 2\r\nset-cookie: b\r\ntransfer-encoding: chunked\r\n\r\n' +
          '3\r\nabc\r\n0\r\nX-T: 1\r\nx-t: \xfc\r\n\r\n',
        'latin1',
      );
    });
    const told: TargetInformational[] = [];
    const response = await open(t).fetchTarget(request(port), never, (informational) => told.push(informational));
    assert.deepEqual(told, [
      {
        status: 103,
        fields: [
          ['link', '</a>'],
          ['link', '</b>'],
        ],
      },
    ]);
    assert.deepEqual(response.fields, [
      ['x-a', '1'],
      ['set-cookie', 'a'],
      ['x-b', '\xe9'],
      ['x-a', '2'],
      ['set-cookie', 'b'],
      ['transfer-encoding', 'chunked'],
    ]);
    assert.equal(response.body.announcedLength, undefined);
    assert.equal(text(await response.body.read(3)), 'abc');
    assert.deepEqual(response.trailers(), [
      ['x-t', '1'],
      ['x-t', '\xfc'],
    ]);
  });

  it('never follows a redirect', async (t) => {
    let requests = 0;
    const port = await http(t, (_req, res) => {
      requests++;
      res.writeHead(302, { location: 'http://169.254.169.254/' }).end('moved');
    });
    const response = await open(t).fetchTarget(request(port), never);
    assert.equal(response.status, 302);
    assert.equal(text(await response.body.read(100)), 'moved');
    assert.equal(requests, 1);
  });

  it('sends bodies whole and streamed, ignoring a length that a client claimed for a whole one', async (t) => {
    const port = await http(t, (req, res) => {
      const framing = req.headers['content-length'] ?? req.headers['transfer-encoding'];
      collect(req).then((body) => res.end(`${framing}:${text(body)}`), assert.ifError);
    });
    const { fetchTarget } = open(t);
    const post = async (body: TargetRequest['body'], fields: TargetRequest['fields'] = []): Promise<string> => {
      const response = await fetchTarget(request(port, { method: 'POST', body, fields }), never);
      return text(await response.body.read(1000));
    };
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield bytes('ab');
      yield bytes('cd');
    }
    assert.equal(await post(bytes('hello'), [['content-length', '99']]), '5:hello');
    assert.equal(await post(chunks()), 'chunked:abcd');
    assert.equal(await post(chunks(), [['content-length', '4']]), '4:abcd');
    assert.equal(await post(null), '0:');
  });

  it('reuses a connection, and opens more only while it is busy', async (t) => {
    const ports = new Set<number | undefined>();
    const port = await http(t, (req, res) => {
      ports.add(req.socket.remotePort);
      res.end('x');
    });
    const { fetchTarget } = open(t);
    for (let i = 0; i < 5; i++) await (await fetchTarget(request(port), never)).body.read(10);
    // undici frees a connection one turn of the event loop after its answer, so the second request may open another.
    assert.ok(ports.size <= 2, `${ports.size} connections`);
  });

  it('sends request trailers, and `*`, on a connection of its own', async (t) => {
    const { port } = await rawServer(t, () => undefined);
    const heads: string[] = [];
    const echo = createServer((socket) => {
      let all = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        all += chunk;
        if (all.startsWith('OPTIONS') ? all.includes('\r\n\r\n') : all.endsWith('x-t: 9\r\n\r\n')) {
          heads.push(all);
          socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok');
        }
      });
    });
    const echoPort = await listenOn(t, echo);
    const { fetchTarget } = open(t);
    const sent = request(echoPort, { method: 'POST', body: bytes('abc'), trailers: () => [['x-t', '9']] });
    const response = await fetchTarget(sent, never);
    assert.equal(text(await response.body.read(10)), 'ok');
    assert.match(heads[0] ?? '', /transfer-encoding: chunked[\s\S]*\r\n\r\n3\r\nabc\r\n0\r\nx-t: 9\r\n\r\n$/);
    await (await fetchTarget(request(echoPort, { method: 'OPTIONS', path: '*' }), never)).body.read(10);
    assert.match(heads[1] ?? '', /^OPTIONS \* HTTP\/1\.1\r\nhost: target\.example/);
    assert.notEqual(port, echoPort);
  });

  it('reaches a unix socket instead of the host', async (t) => {
    const socketPath = join(await temporaryFolder(t), 't.sock');
    const server = createHttp((req, res) => res.end(req.headers.host));
    server.listen(socketPath);
    await once(server, 'listening');
    t.after(() => server.close());
    const route = { ...LOOPBACK_ROUTE, socketPath, allowPrivate: false };
    const response = await open(t).fetchTarget(
      request(1, { host: 'app.internal', authority: 'app.internal', route }),
      never,
    );
    assert.equal(text(await response.body.read(100)), 'app.internal');
  });

  const timeoutRoute = { ...LOOPBACK_ROUTE, timeoutMs: 50 };
  it('says TIMEOUT when no header arrives in time, once, without a retry', async (t) => {
    const { port, connections } = await rawServer(t, () => undefined);
    await assert.rejects(open(t).fetchTarget(request(port, { route: timeoutRoute }), never), {
      name: 'TargetError',
      code: 'TIMEOUT',
    });
    assert.equal(connections.length, 1);
  });

  it('says BROKEN when the peer closes, resets or talks nonsense, without a retry', async (t) => {
    const answers = [
      '',
      'NONSENSE\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n',
      'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ];
    for (const answer of answers) {
      const { port, connections } = await rawServer(t, (socket) => socket.end(answer));
      await assert.rejects(open(t).fetchTarget(request(port), never), { code: 'BROKEN' }, JSON.stringify(answer));
      assert.equal(connections.length, 1, JSON.stringify(answer));
    }
  });

  it('says BROKEN for an answer header above the limit', async (t) => {
    const { port } = await rawServer(t, (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(5000)}\r\n\r\n`));
    await assert.rejects(open(t, { maxHeaderBytes: 4096 }).fetchTarget(request(port), never), { code: 'BROKEN' });
  });

  it('says CONNECT_FAILED, FORBIDDEN_ADDRESS, and names no address', async (t) => {
    const server = createServer();
    const port = await listenOn(t, server);
    server.close();
    await once(server, 'close');
    const { fetchTarget } = open(t);
    const codeAndMessage = async (change: Partial<TargetRequest>): Promise<[string, string]> => {
      const error = await fetchTarget(request(port, change), never).then(
        () => assert.fail('answered'),
        (e: unknown) => e as { code: string; message: string },
      );
      return [error.code, error.message];
    };
    const [refused, message] = await codeAndMessage({});
    assert.equal(refused, 'CONNECT_FAILED');
    assert.doesNotMatch(message, /127/);
    assert.equal((await codeAndMessage({ route: { ...LOOPBACK_ROUTE, allowPrivate: false } }))[0], 'FORBIDDEN_ADDRESS');
  });

  it('says OVERLOADED above the limit of an origin, and when no connection becomes free', async (t) => {
    const { port } = await rawServer(t, () => undefined);
    const narrow = open(t, { maxRequestsPerOrigin: 1 });
    const waiting = narrow.fetchTarget(request(port, { route: timeoutRoute }), never);
    await assert.rejects(narrow.fetchTarget(request(port), never), { code: 'OVERLOADED' });
    await assert.rejects(waiting, { code: 'TIMEOUT' });
    const one = open(t, { connectionsPerOrigin: 1 });
    const first = one.fetchTarget(request(port), AbortSignal.timeout(300)).catch(() => undefined);
    await assert.rejects(one.fetchTarget(request(port, { route: timeoutRoute }), never), { code: 'OVERLOADED' });
    await first;
  });

  it('gives up when the signal fires: before sending, while waiting, during the body', async (t) => {
    const { port, connections } = await rawServer(t, (socket, head) => {
      if (head.includes('/body')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
    });
    const { fetchTarget } = open(t);
    await assert.rejects(fetchTarget(request(port), AbortSignal.abort()), { code: 'BROKEN' });
    assert.equal(connections.length, 0);
    const waiting = new AbortController();
    const pending = fetchTarget(request(port), waiting.signal);
    waiting.abort();
    await assert.rejects(pending, { code: 'BROKEN' });
    const during = new AbortController();
    const response = await fetchTarget(request(port, { path: '/body' }), during.signal);
    const body = response.body.read(100);
    during.abort();
    await assert.rejects(body, { name: 'BodyError', code: 'ABORTED' });
  });

  it('ends bodies with TOO_LARGE, ABORTED and TIMEOUT', async (t) => {
    const { port } = await rawServer(t, (socket, head) => {
      const path = head.split(' ')[1];
      if (path === '/announced') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n');
      if (path === '/counted')
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n');
      if (path === '/short') socket.end('HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nabc');
      if (path === '/chunk-cut') socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\nhel');
      if (path === '/stall') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
    });
    const { fetchTarget } = open(t, { idleTimeoutMs: 100 });
    for (const [path, code] of [
      ['/announced', 'TOO_LARGE'],
      ['/counted', 'TOO_LARGE'],
      ['/short', 'ABORTED'],
      ['/chunk-cut', 'ABORTED'],
      ['/stall', 'TIMEOUT'],
    ] as const) {
      const read = await fetchTarget(request(port, { path }), never);
      const limit = code === 'TOO_LARGE' ? 10 : 100;
      await assert.rejects(read.body.read(limit), { name: 'BodyError', code }, path);
      if (code === 'TOO_LARGE') continue;
      const streamed = await fetchTarget(request(port, { path }), never);
      await assert.rejects(collect(streamed.body.stream()), { name: 'BodyError', code }, path);
    }
  });

  it('streams with backpressure, and closes the connection when the reader stops', async (t) => {
    const total = 16 * 1024 * 1024;
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    const port = await http(t, (_req, res) => {
      const write = (): void => {
        for (; sent < total; sent += 65_536) if (!res.write(Buffer.alloc(65_536))) return;
        res.end();
      };
      res.on('drain', write).on('close', () => closed.resolve());
      write();
    });
    const { fetchTarget } = open(t);
    const response = await fetchTarget(request(port), never);
    const iterator = response.body.stream()[Symbol.asyncIterator]();
    await iterator.next();
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(sent < total, 'the target had to wait');
    let length = 65_536;
    for (; length < total / 2; length += (await iterator.next()).value?.length ?? 0);
    await iterator.return?.();
    await closed.promise;
    assert.ok(sent < total);
  });

  it('closes the source of a request body when the target goes away', async (t) => {
    const { port } = await rawServer(t, (socket) => socket.destroy());
    const closed = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield new Uint8Array(1000);
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        closed.resolve();
      }
    }
    await assert.rejects(open(t).fetchTarget(request(port, { method: 'POST', body: endless() }), never), {
      code: 'BROKEN',
    });
    await closed.promise;
  });

  it('keeps a bounded number of origins, and still serves the ones that were dropped', async (t) => {
    const ports = await Promise.all(Array.from({ length: 4 }, () => http(t, (_req, res) => res.end('x'))));
    const { fetchTarget } = open(t, { maxOrigins: 2 });
    for (const port of [...ports, ...ports]) {
      assert.equal(text(await (await fetchTarget(request(port), never)).body.read(9)), 'x');
    }
  });
});

describe('createFetchTarget over TLS', () => {
  it('negotiates HTTP/2 or HTTP/1.1 by ALPN, and obeys a route that names one', async (t) => {
    const authority = await createLocalAuthority(await temporaryFolder(t), Date.now());
    const { certificatePem, keyPem } = await authority.issue('target');
    const server = createSecureServer({ cert: certificatePem, key: keyPem.reveal(), allowHTTP1: true }, (req, res) => {
      res.setHeader('set-cookie', ['a', 'b']);
      res.addTrailers({ 'x-t': '1' });
      res.end(`${req.httpVersion} ${req.authority ?? req.headers.host}`);
    });
    const port = await listenOn(t, server);
    const { fetchTarget } = open(t, { extraRoots: [authority.rootPem] });
    const ask = async (protocol: TargetRoute['protocol']) => {
      const sent = request(port, {
        scheme: 'https',
        host: 'localhost',
        authority: 'Name.example',
        route: { ...LOOPBACK_ROUTE, protocol },
      });
      const response = await fetchTarget(sent, never);
      return [
        text(await response.body.read(99)),
        response.fields.filter(([name]) => name === 'set-cookie'),
        response.trailers(),
      ];
    };
    const cookies = [
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ];
    assert.deepEqual(await ask('auto'), ['2.0 Name.example', cookies, [['x-t', '1']]]);
    assert.deepEqual((await ask('http2'))[0], '2.0 Name.example');
    assert.deepEqual((await ask('http1')).slice(0, 2), ['1.1 Name.example', cookies]);
    const untrusting = open(t);
    await assert.rejects(untrusting.fetchTarget(request(port, { scheme: 'https', host: 'localhost' }), never), {
      code: 'CONNECT_FAILED',
    });
  });
});
