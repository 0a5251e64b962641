/** Sharding. VDAF §7.2.1. */
import type { Arena } from './prio3-arena.ts';
import {
  NONCE_SIZE,
  type Prio3Instance,
  type ReportPlace,
  USAGE_JOINT_RAND_PART,
  USAGE_JOINT_RAND_SEED,
  USAGE_JOINT_RANDOMNESS,
  USAGE_MEAS_SHARE,
  USAGE_PROOF_SHARE,
  USAGE_PROVE_RANDOMNESS,
} from './prio3-instance.ts';
import { SEED_SIZE, type XofInput } from './xof-turboshake128.ts';

/** A sharded report, for any number of aggregators. */
export interface ShardedReport {
  readonly publicShare: Uint8Array;
  /** One for each aggregator, the leader's first. */
  readonly inputShares: readonly Uint8Array[];
}

/** The parts of the randomness, in the order of the text. */
interface Seeds {
  readonly helperShares: readonly Uint8Array[];
  /** The leader's first; empty without joint randomness. */
  readonly blinds: readonly Uint8Array[];
  readonly prove: Uint8Array;
}

/**
 * Splits a measurement.
 *
 * @param ctx - application context
 * @param nonce - 16 bytes
 * @param rand - `randSize` fresh random bytes
 * @throws {@link VdafError} `MEASUREMENT_INVALID`
 * @throws RangeError when nonce, randomness or context have the wrong length
 * @see VDAF §7.2.1
 */
export function shardReport<Measurement>(
  prio3: Prio3Instance<Measurement, unknown>,
  ctx: Uint8Array,
  measurement: Measurement,
  nonce: Uint8Array,
  rand: Uint8Array,
): ShardedReport {
  if (nonce.length !== NONCE_SIZE) throw new RangeError('Cannot shard: the nonce does not have 16 bytes');
  if (rand.length !== prio3.randSize) throw new RangeError('Cannot shard: the randomness has the wrong length');
  return prio3.use((arena) => new Sharding(prio3, arena, ctx, nonce, splitSeeds(prio3, rand)).run(measurement));
}

function splitSeeds({ joint, shares }: Prio3Instance<never, unknown>, rand: Uint8Array): Seeds {
  const seeds = Array.from({ length: rand.length / SEED_SIZE }, (_, i) =>
    rand.subarray(SEED_SIZE * i, SEED_SIZE * (i + 1)),
  );
  const prove = seeds[seeds.length - 1] as Uint8Array;
  if (!joint) return { helperShares: seeds.slice(0, -1), blinds: [], prove };
  const helpers = seeds.slice(0, 2 * (shares - 1));
  const leaderBlind = seeds[seeds.length - 2] as Uint8Array;
  return {
    helperShares: helpers.filter((_, i) => i % 2 === 0),
    blinds: [leaderBlind, ...helpers.filter((_, i) => i % 2 === 1)],
    prove,
  };
}

/** One run, and where its parts lie. */
class Sharding<Measurement> {
  readonly #prio3: Prio3Instance<Measurement, unknown>;
  readonly #arena: Arena;
  readonly #ctx: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly #seeds: Seeds;
  readonly #place: ReportPlace;
  /** Each aggregator's input for its part of the joint randomness. */
  readonly #parts: readonly XofInput[];
  /** Each aggregator's measurement share, which is the end of its input when there is joint randomness. */
  readonly #measurements: readonly number[];
  readonly #measShare: XofInput;
  readonly #proofShare: XofInput;
  readonly #proveRandomness: XofInput;
  readonly #jointSeed: XofInput;
  readonly #jointRandomness: XofInput;
  /** Room for prove randomness, and later for a share of the proofs. */
  readonly #vector: number;
  /** The seed of the joint randomness is the seed of an input. */
  readonly #arity: number;

