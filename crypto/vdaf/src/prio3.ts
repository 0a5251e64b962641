/** Prio3 over any circuit. VDAF §7.2. */
import type { Circuit } from './flp.ts';
import { INITIALIZE_SIZE } from './ping-pong.ts';
import { addIntegers, maxReports, openShares, sumShares } from './prio3-aggregate.ts';
import { Prio3Instance } from './prio3-instance.ts';
import { helperInit, leaderInit, leaderResume } from './prio3-ping-pong.ts';
import { shardReport } from './prio3-shard.ts';
import type { Prio3 } from './prio3-types.ts';
import type { Transition } from './vdaf.ts';
import { unexpectedParameter } from './vdaf-error.ts';
import { SEED_SIZE } from './xof-turboshake128.ts';

const REJECTED: Transition = { kind: 'rejected' };

/**
 * Prio3 with two aggregators.
 *
 * @param id - algorithm identifier
 * @param circuit - with its parameters
 * @param proofs - 1, or at least 3 for a circuit with joint randomness over Field64
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function prio3<Measurement, Result>(
  id: number,
  circuit: Circuit<Measurement, Result>,
  proofs: number = 1,
): Prio3<Measurement, Result> {
  return overInstance(new Prio3Instance(id, circuit, proofs, 2));
}

function overInstance<Measurement, Result>(instance: Prio3Instance<Measurement, Result>): Prio3<Measurement, Result> {
  const { id, circuit, field, randSize, outputSize } = instance;
  return {
    id,
    verifyKeySize: SEED_SIZE,
    randSize,
    rounds: 1,
    sizes: {
      publicShare: instance.publicShareSize,
      inputShares: [instance.leaderShareSize, instance.helperShareSize],
      firstMessage: INITIALIZE_SIZE + instance.verifierShareSize,
    },
    modulus: field.modulus,
    outputLength: circuit.outputLength,
    maxReports: maxReports(instance),
    chunkLength: circuit.shape.chunk,
    shard(ctx, measurement, nonce, rand) {
      const { publicShare, inputShares } = shardReport(instance, ctx, measurement, nonce, rand);
      return { publicShare, inputShares: inputShares as [Uint8Array, Uint8Array] };
    },
    leaderInit(context, reports) {
      requireEmpty(context.aggregationParameter);
      return leaderInit(instance, context, reports);
    },
    helperInit(context, reports) {
      requireEmpty(context.aggregationParameter);
      return helperInit(instance, context, reports);
    },
    // The helper has no second step, so whatever it is asked about is wrong.
    resume: (_context, role, reports) =>
      reports.map(({ state, inbound }) => (role === 0 ? leaderResume(instance, state, inbound) : REJECTED)),
    isValidParameter: (parameter, previous) => parameter.length === 0 && previous.length === 0,
    emptyAggregate(parameter) {
      requireEmpty(parameter);
      return new Uint8Array(outputSize);
    },
    aggregate(parameter, aggregateShare, outShares) {
      requireEmpty(parameter);
      return sumShares(instance, [aggregateShare, ...outShares]);
    },
    merge(parameter, aggregateShares) {
      requireEmpty(parameter);
      return sumShares(instance, aggregateShares);
    },
    unshard(parameter, aggregateShares, reportCount) {
      requireEmpty(parameter);
      return circuit.decode(openShares(instance, aggregateShares, reportCount));
    },
    addIntegers: (aggregateShare, integers) => addIntegers(instance, aggregateShare, integers),
    decode: (sums) => circuit.decode(sums),
    openShares: (aggregateShares, reportCount) =>
      openShares(instance, aggregateShares, reportCount).map((sum) =>
        2n * sum > field.modulus ? sum - field.modulus : sum,
      ),
  };
}

/** VDAF §7.2: there is no aggregation parameter. */
function requireEmpty(aggregationParameter: Uint8Array): void {
  if (aggregationParameter.length !== 0) throw unexpectedParameter();
}
