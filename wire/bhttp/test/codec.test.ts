import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BinaryRequest,
  type BinaryResponse,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Field,
} from '@privacy-edge/bhttp';
import { fromHex, utf8 } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { framing, numRuns, requests, responses } from './arbitraries.ts';

const GET: BinaryRequest = {
  method: 'GET',
  scheme: 'https',
  authority: 'example.com',
  path: '/',
  fields: [],
  body: new Uint8Array(0),
  trailers: [],
};
const OK: BinaryResponse = { informational: [], status: 200, fields: [], body: new Uint8Array(0), trailers: [] };

test('decodeRequest() undoes encodeRequest() in both framings with any padding', () => {
  fc.assert(
    fc.property(requests, framing, fc.nat({ max: 400 }), (request, kind, paddedLength) => {
      const plain = encodeRequest(request, { framing: kind });
      const padded = encodeRequest(request, { framing: kind, paddedLength });
      assert.equal(padded.length, Math.max(plain.length, paddedLength));
      const byRule = (length: number): number =>
        length === plain.length ? paddedLength : assert.fail('another length');
      assert.deepEqual(encodeRequest(request, { framing: kind, paddedLength: byRule }), padded);
      assert.deepEqual(decodeRequest(padded), request);
    }),
    { numRuns },
  );
});

test('decodeResponse() undoes encodeResponse() in both framings with any padding', () => {
  fc.assert(
    fc.property(responses, framing, fc.nat({ max: 400 }), (response, kind, paddedLength) => {
      const plain = encodeResponse(response, { framing: kind });
      const padded = encodeResponse(response, { framing: kind, paddedLength });
      assert.equal(padded.length, Math.max(plain.length, paddedLength));
      assert.deepEqual(decodeResponse(padded), response);
    }),
    { numRuns },
  );
});

test('decoders return the body as a view', () => {
  const bytes = encodeRequest({ ...GET, method: 'POST', body: utf8('hello') }, { framing: 'indeterminate' });
  assert.equal(decodeRequest(bytes).body.buffer, bytes.buffer);
  const response = encodeResponse({ ...OK, body: utf8('hello') });
  assert.equal(decodeResponse(response).body.buffer, response.buffer);
});

test('decodeRequest() joins content chunks', () => {
  const bytes = fromHex(`0204504f53540568747470730b6578616d706c652e636f6d012f00${'0161'.repeat(300)}0000`);
  assert.deepEqual(decodeRequest(bytes).body, utf8('a'.repeat(300)));
});

test('decoders accept non-minimal integers everywhere', () => {
  const bytes = fromHex(
    'c000000000000000 4003474554 800000056874747073 400b6578616d706c652e636f6d 40012f 4005 400161 400162 80000001 78 4000'
      .replaceAll(' ', '')
      .replace('4005400161400162', '4006400161400162'),
  );
  assert.deepEqual(decodeRequest(bytes), { ...GET, fields: [['a', 'b']], body: utf8('x') });
  assert.equal(decodeResponse(fromHex('80000001c0000000000000c8')).status, 200);
});

test('an encoder always writes every length', () => {
  // Widely used decoders refuse truncated messages.
  assert.equal(encodeRequest(GET).at(-3), 0);
  assert.deepEqual([...encodeResponse(OK)], [0x01, 0x40, 0xc8, 0, 0, 0]);
  assert.deepEqual([...encodeResponse(OK, { framing: 'indeterminate' })], [0x03, 0x40, 0xc8, 0, 0, 0]);
});

test('query strings, repeated fields, their order, and bytes above 0x7f survive', () => {
  const fields: Field[] = [
    ['x-b', '1'],
    ['set-cookie', 'a=1'],
    ['x-a', '\u00e9\u00ff\u0080'],
    ['set-cookie', 'b=2'],
    ['empty', ''],
  ];
  const request = { ...GET, path: '/a?b=c&d=%20?/#'.replace('#', ''), fields };
  assert.deepEqual(decodeRequest(encodeRequest(request)), request);
});

test('names and schemes become lower case on both sides', () => {
  const sent = encodeRequest({ ...GET, scheme: 'HTTPS', fields: [['Content-Type', 'A']] });
  const received = decodeRequest(sent);
  assert.equal(received.scheme, 'https');
  assert.deepEqual(received.fields, [['content-type', 'A']]);
  const upper = sent.slice();
  upper[upper.indexOf(0x63, 25)] = 0x43;
  upper.set(utf8('HTTPS'), 6);
  assert.deepEqual(decodeRequest(upper), received);
});

const badFields: [Field, Field[]?][] = [
  [['', 'v']],
  [['a b', 'v']],
  [['a:b', 'v']],
  [['a\r', 'v']],
  [['a\u00e9', 'v']],
  [[':', 'v']],
  [['a', 'v\r']],
  [['a', 'v\nb']],
  [['a', '\0']],
  [['a', ' v']],
  [['a', 'v\t']],
  [['a', ' ']],
  [[':path', '/x']],
  [[':Method', 'x']],
  [[':status', '200']],
  [[':ext', 'x'], [['a', 'b']]],
];

/** One byte for each character. */
function latin1Bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Control data, then a header section made of the given lines, without any check. */
function rawRequest(lines: readonly Field[], trailers: readonly Field[] = []): Uint8Array {
  const section = (fields: readonly Field[]): number[] => {
    const bytes = fields.flatMap(([name, value]) =>
      [name, value].flatMap((text) => [text.length, ...latin1Bytes(text)]),
    );
    return [bytes.length, ...bytes];
  };
  const control = [...fromHex('00034745540568747470730b6578616d706c652e636f6d012f')];
  return Uint8Array.from([...control, ...section(lines), 0, ...section(trailers)]);
}

