import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeRequest, encodeResponse, type Field } from '@privacy-edge/bhttp';
import { concatBytes, fromHex, utf8 } from '@privacy-edge/bytes';
import { systemRandom } from '@privacy-edge/hpke';
import type { Cancellation } from '@privacy-edge/http-exchange';
import { BodyError } from '@privacy-edge/http-exchange';
import fc from 'fast-check';
import { type PaddingPolicy, paddedLength, TargetError } from '../src/index.ts';
import {
  bodyOf,
  field,
  innerRequest,
  makeBench,
  post,
  RUNS,
  send,
  settle,
  TARGET_FAILURES,
  targetResponse,
} from './gateway-fixture.ts';

describe('a request on its way to the target', () => {
  it('keeps method, path with query, repeated fields and content', async () => {
    const bench = await makeBench();
    const fields: Field[] = [
      ['accept', 'text/html'],
      ['accept', '*/*'],
      ['x-latin', 'caf\u00e9'],
      ['content-type', 'text/plain'],
    ];
    await send(
      bench,
      innerRequest({ method: 'QUERY', path: '/a/b?x=1&x=2&y=%2f', fields, body: utf8('body'), dateMs: bench.now }),
    );
    const [seen] = bench.seen;
    assert.deepEqual(seen?.fields.slice(0, 4), fields);
    assert.deepEqual([seen?.method, seen?.path, seen?.body], ['QUERY', '/a/b?x=1&x=2&y=%2f', 'body']);
    assert.deepEqual([seen?.authority, seen?.host, seen?.port], ['target.example', 'target.example', 443]);
  });

  it('carries nothing about a connection, no clock, and nothing that a gateway would be believed', async () => {
    const bench = await makeBench();
    await send(
      bench,
      innerRequest({
        method: 'POST',
        body: utf8('12345'),
        fields: [
          ['connection', 'close, X-Private'],
          ['x-private', '1'],
          ['keep-alive', 'timeout=5'],
          ['proxy-connection', 'keep-alive'],
          ['transfer-encoding', 'chunked'],
          ['upgrade', 'websocket'],
          ['te', 'trailers'],
          ['host', 'target.example'],
          ['content-length', '99'],
          ['forwarded', 'for=192.0.2.1'],
          ['x-forwarded-for', '192.0.2.1'],
          ['x-forwarded-host', 'admin.example'],
          ['x-forwarded-proto', 'http'],
          ['x-forwarded-port', '1'],
          ['x-real-ip', '192.0.2.1'],
          ['x_forwarded_for', '192.0.2.1'],
          ['content_length', '1'],
          ['transfer_encoding', 'chunked'],
          ['authorization', 'Bearer t'],
        ],
      }),
    );
    assert.deepEqual(
      bench.seen[0]?.fields.map(([name]) => name),
      ['authorization'],
    );
  });

  it('joins cookies', async () => {
    const bench = await makeBench();
    await send(
      bench,
      innerRequest({
        fields: [
          ['cookie', 'a=1'],
          ['cookie', 'b=2'],
        ],
      }),
    );
    assert.equal(field(bench.seen[0]!, 'cookie'), 'a=1; b=2');
    assert.equal(bench.seen[0]?.fields.filter(([name]) => name === 'cookie').length, 1);
  });

  it('has trailers without fields that belong in front, and none when there are none', async () => {
    const bench = await makeBench();
    const trailers: Field[] = [
      ['x-sum', '1'],
      ['content-length', '0'],
      ['transfer-encoding', 'chunked'],
      ['host', 'evil.example'],
      ['x-sum', '2'],
    ];
    await send(bench, innerRequest({ method: 'POST', body: utf8('x'), trailers }));
    assert.deepEqual(bench.seen[0]?.trailers, [
      ['x-sum', '1'],
      ['x-sum', '2'],
    ]);
    let given: unknown = 'unset';
    const other = await makeBench({
      fetchTarget: (request) => {
        given = request.trailers;
        return Promise.resolve(targetResponse());
      },
    });
    await send(other, innerRequest());
    assert.equal(given, undefined);
  });

  it('without content has no body', async () => {
    const bench = await makeBench();
    await send(bench, innerRequest({ method: 'POST' }));
    assert.equal(bench.seen[0]?.body, null);
  });

  it('takes the authority from Host when there is no other', async () => {
    const bench = await makeBench();
    const { inner } = await send(bench, innerRequest({ authority: '', fields: [['host', 'Target.Example:443']] }));
    assert.equal(inner?.status, 200);
    assert.deepEqual([bench.seen[0]?.authority, bench.seen[0]?.host], ['Target.Example:443', 'target.example']);
  });

  const contradictions: Record<string, Field[]> = {
    'another Host': [['host', 'other.example']],
    'the same host with a port': [['host', 'target.example:443']],
    'two Hosts': [
      ['host', 'target.example'],
      ['host', 'target.example'],
    ],
    'an empty Host': [['host', '']],
  };
  for (const [name, fields] of Object.entries(contradictions)) {
    it(`is refused with ${name}`, async () => {
      const bench = await makeBench();
      const { inner } = await send(bench, innerRequest({ fields }));
      assert.equal(inner?.status, 400);
      assert.equal(bench.seen.length, 0);
      assert.deepEqual(bench.outcomes, ['malformed-request']);
    });
  }

  it('is refused when it names no host at all', async () => {
    const bench = await makeBench();
    assert.equal((await send(bench, innerRequest({ authority: '' }))).inner?.status, 400);
  });

  it('is refused with an extension in a pseudo-field', async () => {
    const bench = await makeBench();
    const { inner } = await send(bench, innerRequest({ fields: [[':protocol', 'connect-udp']] }));
    assert.equal(inner?.status, 400);
    assert.equal(bench.seen.length, 0);
  });

  it('may only expect nothing', async () => {
    const bench = await makeBench();
    for (const expect of ['100-continue', '100-Continue', 'x', '']) {
      assert.equal((await send(bench, innerRequest({ fields: [['expect', expect]] }))).inner?.status, 417);
    }
    assert.equal(bench.seen.length, 0);
  });

  it('is the example of RFC 9458, which ends right after the path', async () => {
    const bench = await makeBench({
      config: { replay: { protect: 'none', date: 'optional', toleranceMs: 1000 } },
    });
    const { inner } = await send(bench, fromHex('0003474554056874747073' + '0e7461726765742e6578616d706c65' + '012f'));
    assert.equal(inner?.status, 200);
  });

  const malformed: Record<string, Uint8Array> = {
    'no bytes': new Uint8Array(0),
    'an unknown framing': Uint8Array.of(4),
    'a length of 2^40': fromHex('00c000010000000000'),
    'padding that is not zero': concatBytes(encodeRequest(innerRequest()), Uint8Array.of(1)),
    'an end in the middle': encodeRequest(innerRequest()).subarray(0, 40),
    'user information': encodeRequest({ ...innerRequest(), authority: 'target.example' }).map((byte, i, all) =>
      // The first dot of the authority becomes an @.
      byte === 0x2e && all.indexOf(0x2e) === i ? 0x40 : byte,
    ),
  };
  for (const [name, plaintext] of Object.entries(malformed)) {
    it(`is answered inside with 400 for ${name}`, async () => {
      const bench = await makeBench();
      const { outer, inner } = await send(bench, plaintext);
      assert.equal(outer.status, 200);
      assert.equal(inner?.status, 400);
      assert.deepEqual(bench.outcomes, ['malformed-request']);
    });
  }

  it('is answered inside, whatever it holds', async () => {
    const bench = await makeBench();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (plaintext) => {
        const { outer, inner } = await send(bench, plaintext);
        assert.equal(outer.status, 200);
        assert.equal(inner?.status, 400);
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps to the limits on fields', async () => {
    const bench = await makeBench();
    const fields = (count: number, size: number): Field[] =>
      Array.from({ length: count }, (_, i): Field => [`x-${i}`, 'v'.repeat(size)]);
    assert.equal((await send(bench, innerRequest({ fields: fields(255, 1) }))).inner?.status, 200);
    assert.equal((await send(bench, innerRequest({ fields: fields(256, 1) }))).inner?.status, 400);
    assert.equal((await send(bench, innerRequest({ fields: fields(1, 65_536) }))).inner?.status, 400);
  });
});

describe('messages in clear', () => {
  it('of any bytes are answered in clear with 4xx', async () => {
    const bench = await makeBench();
    const header = fromHex('07002000010001');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.uint8Array({ maxLength: 120 }).map((rest) => concatBytes(header, rest)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (message) => {
        bench.outcomes.length = 0;
        const outer = await bench.gateway(post(message));
        assert.equal(outer.status, 400);
        assert.equal(bench.outcomes.length, 1);
      }),
      { numRuns: RUNS },
    );
    assert.equal(bench.replay.seen.size, 0);
  });

  it('that do not open are all answered alike', async () => {
    const bench = await makeBench();
    const { message } = await bench.client.encapsulate(encodeRequest(innerRequest()), systemRandom);
    const answers = new Set<string>();
    for (let at = 7; at < message.length; at++) {
      const damaged = message.slice();
      damaged[at]! ^= 0x10;
      answers.add(JSON.stringify(await bench.gateway(post(damaged))));
      answers.add(JSON.stringify(await bench.gateway(post(message.subarray(0, at)))));
    }
    assert.deepEqual([...answers], ['{"status":400,"fields":[],"body":null}']);
    assert.deepEqual(new Set(bench.outcomes), new Set(['open-failed']));
  });

  it('are too large with 413, announced or not', async () => {
    const limits = { maxRequestBytes: 1000, maxResponseBytes: 1000, maxFieldSectionBytes: 1000, maxFields: 10 };
    const bench = await makeBench({ config: { limits } });
    const unread = bodyOf([], { announced: 1001 });
    unread.read = () => assert.fail('read although it is announced too large');
    assert.equal((await bench.gateway(post(unread))).status, 413);
    assert.equal((await bench.gateway(post(bodyOf([new Uint8Array(1001)])))).status, 413);
    assert.deepEqual(bench.outcomes, ['too-large', 'too-large']);
  });

  it('that do not arrive are 408 or 400', async () => {
    const bench = await makeBench();
    const late = bodyOf([new Uint8Array(3)], { error: new BodyError('TIMEOUT', 'slow') });
    assert.equal((await bench.gateway(post(late))).status, 408);
    const gone = bodyOf([new Uint8Array(3)], { error: new BodyError('ABORTED', 'gone') });
    assert.equal((await bench.gateway(post(gone))).status, 400);
    assert.deepEqual(bench.outcomes, ['body-timeout', 'aborted']);
  });
});

