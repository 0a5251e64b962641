import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { describe, it, type TestContext } from 'node:test';
import { PeerError, type PeerErrorCode, type PeerRequest } from '@privacy-edge/analytics-roles';
import {
  createLocalAuthority,
  createPeerTransport,
  type PeerConnections,
  type PeerTransportOptions,
} from '../src/index.ts';
import { bytes, collect, listenOn, temporaryFolder, text } from './support.ts';

function post(url: string, change: Partial<PeerRequest> = {}): PeerRequest {
  const fields = [['authorization', 'Bearer token']] as const;
  return { method: 'POST', url, fields, body: bytes('request'), timeoutMs: 5000, maxBytes: 1000, ...change };
}

function open(t: TestContext, options: PeerTransportOptions = { allowPrivate: true }): PeerConnections {
  const connections = createPeerTransport(options);
  t.after(() => connections.close());
  return connections;
}

async function failure(promise: Promise<unknown>, code: PeerErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof PeerError && error.code === code);
}

describe('createPeerTransport', () => {
  it('sends a request over HTTP/1.1, and gives the whole answer', async (t) => {
    const server = createServer((req, res) => {
      res.writeHead(201, { location: '/x', 'content-type': 'a/b' });
      collect(req).then(
        (body) => res.end(`${req.method} ${req.url} ${req.headers.authorization} ${text(body)}`),
        assert.ifError,
      );
    });
    const url = `http://127.0.0.1:${await listenOn(t, server)}/tasks/a?step=1`;
    const { transport } = open(t);
    const answer = await transport(post(url));
    assert.deepEqual(
      [answer.status, answer.header('location'), answer.header('absent'), text(answer.body)],
      [201, '/x', undefined, 'POST /tasks/a?step=1 Bearer token request'],
    );
    const empty = await transport(post(url, { method: 'DELETE', body: null }));
    assert.equal(text(empty.body), 'DELETE /tasks/a?step=1 Bearer token ');
  });

  it('speaks HTTP/2 where the helper does, and trusts further authorities', async (t) => {
    const authority = await createLocalAuthority(await temporaryFolder(t), Date.now());
    const { certificatePem, keyPem } = await authority.issue('helper');
    const server = createSecureServer({ cert: certificatePem, key: keyPem.reveal() }, (req, res) => {
      res.end(req.httpVersion);
    });
    const url = `https://localhost:${await listenOn(t, server)}/`;
    const trusting = open(t, { allowPrivate: true, extraRoots: [authority.rootPem] });
    assert.equal(text((await trusting.transport(post(url))).body), '2.0');
    await failure(open(t).transport(post(url)), 'CONNECT_FAILED');
  });

  it('judges addresses, sizes and time', async (t) => {
    const server = createServer((req, res) => {
      if (req.url === '/head') res.writeHead(200).write('never ends');
      else if (req.url === '/break') req.socket.destroy();
      else if (req.url !== '/silent') res.end('0123456789');
    });
    const base = `http://127.0.0.1:${await listenOn(t, server)}`;
    const { transport } = open(t);
    await failure(open(t, {}).transport(post(`${base}/`)), 'FORBIDDEN_ADDRESS');
    await failure(transport(post(`${base}/`, { maxBytes: 9 })), 'TOO_LARGE');
    await failure(transport(post(`${base}/break`)), 'BROKEN');
    // Until the end of the answer, not of its header.
    await failure(transport(post(`${base}/head`, { timeoutMs: 50 })), 'TIMEOUT');
    await failure(transport(post(`${base}/silent`, { timeoutMs: 50 })), 'TIMEOUT');
    assert.equal((await transport(post(`${base}/`, { maxBytes: 10 }))).body.length, 10);
  });

  it('takes redirects for answers', async (t) => {
    let asked = 0;
    const server = createServer((_req, res) => {
      asked++;
      res.writeHead(307, { location: '/elsewhere' }).end();
    });
    const { transport } = open(t);
    assert.equal((await transport(post(`http://127.0.0.1:${await listenOn(t, server)}/`))).status, 307);
    assert.equal(asked, 1);
  });
});
