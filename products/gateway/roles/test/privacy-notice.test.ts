import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewayPrivacy, type PrivacyDeclaration, relayPrivacy, servePrivacyNotice } from '@privacy-edge/gateway-roles';
import type { RoleRequest } from '@privacy-edge/http-exchange';

function request(method: string, accept?: string): RoleRequest {
  return {
    method,
    path: '/.well-known/privacy-notice',
    header: (name) => (name === 'accept' ? accept : undefined),
    body: {
      announcedLength: 0,
      read: async () => new Uint8Array(0),
      stream: async function* () {},
    },
    signal: new AbortController().signal,
  };
}

const text = (body: unknown): string => new TextDecoder().decode(body as Uint8Array);

test('servePrivacyNotice() answers JSON to whoever does not ask for HTML', async () => {
  const declaration = relayPrivacy({ rateLimited: true });
  for (const accept of [undefined, '*/*', 'application/json', 'text/html;q=0']) {
    const { status, fields, body } = await servePrivacyNotice(declaration)(request('GET', accept));
    assert.equal(status, 200);
    assert.ok(
      fields.some(([name, value]) => name === 'content-type' && value === 'application/json'),
      accept ?? 'none',
    );
    assert.deepEqual(JSON.parse(text(body)), declaration);
  }
});

test('servePrivacyNotice() answers HTML to browsers, with nothing in it that could be markup', async () => {
  const declaration: PrivacyDeclaration = { ...relayPrivacy({ rateLimited: false }), summary: '<b>"&' };
  const { fields, body } = await servePrivacyNotice(declaration)(request('GET', 'text/html,application/xml;q=0.9'));
  assert.ok(fields.some(([, value]) => value === 'text/html; charset=utf-8'));
  assert.ok(fields.some(([name, value]) => name === 'content-security-policy' && value === "default-src 'none'"));
  assert.match(text(body), /<p>&lt;b&gt;&quot;&amp;<\/p>/);
});

test('servePrivacyNotice() answers HEAD without a body and refuses other methods', async () => {
  const serve = servePrivacyNotice(relayPrivacy({ rateLimited: false }));
  assert.deepEqual(await serve(request('HEAD')).then(({ status, body }) => [status, body]), [200, null]);
  const refused = await serve(request('POST'));
  assert.deepEqual([refused.status, refused.fields], [405, [['allow', 'GET, HEAD']]]);
});

test('declarations follow the configuration', () => {
  const memory = gatewayPrivacy({ replayStore: 'memory', replayWindowMs: 120_000 });
  assert.deepEqual([memory.keeps[0]?.where, memory.keeps[0]?.howLong], ['memory', '120 to 240 seconds']);
  assert.equal(gatewayPrivacy({ replayStore: 'shared store', replayWindowMs: 1 }).keeps[0]?.where, 'shared store');
  assert.equal(relayPrivacy({ rateLimited: true }).keeps.length, 2);
  assert.equal(relayPrivacy({ rateLimited: false }).keeps.length, 1);
});

test('no role declares to see what another may know only', () => {
  const gateway = gatewayPrivacy({ replayStore: 'memory', replayWindowMs: 1 });
  const relay = relayPrivacy({ rateLimited: true });
  assert.ok(relay.sees.includes('address of the client') && gateway.neverSees.includes('address of the client'));
  assert.ok(gateway.sees.includes('target host and path') && relay.neverSees.includes('target host and path'));
});
