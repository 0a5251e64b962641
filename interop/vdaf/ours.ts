/** This kit's VDAFs among the implementations. */
import { randomBytes } from 'node:crypto';
import { createVdaf, type ReportShare, type Transition, type Vdaf } from '@privacy-edge/vdaf';
import type { Batch, Implementation, Step } from './implementation.ts';

/** `@privacy-edge/vdaf`. */
export const OURS: Implementation = {
  name: 'privacy-edge',
  shard: async (batch, measurement, nonce) => {
    const vdaf = vdafOf(batch);
    return vdaf.shard(batch.ctx, packed(batch, measurement), nonce, randomBytes(vdaf.randSize));
  },
  leaderInit: async (batch, report) => only(vdafOf(batch).leaderInit(batch, [share(report)])),
  helperInit: async (batch, report, inbound) => only(vdafOf(batch).helperInit(batch, [{ ...share(report), inbound }])),
  resume: async (batch, side, state, inbound) =>
    only(vdafOf(batch).resume(batch, side, [{ state: state as Uint8Array, inbound }])),
  aggregate: async (batch, outShares) => {
    const { aggregationParameter } = batch;
    const vdaf = vdafOf(batch);
    return vdaf.aggregate(aggregationParameter, vdaf.emptyAggregate(aggregationParameter), outShares);
  },
  unshard: async (batch, shares, reportCount) => {
    const result = vdafOf(batch).unshard(batch.aggregationParameter, shares, reportCount);
    return Array.isArray(result) ? result.map(String) : String(result);
  },
};

function vdafOf({ configuration }: Batch): Vdaf<unknown, unknown> {
  return createVdaf(configuration) as Vdaf<unknown, unknown>;
}

/** Strings of bits come as lists here. */
function packed({ configuration }: Batch, measurement: unknown): unknown {
  if (configuration.kind !== 'poplar1') return measurement;
  const bits = measurement as readonly boolean[];
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) if (bit) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (0x80 >> (i & 7));
  return bytes;
}

function share({ nonce, publicShare, inputShare }: ReportShare): ReportShare {
  return { nonce, publicShare, inputShare };
}

function only([transition]: readonly Transition[]): Step {
  if (transition === undefined) throw new Error('One report gives no transition');
  if (transition.kind === 'rejected') return { kind: 'rejected' };
  return transition.kind === 'continued' ? transition : { outbound: undefined, ...transition };
}