test('encoders and decoders refuse the same field lines', () => {
  for (const [line, before = []] of badFields) {
    const fields = [...before, line];
    assert.throws(() => decodeRequest(rawRequest(fields)), { name: 'DecodeError', code: 'INVALID' }, line.join());
    assert.throws(() => encodeRequest({ ...GET, fields }), TypeError, line.join());
    assert.throws(() => encodeResponse({ ...OK, trailers: fields }), TypeError, line.join());
    assert.throws(() => encodeResponse({ ...OK, informational: [{ status: 103, fields }] }), TypeError, line.join());
  }
  const extension: Field[] = [[':ext', 'x']];
  assert.deepEqual(decodeRequest(rawRequest(extension)).fields, extension);
  assert.throws(() => decodeRequest(rawRequest([], extension)), { code: 'INVALID' });
  assert.throws(() => encodeRequest({ ...GET, trailers: extension }), TypeError);
});

test('encoders refuse characters above U+00FF, even those that lower-case to ASCII', () => {
  for (const fields of [[['a', '\u0141']], [['\u212a', 'v']], [['a', '😀']]] as Field[][]) {
    assert.throws(() => encodeRequest({ ...GET, fields }), RangeError);
  }
});

/** The same bad control data for both directions; strings of one byte per character. */
const badControl: Partial<BinaryRequest>[] = [
  { method: '' },
  { method: 'GE T' },
  { method: 'GET\n' },
  { method: 'G\u00e9T' },
  { scheme: '' },
  { scheme: '1http' },
  { scheme: 'ht tp' },
  { scheme: 'https:' },
  { authority: 'user@example.com' },
  { authority: 'example.com/x' },
  { authority: 'example.com?x' },
  { authority: 'example.com\\x' },
  { authority: 'exa mple.com' },
  { authority: 'example.com\r\nx: y' },
  { authority: 'example.com:80:90' },
  { authority: 'example.com:8a' },
  { authority: 'example.com:123456' },
  { authority: ':443' },
  { authority: '2001:db8::1' },
  { authority: '[2001:db8::1' },
  { authority: '[]' },
  { authority: 'a%2' },
  { authority: '\u00e9.example' },
  { path: '' },
  { path: 'a' },
  { path: '*' },
  { path: '/a b' },
  { path: '/a\0' },
  { path: '/a\t' },
  { path: '/a#b' },
  { path: '/\u00e9' },
  { path: '/\u007f' },
  { path: 'https://example.com/' },
  { method: 'OPTIONS', path: '**' },
  { method: 'CONNECT' },
  { method: 'CONNECT', scheme: '', path: '', authority: '' },
  { method: 'CONNECT', scheme: '', path: '/' },
  { method: 'CONNECT', scheme: 'https', path: '' },
  { scheme: '', path: '' },
  { scheme: 'x', path: '/ ' },
  { scheme: 'x', authority: '/' },
];

test('encoders and decoders refuse the same control data', () => {
  for (const change of badControl) {
    const request = { ...GET, ...change };
    const values = [request.method, request.scheme, request.authority, request.path];
    const bytes = values.flatMap((text) => [text.length, ...latin1Bytes(text)]);
    const message = JSON.stringify(change);
    assert.throws(() => encodeRequest(request), TypeError, message);
    for (const indicator of [0, 2]) {
      assert.throws(() => decodeRequest(Uint8Array.of(indicator, ...bytes)), { code: 'INVALID' }, message);
    }
  }
});

test('requests that look odd but are fine', () => {
  for (const change of [
    { method: 'QUERY' },
    { method: "!#$%&'*+-.^_`|~" },
    { method: 'OPTIONS', path: '*' },
    { method: 'CONNECT', scheme: '', path: '', authority: 'example.com:443' },
    { method: 'CONNECT', fields: [[':protocol', 'websocket']] },
    { authority: '' },
    { authority: '[2001:db8::1]:443' },
    { authority: 'a%2db.example:' },
    { path: '/?' },
    { path: '//evil.example/../x;y=|"<>\\^`{}' },
    { scheme: 'coap+tcp', authority: 'user@host', path: '' },
  ] as Partial<BinaryRequest>[]) {
    const request = { ...GET, ...change };
    assert.deepEqual(decodeRequest(encodeRequest(request)), request, JSON.stringify(change));
  }
});

test('encodeResponse() refuses status codes out of range', () => {
  for (const status of [0, 99, 100, 199, 600, 200.5, Number.NaN, -200]) {
    assert.throws(() => encodeResponse({ ...OK, status }), RangeError, `${status}`);
  }
  for (const status of [99, 200, 150.5]) {
    assert.throws(() => encodeResponse({ ...OK, informational: [{ status, fields: [] }] }), RangeError, `${status}`);
  }
});

test('encoders refuse a padded length that is not a length', () => {
  for (const paddedLength of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => encodeRequest(GET, { paddedLength }), RangeError);
    assert.throws(() => encodeRequest(GET, { paddedLength: () => paddedLength }), RangeError);
  }
});

test('errors never quote the input', () => {
  const secret = 'hunter2';
  const attempts = [
    () => encodeRequest({ ...GET, path: `${secret} x` }),
    () => encodeRequest({ ...GET, fields: [['a', `${secret}\n`]] }),
    () => decodeRequest(rawRequest([['a', `${secret}\n`]])),
    () => decodeRequest(rawRequest([[`${secret} `, 'v']])),
  ];
  for (const attempt of attempts) {
    assert.throws(
      attempt,
      (error) => error instanceof Error && !`${error.stack}`.split('\n    at')[0]?.includes(secret),
    );
  }
});
