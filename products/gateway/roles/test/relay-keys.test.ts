import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyConfigList } from '@privacy-edge/ohttp';
import { ForwardError, type ForwardResponse } from '../src/ports.ts';
import { redirectTarget, wellKnownGateway } from '../src/relay-discovery.ts';
import { probeGateway } from '../src/relay-probe.ts';
import { answer, appGateway, bodyOf, CLIENT_ADDRESS, field, fixture, post, sealed, textOf } from './relay-fixture.ts';

const keys = KeyConfigList.encode([
  { keyId: 7, kemId: 0x0020, publicKey: new Uint8Array(32).fill(9), suites: [{ kdfId: 1, aeadId: 1 }] },
]);
const KEYS_TYPE = 'application/ohttp-keys';
const asksKeys = post({ method: 'GET', headers: { accept: KEYS_TYPE } });
const WELL_KNOWN = 'https://target.example/.well-known/ohttp-gateway';

function keysAnswer(headers: Readonly<Record<string, string>> = {}, bytes: Uint8Array = keys): ForwardResponse {
  return answer(200, { 'content-type': KEYS_TYPE, ...headers }, bodyOf([bytes]));
}

describe('key configurations through the relay', () => {
  test('one copy for all clients, with its age', async () => {
    const relaying = fixture(() => keysAnswer({ 'cache-control': 'max-age=600', age: '100', etag: '"1"' }));
    const first = await relaying.relay(asksKeys);
    assert.equal(first.status, 200);
    assert.equal(await textOf(first.body), Buffer.from(keys).toString('latin1'));
    assert.equal(field(first, 'cache-control'), 'public, max-age=500');
    assert.equal(field(first, 'age'), '0');
    assert.equal(field(first, 'etag'), undefined);
    assert.deepEqual(relaying.sent[0]!.request.fields, [['accept', KEYS_TYPE]]);
    relaying.nowMs += 499_000;
    const second = await relaying.relay(post({ method: 'GET', path: '/app/keys', headers: { accept: '*/*' } }));
    assert.equal(field(second, 'age'), '499');
    assert.equal(relaying.sent.length, 1);
    relaying.nowMs += 1000;
    await relaying.relay(asksKeys);
    assert.equal(relaying.sent.length, 2);
  });

  test('clients that ask at once share one fetch', async () => {
    let release = (): void => {};
    const ready = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { relay, sent } = fixture(async () => {
      await ready;
      return keysAnswer();
    });
    const asking = [1, 2, 3, 4].map((last) => relay(asksKeys, `198.51.100.${last}`));
    release();
    for (const response of await Promise.all(asking)) assert.equal(response.status, 200);
    assert.equal(sent.length, 1);
  });

  test('renewKeys() has a fresh copy, a failure and a question under way asked again', async () => {
    const other = KeyConfigList.encode([
      { keyId: 8, kemId: 0x0020, publicKey: new Uint8Array(32).fill(8), suites: [{ kdfId: 1, aeadId: 1 }] },
    ]);
    const held = Promise.withResolvers<void>();
    // Two attempts that overlap have one number in the fixture.
    let attempts = 0;
    const relaying = fixture(async () => {
      const attempt = attempts++;
      if (attempt === 1) await held.promise;
      if (attempt === 3) return answer(503);
      return keysAnswer({ 'cache-control': 'max-age=600' }, attempt < 2 ? keys : other);
    });
    const ask = async (): Promise<string> => textOf((await relaying.relay(asksKeys)).body);
    const [before, after] = [keys, other].map((list) => Buffer.from(list).toString('latin1'));
    assert.equal(await ask(), before);
    relaying.handler.renewKeys();
    const early = ask();
    relaying.handler.renewKeys();
    assert.equal(await ask(), after);
    held.resolve();
    assert.equal(await early, before);
    assert.equal(await ask(), after);
    assert.equal(relaying.sent.length, 3);
    relaying.handler.renewKeys();
    assert.equal((await relaying.relay(asksKeys)).status, 502);
    relaying.handler.renewKeys();
    assert.equal(await ask(), after);
    assert.equal(relaying.sent.length, 5);
  });

  test('a stale copy is revalidated', async () => {
    const relaying = fixture((request) =>
      request.fields.some(([name]) => name === 'if-none-match')
        ? answer(304, { 'cache-control': 'max-age=300' })
        : keysAnswer({ 'cache-control': 'max-age=100', etag: '"v1"' }),
    );
    await relaying.relay(asksKeys);
    relaying.nowMs += 100_000;
    const response = await relaying.relay(asksKeys);
    assert.equal(response.status, 200);
    assert.equal(field(response, 'cache-control'), 'public, max-age=300');
    assert.deepEqual(relaying.sent[1]!.request.fields.at(-1), ['if-none-match', '"v1"']);
  });

  test('a gateway that forbids caching still cannot hand each client keys of its own', async () => {
    const relaying = fixture((_request, attempt) =>
      keysAnswer({ 'cache-control': 'private, no-store' }, attempt === 0 ? keys : new Uint8Array([0])),
    );
    const first = await relaying.relay(asksKeys, '198.51.100.1');
    const second = await relaying.relay(asksKeys, '203.0.113.1');
    assert.deepEqual(first.body, second.body);
    assert.equal(relaying.sent.length, 1);
  });

  const unusable: readonly [string, () => ForwardResponse, number][] = [
    ['a malformed list', () => keysAnswer({}, keys.subarray(0, -1)), 502],
    ['an empty list', () => keysAnswer({}, new Uint8Array(0)), 502],
    ['another media type', () => answer(200, { 'content-type': 'text/html' }, 'x'), 502],
    ['too many bytes', () => keysAnswer({}, new Uint8Array(65_537)), 502],
    ['an error', () => answer(500), 502],
    ['a redirect from a configured address', () => answer(301, { location: WELL_KNOWN }), 502],
    [
      'no connection',
      () => {
        throw new ForwardError('CONNECT_FAILED', 'No');
      },
      502,
    ],
    [
      'no answer',
      () => {
        throw new ForwardError('TIMEOUT', 'No');
      },
      504,
    ],
  ];
  for (const [title, respond, status] of unusable) {
    test(`${title}: ${status}, and the gateway is left alone for a while`, async () => {
      const relaying = fixture(respond);
      assert.equal((await relaying.relay(asksKeys)).status, status);
      assert.equal((await relaying.relay(asksKeys)).status, status);
      assert.equal(relaying.sent.length, 1);
      relaying.nowMs += 5000;
      await relaying.relay(asksKeys);
      assert.equal(relaying.sent.length, 2);
    });
  }

  test('a list with unknown algorithms only is passed on: another client may know them', async () => {
    const unknown = new Uint8Array([0, 4, 1, 0xff, 0xff, 0]);
    const { relay } = fixture(() => keysAnswer({}, unknown));
    assert.equal((await relay(asksKeys)).status, 200);
  });

  test('pages of any origin may read the list, and caches are told when it depends on the origin', async () => {
    const any = fixture(() => keysAnswer());
    assert.equal(field(await any.relay(asksKeys), 'access-control-allow-origin'), '*');
    const some = fixture(() => keysAnswer(), { config: { corsOrigins: ['https://app.example'] } });
    assert.equal(field(await some.relay(asksKeys), 'vary'), 'origin');
  });
});

