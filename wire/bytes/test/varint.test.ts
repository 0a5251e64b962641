import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError, encodeVarint, fromHex, Reader, toHex, tryReadVarint, varintLength } from '@privacy-edge/bytes';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);
const MAX = Number.MAX_SAFE_INTEGER;

test('encodeVarint() and tryReadVarint() agree with RFC 9000 §A.1', () => {
  // The example of eight bytes stands for 151 288 809 941 952 652, which is above 2^53 - 1.
  assert.throws(() => tryReadVarint(fromHex('c2197c5eff14e88c'), 0), { code: 'RANGE' });
  for (const [hex, value] of [
    ['9d7f3e7d', 494_878_333],
    ['7bbd', 15_293],
    ['25', 37],
  ] as const) {
    assert.equal(toHex(encodeVarint(value)), hex);
    assert.deepEqual(tryReadVarint(fromHex(hex), 0), { value, next: hex.length / 2 });
  }
  assert.equal(tryReadVarint(fromHex('4025'), 0)?.value, 37);
});

test('encodeVarint() uses the shortest form at every border', () => {
  for (const [value, hex] of [
    [0, '00'],
    [63, '3f'],
    [64, '4040'],
    [16_383, '7fff'],
    [16_384, '80004000'],
    [1_073_741_823, 'bfffffff'],
    [1_073_741_824, 'c000000040000000'],
    [2 ** 32, 'c000000100000000'],
    [2 ** 32 + 1, 'c000000100000001'],
    [MAX, 'c01fffffffffffff'],
  ] as const) {
    assert.equal(toHex(encodeVarint(value)), hex);
    assert.equal(new Reader(fromHex(hex), 'test').varint(), value);
  }
});

test('varintLength() refuses what is not an integer from 0 to 2^53 - 1', () => {
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX + 1]) {
    assert.throws(() => varintLength(value), RangeError);
  }
});

test('Reader.varint() and tryReadVarint() refuse values above 2^53 - 1', () => {
  for (const hex of ['c020000000000000', 'c020000000000001', 'ffffffffffffffff']) {
    assert.throws(() => new Reader(fromHex(hex), 'test').varint(), { name: 'DecodeError', code: 'RANGE' });
    assert.throws(() => tryReadVarint(fromHex(hex), 0), { name: 'DecodeError', code: 'RANGE' });
  }
});

test('a cut varint is TRUNCATED for Reader and undefined for tryReadVarint', () => {
  for (const hex of ['', '40', '800000', 'c0000000000000']) {
    assert.throws(() => new Reader(fromHex(hex), 'test').varint(), { name: 'DecodeError', code: 'TRUNCATED' });
    assert.equal(tryReadVarint(fromHex(hex), 0), undefined);
  }
  assert.equal(tryReadVarint(fromHex('4025ff'), 0, 1), undefined);
});

test('varints round trip', () => {
  const value = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.nat({ max: 20_000 }));
  fc.assert(
    fc.property(value, fc.nat({ max: 9 }), (number, offset) => {
      const bytes = new Uint8Array([...new Uint8Array(offset), ...encodeVarint(number), 0xff]);
      assert.deepEqual(tryReadVarint(bytes, offset), { value: number, next: offset + varintLength(number) });
    }),
    { numRuns },
  );
});

test('Reader.varint() and tryReadVarint() agree on any bytes', () => {
  const outcome = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      assert.ok(error instanceof DecodeError);
      return error.code === 'TRUNCATED' ? undefined : error.code;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 10 }), (bytes) => {
      assert.equal(
        outcome(() => new Reader(bytes, 'test').varint()),
        outcome(() => tryReadVarint(bytes, 0)?.value),
      );
    }),
    { numRuns },
  );
});
