import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Gatherer, joinBytes } from '../src/index.ts';

const runs = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

describe('Gatherer', () => {
  it('is empty at first, after taking, and after empty pieces', () => {
    const gatherer = new Gatherer();
    assert.equal(gatherer.length, 0);
    assert.deepEqual(gatherer.take(), new Uint8Array(0));
    gatherer.push(new Uint8Array(0));
    assert.equal(gatherer.length, 0);
    gatherer.push(Uint8Array.of(1));
    gatherer.push(Uint8Array.of(2));
    assert.deepEqual(gatherer.take(), Uint8Array.of(1, 2));
    assert.equal(gatherer.length, 0);
    assert.deepEqual(gatherer.take(), new Uint8Array(0));
  });

  it('gives the same bytes for any split, also when used again', () => {
    const pieces = fc.array(
      fc.record({ bytes: fc.uint8Array({ maxLength: 300 }), before: fc.nat(400), after: fc.nat(400) }),
    );
    fc.assert(
      fc.property(pieces, pieces, (...rounds) => {
        const gatherer = new Gatherer();
        for (const round of rounds) {
          let length = 0;
          for (const { bytes, before, after } of round) {
            const buffer = new Uint8Array(before + bytes.length + after);
            buffer.set(bytes, before);
            gatherer.push(buffer.subarray(before, before + bytes.length));
            length += bytes.length;
            assert.equal(gatherer.length, length);
          }
          const taken = gatherer.take();
          assert.deepEqual(taken, joinBytes(round.map(({ bytes }) => bytes)));
          assert.ok(taken.buffer.byteLength <= Math.max(64, 2 * taken.length));
        }
      }),
      { numRuns: runs },
    );
  });

  it('keeps a lone piece that is most of its buffer by reference', () => {
    const gatherer = new Gatherer();
    const bytes = new Uint8Array(1000);
    gatherer.push(bytes);
    assert.equal(gatherer.take(), bytes);
  });

  it('does not keep a large buffer alive for a small piece of it', () => {
    const gatherer = new Gatherer();
    const buffer = new Uint8Array(65_536).fill(7);
    gatherer.push(buffer.subarray(10, 11));
    buffer.fill(8);
    const taken = gatherer.take();
    assert.deepEqual(taken, Uint8Array.of(7));
    assert.ok(taken.buffer.byteLength <= 64);
  });

  it('holds at most twice the bytes of a million pieces of one byte', () => {
    const gatherer = new Gatherer();
    const one = Uint8Array.of(5);
    for (let i = 0; i < 1_000_000; i++) gatherer.push(one);
    assert.equal(gatherer.length, 1_000_000);
    const taken = gatherer.take();
    assert.ok(taken.every((byte) => byte === 5));
    assert.ok(taken.buffer.byteLength <= 2_000_000);
  });

  it('leaves what was taken alone', () => {
    const gatherer = new Gatherer();
    for (const byte of [1, 2, 3]) gatherer.push(Uint8Array.of(byte));
    const taken = gatherer.take();
    for (const byte of [7, 8, 9]) gatherer.push(Uint8Array.of(byte));
    assert.deepEqual(taken, Uint8Array.of(1, 2, 3));
  });
});