describe('discovered gateways', () => {
  const gateways = [{ ...appGateway, url: undefined, keysUrl: undefined, discover: 'https://target.example' }];

  test('the well-known URI is probed once for everybody, then messages go where it is', async () => {
    const { relay, sent } = fixture(({ method }) => (method === 'GET' ? keysAnswer() : sealed()), { gateways });
    assert.equal((await relay(post())).status, 200);
    assert.equal((await relay(post(), '198.51.100.9')).status, 200);
    assert.deepEqual(
      sent.map(({ request }) => `${request.method} ${request.url}`),
      [`GET ${WELL_KNOWN}`, `POST ${WELL_KNOWN}`, `POST ${WELL_KNOWN}`],
    );
  });

  test('redirects of the probe are followed and remembered', async () => {
    const { relay, sent } = fixture(
      ({ method, url }) => {
        if (method === 'POST') return sealed();
        return url === WELL_KNOWN ? answer(302, { location: 'https://gw.example/o#x' }) : keysAnswer();
      },
      { gateways },
    );
    await relay(post());
    assert.equal((await relay(post())).status, 200);
    assert.deepEqual(
      sent.map(({ request }) => `${request.method} ${request.url}`),
      [`GET ${WELL_KNOWN}`, 'GET https://gw.example/o', 'POST https://gw.example/o', 'POST https://gw.example/o'],
    );
  });

  test('redirects of messages are followed when they keep the method, and remembered', async () => {
    const { relay, sent } = fixture(
      ({ method, url }) => {
        if (method === 'GET') return keysAnswer();
        return url === WELL_KNOWN ? answer(308, { location: '/moved' }) : sealed();
      },
      { gateways },
    );
    const response = await relay(post());
    assert.equal(response.status, 200);
    assert.equal(field(response, 'location'), undefined);
    await relay(post());
    assert.deepEqual(
      sent.slice(1).map(({ request, body }) => `${request.url} ${body}`),
      [`${WELL_KNOWN} ping`, 'https://target.example/moved ping', 'https://target.example/moved ping'],
    );
  });

  test('a redirect that would turn a message into a GET is not followed', async () => {
    const { relay, sent } = fixture(
      ({ method }) => (method === 'GET' ? keysAnswer() : answer(303, { location: '/moved' })),
      { gateways },
    );
    assert.equal((await relay(post())).status, 502);
    assert.equal(sent.filter(({ request }) => request.method === 'POST').length, 1);
  });

  test('redirects without end are given up', async () => {
    const { relay, sent } = fixture(({ url }) => answer(307, { location: `${url}x` }), { gateways });
    assert.equal((await relay(post())).status, 502);
    assert.equal(sent.length, 4);
  });

  test('a target without a gateway is not posted to', async () => {
    const { relay, sent } = fixture(() => answer(404), { gateways });
    assert.equal((await relay(post())).status, 502);
    assert.ok(sent.every(({ request }) => request.method === 'GET'));
  });

  test('no part of a request can name another target', async () => {
    const { relay, sent } = fixture(({ method }) => (method === 'GET' ? keysAnswer() : sealed()), { gateways });
    await relay(post({ headers: { host: 'evil.example', 'x-target': 'https://evil.example' } }));
    assert.ok(sent.every(({ request }) => new URL(request.url).host === 'target.example'));
    assert.doesNotMatch(JSON.stringify(sent), new RegExp(CLIENT_ADDRESS.replaceAll('.', '\\.')));
  });
});

