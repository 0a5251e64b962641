import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type PaddingPolicy, paddedLength } from '../src/index.ts';
import { RUNS } from './gateway-fixture.ts';

const size = fc.integer({ min: 1, max: 300_000 });
const policy: fc.Arbitrary<PaddingPolicy> = fc.oneof(
  fc.constant<PaddingPolicy>({ kind: 'none' }),
  fc.nat(300_000).map((minimumBytes): PaddingPolicy => ({ kind: 'power-of-two', minimumBytes })),
  size.map((bytes): PaddingPolicy => ({ kind: 'multiple', bytes })),
  fc
    .uniqueArray(size, { minLength: 1, maxLength: 6 })
    .map((bytes): PaddingPolicy => ({ kind: 'buckets', bytes: bytes.sort((a, b) => a - b) })),
);

describe('paddedLength()', () => {
  it('never shortens, and a longer message never gets a shorter padded length', () => {
    const lengths = fc.tuple(fc.nat(700_000), fc.nat(700_000));
    fc.assert(
      fc.property(policy, lengths, (rule, [a, b]) => {
        const [short, long] = a < b ? [a, b] : [b, a];
        assert.ok(paddedLength(rule, short) >= short);
        assert.ok(paddedLength(rule, short) <= paddedLength(rule, long));
        assert.ok(Number.isSafeInteger(paddedLength(rule, long)));
      }),
      { numRuns: RUNS * 20 },
    );
  });

  it('pads what is padded already to the same length', () => {
    fc.assert(
      fc.property(policy, fc.nat(700_000), (rule, length) => {
        const padded = paddedLength(rule, length);
        assert.equal(paddedLength(rule, padded), padded);
      }),
      { numRuns: RUNS * 5 },
    );
  });

  const rows: [PaddingPolicy, number, number][] = [
    [{ kind: 'none' }, 0, 0],
    [{ kind: 'none' }, 17, 17],
    [{ kind: 'power-of-two', minimumBytes: 256 }, 0, 256],
    [{ kind: 'power-of-two', minimumBytes: 256 }, 256, 256],
    [{ kind: 'power-of-two', minimumBytes: 256 }, 257, 512],
    [{ kind: 'power-of-two', minimumBytes: 300 }, 1, 512],
    [{ kind: 'power-of-two', minimumBytes: 0 }, 0, 1],
    [{ kind: 'power-of-two', minimumBytes: 256 }, 65_536, 65_536],
    [{ kind: 'power-of-two', minimumBytes: 256 }, 65_537, 131_072],
    [{ kind: 'power-of-two', minimumBytes: 256 }, 140_000, 196_608],
    [{ kind: 'power-of-two', minimumBytes: 200_000 }, 1, 262_144],
    [{ kind: 'power-of-two', minimumBytes: 200_000 }, 70_000, 262_144],
    [{ kind: 'multiple', bytes: 1000 }, 0, 0],
    [{ kind: 'multiple', bytes: 1000 }, 1, 1000],
    [{ kind: 'multiple', bytes: 1000 }, 1000, 1000],
    [{ kind: 'multiple', bytes: 1000 }, 1001, 2000],
    [{ kind: 'multiple', bytes: 0 }, 5, 5],
    [{ kind: 'buckets', bytes: [100, 1000] }, 0, 100],
    [{ kind: 'buckets', bytes: [100, 1000] }, 101, 1000],
    [{ kind: 'buckets', bytes: [100, 1000] }, 1001, 2000],
    [{ kind: 'buckets', bytes: [] }, 77, 77],
  ];
  for (const [rule, length, expected] of rows) {
    it(`${JSON.stringify(rule)}: ${length} becomes ${expected}`, () =>
      assert.equal(paddedLength(rule, length), expected));
  }
});
