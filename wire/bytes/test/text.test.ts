import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concatBytes,
  DecodeError,
  equalBytes,
  fromBase64Url,
  fromHex,
  fromUtf8,
  isAllZero,
  latin1,
  toBase64Url,
  toHex,
  utf8,
  writeLatin1,
} from '@privacy-edge/bytes';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);
const bytes = fc.uint8Array({ maxLength: 80 });

test('hex, base64url and latin1 agree with Buffer', () => {
  fc.assert(
    fc.property(bytes, (value) => {
      const buffer = Buffer.from(value);
      assert.equal(toHex(value), buffer.toString('hex'));
      assert.equal(toBase64Url(value), buffer.toString('base64url'));
      assert.equal(latin1(value), buffer.toString('latin1'));
      assert.deepEqual(fromHex(toHex(value).toUpperCase()), value);
      assert.deepEqual(fromBase64Url(toBase64Url(value)), value);
    }),
    { numRuns },
  );
});

test('latin1() gives one character for each byte on every path', () => {
  // ASCII takes the engine's decoder; bytes 0x80 to 0x9f are where "latin1" labels of that decoder would lie.
  for (const length of [0, 1, 31, 32, 33, 4095, 4096, 4097, 10_000]) {
    for (const fill of [0x00, 0x41, 0x7f, 0x80, 0x9f, 0xff]) {
      assert.equal(latin1(new Uint8Array(length).fill(fill)), String.fromCharCode(fill).repeat(length));
    }
  }
  const mixed = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.equal(latin1(mixed), Buffer.from(mixed).toString('latin1'));
  assert.equal(latin1(mixed, 0x41, 0x71), Buffer.from(mixed.subarray(0x41, 0x71)).toString('latin1'));
  assert.equal(latin1(Uint8Array.of(0xef, 0xbb, 0xbf, ...new Uint8Array(40))).charCodeAt(0), 0xef);
});

test('writeLatin1() undoes latin1() and refuses characters above U+00FF', () => {
  fc.assert(
    fc.property(bytes, (value) => {
      const into = new Uint8Array(value.length + 2);
      assert.equal(writeLatin1(into, 1, latin1(value)), value.length + 1);
      assert.deepEqual(into.subarray(1, -1), value);
    }),
    { numRuns },
  );
  for (const text of ['\u0100', 'a\u212a', '\ud83d\ude00']) {
    assert.throws(() => writeLatin1(new Uint8Array(4), 0, text), RangeError);
  }
});

test('fromHex() and fromBase64Url() are strict', () => {
  for (const text of ['0', '0g', ' 00', '0x00', '00\n']) assert.throws(() => fromHex(text), { code: 'INVALID' });
  for (const text of ['A', 'AA==', 'AB', 'AAB', 'A+', 'A/', 'AA AA', 'AA\n', 'AAAAA', 'é']) {
    assert.throws(() => fromBase64Url(text), { name: 'DecodeError', code: 'INVALID' }, text);
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_=-]{0,9}$/)), (text) => {
      try {
        assert.equal(toBase64Url(fromBase64Url(text)), text);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
    { numRuns },
  );
});

test('fromUtf8() is strict and keeps a byte order mark', () => {
  assert.equal(fromUtf8(utf8('\ufeffaé😀')), '\ufeffaé😀');
  for (const hex of ['80', 'c080', 'eda080', 'f4908080', 'e282', '61ff']) {
    assert.throws(() => fromUtf8(fromHex(hex)), { name: 'DecodeError', code: 'INVALID' });
  }
});

test('equalBytes(), isAllZero() and concatBytes()', () => {
  assert.equal(equalBytes(fromHex(''), fromHex('')), true);
  for (const [hex, expected] of [
    ['', true],
    ['0000', true],
    ['0001', false],
    ['8000', false],
  ] as const) {
    assert.equal(isAllZero(fromHex(hex)), expected);
  }
  assert.equal(equalBytes(fromHex('0102'), fromHex('0103')), false);
  assert.equal(equalBytes(fromHex('01'), fromHex('0102')), false);
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), fc.nat(), (parts, at) => {
      const joined = concatBytes(...parts);
      assert.deepEqual(Buffer.from(joined), Buffer.concat(parts));
      assert.equal(equalBytes(joined, joined.slice()), true);
      if (joined.length === 0) return;
      const changed = joined.slice();
      changed[at % joined.length] = (changed[at % joined.length] as number) ^ 1;
      assert.equal(equalBytes(joined, changed), false);
    }),
    { numRuns },
  );
});