describe('probeGateway()', () => {
  const options = { timeoutMs: 1, allowPrivate: false };
  test('reports where the gateway is and what DNS says', async () => {
    const found = await probeGateway(
      {
        forward: async ({ url }) => (url === WELL_KNOWN ? answer(307, { location: '/gw' }) : keysAnswer()),
        clock: () => 0,
        lookupService: async (host) => ({ ohttp: host === 'target.example', mandatory: false }),
      },
      'https://target.example',
      options,
    );
    assert.deepEqual(found, {
      wellKnown: WELL_KNOWN,
      url: 'https://target.example/gw',
      keys: Buffer.from(keys),
      hint: { ohttp: true, mandatory: false },
    });
  });

  test('does without DNS', async () => {
    const ports = { forward: async () => keysAnswer(), clock: () => 0 };
    assert.equal((await probeGateway(ports, 'https://target.example', options)).hint, undefined);
  });
});

describe('redirectTarget()', () => {
  test('stays with https and carries no credentials', () => {
    assert.equal(redirectTarget(WELL_KNOWN, '../o?a#b'), 'https://target.example/o?a');
    for (const location of [undefined, 'http://target.example/', 'ftp://x/', 'https://a:b@x/', 'https://', 'data:,x']) {
      assert.equal(redirectTarget(WELL_KNOWN, location), undefined, String(location));
    }
  });
});

describe('wellKnownGateway()', () => {
  test('takes origins only', () => {
    assert.equal(wellKnownGateway('https://target.example'), WELL_KNOWN);
    assert.equal(
      wellKnownGateway('https://target.example:8443/'),
      'https://target.example:8443/.well-known/ohttp-gateway',
    );
    for (const bad of ['http://target.example', 'target.example', 'https://a@target.example', 'https://t.example/?x']) {
      assert.throws(() => wellKnownGateway(bad), RangeError, bad);
    }
  });
});
