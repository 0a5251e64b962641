/** Lengths that every report of a VDAF has: nobody has to open a share to know them. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createVdaf, encodePrefixes, type Vdaf, type VdafConfiguration } from '../src/index.ts';

const CASES: readonly (readonly [VdafConfiguration, unknown])[] = [
  [{ kind: 'count' }, true],
  [{ kind: 'sum', maxMeasurement: 1000 }, 7],
  [{ kind: 'sumVec', length: 9, maxMeasurement: 3, chunkLength: 4 }, [0, 1, 2, 3, 0, 1, 2, 3, 0]],
  [{ kind: 'sumVecWithMultiproof', length: 4, maxMeasurement: 9 }, [1, 2, 3, 4]],
  [{ kind: 'histogram', length: 12 }, 11],
  [{ kind: 'multihotCountVec', length: 5, maxWeight: 2 }, [true, false, false, true, false]],
  [{ kind: 'l1BoundSum', length: 3, maxValue: 5 }, [1, 1, 1]],
  [{ kind: 'linReg', maxValues: [9, 9] }, [4, 5]],
  [{ kind: 'poplar1', bits: 1 }, Uint8Array.of(0x80)],
  [{ kind: 'poplar1', bits: 17 }, Uint8Array.of(1, 2, 0x80)],
];

const nonce = new Uint8Array(16).fill(1);
const ctx = new Uint8Array(3);

for (const [configuration, measurement] of CASES) {
  it(`sizes of ${configuration.kind} are those of its reports and of the leader's first message`, () => {
    const vdaf = createVdaf(configuration) as Vdaf<unknown, unknown>;
    const { publicShare, inputShares } = vdaf.shard(ctx, measurement, nonce, new Uint8Array(vdaf.randSize).fill(2));
    const { sizes } = vdaf;
    assert.equal(publicShare.length, sizes.publicShare);
    assert.deepEqual([inputShares[0].length, inputShares[1].length], sizes.inputShares);
    const bits = configuration.kind === 'poplar1' ? configuration.bits : 0;
    const levels = bits === 0 ? [undefined] : [...new Set([0, bits - 1])];
    const lengths = levels.map((level) => {
      const aggregationParameter =
        level === undefined ? new Uint8Array(0) : encodePrefixes(level, [new Uint8Array((level + 8) >> 3)]);
      const verifyKey = new Uint8Array(vdaf.verifyKeySize);
      const context = { verifyKey, ctx, aggregationParameter };
      const [sent] = vdaf.leaderInit(context, [{ nonce, publicShare, inputShare: inputShares[0] }]);
      assert.equal(sent?.kind, 'continued');
      return sent.outbound.length;
    });
    assert.equal(Math.max(...lengths), sizes.firstMessage);
  });
}
