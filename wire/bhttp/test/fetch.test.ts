import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BinaryRequest,
  type BinaryResponse,
  decodeRequest,
  encodeRequest,
  fromFetchRequest,
  fromFetchResponse,
  requestHeadFromFetch,
  responseHeadFromFetch,
  toFetchRequest,
  toFetchResponse,
} from '@privacy-edge/bhttp';
import { utf8 } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { numRuns, requests } from './arbitraries.ts';

const GET: BinaryRequest = {
  method: 'GET',
  scheme: 'https',
  authority: 'example.com',
  path: '/',
  fields: [],
  body: new Uint8Array(0),
  trailers: [],
};

test('fromFetchRequest() keeps the query, even an empty one, and drops the fragment', async () => {
  for (const [url, authority, path] of [
    ['https://example.com', 'example.com', '/'],
    ['https://example.com/api?x=1&y=%20#frag?ment', 'example.com', '/api?x=1&y=%20'],
    ['https://example.com/?', 'example.com', '/?'],
    ['https://example.com:8443//a//b?c/d', 'example.com:8443', '//a//b?c/d'],
    ['http://[2001:db8::1]/https://http', '[2001:db8::1]', '/https://http'],
    ['https://https/https', 'https', '/https'],
  ] as const) {
    const binary = await fromFetchRequest(new Request(url));
    assert.deepEqual(binary, { ...GET, scheme: url.split(':')[0], authority, path }, url);
    assert.deepEqual(decodeRequest(encodeRequest(binary)), binary);
  }
  assert.throws(() => requestHeadFromFetch(new Request('data:text/plain,x')), TypeError);
});

test('fromFetchRequest() and toFetchRequest() keep content, its type, and fields', async () => {
  const request = new Request('https://example.com/x', {
    method: 'POST',
    body: 'hello',
    headers: { 'X-Bytes': '\u00e9\u00ff', Connection: 'x-hop', 'X-Hop': '1', Host: 'other.example' },
  });
  const binary = await fromFetchRequest(request);
  assert.deepEqual(binary.body, utf8('hello'));
  assert.deepEqual(binary.fields, [
    ['content-type', 'text/plain;charset=UTF-8'],
    ['x-bytes', '\u00e9\u00ff'],
  ]);
  const back = toFetchRequest(binary);
  assert.equal(back.url, 'https://example.com/x');
  assert.equal(back.method, 'POST');
  assert.deepEqual([...back.headers], [...binary.fields]);
  assert.equal(await back.text(), 'hello');
});

test('toFetchRequest() keeps the content type of empty content', async () => {
  const request = toFetchRequest({ ...GET, method: 'POST', fields: [['content-type', 'application/x-empty']] });
  assert.equal(request.headers.get('content-type'), 'application/x-empty');
  assert.equal((await request.arrayBuffer()).byteLength, 0);
});

test('toFetchRequest() joins cookies, repeats fields, and takes the authority from Host if need be', () => {
  const request = toFetchRequest({
    ...GET,
    authority: '',
    fields: [
      ['host', 'example.org:8080'],
      ['cookie', 'a=1'],
      ['accept', 'x'],
      ['cookie', 'b=2'],
      ['accept', 'y'],
      ['keep-alive', '1'],
    ],
    trailers: [['t', '1']],
  });
  assert.equal(request.url, 'https://example.org:8080/');
  assert.deepEqual(
    [...request.headers],
    [
      ['accept', 'x, y'],
      ['cookie', 'a=1; b=2'],
    ],
  );
});

test('toFetchRequest() refuses what Fetch cannot express', () => {
  for (const change of [
    { method: 'GET', body: utf8('x') },
    { method: 'HEAD', body: utf8('x') },
    { method: 'TRACE' },
    { method: 'CONNECT', scheme: '', path: '', authority: 'example.com:443' },
    { method: 'OPTIONS', path: '*' },
    { scheme: 'ftp' },
    { authority: '' },
    { authority: 'example.com', fields: [['host', 'example.org']] },
    { authority: 'exa%00mple.com' },
    { authority: 'example.com:99999' },
    { fields: [[':ext', 'x']] },
  ] as Partial<BinaryRequest>[]) {
    assert.throws(() => toFetchRequest({ ...GET, ...change }), { name: 'DecodeError', code: 'INVALID' });
  }
});

test('toFetchRequest() of any valid request keeps scheme and query, or throws DecodeError', () => {
  fc.assert(
    fc.property(requests, (request) => {
      try {
        const { url } = toFetchRequest(request);
        assert.ok(url.startsWith(`${request.scheme}://`));
        assert.equal(url.includes('?'), request.path.includes('?'));
      } catch (error) {
        assert.ok((error as Error).name === 'DecodeError', String(error));
      }
    }),
    { numRuns: Math.min(numRuns, 20_000) },
  );
});

test('toFetchResponse() keeps set-cookie lines apart', async () => {
  const head = {
    status: 200,
    fields: [
      ['set-cookie', 'a=1'],
      ['x', '1'],
      ['set-cookie', 'b=2'],
      ['transfer-encoding', 'chunked'],
      [':ext', 'x'],
    ] as [string, string][],
  };
  const response = toFetchResponse(head, utf8('hello'));
  assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  assert.equal(response.headers.get('transfer-encoding'), null);
  assert.equal(await response.clone().text(), 'hello');
  const binary: BinaryResponse = await fromFetchResponse(response);
  assert.deepEqual(
    binary.fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value),
    ['a=1', 'b=2'],
  );
  assert.deepEqual(binary.body, utf8('hello'));
});

test('toFetchResponse() leaves content out where HTTP has none', async () => {
  for (const status of [204, 205, 304]) {
    const response = toFetchResponse({ status, fields: [['etag', '"x"']] }, new Uint8Array(0));
    assert.equal(response.status, status);
    assert.equal(response.body, null);
    assert.equal(response.headers.get('etag'), '"x"');
  }
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true;
    },
  });
  const head = { status: 200, fields: [['content-length', '5']] as [string, string][] };
  assert.equal(toFetchResponse(head, stream, 'HEAD').body, null);
  assert.equal(cancelled, true);
  const empty = toFetchResponse({ status: 200, fields: [['content-type', 'a/b']] }, new Uint8Array(0));
  assert.equal(empty.headers.get('content-type'), 'a/b');
  assert.equal(await empty.text(), '');
});

test('toFetchResponse() streams', async () => {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(utf8('a'));
      controller.enqueue(utf8('b'));
      controller.close();
    },
  });
  assert.equal(await toFetchResponse({ status: 200, fields: [] }, stream).text(), 'ab');
});

test('responseHeadFromFetch() refuses responses without a status', () => {
  assert.throws(() => responseHeadFromFetch(Response.error()), TypeError);
});

test('responseHeadFromFetch() leaves out the coding that fetch has undone, and only that', () => {
  const headers = { 'content-encoding': 'gzip', 'content-length': '25', etag: '"x"' };
  const made = new Response('', { headers: { ...headers } });
  assert.equal(
    responseHeadFromFetch(made).fields.some(([name]) => name === 'content-encoding'),
    true,
  );
  const fetched = new Response('', { headers: { ...headers } });
  Object.defineProperty(fetched, 'type', { value: 'basic' });
  assert.equal(
    responseHeadFromFetch(fetched).fields.some(([name]) => /^content-(en|len)/.test(name)),
    false,
  );
  assert.equal(
    responseHeadFromFetch(fetched).fields.some(([name]) => name === 'etag'),
    true,
  );
});
