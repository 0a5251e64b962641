import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  combineCookies,
  effectiveAuthority,
  type Field,
  getField,
  getFieldLines,
  stripConnectionFields,
} from '@privacy-edge/bhttp';

const FIELDS: Field[] = [
  ['accept', 'a'],
  ['cookie', 'a=1'],
  ['set-cookie', 'x=1'],
  ['accept', 'b, c'],
  ['cookie', 'b=2'],
  ['set-cookie', 'y=2'],
  ['empty', ''],
];

test('getField() joins lines with a comma, and cookies with a semicolon', () => {
  assert.equal(getField(FIELDS, 'accept'), 'a, b, c');
  assert.equal(getField(FIELDS, 'cookie'), 'a=1; b=2');
  assert.equal(getField(FIELDS, 'empty'), '');
  assert.equal(getField(FIELDS, 'none'), undefined);
  assert.deepEqual(getFieldLines(FIELDS, 'set-cookie'), ['x=1', 'y=2']);
  assert.deepEqual(getFieldLines(FIELDS, 'none'), []);
});

test('combineCookies() keeps the place of the first cookie and everything else', () => {
  assert.deepEqual(combineCookies(FIELDS), [
    ['accept', 'a'],
    ['cookie', 'a=1; b=2'],
    ['set-cookie', 'x=1'],
    ['accept', 'b, c'],
    ['set-cookie', 'y=2'],
    ['empty', ''],
  ]);
  assert.deepEqual(combineCookies([['a', 'b']]), [['a', 'b']]);
});

test('stripConnectionFields() removes the known, the listed, and TE except trailers', () => {
  assert.deepEqual(
    stripConnectionFields([
      ['connection', 'close, X-Hop ,'],
      ['connection', 'x-other'],
      ['keep-alive', 'timeout=5'],
      ['proxy-connection', 'close'],
      ['transfer-encoding', 'chunked'],
      ['upgrade', 'h2c'],
      ['http2-settings', 'AAA'],
      ['te', 'gzip'],
      ['x-hop', '1'],
      ['x-other', '2'],
      ['x-kept', '3'],
      ['content-length', '4'],
    ]),
    [
      ['x-kept', '3'],
      ['content-length', '4'],
    ],
  );
  assert.deepEqual(stripConnectionFields([['te', 'Trailers']]), [['te', 'Trailers']]);
  assert.deepEqual(stripConnectionFields([['te', 'trailers, gzip']]), []);
});

test('effectiveAuthority() wants one answer', () => {
  const host: Field = ['host', 'Example.com'];
  assert.equal(effectiveAuthority({ authority: 'example.com:8080', fields: [] }), 'example.com:8080');
  assert.equal(effectiveAuthority({ authority: '', fields: [host] }), 'Example.com');
  assert.equal(effectiveAuthority({ authority: 'example.com', fields: [host] }), 'example.com');
  for (const [authority, fields] of [
    ['', []],
    ['', [['host', '']]],
    ['', [['host', 'user@example.com']]],
    ['', [['host', 'example.com/x']]],
    ['', [host, host]],
    ['example.com', [host, host]],
    ['example.com', [['host', 'example.org']]],
    ['example.com', [['host', 'example.com:443']]],
    ['example.com', [['host', '']]],
  ] as [string, Field[]][]) {
    assert.throws(() => effectiveAuthority({ authority, fields }), { name: 'DecodeError', code: 'INVALID' });
  }
});
