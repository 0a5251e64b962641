/** Descriptions of VDAFs. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { bestChunkLength, createVdaf } from '../src/index.ts';

/** Elements of a proof for some checks. VDAF §7.3.2. */
function proofLength(checks: number, chunkLength: number): number {
  const calls = Math.ceil(checks / chunkLength);
  return 2 * chunkLength + 2 * (2 ** Math.ceil(Math.log2(1 + calls)) - 1) + 1;
}

it('bestChunkLength() makes the shortest proof that there is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1500 }), (checks) => {
      const all = Array.from({ length: checks }, (_, i) => proofLength(checks, i + 1));
      assert.equal(proofLength(checks, bestChunkLength(checks)), Math.min(...all));
    }),
    { numRuns: 100 },
  );
});

it('bestChunkLength() of what regressions need', () => {
  const expected = [
    [19, 3],
    [42, 6],
    [117, 8],
    [189, 13],
    [329, 22],
    [992, 32],
  ];
  for (const [checks, chunkLength] of expected) assert.equal(bestChunkLength(checks!), chunkLength);
});

it('createVdaf() gives each VDAF its identifier, and defaults that can be read back', () => {
  const vdafs = [
    createVdaf({ kind: 'count' }),
    createVdaf({ kind: 'sum', maxMeasurement: 9 }),
    createVdaf({ kind: 'sumVec', length: 4, maxMeasurement: 9 }),
    createVdaf({ kind: 'histogram', length: 12 }),
    createVdaf({ kind: 'multihotCountVec', length: 12, maxWeight: 3 }),
    createVdaf({ kind: 'poplar1', bits: 8 }),
    createVdaf({ kind: 'l1BoundSum', length: 12, maxValue: 3 }),
    createVdaf({ kind: 'linReg', maxValues: [1, 1] }),
    createVdaf({ kind: 'sumVecWithMultiproof', length: 4, maxMeasurement: 9 }),
  ];
  assert.deepEqual(
    vdafs.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7, 0xffff50e1, 0xffffffff],
  );
  assert.equal(createVdaf({ kind: 'histogram', length: 12 }).chunkLength, bestChunkLength(12));
  assert.equal(createVdaf({ kind: 'histogram', length: 12, chunkLength: 5 }).chunkLength, 5);
});