describe('a response of the target', () => {
  it('keeps repeated fields, set-cookie lines, trailers and its status', async () => {
    const fields: Field[] = [
      ['set-cookie', 'a=1; Path=/'],
      ['set-cookie', 'b=2, c'],
      ['vary', 'accept'],
      ['vary', 'origin'],
    ];
    const bench = await makeBench({
      target: () => Promise.resolve(targetResponse({ status: 418, fields, trailers: [['x-end', '1']] })),
    });
    const { inner } = await send(bench, innerRequest());
    assert.equal(inner?.status, 418);
    assert.deepEqual(inner.fields, fields);
    assert.deepEqual(inner.trailers, [['x-end', '1']]);
  });

  it('loses what is about a connection, in header, trailer and informational responses', async () => {
    const hop: Field[] = [
      ['connection', 'x-hop'],
      ['x-hop', '1'],
      ['keep-alive', '5'],
      ['transfer-encoding', 'chunked'],
      ['x-kept', '1'],
    ];
    const bench = await makeBench({
      target: (_, __, tell) => {
        tell?.({ status: 103, fields: hop });
        return Promise.resolve(targetResponse({ fields: hop, trailers: hop }));
      },
    });
    const { inner } = await send(bench, innerRequest());
    const kept = [['x-kept', '1']];
    assert.deepEqual([inner?.fields, inner?.trailers], [kept, kept]);
    assert.deepEqual(inner?.informational, [{ status: 103, fields: kept }]);
  });

  it('keeps at most eight informational responses, and no 101', async () => {
    const bench = await makeBench({
      target: (_, __, tell) => {
        tell?.({ status: 101, fields: [] });
        for (let i = 0; i < 20; i++) tell?.({ status: 103, fields: [['x-number', String(i)]] });
        return Promise.resolve(targetResponse());
      },
    });
    const { inner } = await send(bench, innerRequest());
    assert.deepEqual(
      inner?.informational.map(({ fields }) => fields[0]?.[1]),
      ['0', '1', '2', '3', '4', '5', '6', '7'],
    );
  });

  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    it(`to ${method} with ${status} keeps its content-length and has no content`, async () => {
      const fields: Field[] = [
        ['content-length', '1234'],
        ['etag', '"x"'],
      ];
      const bench = await makeBench({ target: () => Promise.resolve(targetResponse({ status, fields, body: '' })) });
      const { inner } = await send(bench, innerRequest({ method }));
      assert.equal(inner?.status, status);
      assert.deepEqual(inner.fields, fields);
      assert.equal(inner.body.length, 0);
    });
  }

  it('is 502 when it is too large', async () => {
    const limits = { maxRequestBytes: 1000, maxResponseBytes: 10, maxFieldSectionBytes: 1000, maxFields: 10 };
    const bench = await makeBench({
      config: { limits },
      target: () => Promise.resolve(targetResponse({ body: 'eleven bytes' })),
    });
    const { outer, inner } = await send(bench, innerRequest());
    assert.deepEqual([outer.status, inner?.status], [200, 502]);
    assert.deepEqual(bench.outcomes, ['response-too-large']);
  });

  for (const [code, status] of [
    ['ABORTED', 502],
    ['TIMEOUT', 504],
  ] as const) {
    it(`is ${status} when its content ends with ${code}`, async () => {
      const body = bodyOf([utf8('half')], { error: new BodyError(code, 'secret detail') });
      const bench = await makeBench({ target: () => Promise.resolve(targetResponse({ body })) });
      const { inner } = await send(bench, innerRequest());
      assert.equal(inner?.status, status);
      assert.doesNotMatch(Buffer.from(inner.body).toString(), /secret/);
      assert.deepEqual(bench.outcomes, ['target-failed']);
    });
  }

  for (const [code, status] of TARGET_FAILURES) {
    it(`that never came because of ${code} is ${status} inside, without details`, async () => {
      const bench = await makeBench({ target: () => Promise.reject(new TargetError(code, 'secret 10.0.0.1')) });
      const { outer, inner } = await send(bench, innerRequest());
      assert.deepEqual([outer.status, inner?.status], [200, status]);
      assert.doesNotMatch(Buffer.from(inner!.body).toString(), /secret/);
      assert.deepEqual(bench.outcomes, ['target-failed']);
    });
  }

  it('of an unknown failure is 500 inside, without details', async () => {
    const bench = await makeBench({ target: () => Promise.reject(new TypeError('secret')) });
    const { outer, inner } = await send(bench, innerRequest());
    assert.deepEqual([outer.status, inner?.status], [200, 500]);
    assert.doesNotMatch(Buffer.from(inner!.body).toString(), /secret/);
    assert.deepEqual(bench.outcomes, ['fault']);
  });

  const impossible = {
    'a status of 0': { status: 0 },
    'a status of 101': { status: 101 },
    'a status of 600': { status: 600 },
    'a field name with a space': { fields: [['x y', '1']] as Field[] },
    'a field value with a line end': { fields: [['x', 'a\r\nb: c']] as Field[] },
    'a pseudo-field in the trailer': { trailers: [[':status', '200']] as Field[] },
    'a character above a byte': { fields: [['x', '\u20ac']] as Field[] },
  };
  for (const [name, init] of Object.entries(impossible)) {
    it(`that HTTP does not allow, with ${name}, is 502 inside`, async () => {
      const bench = await makeBench({ target: () => Promise.resolve(targetResponse(init)) });
      const { outer, inner } = await send(bench, innerRequest());
      assert.deepEqual([outer.status, inner?.status], [200, 502]);
      assert.deepEqual(bench.outcomes, ['target-failed']);
    });
  }

  it('is timed', async () => {
    const bench = await makeBench({
      target: () => {
        bench.now += 25;
        return Promise.resolve(targetResponse());
      },
    });
    await send(bench, innerRequest());
    assert.deepEqual(bench.answeredInMs, [25]);
  });

  it('is waited for only while the client is there', async () => {
    let given: Cancellation | undefined;
    const bench = await makeBench({
      target: (_, signal) => {
        given = signal;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', { handleEvent: () => reject(new TargetError('BROKEN', 'aborted')) }),
        );
      },
    });
    const client = new AbortController();
    const pending = send(bench, innerRequest(), { signal: client.signal });
    await settle();
    assert.deepEqual([given?.aborted, bench.outcomes.length], [false, 0]);
    client.abort();
    await pending;
    assert.equal(given?.aborted, true);
    assert.deepEqual(bench.outcomes, ['aborted']);
  });
});

describe('the padding of responses', () => {
  const policies: PaddingPolicy[] = [
    { kind: 'none' },
    { kind: 'power-of-two', minimumBytes: 256 },
    { kind: 'multiple', bytes: 1000 },
    { kind: 'buckets', bytes: [500, 5000] },
  ];
  for (const responsePadding of policies) {
    it(`follows ${JSON.stringify(responsePadding)}, for answers of the gateway too`, async () => {
      for (const length of [0, 100, 255, 256, 4000, 20_000]) {
        const response = targetResponse({ fields: [], body: 'x'.repeat(length) });
        const bench = await makeBench({ config: { responsePadding }, target: () => Promise.resolve(response) });
        const { inner, paddedLength: sealed } = await send(bench, innerRequest());
        const body = utf8('x'.repeat(length));
        const bare = encodeResponse({ informational: [], status: 200, fields: [], body, trailers: [] }).length;
        assert.equal(sealed, paddedLength(responsePadding, bare));
        assert.equal(inner?.body.length, length);
        const refused = await send(bench, innerRequest({ authority: 'other.example' }));
        assert.equal(refused.paddedLength, paddedLength(responsePadding, encodeResponse(refused.inner!).length));
      }
    });
  }
});
