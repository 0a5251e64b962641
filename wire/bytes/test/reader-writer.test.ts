import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError, fromHex, Reader, toHex, uint16, Writer } from '@privacy-edge/bytes';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

test('Writer writes and Reader reads every kind of number', () => {
  const bytes = new Writer(0)
    .u8(255)
    .u16(65_535)
    .u32(4_294_967_295)
    .u64(Number.MAX_SAFE_INTEGER)
    .varint(70_000)
    .vector(1, fromHex('aa'))
    .vector(2, fromHex('bbbb'))
    .vector(4, fromHex(''))
    .latin1('a\u00ff')
    .zeros(2)
    .bytes(fromHex('cc'))
    .finish();
  assert.equal(toHex(bytes), 'ffffffffffffff001fffffffffffff8001117001aa0002bbbb0000000061ff0000cc');
  const reader = new Reader(bytes, 'test');
  assert.deepEqual(
    [reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.varint()],
    [255, 65_535, 4_294_967_295, Number.MAX_SAFE_INTEGER, 70_000],
  );
  assert.equal(toHex(reader.vector(1)), 'aa');
  assert.equal(toHex(reader.vector(2)), 'bbbb');
  assert.equal(toHex(reader.vector(4)), '');
  const at = reader.skip(2);
  assert.equal(toHex(bytes.subarray(at, reader.offset)), '61ff');
  assert.equal(reader.remaining, 3);
  assert.throws(() => reader.end(), { code: 'TRAILING' });
  assert.equal(toHex(reader.rest()), '0000cc');
  reader.end();
});

test('Reader returns views and never moves backwards', () => {
  const bytes = fromHex('00010203');
  const reader = new Reader(bytes, 'test');
  assert.equal(reader.bytes(2).buffer, bytes.buffer);
  for (const length of [-1, 3, Number.NaN, 2 ** 53]) {
    assert.throws(() => reader.bytes(length), { name: 'DecodeError', code: 'TRUNCATED' });
    assert.throws(() => reader.skip(length), { name: 'DecodeError', code: 'TRUNCATED' });
    assert.equal(reader.offset, 2);
  }
  assert.equal(reader.bytes(0).length, 0);
});

test('Reader refuses numbers above 2^53 - 1 and vectors past the end', () => {
  assert.throws(() => new Reader(fromHex('0020000000000000'), 'test').u64(), { code: 'RANGE' });
  assert.throws(() => new Reader(fromHex('05aabb'), 'test').vector(1), { code: 'TRUNCATED' });
  assert.throws(() => new Reader(fromHex('ffffffffaa'), 'test').vector(4), { code: 'TRUNCATED' });
});

test('Writer refuses numbers that do not fit', () => {
  for (const write of [
    () => new Writer().u8(256),
    () => new Writer().u16(65_536),
    () => new Writer().u32(2 ** 32),
    () => new Writer().u64(2 ** 53),
    () => new Writer().u8(-1),
    () => new Writer().u8(0.5),
    () => new Writer().varint(-1),
    () => new Writer().vector(1, new Uint8Array(256)),
    () => new Writer().latin1('\u0100'),
  ]) {
    assert.throws(write, RangeError);
  }
});

test('Writer grows by doubling: the bytes copied stay linear', () => {
  const original = Uint8Array.prototype.set;
  let copied = 0;
  Uint8Array.prototype.set = function (this: Uint8Array, source: ArrayLike<number>, offset?: number): void {
    copied += source.length;
    original.call(this, source, offset);
  };
  try {
    const writer = new Writer(1);
    for (let i = 0; i < 100_000; i++) writer.u8(i & 0xff);
    assert.equal(writer.finish().length, 100_000);
  } finally {
    Uint8Array.prototype.set = original;
  }
  assert.ok(copied < 200_000, `${copied}`);
});

test('Reader throws only DecodeError, whatever it is asked to read', () => {
  const step = fc.constantFrom('u8', 'u16', 'u32', 'u64', 'varint', 'vector', 'bytes', 'end', 'rest');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(step, { maxLength: 12 }), (bytes, steps) => {
      const reader = new Reader(bytes, 'test');
      try {
        for (const name of steps) {
          if (name === 'vector') reader.vector(2);
          else if (name === 'bytes') reader.bytes(3);
          else reader[name]();
          assert.equal(reader.offset + reader.remaining, bytes.length);
        }
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
    { numRuns },
  );
});

test('uint16() writes any number of integers, and refuses what does not fit', () => {
  assert.equal(toHex(uint16()), '');
  assert.equal(toHex(uint16(0, 1, 0x0102, 0xffff)), '000000010102ffff');
  for (const value of [-1, 0x10000, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
    assert.throws(() => uint16(1, value), RangeError);
  }
});
