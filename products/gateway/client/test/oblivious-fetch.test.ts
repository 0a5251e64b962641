import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Field, getField } from '@privacy-edge/bhttp';
import type { GatewayKey } from '@privacy-edge/ohttp';
import fc from 'fast-check';
import {
  chunkedResponse,
  createObliviousFetch,
  interactive,
  ObliviousError,
  type ObliviousErrorCode,
} from '../src/index.ts';
import {
  dateProblem,
  keyProblem,
  keysResponse,
  newKey,
  type Opened,
  RELAY,
  streamFrom,
  type World,
  worldOf,
} from './gateway-fixture.ts';

const DATE = 'Sun, 22 Nov 2026 15:00:00 GMT';
const runs = Math.min(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 60), 2000);
const KEY_PROBLEM = '{"type":"https://iana.org/assignments/http-problem-types#ohttp-key"}';
let key: GatewayKey;
let otherKey: GatewayKey;
let gatewayKeys: readonly GatewayKey[];
before(async () => {
  key = await newKey(1);
  otherKey = await newKey(2);
  gatewayKeys = [key];
});

function failsWith(code: ObliviousErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ObliviousError && error instanceof TypeError, String(error));
    assert.equal(error.code, code);
    return true;
  };
}

function page(status: number, type = 'text/html'): Response {
  return new Response('<h1>hello</h1>', { status, headers: { 'content-type': type } });
}

describe('table of answers', () => {
  test('client-unencapsulated-200', async () => {
    const world = worldOf({ gatewayKeys, relay: () => page(200) });
    await assert.rejects(world.fetch('https://target.example/'), failsWith('UNENCAPSULATED'));
    assert.equal(world.posted.length, 1);
    assert.equal(world.keyFetches, 1);
  });

  test('client-date-problem', async () => {
    const gatewayDate = 'Sun, 22 Nov 2026 17:30:00 GMT';
    const target = (_request: Opened, attempt: number): object =>
      attempt === 0 ? dateProblem(gatewayDate) : { body: 'ok' };
    for (const chunked of [undefined, chunkedResponse]) {
      const world = worldOf({ gatewayKeys, target, chunked });
      const response = await world.fetch('https://target.example/', { method: 'POST', body: 'x' });
      assert.equal(await response.text(), 'ok');
      await world.fetch('https://target.example/');
      const dates = world.opened.map(({ fields }) => getField(fields, 'date'));
      assert.deepEqual(dates, [DATE, gatewayDate, DATE]);
      // A fresh context: the encapsulated key differs, not only what is sealed under it.
      const encs = world.posted.map(({ body }) => Buffer.from(body.subarray(7, 39)).toString('hex'));
      assert.equal(new Set(encs).size, 3);
      assert.deepEqual(
        world.events.filter(({ type }) => type === 'retry'),
        [{ type: 'retry', reason: 'date' }],
      );
    }
  });

  test('client-redirect-inner', async () => {
    const target = ({ path }: Opened): object =>
      path === '/a' ? { status: 302, fields: [['location', 'https://other.example/b?c#d']] } : { body: path };
    const followed = worldOf({ gatewayKeys, target });
    const response = await followed.fetch('https://target.example/a');
    assert.equal(await response.text(), '/b?c');
    assert.equal(response.url, 'https://other.example/b?c');
    assert.equal(response.redirected, true);
    assert.ok(followed.posted.every(({ url }) => url === RELAY));
    assert.deepEqual(
      followed.opened.map(({ authority, path }) => authority + path),
      ['target.example/a', 'other.example/b?c'],
    );
    const manual = worldOf({ gatewayKeys, target });
    const returned = await manual.fetch('https://target.example/a', { redirect: 'manual' });
    assert.equal(returned.status, 302);
    assert.equal(returned.headers.get('location'), 'https://other.example/b?c#d');
    assert.equal(manual.posted.length, 1);
    const strict = worldOf({ gatewayKeys, target });
    await assert.rejects(strict.fetch('https://target.example/a', { redirect: 'error' }), failsWith('REDIRECT'));
  });
});

