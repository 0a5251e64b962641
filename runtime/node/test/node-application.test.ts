import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createObliviousFetch } from '@privacy-edge/gateway';
import {
  defaultGatewayConfig,
  KeySchedule,
  TargetError,
  type TargetRequest,
  targetRule,
} from '@privacy-edge/gateway-roles';
import { AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import { BodyError } from '@privacy-edge/http-exchange';
import {
  createReplayState,
  fetchFromNodeApplication,
  gatewayMiddleware,
  loadReplayTable,
  systemClock,
  systemRandom,
} from '../src/index.ts';
import { never, targetRequest, temporaryFolder } from './support.ts';

function requestOf(change: Partial<TargetRequest> = {}): TargetRequest {
  const app = { scheme: 'https', host: 'app.example', port: 443, authority: 'app.example' } as const;
  const { route } = targetRule('https://app.example/', { timeoutMs: 60_000 });
  return targetRequest({ ...app, path: '/a/../b//c?x=%2F&y', route, ...change });
}

describe('fetchFromNodeApplication()', () => {
  it('hands on method, path as it was written, host, repeated fields and content', async () => {
    let seen: unknown;
    const application: RequestListener = (req, res) => {
      const pieces: Buffer[] = [];
      req.on('data', (piece: Buffer) => pieces.push(piece));
      req.on('end', () => {
        const { method, url, headers } = req;
        seen = {
          method,
          url,
          host: headers.host,
          agent: headers['user-agent'],
          many: headers['x-many'],
          body: Buffer.concat(pieces).toString(),
        };
        res.writeHead(
          201,
          [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['X-Case', 'kept'],
          ].flat(),
        );
        res.end('made');
      });
    };
    const fields = [
      ['x-many', '1'],
      ['x-many', '2'],
    ] as const;
    const response = await fetchFromNodeApplication(application)(
      requestOf({ method: 'POST', fields, body: new TextEncoder().encode('content') }),
      never,
    );
    assert.deepEqual(seen, {
      method: 'POST',
      url: '/a/../b//c?x=%2F&y',
      host: 'app.example',
      agent: undefined,
      many: '1, 2',
      body: 'content',
    });
    assert.equal(response.status, 201);
    assert.deepEqual(
      response.fields.filter(([name]) => name === 'set-cookie' || name === 'x-case'),
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-case', 'kept'],
      ],
    );
    assert.equal(Buffer.from(await response.body.read(100)).toString(), 'made');
  });

  it('streams a request and a response, piece by piece', async () => {
    const application: RequestListener = (req, res) => {
      req.on('data', (piece: Buffer) => res.write(piece.toString().toUpperCase()));
      req.on('end', () => res.end());
    };
    async function* body(): AsyncGenerator<Uint8Array> {
      for (const word of ['one ', 'two ', 'three']) yield new TextEncoder().encode(word);
    }
    const response = await fetchFromNodeApplication(application)(requestOf({ method: 'POST', body: body() }), never);
    let text = '';
    for await (const piece of response.body.stream()) text += Buffer.from(piece).toString();
    assert.equal(text, 'ONE TWO THREE');
  });

  it('limits what is read', async () => {
    const response = await fetchFromNodeApplication((_req, res) => res.end('x'.repeat(1000)))(requestOf(), never);
    await assert.rejects(response.body.read(999), (error) => error instanceof BodyError && error.code === 'TOO_LARGE');
  });

  it('calls a handler that throws broken, and one that is silent late', async () => {
    const thrower = fetchFromNodeApplication(() => {
      throw new TypeError('secret detail');
    });
    await assert.rejects(
      thrower(requestOf(), never),
      (error) => error instanceof TargetError && error.code === 'BROKEN' && !error.message.includes('secret'),
    );
    const silent = fetchFromNodeApplication(() => undefined);
    const route = targetRule('https://app.example/', { timeoutMs: 1 }).route;
    await assert.rejects(
      silent(requestOf({ route }), never),
      (error) => error instanceof TargetError && error.code === 'TIMEOUT',
    );
  });
});

describe('gatewayMiddleware()', () => {
  it('serves direct and encapsulated requests of one application', async (t) => {
    const state = `${await temporaryFolder(t)}/replay`;
    await createReplayState(state, systemClock, systemRandom);
    const replay = await loadReplayTable(state, {
      capacity: 64,
      windowMs: 120_000,
      clock: systemClock,
      random: systemRandom,
    });
    const keys = new KeySchedule({
      segments: [{ secret: systemRandom(32), epoch: 0, fromMs: Date.now() }],
      epochMs: 3_600_000,
      publishAheadMs: 60_000,
      retainMs: 60_000,
      kemIds: [KEM_X25519_HKDF_SHA256],
      suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
    });
    const application: RequestListener = (req, res) => res.end(`${req.method} ${req.url} ${req.socket.remoteAddress}`);
    const config = { ...defaultGatewayConfig, targets: [targetRule('https://app.example/')] };
    const middleware = gatewayMiddleware(
      application,
      { keys, replay, clock: systemClock, random: systemRandom },
      config,
    );
    const server = createServer((req, res) => middleware(req, res, () => application(req, res)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const origin = `http://127.0.0.2:${(server.address() as AddressInfo).port}`;
    assert.match(await (await fetch(`${origin}/direct`)).text(), /^GET \/direct 127\./);
    const obliviousFetch = createObliviousFetch({
      relay: origin + config.gatewayPath,
      keys: { url: `${origin}/ohttp-keys` },
    });
    const answer = await obliviousFetch('https://app.example/hidden?q=1', { method: 'POST', body: 'x' });
    assert.equal(await answer.text(), 'POST /hidden?q=1 127.0.0.1');
  });
});
