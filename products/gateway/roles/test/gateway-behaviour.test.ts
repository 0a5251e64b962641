/** The behaviour that any Oblivious HTTP gateway owes its peers, one named case each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeResponse } from '@privacy-edge/bhttp';
import { concatBytes, fromHex, utf8 } from '@privacy-edge/bytes';
import { systemRandom } from '@privacy-edge/hpke';
import { TargetError, targetRule } from '../src/index.ts';
import {
  contentOf,
  field,
  headOf,
  innerRequest,
  makeBench,
  NOW,
  post,
  problemType,
  send,
  sendChunked,
  targetResponse,
} from './gateway-fixture.ts';

const OHTTP_KEY = 'https://iana.org/assignments/http-problem-types#ohttp-key';
const DATE = 'https://iana.org/assignments/http-problem-types#date';

async function sealed(bench: Awaited<ReturnType<typeof makeBench>>): Promise<Uint8Array> {
  const { message } = await bench.client.encapsulate(utf8('anything'), systemRandom);
  return message;
}

describe('gateway behaviour', () => {
  it('good-request', async () => {
    const fields = [
      ['set-cookie', 'a=1'],
      ['server-timing', 'db;dur=5'],
    ] as const;
    const bench = await makeBench({ target: () => Promise.resolve(targetResponse({ status: 203, fields })) });
    const { outer, inner } = await send(bench, innerRequest());
    assert.equal(outer.status, 200);
    assert.deepEqual(outer.fields, [['content-type', 'message/ohttp-res']]);
    assert.equal(inner?.status, 203);
    assert.deepEqual(inner.fields, fields);
    assert.deepEqual(bench.outcomes, ['answered']);
  });

  it('wrong-method', async () => {
    const bench = await makeBench();
    const outer = await bench.gateway(post(await sealed(bench), { method: 'PUT' }));
    assert.equal(outer.status, 405);
    assert.equal(field(outer, 'allow'), 'GET, HEAD, OPTIONS, POST');
    assert.deepEqual(bench.outcomes, ['method']);
  });

  it('wrong-content-type', async () => {
    const bench = await makeBench();
    for (const type of ['text/plain', undefined, 'message/ohttp-res', 'message/ohttp-request', '']) {
      const outer = await bench.gateway(post(await sealed(bench), { headers: { 'content-type': type } }));
      assert.equal(outer.status, 415);
    }
    assert.deepEqual(new Set(bench.outcomes), new Set(['media-type']));
  });

  it('empty-body', async () => {
    const bench = await makeBench();
    const outer = await bench.gateway(post(new Uint8Array(0)));
    assert.equal(outer.status, 400);
    assert.deepEqual(bench.outcomes, ['malformed-message']);
  });

  it('short-header', async () => {
    const bench = await makeBench();
    const outer = await bench.gateway(post(fromHex('070020000100')));
    assert.equal(outer.status, 400);
    assert.deepEqual(bench.outcomes, ['malformed-message']);
  });

  for (const status of [400, 422] as const) {
    it(`unknown-key-id${status === 400 ? '' : ' with 422'}`, async () => {
      const bench = await makeBench({ config: { keyProblemStatus: status } });
      const message = await sealed(bench);
      message[0] = 8;
      const outer = await bench.gateway(post(message));
      assert.equal(outer.status, status);
      assert.equal(field(outer, 'content-type'), 'application/problem+json');
      assert.ok(outer.body instanceof Uint8Array);
      assert.equal(problemType(outer.body), OHTTP_KEY);
      assert.deepEqual(bench.outcomes, ['key-unknown']);
    });
  }

  it('kem-mismatch', async () => {
    const bench = await makeBench();
    const message = await sealed(bench);
    message.set([0x00, 0x10], 1);
    const outer = await bench.gateway(post(message));
    assert.equal(outer.status, 400);
    assert.ok(outer.body instanceof Uint8Array);
    assert.equal(problemType(outer.body), OHTTP_KEY);
  });

  it('aead-failure', async () => {
    const bench = await makeBench();
    const message = await sealed(bench);
    message[message.length - 1]! ^= 1;
    const outer = await bench.gateway(post(message));
    assert.deepEqual(outer, { status: 400, fields: [], body: null });
    assert.deepEqual(bench.outcomes, ['open-failed']);
  });

  it('low-order-enc', async () => {
    const bench = await makeBench();
    const message = await sealed(bench);
    message.fill(0, 7, 39);
    const outer = await bench.gateway(post(message));
    // The same as for a ciphertext that fails: nothing tells them apart.
    assert.deepEqual(outer, { status: 400, fields: [], body: null });
  });

  it('inner-is-response', async () => {
    const bench = await makeBench();
    const response = { informational: [], status: 200, fields: [], body: utf8('x'), trailers: [] };
    const { outer, inner } = await send(bench, encodeResponse(response));
    assert.equal(outer.status, 200);
    assert.equal(inner?.status, 400);
    assert.deepEqual(bench.outcomes, ['malformed-request']);
  });

  it('inner-expect-100-continue', async () => {
    const bench = await makeBench();
    const { outer, inner } = await send(
      bench,
      innerRequest({ method: 'POST', fields: [['expect', '100-continue']], body: utf8('x') }),
    );
    assert.equal(outer.status, 200);
    assert.equal(inner?.status, 417);
    assert.equal(bench.seen.length, 0);
    assert.deepEqual(bench.outcomes, ['expect']);
  });

  it('target-allow-list-and-redirect', async () => {
    const fields = [['location', 'https://forbidden.example/']] as const;
    const bench = await makeBench({
      target: () => Promise.resolve(targetResponse({ status: 302, fields, body: '' })),
    });
    const { outer, inner } = await send(bench, innerRequest());
    assert.equal(outer.status, 200);
    assert.equal(inner?.status, 302);
    assert.equal(field(inner, 'location'), 'https://forbidden.example/');
    assert.equal(bench.seen.length, 1);
  });

  it('scheme-http-other-host', async () => {
    const bench = await makeBench();
    for (const authority of ['target.example', 'other.example', 'target.example:443']) {
      const { outer, inner } = await send(bench, innerRequest({ scheme: 'http', authority }));
      assert.equal(outer.status, 200);
      assert.equal(inner?.status, 403);
    }
    assert.equal(bench.seen.length, 0);
  });

  it('target-slow', async () => {
    const bench = await makeBench({ target: () => Promise.reject(new TargetError('TIMEOUT', 'slow')) });
    const { outer, inner } = await send(bench, innerRequest());
    assert.equal(outer.status, 200);
    assert.equal(inner?.status, 504);
    assert.deepEqual(bench.outcomes, ['target-failed']);
  });

  it('connect-method', async () => {
    const bench = await makeBench();
    const plain = await send(
      bench,
      innerRequest({ method: 'CONNECT', scheme: '', authority: 'target.example:443', path: '' }),
    );
    assert.equal(plain.outer.status, 200);
    assert.equal(plain.inner?.status, 403);
    const extended = await send(bench, innerRequest({ method: 'CONNECT', fields: [[':protocol', 'websocket']] }));
    assert.equal(extended.inner?.status, 400);
    assert.equal(bench.seen.length, 0);
  });

  it('date-missing', async () => {
    const bench = await makeBench();
    const { outer, inner } = await send(bench, innerRequest({ dateMs: undefined }));
    assert.equal(outer.status, 200);
    assert.equal(inner?.status, 400);
    assert.equal(bench.seen.length, 0);
    assert.deepEqual(bench.outcomes, ['date']);
  });

  it('date-too-old', async () => {
    const bench = await makeBench();
    const { outer, inner } = await send(bench, innerRequest({ dateMs: NOW - 61_000 }));
    assert.equal(outer.status, 200);
    assert.equal(inner?.status, 400);
    assert.equal(problemType(inner.body), DATE);
    assert.equal(field(inner, 'content-type'), 'application/problem+json');
    assert.equal(field(inner, 'date'), 'Sun, 01 Mar 2026 12:00:00 GMT');
    assert.equal(field(inner, 'cache-control'), 'no-store');
    assert.equal(bench.replay.seen.size, 0);
  });

  it('chunked-request', async () => {
    const bench = await makeBench({ target: () => Promise.resolve(targetResponse({ status: 201 })) });
    const { outer, events, complete } = await sendChunked(bench, innerRequest());
    assert.equal(outer.status, 200);
    assert.deepEqual(outer.fields, [
      ['content-type', 'message/ohttp-chunked-res'],
      ['incremental', '?1'],
    ]);
    assert.equal(headOf(events).status, 201);
    assert.equal(contentOf(events), 'hello');
    assert.equal(complete, true);
    assert.deepEqual(bench.outcomes, ['answered+']);
  });

  it('chunked-not-supported', async () => {
    const bench = await makeBench({ config: { chunked: false } });
    const { outer } = await sendChunked(bench, innerRequest());
    assert.equal(outer.status, 415);
    assert.equal(field(outer, 'accept'), 'message/ohttp-req');
    assert.deepEqual(bench.outcomes, ['media-type']);
  });
});

describe('gateway routes', () => {
  it('answers 404 elsewhere, and does not look at the query', async () => {
    const bench = await makeBench();
    for (const path of ['/', '/gatewa', '/gateway/', '/gateway/x', '/Gateway', '/keys/', '//gateway']) {
      assert.equal((await bench.gateway(post(await sealed(bench), { path }))).status, 404, path);
    }
    const { inner } = await send(bench, innerRequest(), { path: '/gateway?app=1' });
    assert.equal(inner?.status, 200);
  });

  it('takes no message at the path of the keys', async () => {
    const bench = await makeBench();
    const outer = await bench.gateway(post(await sealed(bench), { path: '/keys' }));
    assert.deepEqual([outer.status, field(outer, 'allow')], [405, 'GET, HEAD, OPTIONS']);
  });

  it('reads the media type in any case and with parameters', async () => {
    const bench = await makeBench();
    for (const type of ['MESSAGE/OHTTP-REQ', 'message/ohttp-req; a=b', 'message/ohttp-req ;a="b;c"']) {
      const { inner } = await send(bench, innerRequest(), { headers: { 'content-type': type } });
      assert.equal(inner?.status, 200, type);
    }
  });

  it('refuses every target when none is configured', async () => {
    const bench = await makeBench({ config: { targets: [] } });
    assert.equal((await send(bench, innerRequest())).inner?.status, 403);
  });

  it('allows http where a rule says so', async () => {
    const bench = await makeBench({
      config: { targets: [targetRule('http://localhost:8080/', { allowPrivate: true })] },
    });
    const { inner } = await send(bench, innerRequest({ scheme: 'http', authority: 'localhost:8080' }));
    assert.equal(inner?.status, 200);
    assert.deepEqual([bench.seen[0]?.scheme, bench.seen[0]?.host, bench.seen[0]?.port], ['http', 'localhost', 8080]);
    assert.equal(bench.seen[0]?.route.allowPrivate, true);
  });

  it('gives a fault of its own no answer in clear, and counts it once', async () => {
    const keys = await makeBench({ keys: { ringAt: () => Promise.reject(new TypeError('disk')) } });
    await assert.rejects(keys.gateway(post(concatBytes(fromHex('07002000010001'), new Uint8Array(80)))), TypeError);
    await assert.rejects(keys.gateway(post(new Uint8Array(0), { method: 'GET' })), TypeError);
    assert.deepEqual(keys.outcomes, ['fault', 'fault']);
    const random = await makeBench({
      random: () => {
        throw new TypeError('no entropy');
      },
    });
    await assert.rejects(send(random, innerRequest()), TypeError);
    await assert.rejects(sendChunked(random, innerRequest()), TypeError);
    assert.deepEqual(random.outcomes, ['fault', 'fault+']);
  });
});
