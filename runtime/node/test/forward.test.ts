import assert from 'node:assert/strict';
import { createServer as createHttp } from 'node:http';
import { constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { ForwardRequest } from '@privacy-edge/gateway-roles';
import { createForward, createLocalAuthority, type Forwarder, type ForwardOptions } from '../src/index.ts';
import { bytes, collect, listenOn, never, temporaryFolder, text } from './support.ts';

function post(url: string, change: Partial<ForwardRequest> = {}): ForwardRequest {
  return {
    gateway: 'g',
    url,
    method: 'POST',
    fields: [['content-type', 'message/ohttp-req']],
    body: bytes('sealed'),
    timeoutMs: 5000,
    allowPrivate: true,
    ...change,
  };
}

function open(t: TestContext, options: ForwardOptions = {}): Forwarder {
  const forwarder = createForward(options);
  t.after(() => forwarder.close());
  return forwarder;
}

async function http2Gateway(t: TestContext, onStream: (stream: ServerHttp2Stream, path: string) => void) {
  const authority = await createLocalAuthority(await temporaryFolder(t), Date.now());
  const { certificatePem, keyPem } = await authority.issue('gateway');
  const server = createSecureServer({ cert: certificatePem, key: keyPem.reveal() });
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session as ServerHttp2Session));
  server.on('stream', (stream, headers) => {
    (stream as ServerHttp2Stream).on('error', () => undefined);
    onStream(stream as ServerHttp2Stream, String(headers[':path']));
  });
  const port = await listenOn(t, server);
  t.after(() => {
    for (const session of sessions) session.destroy();
  });
  return { url: `https://localhost:${port}`, options: { extraRoots: [authority.rootPem] }, sessions };
}

