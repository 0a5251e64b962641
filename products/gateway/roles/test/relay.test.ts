import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyError } from '@privacy-edge/http-exchange';
import fc from 'fast-check';
import { ForwardError, type ForwardErrorCode } from '../src/ports.ts';
import { ClientLimits } from '../src/rate-limit.ts';
import {
  answer,
  appGateway,
  bodyOf,
  CLIENT_ADDRESS,
  field,
  fixture,
  NOSY_HEADERS,
  names,
  post,
  sealed,
  textOf,
} from './relay-fixture.ts';

const PROBLEM = '{"type":"https://iana.org/assignments/http-problem-types#ohttp-key"}';
const chunkedHeaders = { 'content-type': 'message/ohttp-chunked-req', incremental: '?1' };
const chunkedAnswer = { 'content-type': 'message/ohttp-chunked-res', incremental: '?1' };
const runs = Math.min(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 200), 20_000);

describe('table of answers', () => {
  test('relay-response-headers', async () => {
    const { relay } = fixture(() =>
      sealed({
        'set-cookie': 'a=b',
        server: 'x',
        'x-id': '1',
        via: '1.1 y',
        'alt-svc': 'h3',
        'retry-after': '9',
        'cache-control': 'no-store',
        date: 'Sun, 22 Nov 2026 15:00:00 GMT',
      }),
    );
    const response = await relay(post());
    assert.equal(response.status, 200);
    assert.deepEqual(names(response), ['cache-control', 'content-length', 'content-type', 'date']);
    assert.equal(field(response, 'content-type'), 'message/ohttp-res');
    assert.equal(await textOf(response.body), 'pong');
  });

  test('relay-response-headers: of cache-control and date only what they are for', async () => {
    const DATE = 'Sun, 22 Nov 2026 15:00:00 GMT';
    const cases: [Record<string, string>, string | undefined, string | undefined][] = [
      [{ 'cache-control': 'no-store', date: DATE }, 'no-store', DATE],
      [{ 'cache-control': 'max-age=60, PUBLIC' }, 'public, max-age=60', undefined],
      [
        { 'cache-control': 'max-age="60", no-transform, must-revalidate' },
        'no-transform, must-revalidate, max-age=60',
        undefined,
      ],
      [{ 'cache-control': 'private, id="user 7", x-track=abc, max-age=0009' }, 'private, max-age=9', undefined],
      [{ 'cache-control': 'no-cache="user-7", private=user-8' }, 'no-cache, private', undefined],
      [{ 'cache-control': 'max-age=1, max-age=2, no-store, no-store' }, 'no-store, max-age=1', undefined],
      [{ 'cache-control': 'max-age=12345678901' }, undefined, undefined],
      [{ 'cache-control': 'max-age=-1, s-maxage=1e3' }, undefined, undefined],
      [{ 'cache-control': 'user-7' }, undefined, undefined],
      [{ 'cache-control': '' }, undefined, undefined],
      [{ date: 'user-7' }, undefined, undefined],
      [{ date: `${DATE} user-7` }, undefined, undefined],
      [{ date: `${DATE}, ${DATE}` }, undefined, undefined],
      [{ date: 'Sunday, 22-Nov-26 15:00:00 GMT' }, undefined, undefined],
    ];
    for (const [headers, cacheControl, date] of cases) {
      for (const gateway of [() => sealed(headers), () => answer(503, headers)]) {
        const response = await fixture(gateway).relay(post());
        const passed = [field(response, 'cache-control'), field(response, 'date')];
        assert.deepEqual(passed, [cacheControl, date], JSON.stringify(headers));
      }
    }
  });

  test('relay-rate-limit: a relay that takes the place of another one knows its clients', async () => {
    const rateLimit = { requestsPerSecond: 1, burst: 1, ipv4PrefixBits: 24, ipv6PrefixBits: 56, maxPrefixes: 10 };
    const limits = new ClientLimits(rateLimit);
    const make = (): ReturnType<typeof fixture> => fixture(() => sealed(), { config: { rateLimit }, limits });
    assert.equal((await make().relay(post())).status, 200);
    assert.equal((await make().relay(post())).status, 429);
    assert.equal((await fixture(() => sealed(), { config: { rateLimit } }).relay(post())).status, 200);
  });

  test('relay-does-not-retry', async () => {
    const { relay, sent } = fixture(() => {
      throw new ForwardError('BROKEN', 'The connection broke');
    });
    assert.equal((await relay(post())).status, 502);
    assert.equal(sent.length, 1);
  });

  test('relay-gateway-timeout', async () => {
    const { relay, sent } = fixture(() => {
      throw new ForwardError('TIMEOUT', 'No answer');
    });
    const response = await relay(post());
    assert.equal(response.status, 504);
    assert.match(field(response, 'proxy-status') ?? '', /^oblivious-relay; ?error=http_response_timeout$/);
    assert.equal(sent.length, 1);
  });

  test('relay-rate-limit', async () => {
    const rateLimit = { requestsPerSecond: 1, burst: 2, ipv4PrefixBits: 24, ipv6PrefixBits: 56, maxPrefixes: 10 };
    const relaying = fixture(() => sealed(), { config: { rateLimit } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await relaying.relay(post())).status);
    assert.deepEqual(statuses, [200, 200, 429]);
    assert.equal(field(await relaying.relay(post(), '203.0.113.1'), 'retry-after'), '1');
    assert.equal((await relaying.relay(post(), '198.51.100.1')).status, 200);
    relaying.nowMs += 1000;
    assert.equal((await relaying.relay(post())).status, 200);
    assert.equal(relaying.sent.length, 4);
  });

  test('relay-concurrent-per-prefix', async () => {
    const limits = { requestsPerSecond: 100, burst: 100, ipv4PrefixBits: 24, ipv6PrefixBits: 56, maxPrefixes: 10 };
    const rateLimit = { ...limits, concurrent: 2 };
    const never = Promise.withResolvers<Uint8Array>();
    const dripping = () => ({ announcedLength: 100, read: () => never.promise, stream: () => assert.fail('streamed') });
    const { relay, events } = fixture(() => sealed(), { config: { rateLimit } });
    const held = [relay(post({ body: dripping() })), relay(post({ body: dripping() }))];
    const refused = await relay(post());
    assert.equal(refused.status, 429);
    assert.equal(field(refused, 'retry-after'), '1');
    assert.equal((await relay(post(), '198.51.100.1')).status, 200, 'others are served meanwhile');
    never.reject(new BodyError('TIMEOUT', 'Too slow'));
    assert.deepEqual(
      (await Promise.all(held)).map(({ status }) => status),
      [408, 408],
    );
    assert.equal((await relay(post())).status, 200, 'the places came back');
    assert.equal(events.filter(({ outcome }) => outcome === 'rate-limited').length, 1);
  });

  test('relay-concurrent-until-streams-end', async () => {
    const limits = { requestsPerSecond: 100, burst: 100, ipv4PrefixBits: 24, ipv6PrefixBits: 56, maxPrefixes: 10 };
    const rateLimit = { ...limits, concurrent: 1 };
    const { relay } = fixture(() => answer(200, chunkedAnswer, 'pong'), { config: { rateLimit } });
    for (const end of ['read', 'closed']) {
      const first = await relay(post({ headers: chunkedHeaders }));
      assert.equal((await relay(post())).status, 429, `${end}: the first is still being answered`);
      if (end === 'read') await textOf(first.body);
      else await (first.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().return?.();
    }
    assert.equal((await relay(post({ headers: chunkedHeaders }))).status, 200);
  });

  test('relay-relaxes-incremental-only', async () => {
    for (const [headers, expected] of [
      [chunkedHeaders, 1],
      [{}, 0],
    ] as const) {
      let relaxed = 0;
      const { relay } = fixture(() => (expected === 1 ? answer(200, chunkedAnswer, 'pong') : sealed()));
      const body = { ...bodyOf([Buffer.from('ping')], false), relax: () => void relaxed++ };
      assert.equal((await relay(post({ headers, body }))).status, 200);
      assert.equal(relaxed, expected);
    }
  });

  test('relay-passes-problem', async () => {
    const headers = { 'content-type': 'application/problem+json; charset=utf-8', 'set-cookie': 'a=b' };
    const { relay } = fixture(() => answer(422, headers, PROBLEM));
    const response = await relay(post());
    assert.equal(response.status, 422);
    assert.equal(field(response, 'content-type'), 'application/problem+json');
    assert.deepEqual(names(response), ['content-length', 'content-type']);
    assert.equal(await textOf(response.body), PROBLEM);
  });
});

describe('what the gateway sees', () => {
  test('nothing of the client but the message, in our own words', async () => {
    const { relay, sent } = fixture(() => sealed());
    assert.equal((await relay(post({ headers: NOSY_HEADERS }))).status, 200);
    assert.deepEqual(sent[0]!.request.fields, [
      ['content-type', 'message/ohttp-req'],
      ['content-length', '4'],
    ]);
    assert.equal(sent[0]!.body, 'ping');
    const seen = JSON.stringify({ ...sent[0]!.request, body: sent[0]!.body });
    assert.doesNotMatch(seen, /canary|203\.0\.113/);
  });

  test('the same bytes of header for any client fields', async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.string()), async (extra) => {
        const { relay, sent } = fixture(() => sealed());
        const response = await relay(post({ headers: { ...extra, 'content-type': 'message/ohttp-req' } }));
        if (sent.length === 0) return assert.equal(response.status, 501);
        const incremental = sent[0]!.request.fields.filter(([key]) => key === 'incremental');
        const others = sent[0]!.request.fields.filter(([key]) => key !== 'incremental');
        assert.deepEqual(others, [
          ['content-type', 'message/ohttp-req'],
          ['content-length', '4'],
        ]);
        assert.ok(incremental.every(([, value]) => value === '?1'));
      }),
      { numRuns: runs },
    );
  });

  test('a path of its own, never the query of the client', async () => {
    const { relay, sent } = fixture(() => sealed());
    assert.equal((await relay(post({ path: '/app?client=7' }))).status, 404);
    assert.equal((await relay(post({ path: '/app/' }))).status, 404);
    assert.equal(sent.length, 0);
  });

  test('several gateways are kept apart', async () => {
    const gateways = [appGateway, { ...appGateway, name: 'news', path: '/news', url: 'https://news.example/' }];
    const { relay, sent } = fixture(() => sealed(), { gateways });
    await relay(post({ path: '/news' }));
    await relay(post());
    assert.deepEqual(
      sent.map(({ request }) => [request.gateway, request.url]),
      [
        ['news', 'https://news.example/'],
        ['app', 'https://gateway.example/ohttp'],
      ],
    );
  });
});

