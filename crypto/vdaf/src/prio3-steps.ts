/** Prio3 step by step, for any number of aggregators, for comparison with test vectors. VDAF §7.2. */
import { equalBytes } from '@privacy-edge/bytes';
import { type MeasurementOf, type Prio3Configuration, partsOf, type ResultOf } from './configuration.ts';
import type { Circuit } from './flp.ts';
import { openShares, sumShares } from './prio3-aggregate.ts';
import { Decision } from './prio3-decide.ts';
import { Prio3Instance } from './prio3-instance.ts';
import { type ShardedReport, shardReport } from './prio3-shard.ts';
import { Verification } from './prio3-verify.ts';
import type { ReportShare } from './vdaf.ts';
import { rejected } from './vdaf-error.ts';
import { SEED_SIZE } from './xof-turboshake128.ts';

/** What an aggregator has after its first step. */
export interface VerifyInitResult {
  /** Secret; for {@link Prio3Steps.verifyNext}. */
  readonly state: Uint8Array;
  /** For the other aggregators. */
  readonly verifierShare: Uint8Array;
}

/** The algorithms of a Prio3. Everything in and out is encoded as it travels. */
export interface Prio3Steps<Measurement, Result> {
  /** Bytes of randomness for `shard`. */
  readonly randSize: number;
  /** VDAF §7.2.1. @throws {@link VdafError} `MEASUREMENT_INVALID` */
  shard(ctx: Uint8Array, measurement: Measurement, nonce: Uint8Array, rand: Uint8Array): ShardedReport;
  /** VDAF §7.2.2. @throws {@link VdafError} `REPORT_REJECTED` */
  verifyInit(verifyKey: Uint8Array, ctx: Uint8Array, aggregatorId: number, report: ReportShare): VerifyInitResult;
  /** VDAF §7.2.2. @throws {@link VdafError} `REPORT_REJECTED` */
  verifierSharesToMessage(ctx: Uint8Array, verifierShares: readonly Uint8Array[]): Uint8Array;
  /** VDAF §7.2.2: the output share. @throws {@link VdafError} `REPORT_REJECTED` */
  verifyNext(state: Uint8Array, verifierMessage: Uint8Array): Uint8Array;
  /** VDAF §7.2.4. @throws {@link VdafError} `SHARE_INVALID` */
  aggregate(outShares: readonly Uint8Array[]): Uint8Array;
  /** VDAF §7.2.5. @throws {@link VdafError} `SHARE_INVALID`, `BATCH_TOO_LARGE` */
  unshard(aggregateShares: readonly Uint8Array[], reportCount: number): Result;
}

/**
 * The steps of a configuration.
 *
 * @param shares - number of aggregators, 2 to 255
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function prio3Steps<const C extends Prio3Configuration>(
  configuration: C,
  shares: number = 2,
): Prio3Steps<MeasurementOf<C>, ResultOf<C>> {
  if (!Number.isInteger(shares) || shares < 2 || shares > 255) throw new RangeError('Cannot run with so many shares');
  const { id, circuit, proofs } = partsOf(configuration);
  return stepsOf(new Prio3Instance(id, circuit as unknown as Circuit<MeasurementOf<C>, ResultOf<C>>, proofs, shares));
}

function stepsOf<Measurement, Result>(instance: Prio3Instance<Measurement, Result>): Prio3Steps<Measurement, Result> {
  return {
    randSize: instance.randSize,
    shard: (ctx, measurement, nonce, rand) => shardReport(instance, ctx, measurement, nonce, rand),
    verifyInit: (verifyKey, ctx, aggregatorId, report) =>
      instance.use((arena) => {
        const verification = new Verification(instance, arena, { verifyKey, ctx, aggregatorId }, 1);
        verification.load(0, report);
        verification.query(1);
        if (!verification.isValid(0)) throw rejected();
        const verifierShare = new Uint8Array(instance.verifierShareSize);
        verification.readVerifierShare(0, verifierShare);
        return { state: verification.readState(0), verifierShare };
      }),
    verifierSharesToMessage: (ctx, verifierShares) =>
      instance.use((arena) => {
        const decision = new Decision(instance, arena, ctx);
        decision.clear();
        for (const share of verifierShares) {
          if (share.length !== instance.verifierShareSize || !decision.add(share)) throw rejected();
        }
        if (verifierShares.length !== instance.shares || !decision.decide()) throw rejected();
        return decision.jointSeed(verifierShares.map((share) => share.subarray(-SEED_SIZE)));
      }),
    verifyNext(state, verifierMessage) {
      if (!equalBytes(verifierMessage, state.subarray(instance.outputSize))) throw rejected();
      return state.slice(0, instance.outputSize);
    },
    aggregate: (outShares) => sumShares(instance, outShares),
    unshard: (aggregateShares, reportCount) =>
      instance.circuit.decode(openShares(instance, aggregateShares, reportCount)),
  };
}