describe('what the relay sees', () => {
  test('a media type and nothing else, without credentials, referrer or redirects', async () => {
    const world = worldOf({ gatewayKeys });
    await world.fetch('https://canary.example/canary', {
      method: 'POST',
      body: 'canary',
      headers: { authorization: 'canary', cookie: 'canary=1', 'x-canary': '1' },
      credentials: 'include',
      referrer: 'https://canary.example/',
    });
    const { url, init, body } = world.posted[0]!;
    assert.equal(url, RELAY);
    assert.deepEqual(init.headers, { 'content-type': 'message/ohttp-req' });
    const { credentials, cache, referrerPolicy, redirect, referrer, keepalive } = init;
    assert.deepEqual(
      { credentials, cache, referrerPolicy, redirect, referrer, keepalive },
      {
        credentials: 'omit',
        // With no-store Chromium would repeat the preflight for every message.
        cache: undefined,
        referrerPolicy: 'no-referrer',
        redirect: 'manual',
        referrer: undefined,
        keepalive: undefined,
      },
    );
    assert.ok(!Buffer.from(body).includes('canary'));
  });

  test('sizes of padded requests only', async () => {
    const world = worldOf({ gatewayKeys });
    for (const length of [0, 1, 50, 100]) {
      await world.fetch('https://target.example/', { method: 'POST', body: 'x'.repeat(length) });
    }
    assert.equal(new Set(world.posted.map(({ body }) => body.length)).size, 1);
    await world.fetch('https://target.example/', { method: 'POST', body: 'x'.repeat(70_000) });
    assert.deepEqual(
      world.opened.map(({ plaintextLength }) => plaintextLength),
      [256, 256, 256, 256, 131_072],
    );
  });

  test('padding is the choice of the application', async () => {
    for (const [padding, length] of [
      ['none', 66],
      [() => 1000, 1000],
      [() => 3, 66],
    ] as const) {
      const world = worldOf({ gatewayKeys, padding });
      await world.fetch('https://target.example/');
      assert.equal(world.opened[0]!.plaintextLength, length);
    }
  });
});

describe('the request inside', () => {
  test('has method, target, fields and body of the call', async () => {
    const world = worldOf({ gatewayKeys });
    await world.fetch('https://target.example:8443/a%20b/?q=1&q=2#fragment', {
      method: 'post',
      headers: [
        ['X-A', '1'],
        ['x-a', '2'],
        ['cookie', 'c=d'],
        ['host', 'evil.example'],
        ['expect', '100-continue'],
        ['te', 'x'],
      ],
      body: new URLSearchParams({ k: 'v w' }),
    });
    const { method, scheme, authority, path, fields, body } = world.opened[0]!;
    assert.deepEqual([method, scheme, authority, path], ['POST', 'https', 'target.example:8443', '/a%20b/?q=1&q=2']);
    assert.equal(Buffer.from(body).toString(), 'k=v+w');
    assert.deepEqual(fields, [
      ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8'],
      ['cookie', 'c=d'],
      ['x-a', '1, 2'],
      ['date', DATE],
    ] satisfies Field[]);
  });

  test('may be a Request, and init goes before it', async () => {
    const world = worldOf({ gatewayKeys });
    const request = new Request('https://target.example/r', { method: 'PUT', body: 'one', headers: { 'x-a': '1' } });
    await world.fetch(request, { headers: { 'x-b': '2' } });
    const { method, fields, body } = world.opened[0]!;
    assert.deepEqual([method, getField(fields, 'x-a'), getField(fields, 'x-b')], ['PUT', undefined, '2']);
    assert.equal(Buffer.from(body).toString(), 'one');
  });

  test('has no Date when that is off, and none of the application', async () => {
    const world = worldOf({ gatewayKeys, date: false, target: () => dateProblem(DATE) });
    const response = await world.fetch('https://target.example/', { headers: { date: 'x' } });
    assert.equal(getField(world.opened[0]!.fields, 'date'), undefined);
    assert.equal(response.status, 400);
    assert.equal(world.posted.length, 1);
  });

  const refused: readonly [string, string, RequestInit?][] = [
    ['CONNECT', 'https://target.example/', { method: 'CONNECT' }],
    ['trace', 'https://target.example/', { method: 'trace' }],
    ['credentials in the URL', 'https://a:b@target.example/'],
    ['another scheme', 'ftp://target.example/'],
    ['no URL', 'nonsense'],
    ['GET with a body', 'https://target.example/', { body: 'x' }],
    ['integrity', 'https://target.example/', { integrity: 'sha256-x' }],
  ];
  for (const [title, url, init] of refused) {
    test(`is refused: ${title}`, async () => {
      const world = worldOf({ gatewayKeys });
      await assert.rejects(world.fetch(url, init), TypeError);
      assert.equal(world.posted.length, 0);
    });
  }

  test('only goes to targets that the gateway may serve', async () => {
    const cases: readonly [Parameters<typeof worldOf>[0]['gateway'], string, boolean][] = [
      [undefined, 'https://any.example/', true],
      [undefined, 'http://any.example/', false],
      ['https://target.example', 'https://target.example/x', true],
      ['https://target.example', 'https://target.example:444/', false],
      [['https://a.example', 'http://b.example'], 'http://b.example/', true],
      [(url) => url.hostname.endsWith('.example'), 'https://evil.test/', false],
    ];
    for (const [gateway, url, allowed] of cases) {
      const world = worldOf({ gatewayKeys, gateway });
      if (allowed) assert.equal((await world.fetch(url)).status, 200);
      else await assert.rejects(world.fetch(url), failsWith('TARGET_FORBIDDEN'));
      assert.equal(world.posted.length, allowed ? 1 : 0);
    }
  });
});