describe('createForward', () => {
  it('sends exactly the fields it was given, and answers with fields by name', async (t) => {
    let lines: string[] = [];
    const server = createHttp((req, res) => {
      lines = req.rawHeaders;
      res.writeHead(
        200,
        [
          ['content-type', 'message/ohttp-res'],
          ['x', '1'],
          ['x', '2'],
        ].flat(),
      );
      collect(req).then((body) => res.end(`${req.method} ${req.url} ${text(body)}`), assert.ifError);
    });
    const url = `http://127.0.0.1:${await listenOn(t, server)}/gateway?a=b`;
    const response = await open(t).forward(post(url), never);
    assert.equal(response.status, 200);
    assert.equal(response.header('content-type'), 'message/ohttp-res');
    assert.equal(response.header('x'), '1, 2');
    assert.equal(response.header('none'), undefined);
    assert.equal(text(await response.body.read(100)), 'POST /gateway?a=b sealed');
    const names = lines.filter((_line, index) => index % 2 === 0);
    assert.deepEqual(names, ['host', 'connection', 'content-type', 'content-length']);
  });

  it('streams both ways', async (t) => {
    const server = createHttp((req, res) => req.pipe(res));
    const url = `http://127.0.0.1:${await listenOn(t, server)}/`;
    async function* body(): AsyncGenerator<Uint8Array> {
      yield bytes('ab');
      yield bytes('cd');
    }
    const response = await open(t).forward(post(url, { body: body() }), never);
    assert.equal(text(await collect(response.body.stream())), 'abcd');
  });

  it('says BROKEN, and sends once, when the gateway closes or resets after it was sent', async (t) => {
    for (const end of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
      let requests = 0;
      const server = createServer((socket) => {
        socket
          .on('error', () => undefined)
          .once('data', () => {
            requests++;
            end(socket);
          });
      });
      const url = `http://127.0.0.1:${await listenOn(t, server)}/`;
      await assert.rejects(open(t).forward(post(url), never), { name: 'ForwardError', code: 'BROKEN' });
      assert.equal(requests, 1);
    }
  });

  it('says BROKEN, and sends once, when a connection that was kept alive dies under the request', async (t) => {
    let requests = 0;
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', () => {
          requests++;
          if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
          else socket.destroy();
        });
    });
    const url = `http://127.0.0.1:${await listenOn(t, server)}/`;
    const { forward } = open(t);
    await (await forward(post(url), never)).body.read(0);
    await assert.rejects(forward(post(url), never), { code: 'BROKEN' });
    assert.equal(requests, 2);
  });

  it('says TIMEOUT, CONNECT_FAILED and FORBIDDEN_ADDRESS', async (t) => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    const port = await listenOn(t, silent);
    const { forward } = open(t);
    await assert.rejects(forward(post(`http://127.0.0.1:${port}/`, { timeoutMs: 50 }), never), { code: 'TIMEOUT' });
    await assert.rejects(forward(post('http://127.0.0.1:1/'), never), { code: 'CONNECT_FAILED' });
    await assert.rejects(forward(post(`http://127.0.0.1:${port}/`, { allowPrivate: false }), never), {
      code: 'FORBIDDEN_ADDRESS',
    });
    await assert.rejects(forward(post(`http://[::ffff:127.0.0.1]:${port}/`, { allowPrivate: false }), never), {
      code: 'FORBIDDEN_ADDRESS',
    });
  });

  it('speaks HTTP/2 to a gateway that offers it, many requests on one connection', async (t) => {
    const { url, options, sessions } = await http2Gateway(t, (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'message/ohttp-res' });
      stream.pipe(stream);
    });
    const { forward } = open(t, options);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const response = await forward(post(`${url}/x`, { body: bytes(`sealed ${i}`) }), never);
        return text(await response.body.read(100));
      }),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 20 }, (_, i) => `sealed ${i}`),
    );
    assert.equal(sessions.length, 1);
  });

  it('says NOT_PROCESSED for a refused stream, whole or streamed, and does not send again', async (t) => {
    let streams = 0;
    const { url, options } = await http2Gateway(t, (stream) => {
      streams++;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    const { forward } = open(t, options);
    async function* body(): AsyncGenerator<Uint8Array> {
      yield bytes('x');
    }
    await assert.rejects(forward(post(url), never), { code: 'NOT_PROCESSED' });
    assert.equal(streams, 1);
    await assert.rejects(forward(post(url, { body: body() }), never), { code: 'NOT_PROCESSED' });
    assert.equal(streams, 2);
  });

  it('says BROKEN for any other reset and for a lost HTTP/2 connection, and does not send again', async (t) => {
    let streams = 0;
    const { url, options } = await http2Gateway(t, (stream, path) => {
      streams++;
      if (path === '/reset') stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      if (path === '/cancel') stream.close(constants.NGHTTP2_CANCEL);
      if (path === '/lost') stream.session?.socket.destroy();
      if (path === '/destroy') stream.session?.destroy();
      if (path === '/empty') stream.end();
    });
    const { forward } = open(t, options);
    let expected = 0;
    for (const path of ['/reset', '/cancel', '/lost', '/destroy']) {
      await assert.rejects(forward(post(url + path), never), { code: 'BROKEN' }, path);
      assert.equal(streams, ++expected, path);
    }
  });

  it('says NOT_PROCESSED only to streams above the last one of a GOAWAY', async (t) => {
    const waiting = Promise.withResolvers<ServerHttp2Stream>();
    let streams = 0;
    const { url, options } = await http2Gateway(t, (stream, path) => {
      streams++;
      if (path === '/first') waiting.resolve(stream);
      if (path === '/second') stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    });
    const { forward } = open(t, options);
    const first = forward(post(`${url}/first`), never);
    const held = await waiting.promise;
    await assert.rejects(forward(post(`${url}/second`), never), { code: 'NOT_PROCESSED' });
    held.respond({ ':status': 200 });
    held.end('done');
    assert.equal(text(await (await first).body.read(10)), 'done');
    assert.equal(streams, 2);
  });
});