describe('requests that break a rule', () => {
  const cases: readonly [title: string, request: Parameters<typeof post>[0], status: number][] = [
    ['unknown path', { path: '/nowhere' }, 404],
    ['another method', { method: 'PUT' }, 405],
    ['another media type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['a response media type', { headers: { 'content-type': 'message/ohttp-res' } }, 415],
    ['no media type', { headers: { 'content-type': undefined } }, 415],
    ['no bytes', { body: bodyOf([]) }, 400],
    ['no bytes in an unannounced body', { body: bodyOf([new Uint8Array(0)], false) }, 400],
    ['no bytes, chunked', { headers: chunkedHeaders, body: bodyOf([], false) }, 400],
    ['an announced length above the limit', { body: bodyOf([], 1_000_001) }, 413],
    ['GET for something else', { method: 'GET', headers: { accept: 'text/html' } }, 406],
  ];
  for (const [title, request, status] of cases) {
    test(`${title}: ${status}`, async () => {
      const { relay, sent, events } = fixture(() => sealed());
      const response = await relay(post(request));
      assert.equal(response.status, status);
      assert.equal(response.body, null);
      assert.equal(sent.length, 0);
      assert.equal(events.length, 1);
    });
  }

  test('405 names what is allowed', async () => {
    const { relay } = fixture(() => sealed());
    assert.equal(field(await relay(post({ method: 'DELETE' })), 'allow'), 'POST, GET, OPTIONS');
    const silent = fixture(() => sealed(), { gateways: [{ ...appGateway, keysUrl: undefined }] });
    const response = await silent.relay(post({ method: 'GET' }));
    assert.equal(response.status, 405);
    assert.equal(field(response, 'allow'), 'POST, OPTIONS');
  });

  test('an unannounced body is counted while it streams: 413', async () => {
    const chunk = new Uint8Array(100_000);
    const { relay, events } = fixture(() => sealed());
    const response = await relay(post({ body: bodyOf(new Array(11).fill(chunk), false) }));
    assert.equal(response.status, 413);
    assert.equal(events[0]!.outcome, 'refused');
  });

  test('a body that lies about its length is counted all the same', async () => {
    const { relay } = fixture(() => sealed());
    const lying = bodyOf(new Array(11).fill(new Uint8Array(100_000)), 500_000);
    assert.equal((await relay(post({ body: lying }))).status, 413);
  });

  test('a client that stops sending is answered as such', async () => {
    for (const [code, status] of [
      ['TIMEOUT', 408],
      ['ABORTED', 400],
    ] as const) {
      const { relay } = fixture(() => sealed());
      const body = {
        announcedLength: undefined,
        read: () => Promise.reject(new BodyError(code, 'Gone')),
        async *stream() {
          yield new Uint8Array(70_000);
          throw new BodyError(code, 'Gone');
        },
      };
      assert.equal((await relay(post({ body }))).status, status);
      assert.equal((await relay(post({ body: { ...body, announcedLength: 9 } }))).status, status);
    }
  });
});

describe('answers that are not passed on', () => {
  const cases: readonly [title: string, given: Parameters<typeof answer>, status: number][] = [
    ['a page instead of a message', [200, { 'content-type': 'text/html' }, 'hello'], 502],
    ['a chunked answer to a whole request', [200, chunkedAnswer, 'hello'], 502],
    ['another success', [204], 502],
    ['a redirect', [302, { location: 'https://elsewhere.example/' }], 502],
    ['a redirect that keeps the method', [307, { location: 'https://elsewhere.example/' }], 502],
    ['an announced length above the limit', [200, { 'content-type': 'message/ohttp-res' }, bodyOf([], 1_000_001)], 502],
    ['a page with an error status', [500, { 'content-type': 'text/html', 'set-cookie': 'a=b' }, 'stack trace'], 500],
    ['a demand for credentials', [401, { 'www-authenticate': 'Basic realm="x"' }, 'no'], 401],
    ['an endless problem', [400, { 'content-type': 'application/problem+json' }, 'x'.repeat(20_000)], 502],
  ];
  for (const [title, given, status] of cases) {
    test(`${title}: ${status}, no content, no field`, async () => {
      const { relay, sent } = fixture(() => answer(...given));
      const response = await relay(post());
      assert.equal(response.status, status);
      assert.equal(await textOf(response.body), '');
      const allowed = ['cache-control', 'content-length', 'proxy-status'];
      assert.ok(
        names(response).every((name) => allowed.includes(name)),
        names(response).join(),
      );
      assert.equal(sent.length, 1);
    });
  }

  test('a body above the limit is broken off, not shortened', async () => {
    const long = bodyOf(new Array(11).fill(new Uint8Array(100_000)), false);
    const { relay, events } = fixture(() => answer(200, { 'content-type': 'message/ohttp-res' }, long));
    const response = await relay(post());
    assert.equal(response.status, 200);
    await assert.rejects(textOf(response.body), BodyError);
    assert.equal(events.length, 1);
    assert.equal(events[0]!.outcome, 'cut-short');
  });

  test('a defect is a 500 without a word', async () => {
    const { relay, events } = fixture(() => {
      throw new TypeError('canary');
    });
    const response = await relay(post());
    assert.equal(response.status, 500);
    assert.equal(response.body, null);
    assert.doesNotMatch(JSON.stringify(response), /canary/);
    assert.equal(events[0]!.outcome, 'failed');
  });
});

describe('retries', () => {
  const codes: readonly [ForwardErrorCode, number, number][] = [
    ['CONNECT_FAILED', 502, 1],
    ['TIMEOUT', 504, 1],
    ['BROKEN', 502, 1],
    ['FORBIDDEN_ADDRESS', 502, 1],
    ['OVERLOADED', 503, 1],
    ['NOT_PROCESSED', 502, 2],
  ];
  for (const [code, status, attempts] of codes) {
    test(`${code}: ${attempts} attempt(s), then ${status}`, async () => {
      const { relay, sent } = fixture(() => {
        throw new ForwardError(code, 'No');
      });
      assert.equal((await relay(post())).status, status);
      assert.equal(sent.length, attempts);
    });
  }

  test('NOT_PROCESSED: the second attempt carries the same message', async () => {
    const { relay, sent } = fixture((_request, attempt) => {
      if (attempt === 0) throw new ForwardError('NOT_PROCESSED', 'Refused stream');
      return sealed();
    });
    assert.equal((await relay(post())).status, 200);
    assert.deepEqual(
      sent.map(({ body }) => body),
      ['ping', 'ping'],
    );
  });

  test('NOT_PROCESSED: a body that was streamed cannot be sent again', async () => {
    const { relay, sent } = fixture(() => {
      throw new ForwardError('NOT_PROCESSED', 'Refused stream');
    });
    const body = bodyOf([new Uint8Array(40_000), new Uint8Array(40_000)]);
    assert.equal((await relay(post({ body }))).status, 502);
    assert.equal(sent.length, 1);
  });

  test('NOT_PROCESSED: nobody retries for a client that has gone', async () => {
    const gone = AbortSignal.abort();
    const { relay, sent } = fixture(() => {
      throw new ForwardError('NOT_PROCESSED', 'Refused stream');
    });
    await relay(post({ signal: gone }));
    assert.equal(sent.length, 1);
  });
});

describe('bodies', () => {
  test('any split of any body arrives unchanged', async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 0, maxLength: 30_000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.boolean(), fc.boolean(), async (parts, announced, incremental) => {
        const headers = incremental ? chunkedHeaders : {};
        const given = incremental ? chunkedAnswer : { 'content-type': 'message/ohttp-res' };
        const { relay, sent } = fixture(() => answer(200, given, bodyOf(parts, announced)));
        const whole = Buffer.concat(parts).toString('latin1');
        const response = await relay(post({ headers, body: bodyOf(parts, announced) }));
        if (whole === '') return assert.equal(response.status, 400);
        assert.equal(sent[0]!.body, whole);
        assert.equal(await textOf(response.body), whole);
      }),
      { numRuns: Math.min(runs, 300) },
    );
  });

  test('an incremental request is forwarded before it is complete, and so is its answer', async () => {
    const events: string[] = [];
    let releaseRequest = (): void => {};
    const secondChunk = new Promise<void>((resolve) => {
      releaseRequest = resolve;
    });
    const body = {
      announcedLength: undefined,
      read: () => Promise.reject(new BodyError('TOO_LARGE', 'Must not be read whole')),
      async *stream() {
        yield Buffer.from('one');
        await secondChunk;
        events.push('client sends two');
        yield Buffer.from('two');
      },
    };
    const relaying = fixture(
      (request) => {
        const upload = request.body as AsyncIterable<Uint8Array>;
        return answer(200, chunkedAnswer, {
          announcedLength: undefined,
          read: () => Promise.reject(new BodyError('TOO_LARGE', 'Must not be read whole')),
          async *stream() {
            for await (const chunk of upload) {
              events.push(`gateway has ${Buffer.from(chunk).toString()}`);
              yield chunk;
            }
          },
        });
      },
      { consume: false },
    );
    const response = await relaying.relay(post({ headers: chunkedHeaders, body }));
    assert.deepEqual(relaying.sent[0]!.request.fields, [
      ['content-type', 'message/ohttp-chunked-req'],
      ['incremental', '?1'],
    ]);
    assert.equal(field(response, 'incremental'), '?1');
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      events.push(`client has ${Buffer.from(chunk).toString()}`);
      releaseRequest();
    }
    assert.deepEqual(events, [
      'gateway has one',
      'client has one',
      'client sends two',
      'gateway has two',
      'client has two',
    ]);
  });

  test('an answer is pulled only as fast as the client reads, and closed when it goes away', async () => {
    let pulled = 0;
    let closed = false;
    const endless = {
      announcedLength: undefined,
      read: () => Promise.reject(new BodyError('TOO_LARGE', 'Endless')),
      async *stream() {
        try {
          for (;;) {
            pulled += 1;
            yield new Uint8Array(10);
          }
        } finally {
          closed = true;
        }
      },
    };
    const { relay, events } = fixture(() => answer(200, chunkedAnswer, endless));
    const response = await relay(post({ headers: chunkedHeaders }));
    const body = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    await body.next();
    await body.next();
    assert.equal(pulled, 2);
    await body.return?.();
    assert.equal(closed, true);
    assert.equal(events[0]!.outcome, 'cut-short');
  });

  test('a gateway set to refuse answers 501 with Proxy-Status instead of buffering', async () => {
    const gateways = [{ ...appGateway, incremental: 'refuse' as const }];
    const { relay, sent } = fixture(() => sealed(), { gateways, config: { name: 'edge-1' } });
    const response = await relay(post({ headers: chunkedHeaders }));
    assert.equal(response.status, 501);
    assert.match(field(response, 'proxy-status') ?? '', /^edge-1; ?error=incremental_refused$/);
    assert.equal(sent.length, 0);
  });

  test('an Incremental field that does not say true is as good as none', async () => {
    const gateways = [{ ...appGateway, incremental: 'refuse' as const }];
    for (const incremental of ['?0', '1', 'true', '?1, ?1', '', '"?1"']) {
      const { relay, sent } = fixture(() => answer(200, chunkedAnswer, 'x'), { gateways });
      const headers = { 'content-type': 'message/ohttp-chunked-req', incremental };
      assert.equal((await relay(post({ headers }))).status, 200, incremental);
      assert.deepEqual(
        sent[0]!.request.fields.map(([name]) => name),
        ['content-type', 'content-length'],
      );
    }
  });
});