describe('the response', () => {
  test('is what the target answered, set-cookie lines apart', async () => {
    const fields: Field[] = [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-y', 'z'],
      ['connection', 'close'],
    ];
    const world = worldOf({ gatewayKeys, target: () => ({ status: 418, fields, body: 'tea' }) });
    const response = await world.fetch('https://target.example/tea');
    assert.equal(response.status, 418);
    assert.equal(response.ok, false);
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(response.headers.get('x-y'), 'z');
    assert.equal(response.headers.has('connection'), false);
    assert.equal(await response.text(), 'tea');
    assert.equal(response.url, 'https://target.example/tea');
    assert.equal(response.redirected, false);
  });

  test('has no body for HEAD, 204, 205 and 304', async () => {
    for (const chunked of [undefined, chunkedResponse]) {
      for (const [method, status] of [
        ['HEAD', 200],
        ['GET', 204],
        ['GET', 205],
        ['GET', 304],
      ] as const) {
        const world = worldOf({ gatewayKeys, chunked, target: () => ({ status, body: 'stray' }) });
        const response = await world.fetch('https://target.example/', { method });
        assert.equal(response.status, status);
        assert.equal(response.body, null);
      }
    }
  });

  test('any request and any response round trip', async () => {
    const name = fc.stringMatching(/^x-[a-z]{1,8}$/);
    const value = fc.stringMatching(/^[!-~]{1,30}$/);
    const message = fc.record({
      method: fc.constantFrom('POST', 'PUT', 'PATCH', 'QUERY', 'DELETE'),
      path: fc.webPath(),
      query: fc.webQueryParameters(),
      fields: fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 5 }),
      body: fc.uint8Array({ maxLength: 40_000 }),
      status: fc.integer({ min: 200, max: 599 }).filter((status) => ![204, 205, 304].includes(status)),
      chunked: fc.constantFrom(undefined, chunkedResponse, interactive),
    });
    await fc.assert(
      fc.asyncProperty(message, async ({ method, path, query, fields, body, status, chunked }) => {
        const target = (request: Opened): object => ({ status, fields, body: request.body });
        const world = worldOf({ gatewayKeys, target, chunked });
        const url = new URL(`https://target.example/${path}?${query}`);
        const init = { method, headers: fields.map(([key, text]): [string, string] => [key, text]), body };
        const response = await world.fetch(url, { ...init, redirect: 'manual' });
        const opened = world.opened[0]!;
        assert.equal(opened.method, method);
        assert.equal(`${opened.scheme}://${opened.authority}${opened.path}`, url.href);
        for (const [key, text] of fields) assert.equal(getField(opened.fields, key), text);
        assert.deepEqual(Buffer.from(opened.body), Buffer.from(body));
        assert.equal(response.status, status);
        for (const [key, text] of fields) assert.equal(response.headers.get(key), text);
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(body));
      }),
      { numRuns: runs },
    );
  });

  test('is an error when it does not open', async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(15), new Uint8Array(100)]) {
      const world = worldOf({ gatewayKeys, relay: () => sealedAs(bytes) });
      await assert.rejects(world.fetch('https://target.example/'), failsWith('OPEN_FAILED'));
      assert.equal(world.posted.length, 1);
    }
    const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === bytes.length - 9 ? byte ^ 1 : byte));
    const append = (bytes: Uint8Array): Uint8Array => Uint8Array.of(...bytes, 0);
    for (const chunked of [undefined, chunkedResponse]) {
      for (const mangle of [flip, append]) {
        const world = worldOf({ gatewayKeys, mangle, chunked, target: () => ({ body: 'ok' }) });
        const reading = world.fetch('https://target.example/').then((response) => response.text());
        await assert.rejects(reading, failsWith('OPEN_FAILED'));
      }
    }
  });

  test('is an error above maxResponseBytes', async () => {
    for (const chunked of [undefined, chunkedResponse]) {
      const world = worldOf({
        gatewayKeys,
        chunked,
        maxResponseBytes: 1000,
        target: () => ({ body: 'x'.repeat(2000) }),
      });
      const reading = world.fetch('https://target.example/').then((response) => response.text());
      await assert.rejects(reading, failsWith('TOO_LARGE'));
    }
  });
});

