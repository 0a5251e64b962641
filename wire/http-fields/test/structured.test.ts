import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isIncremental } from '@privacy-edge/http-fields';
import {
  formatIncremental,
  formatProxyStatus,
  type ProxyStatus,
  parseIncremental,
  parseProxyStatus,
} from '@privacy-edge/http-fields/structured';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

test('parseIncremental() takes Booleans only and ignores parameters', () => {
  assert.equal(parseIncremental('?1'), true);
  assert.equal(parseIncremental('?0'), false);
  assert.equal(parseIncremental(' ?1;a=1;b="?0" '), true);
  for (const value of [
    undefined,
    '',
    '1',
    '?2',
    '?',
    'true',
    '"?1"',
    '?1, ?1',
    '?1;',
    '?1;A',
    '?1 ;a',
    '(?1)',
    '\t?1',
  ]) {
    assert.equal(parseIncremental(value), undefined, String(value));
  }
  assert.deepEqual([formatIncremental(true), formatIncremental(false)], ['?1', '?0']);
});

/**
 * What the library makes of a field. It takes a Date for unfinished when anything follows (RFC 9651 §4.2.9 does not), so Dates
 * are shown to it as the Integers that they are behind their sign.
 */
function libraryReads(value: string): boolean {
  return parseIncremental(value.replaceAll(/(?<==)@(?=-?[0-9]{1,15}(?:[; ]|$))/g, '')) === true;
}

test('isIncremental() is exact without the library', () => {
  const parameters = [
    '',
    ';a',
    '; a=1',
    ';a=-1.5',
    ';a=1.',
    ';a=1.2345',
    ';a=1234567890123.1',
    ';a=123456789012345',
    ';a=1234567890123456',
    ';a="x\\"y;z"',
    ';a="x\\y"',
    ';a="é"',
    ';a=tok/en:x',
    ';a=:YWI=:',
    ';a=:YWI:',
    ';a=:YW=:',
    ';a=:Y:',
    ';a=:YW I=:',
    ';a=::',
    ';a=?0',
    ';a=?2',
    ';a=@-12',
    ';a=@1;b',
    ';a=@1;b=:AA==:',
    ';a=@1 ;b',
    ';a=@1.5',
    ';a=%"x%c3%bc"',
    ';a=%"x%C3%BC"',
    ';a=%"x%c3"',
    ';a=%"%"',
    ';a=',
    ';a=1;a=2',
    ';*a.b_c-d=1',
    ';A=1',
    ';a =1',
    ';a= 1',
    ';a;',
    '; ',
    ' ',
    '\t',
    ',',
    ';a=1 ',
    ';a=1 x',
  ];
  for (const parameter of parameters) {
    for (const value of [`?1${parameter}`, ` ?1${parameter}`, `?0${parameter}`]) {
      assert.equal(isIncremental(value), libraryReads(value), value);
    }
  }
  assert.equal(isIncremental(undefined), false);
  const marks = '?1 ?0 ; a = " \\ : % %" %c3 %a0 @ - . 1 12345678901 * AA== b=:AA==: ;a= ;c=" é ,'.split(' ');
  const piece = fc.constantFrom(' ', '\t', ...marks);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const value = `?1${pieces.join('')}`;
      assert.equal(isIncremental(value), libraryReads(value), value);
    }),
    { numRuns },
  );
  fc.assert(
    fc.property(fc.string(), (value) => {
      assert.equal(isIncremental(value), libraryReads(value), value);
    }),
    { numRuns },
  );
});

test('isIncremental() keeps no state between calls', () => {
  assert.equal(isIncremental('?1;a=1;b=2'), true);
  assert.equal(isIncremental('?1;a=:x:'), false);
  assert.equal(isIncremental('?1;a=1;b=2'), true);
});

test('formatProxyStatus() writes tokens where it can and strings where it must', () => {
  assert.equal(
    formatProxyStatus({ proxy: 'relay.example', error: 'incremental_refused' }),
    'relay.example;error=incremental_refused',
  );
  assert.equal(
    formatProxyStatus({
      proxy: 'My "relay"',
      error: 'connection_timeout',
      nextHop: '192.0.2.1:80',
      nextProtocol: 'h2',
      receivedStatus: 502,
      details: 'a\\b',
    }),
    '"My \\"relay\\"";error=connection_timeout;next-hop="192.0.2.1:80";next-protocol=h2;received-status=502;details="a\\\\b"',
  );
  for (const status of [
    { proxy: 'é' },
    { proxy: 'a\r\nb' },
    { proxy: 'a', error: 'two words' },
    { proxy: 'a', details: '\u0000' },
    { proxy: 'a', receivedStatus: 1.5 },
  ]) {
    assert.throws(() => formatProxyStatus(status), TypeError);
  }
});

test('parseProxyStatus() skips other shapes and ignores other types', () => {
  assert.deepEqual(
    parseProxyStatus('a;error=x, "b c";error="not a token";details="d", (c d), 5, e;received-status=1.5'),
    [{ proxy: 'a', error: 'x' }, { proxy: 'b c', details: 'd' }, { proxy: 'e' }],
  );
  for (const value of [undefined, '', 'a;', 'a,', '"a']) assert.deepEqual(parseProxyStatus(value), [], String(value));
});

test('parseProxyStatus() undoes formatProxyStatus(), and takes any text', () => {
  const text = fc.stringMatching(/^[ -~]{0,12}$/);
  const token = fc.stringMatching(/^[a-z][a-z_]{0,11}$/);
  const status = fc.record(
    {
      proxy: text,
      error: token,
      details: text,
      nextHop: text,
      nextProtocol: token,
      receivedStatus: fc.integer({ min: 100, max: 599 }),
    },
    { requiredKeys: ['proxy'], noNullPrototype: true },
  );
  fc.assert(
    fc.property(status, (value) => {
      assert.deepEqual(parseProxyStatus(formatProxyStatus(value as ProxyStatus)), [value]);
    }),
    { numRuns },
  );
  fc.assert(
    fc.property(fc.string(), (value) => {
      assert.ok(Array.isArray(parseProxyStatus(value)));
    }),
    { numRuns },
  );
});