describe('browsers', () => {
  const origin = 'https://app.example';
  test('a preflight is answered for long, without credentials, for two request fields', async () => {
    const { relay, events } = fixture(() => sealed());
    const response = await relay(post({ method: 'OPTIONS', headers: { origin } }));
    assert.equal(response.status, 204);
    assert.equal(field(response, 'access-control-allow-origin'), '*');
    assert.equal(field(response, 'access-control-allow-headers'), 'content-type, incremental');
    assert.equal(field(response, 'access-control-max-age'), '86400');
    assert.equal(field(response, 'access-control-allow-credentials'), undefined);
    assert.equal(new Set(names(response)).size, response.fields.length);
    assert.equal(events[0]!.outcome, 'preflight');
  });

  test('a page learns that a resource is not there: its preflight succeeds, its request does not', async () => {
    const { relay, events } = fixture(() => sealed());
    const headers = { origin, 'access-control-request-method': 'POST' };
    const preflight = await relay(post({ method: 'OPTIONS', path: '/elsewhere', headers }));
    assert.equal(preflight.status, 204);
    assert.equal(field(preflight, 'access-control-allow-methods'), 'POST');
    const missing = await relay(post({ path: '/elsewhere', headers: { origin } }));
    assert.equal(missing.status, 404);
    assert.equal(field(missing, 'access-control-allow-origin'), '*');
    assert.equal((await relay(post({ method: 'OPTIONS', path: '/elsewhere' }))).status, 404);
    assert.deepEqual(
      events.map(({ outcome }) => outcome),
      ['preflight', 'unroutable', 'unroutable'],
    );
  });

  test('only configured pages may post', async () => {
    const { relay } = fixture(() => sealed(), { config: { corsOrigins: [origin] } });
    const good = await relay(post({ headers: { origin } }));
    assert.equal(field(good, 'access-control-allow-origin'), origin);
    assert.equal(field(good, 'vary'), 'origin');
    const bad = await relay(post({ headers: { origin: 'https://evil.example' } }));
    assert.equal(field(bad, 'access-control-allow-origin'), undefined);
    const preflight = await relay(post({ method: 'OPTIONS', headers: { origin: 'null' } }));
    assert.equal(field(preflight, 'access-control-allow-methods'), undefined);
  });

  test('errors can be read by the page too', async () => {
    const { relay } = fixture(() => sealed());
    const response = await relay(post({ headers: { origin, 'content-type': 'text/plain' } }));
    assert.equal(response.status, 415);
    assert.equal(field(response, 'access-control-allow-origin'), '*');
  });
});