test('a response in tiny pieces costs bytes, not pieces', async () => {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    const piece = Uint8Array.of(1);
    for (let i = 0; i < 150_000; i++) yield piece;
  };
  const headers = { 'content-type': 'message/ohttp-res' };
  const world = worldOf({ gatewayKeys, relay: () => new Response(streamFrom(pieces()), { headers }) });
  await assert.rejects(world.fetch('https://target.example/'), failsWith('OPEN_FAILED'));
});

function sealedAs(bytes: Uint8Array): Response {
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': 'message/ohttp-res' } });
}

describe('failures in clear', () => {
  const cases: readonly [string, () => Response, ObliviousErrorCode][] = [
    ['an error page', () => page(500), 'RELAY_STATUS'],
    ['an error in a sealed media type', () => page(502, 'message/ohttp-res'), 'RELAY_STATUS'],
    ['too many requests', () => new Response(null, { status: 429 }), 'RELAY_STATUS'],
    [
      'a redirect of the relay',
      () => new Response(null, { status: 302, headers: { location: 'https://x/' } }),
      'RELAY_STATUS',
    ],
    ['another success', () => page(201), 'UNENCAPSULATED'],
    ['the other media type', () => page(200, 'message/ohttp-chunked-res'), 'UNENCAPSULATED'],
    ['no media type', () => new Response('x'), 'UNENCAPSULATED'],
    ['another problem', () => page(400, 'application/problem+json'), 'RELAY_STATUS'],
  ];
  for (const [title, respond, code] of cases) {
    test(`${title}: ${code}, no retry`, async () => {
      const world = worldOf({ gatewayKeys, relay: respond });
      await assert.rejects(world.fetch('https://target.example/'), failsWith(code));
      assert.equal(world.posted.length, 1);
      assert.equal(world.keyFetches, 1);
    });
  }

  test('a broken connection: RELAY_UNREACHABLE, no retry', async () => {
    const relay = (): never => {
      throw new TypeError('fetch failed');
    };
    const world = worldOf({ gatewayKeys, relay });
    await assert.rejects(world.fetch('https://target.example/'), failsWith('RELAY_UNREACHABLE'));
    assert.equal(world.posted.length, 1);
  });

  test('no fallback from chunked to whole messages', async () => {
    const world = worldOf({ gatewayKeys, chunked: chunkedResponse, relay: () => new Response(null, { status: 415 }) });
    await assert.rejects(world.fetch('https://target.example/'), failsWith('RELAY_STATUS'));
    assert.deepEqual(
      world.posted.map(({ init }) => init.headers),
      [{ 'content-type': 'message/ohttp-chunked-req', incremental: '?1' }],
    );
  });
});

