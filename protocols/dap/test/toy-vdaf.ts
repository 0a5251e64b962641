/**
 * A VDAF without any privacy: it has the shape of a real one in one or two rounds, adds numbers modulo 2^32, and rejects what
 * it is told to reject.
 */
import { concatBytes, equalBytes, Reader, Writer } from '@privacy-edge/bytes';
import type { ReportShare, Shards, Transition, Vdaf } from '@privacy-edge/vdaf';

const REJECTED: Transition = { kind: 'rejected' };
const INITIALIZE = Uint8Array.of(0, 7);
const CONTINUE = Uint8Array.of(1, 7);
const FINISH = Uint8Array.of(2, 7);

/** A measurement: an honest number, or one whose proof one of the aggregators finds wrong, or whose share is no share. */
export type ToyMeasurement = number | { readonly badFor: 'leader' | 'helper' } | 'malformed';

/** Length of an input share: four bytes of number, and one that says whether this aggregator likes it. */
const SHARE_BYTES = 5;

function u32(value: number): Uint8Array {
  return new Writer(4).u32(value >>> 0).finish();
}

function sum(shares: readonly Uint8Array[]): Uint8Array {
  return u32(shares.reduce((total, share) => (total + new Reader(share, 'share').u32()) >>> 0, 0));
}

/** `rounds` 1: the parameter is empty. `rounds` 2: it is one byte, which must grow. */
export function toyVdaf(rounds: 1 | 2 = 1): Vdaf<ToyMeasurement, number> {
  const refusal = ({ inputShare, nonce, publicShare }: ReportShare): Transition | undefined => {
    if (inputShare.length !== SHARE_BYTES) return { kind: 'rejected', malformed: true };
    return inputShare[4] === 1 && equalBytes(publicShare, nonce.subarray(0, 3)) ? undefined : REJECTED;
  };
  return {
    id: 0xffff50ee,
    verifyKeySize: 32,
    randSize: 4,
    rounds,
    sizes: { publicShare: 3, inputShares: [SHARE_BYTES, SHARE_BYTES], firstMessage: INITIALIZE.length },
    shard(ctx, measurement, nonce, rand): Shards {
      if (ctx.length !== 38) throw new RangeError('The context has another length');
      const value = typeof measurement === 'number' ? measurement : 0;
      const bad = typeof measurement === 'object' ? measurement.badFor : undefined;
      const rest = measurement === 'malformed' ? 2 : 1;
      const mask = new Reader(rand, 'randomness').u32();
      return {
        publicShare: nonce.slice(0, 3),
        inputShares: [
          concatBytes(u32(value - mask), Uint8Array.of(bad === 'leader' ? 0 : 1)),
          concatBytes(u32(mask), new Uint8Array(rest).fill(bad === 'helper' ? 0 : 1)),
        ],
      };
    },
    leaderInit: (_context, reports) =>
      reports.map(
        (report): Transition =>
          refusal(report) ?? { kind: 'continued', state: report.inputShare.slice(0, 4), outbound: INITIALIZE },
      ),
    helperInit: (_context, reports) =>
      reports.map((report): Transition => {
        const refused = refusal(report);
        if (refused !== undefined) return refused;
        if (!equalBytes(report.inbound, INITIALIZE)) return REJECTED;
        const state = report.inputShare.slice(0, 4);
        return rounds === 1
          ? { kind: 'finished', outShare: state, outbound: FINISH }
          : { kind: 'continued', state, outbound: CONTINUE };
      }),
    resume: (_context, role, reports) =>
      reports.map(({ state, inbound }): Transition => {
        if (role === 0 && rounds === 2) {
          return equalBytes(inbound, CONTINUE) ? { kind: 'finished', outShare: state, outbound: FINISH } : REJECTED;
        }
        return equalBytes(inbound, FINISH) ? { kind: 'finished', outShare: state } : REJECTED;
      }),
    isValidParameter(parameter, previous) {
      if (rounds === 1) return parameter.length === 0 && previous.length === 0;
      return parameter.length === 1 && previous.every((before) => before[0]! < parameter[0]!);
    },
    emptyAggregate: () => new Uint8Array(4),
    aggregate: (_parameter, share, outShares) => sum([share, ...outShares]),
    merge: (_parameter, shares) => sum(shares),
    unshard: (_parameter, shares) => new Reader(sum(shares), 'result').u32(),
  };
}