describe('admission', () => {
  test('decides before the body is read, without the address', async () => {
    const seen: unknown[] = [];
    const admission = {
      async admit(request: object) {
        seen.push(request);
        return { refuse: { status: 401, fields: [['www-authenticate', 'PrivateToken']] as const, body: null } };
      },
    };
    const unread = { announcedLength: 4, read: () => assert.fail('read'), stream: () => assert.fail('read') };
    const { relay, events, sent } = fixture(() => sealed(), { admission });
    const response = await relay(post({ body: unread, headers: { authorization: 'PrivateToken x' } }));
    assert.equal(response.status, 401);
    assert.equal(field(response, 'www-authenticate'), 'PrivateToken');
    assert.equal(sent.length, 0);
    assert.equal(events[0]!.outcome, 'not-admitted');
    assert.deepEqual(Object.keys(seen[0] as object).sort(), ['header', 'method', 'path', 'signal']);
    assert.doesNotMatch(JSON.stringify(seen), new RegExp(CLIENT_ADDRESS.replaceAll('.', '\\.')));
  });

  test('lets through', async () => {
    const { relay } = fixture(() => sealed(), { admission: { admit: async () => 'admit' } });
    assert.equal((await relay(post())).status, 200);
  });
});

describe('observation', () => {
  test('an event has bounded values only', async () => {
    const { relay, events } = fixture(() => sealed());
    await relay(post({ headers: NOSY_HEADERS }));
    await relay(post({ path: '/canary' }));
    assert.deepEqual(events, [
      { gateway: 'app', resource: 'messages', outcome: 'answered', requestBytes: '1Ki', responseBytes: '1Ki' },
      { gateway: 'none', resource: 'none', outcome: 'unroutable', requestBytes: '0', responseBytes: '0' },
    ]);
  });
});

describe('createRelay()', () => {
  const bad: readonly [string, object][] = [
    ['plain http', { url: 'http://gateway.example/' }],
    ['plain http for keys', { keysUrl: 'http://gateway.example/' }],
    ['no gateway at all', { url: undefined }],
    ['two ways to the gateway', { discover: 'https://target.example' }],
    ['discovery over http', { url: undefined, discover: 'http://target.example' }],
    ['discovery below a path', { url: undefined, discover: 'https://target.example/me' }],
    ['a relative path', { path: 'app' }],
    ['a path with a query', { path: '/app?x' }],
  ];
  for (const [title, part] of bad) {
    test(`refuses ${title}`, () => {
      assert.throws(() => fixture(() => sealed(), { gateways: [{ ...appGateway, ...part }] }), RangeError);
    });
  }

  test('refuses two resources at one path', () => {
    const gateways = [appGateway, { ...appGateway, name: 'b', path: '/app/keys' }];
    assert.throws(() => fixture(() => sealed(), { gateways }), RangeError);
  });
});