describe('retries', () => {
  const retriesOf = (world: World): number => world.events.filter(({ type }) => type === 'retry').length;

  test('rotated keys: one refresh, one retry', async () => {
    const world = worldOf({
      gatewayKeys: [otherKey],
      keyServer: (attempt) => keysResponse(attempt === 0 ? [key] : [otherKey]),
    });
    assert.equal((await world.fetch('https://target.example/')).status, 200);
    assert.equal(world.posted.length, 2);
    assert.equal(world.keyFetches, 2);
    assert.deepEqual(
      world.posted.map(({ body }) => body[0]),
      [1, 2],
    );
  });

  test('the same keys again: no retry', async () => {
    const world = worldOf({ gatewayKeys, relay: () => keyProblem(422) });
    await assert.rejects(world.fetch('https://target.example/'), failsWith('KEYS_REJECTED'));
    assert.equal(world.posted.length, 1);
    assert.equal(world.keyFetches, 2);
  });

  test('a relay that always claims a key problem brings about one retry and no more', async () => {
    const lists = await Promise.all([1, 2, 3].map(newKey));
    const world = worldOf({ gatewayKeys, relay: () => keyProblem(), keyServer: (i) => keysResponse([lists[i % 3]!]) });
    await assert.rejects(world.fetch('https://target.example/'), failsWith('KEYS_REJECTED'));
    assert.equal(world.posted.length, 2);
  });

  test('a gateway that is never content with the date gets one retry', async () => {
    const world = worldOf({ gatewayKeys, target: () => dateProblem('Sun, 22 Nov 2026 17:30:00 GMT') });
    const response = await world.fetch('https://target.example/');
    assert.equal(response.status, 400);
    assert.match(await response.text(), /#date/);
    assert.equal(world.posted.length, 2);
  });

  test('a date that was cached is brought up to date', async () => {
    const cached = dateProblem('Sun, 22 Nov 2026 17:30:00 GMT', [['age', '90']]);
    const world = worldOf({ gatewayKeys, target: (_request, attempt) => (attempt === 0 ? cached : {}) });
    await world.fetch('https://target.example/');
    assert.equal(getField(world.opened[1]!.fields, 'date'), 'Sun, 22 Nov 2026 17:31:30 GMT');
  });

  for (const [date, age, next] of [
    ['Thu, 01 Jan 1970 00:00:00 GMT', '0', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['Fri, 31 Dec 9999 23:59:58 GMT', '1', 'Fri, 31 Dec 9999 23:59:59 GMT'],
  ] as const) {
    test(`${next} can still be a date`, async () => {
      const answer = dateProblem(date, [['age', age]]);
      const world = worldOf({ gatewayKeys, target: (_request, attempt) => (attempt === 0 ? answer : {}) });
      await world.fetch('https://target.example/');
      assert.equal(getField(world.opened[1]!.fields, 'date'), next);
    });
  }

  const notDates: readonly [string, object][] = [
    ['a date problem without a date', { ...dateProblem(''), fields: [['content-type', 'application/problem+json']] }],
    ['a date problem with nonsense for a date', dateProblem('yesterday')],
    ['a date problem that was cached until year 10000', dateProblem('Fri, 31 Dec 9999 23:59:59 GMT', [['age', '1']])],
    ['a date problem from before 1970', dateProblem('Wed, 31 Dec 1969 23:59:59 GMT')],
    ['a date problem of the year 0', dateProblem('Sat, 01 Jan 0000 00:00:00 GMT')],
    ['a date problem of another status', { ...dateProblem(DATE), status: 403 }],
    ['a date problem of another media type', { ...dateProblem(DATE), fields: [['date', DATE]] }],
    ['another problem', { ...dateProblem(DATE), body: '{"type":"about:blank"}' }],
    ['a key problem from inside', { ...dateProblem(DATE), body: KEY_PROBLEM }],
    ['no JSON', { ...dateProblem(DATE), body: 'null' }],
  ];
  for (const [title, answer] of notDates) {
    test(`${title} is the answer`, async () => {
      const world = worldOf({ gatewayKeys, target: () => answer });
      await world.fetch('https://target.example/');
      assert.equal(world.posted.length, 1);
      assert.equal(retriesOf(world), 0);
    });
  }
});

describe('redirects', () => {
  test('follow the method rules of Fetch', async () => {
    const cases: readonly [number, string, string, string][] = [
      [301, 'POST', 'GET', ''],
      [302, 'POST', 'GET', ''],
      [302, 'PUT', 'PUT', 'body'],
      [303, 'PUT', 'GET', ''],
      [307, 'POST', 'POST', 'body'],
      [308, 'PATCH', 'PATCH', 'body'],
    ];
    for (const [status, method, then, body] of cases) {
      const target = ({ path }: Opened): object => (path === '/' ? { status, fields: [['location', '/next']] } : {});
      const world = worldOf({ gatewayKeys, target });
      await world.fetch('https://target.example/', { method, body: 'body' });
      const next = world.opened[1]!;
      assert.deepEqual([next.method, Buffer.from(next.body).toString()], [then, body]);
      assert.equal(getField(next.fields, 'content-type') !== undefined, body !== '');
    }
  });

  test('303 keeps HEAD', async () => {
    const target = ({ path }: Opened): object => (path === '/' ? { status: 303, fields: [['location', '/next']] } : {});
    const world = worldOf({ gatewayKeys, target });
    await world.fetch('https://target.example/', { method: 'HEAD' });
    assert.equal(world.opened[1]!.method, 'HEAD');
  });

  test('leave what is meant for one origin at home', async () => {
    const target = ({ path }: Opened, attempt: number): object => {
      if (attempt === 0) return { status: 307, fields: [['location', '/same']] };
      return path === '/same' ? { status: 307, fields: [['location', 'https://other.example/']] } : {};
    };
    const world = worldOf({ gatewayKeys, target });
    const headers = { authorization: 'secret', cookie: 'secret', 'x-other': '1' };
    await world.fetch('https://target.example/', { headers });
    const names = world.opened.map(({ fields }) => fields.map(([name]) => name).filter((name) => name !== 'date'));
    assert.deepEqual(names, [
      ['authorization', 'cookie', 'x-other'],
      ['authorization', 'cookie', 'x-other'],
      ['x-other'],
    ]);
  });

  test('end after twenty, at forbidden targets, and where nothing can follow', async () => {
    const endless = worldOf({ gatewayKeys, target: () => ({ status: 302, fields: [['location', '/']] }) });
    await assert.rejects(endless.fetch('https://target.example/'), failsWith('REDIRECT'));
    assert.equal(endless.posted.length, 21);
    const cases: readonly [string, ObliviousErrorCode][] = [
      ['https://forbidden.example/', 'TARGET_FORBIDDEN'],
      ['http://target.example/', 'TARGET_FORBIDDEN'],
      ['data:,x', 'REDIRECT'],
      ['https://', 'REDIRECT'],
      ['https://a:b@target.example/', 'REDIRECT'],
    ];
    for (const [location, code] of cases) {
      const target = (): object => ({ status: 302, fields: [['location', location]] });
      const world = worldOf({ gatewayKeys, target, gateway: 'https://target.example' });
      await assert.rejects(world.fetch('https://target.example/'), failsWith(code));
      assert.equal(world.posted.length, 1);
    }
    const nowhere = worldOf({ gatewayKeys, target: () => ({ status: 302 }) });
    assert.equal((await nowhere.fetch('https://target.example/')).status, 302);
  });
});

describe('abort', () => {
  test('before anything: nothing is sent', async () => {
    const world = worldOf({ gatewayKeys });
    const reason = new RangeError('mine');
    await assert.rejects(world.fetch('https://target.example/', { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(world.keyFetches + world.posted.length, 0);
  });

  test('while keys are loaded, without spoiling them for others', async () => {
    let release = (): void => {};
    const ready = new Promise<void>((resolve) => {
      release = resolve;
    });
    const keyServer = async (): Promise<Response> => {
      await ready;
      return keysResponse(gatewayKeys);
    };
    const world = worldOf({ gatewayKeys, keyServer });
    const controller = new AbortController();
    const aborted = world.fetch('https://target.example/', { signal: controller.signal });
    const patient = world.fetch('https://target.example/');
    controller.abort();
    await assert.rejects(aborted, { name: 'AbortError' });
    release();
    assert.equal((await patient).status, 200);
    assert.equal(world.keyFetches, 1);
    assert.equal(world.posted.length, 1);
  });

  test('while the relay is silent', async () => {
    const controller = new AbortController();
    const relay = ({ init }: { init: RequestInit }): Promise<Response> => {
      assert.equal(init.signal!.aborted, false);
      queueMicrotask(() => controller.abort());
      return new Promise(() => {});
    };
    const world = worldOf({ gatewayKeys, relay });
    await assert.rejects(world.fetch('https://target.example/', { signal: controller.signal }), { name: 'AbortError' });
    assert.equal(world.posted[0]!.init.signal!.aborted, true);
  });

  test("a failure after the abort is nobody's unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    try {
      const controller = new AbortController();
      const keyServer = (): Response => {
        controller.abort();
        return new Response(null, { status: 500 });
      };
      const world = worldOf({ gatewayKeys, keyServer });
      const { signal } = controller;
      await assert.rejects(world.fetch('https://target.example/', { signal }), { name: 'AbortError' });
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });

  test('a Request brings its own signal, which init can take away', async () => {
    const world = worldOf({ gatewayKeys });
    const request = new Request('https://target.example/', { signal: AbortSignal.abort() });
    await assert.rejects(world.fetch(request), { name: 'AbortError' });
    assert.equal((await world.fetch(request, { signal: null })).status, 200);
  });

  test('after a redirect', async () => {
    for (const chunked of [undefined, chunkedResponse]) {
      const controller = new AbortController();
      const relay = (_posted: unknown, attempt: number): Promise<Response> | undefined => {
        if (attempt === 0) return undefined;
        queueMicrotask(() => controller.abort());
        return new Promise(() => {});
      };
      const target = (): object => ({ status: 302, fields: [['location', '/next']], body: 'moved' });
      const world = worldOf({ gatewayKeys, relay, target, chunked });
      const { signal } = controller;
      await assert.rejects(world.fetch('https://target.example/', { signal }), { name: 'AbortError' });
      assert.equal(world.posted.length, 2);
    }
  });

  test('timeoutMs ends a silent exchange', async () => {
    const world = worldOf({ gatewayKeys, relay: () => new Promise(() => {}), timeoutMs: 1 });
    // The platform's timer does not keep a process alive, and nothing else is going on here.
    const alive = setInterval(() => {}, 1000);
    try {
      await assert.rejects(world.fetch('https://target.example/'), failsWith('TIMEOUT'));
    } finally {
      clearInterval(alive);
    }
  });
});

describe('createObliviousFetch()', () => {
  test('wants https, except on loopback', () => {
    const keys = new Uint8Array(0);
    for (const relay of ['https://relay.example/', 'http://127.0.0.1:8080/', 'http://localhost/', 'http://[::1]/']) {
      createObliviousFetch({ relay, keys });
    }
    for (const relay of ['http://relay.example/', 'http://localhost.example/', 'relay', 'http://127.0.0.1.example/']) {
      assert.throws(() => createObliviousFetch({ relay, keys }), TypeError);
    }
  });
});