  constructor(
    prio3: Prio3Instance<Measurement, unknown>,
    arena: Arena,
    ctx: Uint8Array,
    nonce: Uint8Array,
    seeds: Seeds,
  ) {
    const { field, circuit, lengths, shares, joint } = prio3;
    const size = field.size;
    const length = size * circuit.measurementLength;
    this.#prio3 = prio3;
    this.#arena = arena;
    this.#ctx = ctx;
    this.#nonce = nonce;
    this.#seeds = seeds;
    this.#arity = lengths.arity;
    this.#place = prio3.reserveReport(arena, true, arena.reserve(field.workSize(circuit.shape.log)));
    const aggregators = Array.from({ length: shares }, (_, id) => id);
    this.#parts = joint ? aggregators.map((id) => this.#partInput(id, length)) : [];
    this.#measurements = aggregators.map((id) => {
      const part = this.#parts[id];
      return part === undefined ? arena.reserve(length) : part.binder + 1 + NONCE_SIZE;
    });
    this.#measShare = prio3.xofInput(arena, USAGE_MEAS_SHARE, ctx, 1);
    this.#proofShare = prio3.xofInput(arena, USAGE_PROOF_SHARE, ctx, 2);
    this.#proveRandomness = prio3.xofInput(arena, USAGE_PROVE_RANDOMNESS, ctx, 1);
    this.#jointSeed = prio3.xofInput(arena, USAGE_JOINT_RAND_SEED, ctx, SEED_SIZE * shares);
    this.#jointRandomness = prio3.xofInput(arena, USAGE_JOINT_RANDOMNESS, ctx, 1);
    this.#vector = arena.reserve(size * Math.max(lengths.proof, lengths.arity) * prio3.proofs);
  }

  #partInput(id: number, length: number): XofInput {
    const input = this.#prio3.xofInput(this.#arena, USAGE_JOINT_RAND_PART, this.#ctx, 1 + NONCE_SIZE + length);
    this.#arena.write(input.seed, this.#seeds.blinds[id] as Uint8Array);
    this.#arena.writeByte(input.binder, id);
    this.#arena.write(input.binder + 1, this.#nonce);
    return input;
  }

  run(measurement: Measurement): ShardedReport {
    this.#prio3.circuit.encode(this.#arena, this.#place, measurement);
    this.#splitMeasurement();
    if (this.#prio3.joint) this.#deriveJointRandomness();
    this.#prove();
    this.#splitProofs();
    return { publicShare: this.#publicShare(), inputShares: [this.#leaderShare(), ...this.#helperShares()] };
  }

  #splitMeasurement(): void {
    const { field, circuit } = this.#prio3;
    const length = circuit.measurementLength;
    const leader = this.#measurements[0] as number;
    this.#arena.copy(leader, this.#place.measurement, field.size * length);
    this.#seeds.helperShares.forEach((share, i) => {
      const helper = this.#measurements[i + 1] as number;
      this.#arena.write(this.#measShare.seed, share);
      this.#arena.writeByte(this.#measShare.binder, i + 1);
      field.expand(this.#measShare.at, this.#measShare.length, helper, length);
      field.subtract(leader, leader, helper, length);
    });
  }

  #deriveJointRandomness(): void {
    const { kernel } = this.#arena;
    const { field, circuit, proofs } = this.#prio3;
    const parts = this.#parts;
    const out = this.#jointSeed.binder;
    for (let i = 0; i < parts.length; i += 2) {
      const [first, second] = [parts[i] as XofInput, parts[i + 1]];
      const at = out + SEED_SIZE * i;
      if (second === undefined) kernel.seed(first.at, first.length, at);
      else kernel.seedPair(first.at, second.at, first.length, at, at + SEED_SIZE);
    }
    const input = this.#jointRandomness;
    kernel.seed(this.#jointSeed.at, this.#jointSeed.length, input.seed);
    this.#arena.writeByte(input.binder, proofs);
    field.expand(input.at, input.length, this.#place.jointRandomness, circuit.jointRandomnessLength * proofs);
  }

  #prove(): void {
    const { field, circuit, proofs } = this.#prio3;
    const input = this.#proveRandomness;
    this.#arena.write(input.seed, this.#seeds.prove);
    this.#arena.writeByte(input.binder, proofs);
    field.expand(input.at, input.length, this.#vector, this.#arity * proofs);
    circuit.wires(this.#arena, this.#place);
    for (let i = 0; i < proofs; i++) {
      const randomness = this.#vector + field.size * this.#arity * i;
      field.prove(circuit.shape, this.#prio3.proofPlace(this.#place, i), randomness);
    }
  }

  #splitProofs(): void {
    const { field, lengths, proofs } = this.#prio3;
    const input = this.#proofShare;
    const length = lengths.proof * proofs;
    this.#arena.writeByte(input.binder, proofs);
    this.#seeds.helperShares.forEach((share, i) => {
      this.#arena.write(input.seed, share);
      this.#arena.writeByte(input.binder + 1, i + 1);
      field.expand(input.at, input.length, this.#vector, length);
      field.subtract(this.#place.proofs, this.#place.proofs, this.#vector, length);
    });
  }

  #publicShare(): Uint8Array {
    return this.#arena.read(this.#jointSeed.binder, this.#prio3.publicShareSize);
  }

  #leaderShare(): Uint8Array {
    const { field, circuit, lengths, proofs, leaderShareSize } = this.#prio3;
    const share = new Uint8Array(leaderShareSize);
    const measurementSize = field.size * circuit.measurementLength;
    const proofsSize = field.size * lengths.proof * proofs;
    share.set(this.#arena.view(this.#measurements[0] as number, measurementSize));
    share.set(this.#arena.view(this.#place.proofs, proofsSize), measurementSize);
    const blind = this.#seeds.blinds[0];
    if (blind !== undefined) share.set(blind, measurementSize + proofsSize);
    return share;
  }

  #helperShares(): Uint8Array[] {
    return this.#seeds.helperShares.map((share, i) => {
      const encoded = new Uint8Array(this.#prio3.helperShareSize);
      encoded.set(share);
      const blind = this.#seeds.blinds[i + 1];
      if (blind !== undefined) encoded.set(blind, SEED_SIZE);
      return encoded;
    });
  }
}
