import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { inspect } from 'node:util';
import type { BodyError, RoleHandler, RoleRequest } from '@privacy-edge/http-exchange';
import {
  type Certificate,
  createLocalAuthority,
  type EventFields,
  type Listener,
  type ListenerOptions,
  serve,
  serveRelay,
  silentLog,
} from '../src/index.ts';
import { bytes, received, talk, temporaryFolder, text } from './support.ts';

async function open(t: TestContext, handler: RoleHandler, change: Partial<ListenerOptions> = {}): Promise<Listener> {
  const listener = await serve(handler, { log: silentLog, ...change });
  t.after(() => listener.close(0));
  return listener;
}

const echo: RoleHandler = async (request) => ({
  status: 200,
  fields: [['x-path', request.path]],
  body: await request.body.read(1_000_000),
});

const close = 'connection: close\r\n';

describe('serve over HTTP/1.1', () => {
  it('passes method, path and body, and answers with the length', async (t) => {
    const { port } = await open(t, echo);
    const answer = await talk(port, `POST /a?b=c HTTP/1.1\r\nhost: x\r\n${close}content-length: 5\r\n\r\nhello`);
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\nx-path: \/a\?b=c\r\ncontent-length: 5\r\n/);
    assert.match(answer, /\r\n\r\nhello$/);
  });

  it('joins repeated fields, also those node:http would drop, and keeps bytes', async (t) => {
    let seen: (string | undefined)[] = [];
    const { port } = await open(t, async (request) => {
      seen = ['content-type', 'x-a', 'x-none', 'host'].map((name) => request.header(name));
      return { status: 204, fields: [], body: null };
    });
    const fields = 'Content-Type: a/b\r\ncontent-type: c/d\r\nX-A: 1\r\nx-a: \xe9\r\n';
    const answer = await talk(port, `GET / HTTP/1.1\r\nhost: x\r\n${close}${fields}\r\n`);
    assert.deepEqual(seen, ['a/b, c/d', '1, \xc3\xa9', undefined, 'x']);
    assert.doesNotMatch(answer, /content-length|transfer-encoding/i);
  });

  it('reads chunked bodies, in any pieces', async (t) => {
    const { port } = await open(t, echo);
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${close}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    socket.write('2\r\nde\r\n0\r\n\r\n');
    assert.match(await received(socket), /abcde$/);
  });

  it('exposes no client address to a role', async (t) => {
    let request: RoleRequest | undefined;
    const { port } = await open(t, async (received) => {
      request = received;
      return { status: 200, fields: [], body: null };
    });
    await talk(port, `GET / HTTP/1.1\r\nhost: x\r\n${close}x-forwarded-for: 1.2.3.4\r\n\r\n`);
    assert.ok(request !== undefined);
    const reachable = new Set<string>();
    for (let at: object | null = request; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) reachable.add(name);
    }
    for (const name of ['socket', 'connection', 'req', 'res', 'stream', 'session'])
      assert.ok(!reachable.has(name), name);
    assert.doesNotMatch(inspect({ ...request }, { showHidden: true, depth: 4 }), /127\.0\.0\.1|1\.2\.3\.4/);
  });

  it('gives a relay the address of the connection and ignores X-Forwarded-For', async (t) => {
    const listener = await serveRelay(
      async (_request, client) => ({ status: 200, fields: [], body: bytes(client.address) }),
      { log: silentLog },
    );
    t.after(() => listener.close(0));
    const answer = await talk(
      listener.port,
      `GET / HTTP/1.1\r\nhost: x\r\n${close}x-forwarded-for: 1.2.3.4\r\nforwarded: for=1.2.3.4\r\n\r\n`,
    );
    assert.match(answer, /\r\n\r\n127\.0\.0\.1$/);
  });

  for (const [name, input, status] of [
    ['an invalid request line', 'NONSENSE\r\n\r\n', 400],
    ['a bare CR in a header', 'GET / HTTP/1.1\r\nhost: x\r\nx: a\rb\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 400],
    [
      'length and chunked',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a header that is too long', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['too many fields', `GET / HTTP/1.1\r\nhost: x\r\n${close}${'a: b\r\n'.repeat(200)}\r\n`, 431],
    ['an unknown expectation', `GET / HTTP/1.1\r\nhost: x\r\n${close}expect: magic\r\n\r\n`, 417],
  ] as const) {
    it(`answers ${name} with ${status}, closes, and serves the next request`, async (t) => {
      const { port } = await open(t, echo);
      assert.match(await talk(port, input), new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(await talk(port, `GET / HTTP/1.1\r\nhost: x\r\n${close}\r\n`), /^HTTP\/1\.1 200 /);
    });
  }

  it('refuses a body that is too large: announced, and counted', async (t) => {
    const codes: string[] = [];
    const { port } = await open(t, async (request) => {
      try {
        await request.body.read(10);
      } catch (error) {
        codes.push((error as BodyError).code);
      }
      return { status: 413, fields: [], body: null };
    });
    const announced = await talk(port, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n');
    const counted = await talk(
      port,
      `POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nb\r\n${'x'.repeat(11)}\r\n`,
    );
    for (const answer of [announced, counted]) {
      assert.match(answer, /^HTTP\/1\.1 413 /);
      assert.match(answer, /connection: close/i);
    }
    assert.deepEqual(codes, ['TOO_LARGE', 'TOO_LARGE']);
  });

  it('sends 100 (Continue) only when the body is wanted', async (t) => {
    const { port } = await open(t, async (request) =>
      request.path === '/no' ? { status: 403, fields: [], body: null } : echo(request),
    );
    const head = `HTTP/1.1\r\nhost: x\r\n${close}content-length: 2\r\nexpect: 100-continue\r\n\r\n`;
    assert.doesNotMatch(await talk(port, `POST /no ${head}`), /100 Continue/);
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST /yes ${head}`);
    const [first] = await once(socket, 'data');
    assert.equal(String(first), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('ok');
    assert.match(await received(socket), /\r\n\r\nok$/);
  });

  it('ends a body that stops arriving with TIMEOUT, and one whose peer leaves with ABORTED', async (t) => {
    const codes: string[] = [];
    const done = Promise.withResolvers<void>();
    const { port } = await open(
      t,
      async (request) => {
        await request.body.read(10).catch((error: BodyError) => codes.push(error.code));
        if (codes.length === 2) done.resolve();
        return { status: 408, fields: [], body: null };
      },
      { limits: { bodyTimeoutMs: 30 } },
    );
    const head = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n12';
    assert.match(await talk(port, head), /^HTTP\/1\.1 408 /);
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
    socket.destroy();
    await done.promise;
    assert.deepEqual(codes, ['TIMEOUT', 'ABORTED']);
  });

  it('closes a connection whose header stays incomplete', async (t) => {
    const { port } = await open(t, echo, { limits: { headersTimeoutMs: 100 } });
    assert.match(await talk(port, 'GET / HTTP/1.1\r\nhost:'), /^HTTP\/1\.1 408 /);
  });

  it('streams with backpressure both ways', async (t) => {
    const total = 8 * 1024 * 1024;
    let pulled = 0;
    const { port } = await open(t, async (request) => ({
      status: 200,
      fields: [],
      body: (async function* () {
        let sum = 0;
        for await (const chunk of request.body.stream()) sum += chunk.length;
        yield bytes(`${sum};`);
        for (; pulled < total; pulled += 65_536) yield new Uint8Array(65_536);
      })(),
    }));
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${close}content-length: 300000\r\n\r\n${'x'.repeat(300_000)}`);
    const [first] = await once(socket, 'data');
    assert.match(String(first), /transfer-encoding: chunked/i);
    socket.pause();
    // While the peer does not read, the source is not pulled to its end.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pulled < total, 'stopped before the end');
    assert.ok((await received(socket)).length > total);
    assert.equal(pulled, total);
  });

  it('sends the header before the first chunk of a slow stream', async (t) => {
    const go = Promise.withResolvers<void>();
    const { port } = await open(t, async () => ({
      status: 200,
      fields: [],
      body: (async function* () {
        await go.promise;
        yield bytes('late');
      })(),
    }));
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n$/);
    go.resolve();
    assert.match(await received(socket), /late/);
  });

  it('closes the source and fires the signal when the peer goes', async (t) => {
    const closed = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const { port } = await open(t, async (request) => {
      request.signal.addEventListener('abort', () => aborted.resolve());
      return {
        status: 200,
        fields: [],
        body: (async function* () {
          try {
            for (;;) {
              yield new Uint8Array(1000);
              await new Promise((resolve) => setImmediate(resolve));
            }
          } finally {
            closed.resolve();
          }
        })(),
      };
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await Promise.all([closed.promise, aborted.promise]);
  });

  it('does not fire the signal of a request that was answered', async (t) => {
    let fired = false;
    const { port } = await open(t, async (request) => {
      request.signal.addEventListener('abort', () => {
        fired = true;
      });
      return { status: 200, fields: [], body: null };
    });
    await talk(port, `GET / HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
    assert.equal(fired, false);
  });

  it('breaks the connection when a stream fails half-way, so that nobody takes it for whole', async (t) => {
    const { port } = await open(t, async () => ({
      status: 200,
      fields: [],
      body: (async function* () {
        yield bytes('half');
        await new Promise((resolve) => setImmediate(resolve));
        throw new TypeError('x');
      })(),
    }));
    const answer = await talk(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    assert.match(answer, /half/);
    assert.doesNotMatch(answer, /\r\n0\r\n\r\n$/);
  });

  it('answers 500 without detail and logs an id when a handler throws, sync or async', async (t) => {
    const events: (EventFields | undefined)[] = [];
    const { port } = await open(
      t,
      (request) => {
        if (request.path === '/sync') throw new TypeError('secret 10.1.2.3');
        return Promise.reject(new TypeError('secret 10.1.2.3'));
      },
      { log: (_level, name, fields) => events.push({ ...fields, entry: name }) },
    );
    for (const path of ['/sync', '/async']) {
      const answer = await talk(port, `GET ${path} HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
      assert.match(answer, /^HTTP\/1\.1 500 /);
      assert.match(answer, /content-length: 0/);
      assert.doesNotMatch(answer, /secret/);
    }
    assert.equal(events.length, 2);
    assert.match(events[0]?.id ?? '', /^[0-9a-f]{16}$/);
    assert.doesNotMatch(JSON.stringify(events), /secret|10\.1\.2\.3/);
  });

  it('answers 500 when the handler returns an invalid field, and lives', async (t) => {
    const { port } = await open(t, async (request) => ({
      status: 200,
      fields: request.path === '/bad' ? [['x', 'a\r\nb']] : [],
      body: null,
    }));
    assert.match(await talk(port, `GET /bad HTTP/1.1\r\nhost: x\r\n${close}\r\n`), /^HTTP\/1\.1 500 /);
    assert.match(await talk(port, `GET / HTTP/1.1\r\nhost: x\r\n${close}\r\n`), /^HTTP\/1\.1 200 /);
  });

  it('gives all of a body that is read late, whatever its size', async (t) => {
    const { port } = await open(t, async (request) => {
      // Until the body has come as far as it can without being read.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const body = await request.body.read(1 << 20);
      const sum = body.reduce((a, b) => (a + b) % 65_521, 0);
      return { status: 200, fields: [], body: bytes(`${body.length} ${sum}`) };
    });
    for (const size of [1, 1000, 65_000, 65_536, 66_000, 100_000, 131_072, 140_000, 400_000]) {
      const body = Uint8Array.from({ length: size }, (_, i) => i % 251);
      const sum = body.reduce((a, b) => (a + b) % 65_521, 0);
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
      assert.equal(await response.text(), `${size} ${sum}`);
    }
  });

  it('refuses with 503 and Retry-After above its limit of requests under way', async (t) => {
    const go = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const listener = await open(
      t,
      async () => {
        entered.resolve();
        await go.promise;
        return { status: 200, fields: [], body: null };
      },
      { limits: { maxInFlight: 1 } },
    );
    const first = talk(listener.port, `GET / HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
    await entered.promise;
    assert.equal(listener.inFlight, 1);
    const second = await talk(listener.port, `GET / HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
    assert.match(second, /^HTTP\/1\.1 503 [\s\S]*retry-after: 1/i);
    go.resolve();
    assert.match(await first, /^HTTP\/1\.1 200 /);
    assert.equal(listener.inFlight, 0);
  });

  it('drains: finishes what is under way with connection: close, closes idle connections, accepts nothing', async (t) => {
    const go = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const listener = await open(t, async () => {
      entered.resolve();
      await go.promise;
      return { status: 200, fields: [], body: bytes('done') };
    });
    const idle = connect(listener.port, '127.0.0.1');
    await once(idle, 'connect');
    const busy = connect(listener.port, '127.0.0.1');
    busy.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await entered.promise;
    const closing = listener.close(10_000);
    go.resolve();
    const answer = await received(busy);
    assert.match(answer, /done$/);
    idle.destroy();
    assert.equal(await closing, true);
    const refused = connect(listener.port, '127.0.0.1');
    const [error] = await once(refused, 'error');
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  });

  it('breaks what is left after the grace period', async () => {
    const entered = Promise.withResolvers<void>();
    const listener = await serve(
      () => {
        entered.resolve();
        return new Promise(() => undefined);
      },
      { log: silentLog },
    );
    const answer = talk(listener.port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await entered.promise;
    assert.equal(await listener.close(10), false);
    assert.equal(await answer, '');
  });

  it('closes after the allowed number of requests on a connection', async (t) => {
    const { port } = await open(t, echo, { limits: { maxRequestsPerSocket: 2 } });
    const answers = await talk(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n');
    assert.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 2);
  });

  it('says LISTEN_FAILED for a port in use', async (t) => {
    const { port } = await open(t, echo);
    await assert.rejects(serve(echo, { port, log: silentLog }), { code: 'LISTEN_FAILED' });
  });

  it('shares a port with reusePort', async (t) => {
    const { port } = await open(t, echo, { reusePort: true });
    const other = await open(t, echo, { reusePort: true, port });
    assert.equal(other.port, port);
  });

  it('listens on a unix socket that only its owner may use, and replaces a stale one', async (t) => {
    const socketPath = join(await temporaryFolder(t), 'role.sock');
    const listener = await open(t, echo, { socketPath });
    assert.equal(listener.url, `unix:${socketPath}`);
    await assert.rejects(serve(echo, { socketPath, log: silentLog }), { code: 'LISTEN_FAILED' });
    const socket = connect(socketPath);
    socket.write(`GET /u HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
    assert.match(await received(socket), /x-path: \/u/);
  });
});

describe('serve over TLS', () => {
  async function secure(t: TestContext): Promise<{ certificate: Certificate; ca: string; folder: string }> {
    const folder = await temporaryFolder(t);
    const authority = await createLocalAuthority(folder, Date.now());
    return { certificate: await authority.issue('role'), ca: authority.rootPem, folder };
  }

  it('speaks HTTP/1.1 to a client without ALPN', async (t) => {
    const { certificate, ca } = await secure(t);
    const { port } = await open(t, echo, { certificate });
    const answer = await new Promise<string>((resolve, reject) => {
      httpsRequest({ host: '127.0.0.1', port, path: '/s', ca }, (incoming) => {
        incoming.resume();
        resolve(`${incoming.httpVersion} ${String(incoming.headers['x-path'])}`);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(answer, '1.1 /s');
  });

  it('fires the signal of an HTTP/2 request that is reset before its answer, and of no other', async (t) => {
    const { certificate, ca } = await secure(t);
    const fired: string[] = [];
    const reset = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { port } = await open(
      t,
      async (request) => {
        const { signal, path } = request;
        signal.addEventListener('abort', () => fired.push(path));
        await request.body.read(100);
        if (path === '/held') {
          signal.addEventListener('abort', () => reset.resolve());
          asked.resolve();
          await reset.promise;
        }
        return { status: 200, fields: [], body: bytes('answer') };
      },
      { certificate },
    );
    const session = connectHttp2(`https://localhost:${port}`, { ca });
    t.after(() => session.destroy());
    const ask = (path: string): ClientHttp2Stream =>
      session.request({ ':method': 'POST', ':path': path }).end('question');
    const held = ask('/held');
    await asked.promise;
    held.close(constants.NGHTTP2_CANCEL);
    await reset.promise;
    const answered = ask('/answered');
    assert.equal(text(Buffer.concat(await answered.toArray())), 'answer');
    if (!answered.closed) await once(answered, 'close');
    assert.deepEqual(fired, ['/held']);
  });

  it('speaks HTTP/2 to a client that offers it, with bodies and streams', async (t) => {
    const { certificate, ca } = await secure(t);
    const { port } = await open(
      t,
      async (request) => {
        if (request.path === '/fail') throw new TypeError('x');
        if (request.path === '/stream') return { status: 200, fields: [], body: request.body.stream() };
        const body = await request.body.read(100);
        const fields = [
          ['x-host', request.header('host') ?? ''],
          ['set-cookie', 'a'],
          ['set-cookie', 'b'],
          ['connection', 'x'],
        ] as const;
        return { status: 200, fields, body };
      },
      { certificate },
    );
    const session = connectHttp2(`https://localhost:${port}`, { ca });
    t.after(() => session.destroy());
    const ask = async (path: string, body: string): Promise<[Record<string, unknown>, string]> => {
      const stream = session.request({ ':method': 'POST', ':path': path });
      stream.end(body);
      const [headers] = await once(stream, 'response');
      return [headers as Record<string, unknown>, text(Buffer.concat(await stream.toArray()))];
    };
    const [headers, body] = await ask('/', 'hello');
    assert.equal(body, 'hello');
    assert.equal(headers['x-host'], `localhost:${port}`);
    assert.deepEqual(headers['set-cookie'], ['a', 'b']);
    assert.equal(headers['content-length'], '5');
    assert.equal((await ask('/stream', 'abc'))[1], 'abc');
    assert.equal((await ask('/fail', ''))[0][':status'], 500);
    const [tooLarge] = await ask('/', 'x'.repeat(101));
    assert.equal(tooLarge[':status'], 500, 'the handler did not catch TOO_LARGE');
    assert.equal((await ask('/', 'again'))[1], 'again');
  });

  it('drains HTTP/2: the stream under way finishes, the session gets GOAWAY', async (t) => {
    const { certificate, ca } = await secure(t);
    const go = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const listener = await open(
      t,
      async () => {
        entered.resolve();
        await go.promise;
        return { status: 200, fields: [], body: bytes('done') };
      },
      { certificate },
    );
    const session = connectHttp2(`https://localhost:${listener.port}`, { ca });
    const stream = session.request({ ':path': '/' });
    await entered.promise;
    const goaway = once(session, 'goaway');
    const closing = listener.close(10_000);
    await goaway;
    go.resolve();
    assert.equal(text(Buffer.concat(await stream.toArray())), 'done');
    assert.equal(await closing, true);
  });

  it('uses a new certificate for new connections and keeps the old connections', async (t) => {
    const { certificate, ca, folder } = await secure(t);
    const listener = await open(t, echo, { certificate });
    const serial = async (roots: string): Promise<string> => {
      const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca: roots });
      await once(socket, 'secureConnect');
      const found = socket.getPeerCertificate().serialNumber;
      socket.destroy();
      return found;
    };
    const kept = connectTls({ host: '127.0.0.1', port: listener.port, ca });
    await once(kept, 'secureConnect');
    const before = await serial(ca);
    const other = await createLocalAuthority(join(folder, 'other'), Date.now());
    listener.setCertificate(await other.issue('role'));
    assert.notEqual(await serial(other.rootPem), before);
    kept.write(`GET /kept HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
    assert.match(await received(kept), /x-path: \/kept/);
  });
});
