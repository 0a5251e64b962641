/** Prio3 over any validity circuit, for any number of aggregators. VDAF §7.2. */
import { bigEndian, concat, same, split } from './bytes.ts';
import { domainSeparationTag } from './domain-separation.ts';
import { Flp } from './flp.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';
import { type Continued, type Finished, NONCE_SIZE, type Report, type Vdaf } from './vdaf.ts';
import { deriveSeed, expandIntoVector } from './xof.ts';
import { XOF_TURBOSHAKE128 } from './xof-turboshake128.ts';

const USAGE_MEAS_SHARE = 1;
const USAGE_PROOF_SHARE = 2;
const USAGE_JOINT_RANDOMNESS = 3;
const USAGE_PROVE_RANDOMNESS = 4;
const USAGE_QUERY_RANDOMNESS = 5;
const USAGE_JOINT_RAND_SEED = 6;
const USAGE_JOINT_RAND_PART = 7;
const SEED_SIZE = XOF_TURBOSHAKE128.seedSize;

/** What an aggregator remembers until the verifier message comes. */
export interface Prio3State {
  readonly outShare: readonly bigint[];
  /** Seed of the joint randomness that was used; empty without joint randomness. */
  readonly jointRandSeed: Uint8Array;
}

/** An input share, expanded. The blind is empty without joint randomness. */
interface Prio3Share {
  readonly measurement: readonly bigint[];
  readonly proofs: readonly bigint[];
  readonly blind: Uint8Array;
}

/** Prio3 with one circuit. */
export class Prio3<Measurement, Result> implements Vdaf<Measurement, Result, Prio3State> {
  readonly id: number;
  readonly shares: number;
  readonly rounds = 1;
  readonly randSize: number;
  readonly flp: Flp<Measurement, Result>;
  readonly proofs: number;
  readonly #joint: boolean;

  constructor(id: number, valid: Valid<Measurement, Result>, shares: number = 2, proofs: number = 1) {
    this.id = id;
    this.shares = shares;
    this.proofs = proofs;
    this.flp = new Flp(valid);
    this.#joint = valid.jointRandLength > 0;
    this.randSize = shares * SEED_SIZE * (this.#joint ? 2 : 1);
  }

  shard(ctx: Uint8Array, measurement: Measurement, nonce: Uint8Array, rand: Uint8Array): Report {
    return this.shardEncoded(ctx, this.flp.valid.encode(measurement), nonce, rand);
  }

  /** Shards an encoded measurement, valid or not, with an honest proof for it. */
  shardEncoded(ctx: Uint8Array, measurement: readonly bigint[], nonce: Uint8Array, rand: Uint8Array): Report {
    demand(nonce.length === NONCE_SIZE, 'the nonce has the wrong length');
    const { field } = this.flp.valid;
    const { helpers, leaderBlind, proveSeed } = this.#seeds(rand);
    const expanded = helpers.map((input, i) => this.#expand(ctx, i + 1, input));

    const leaderMeasurement = expanded.reduce(
      (rest, helper) => field.subVectors(rest, helper.measurement),
      [...measurement],
    );
    const all = [{ measurement: leaderMeasurement, blind: leaderBlind }, ...expanded];
    const parts = this.#joint
      ? all.map((share, id) => this.#jointRandPart(ctx, id, share.blind, share.measurement, nonce))
      : [];
    const proofs = this.#prove(ctx, measurement, proveSeed, this.#jointRandSeed(ctx, parts));
    const leaderProofs = expanded.reduce((rest, helper) => field.subVectors(rest, helper.proofs), proofs);

    const leader = concat(field.encode(leaderMeasurement), field.encode(leaderProofs), leaderBlind);
    return { publicShare: concat(...parts), inputShares: [leader, ...helpers] };
  }

  isValid(parameter: Uint8Array, previous: readonly Uint8Array[]): boolean {
    return parameter.length === 0 && previous.length === 0;
  }

  verifyInit(
    verifyKey: Uint8Array,
    ctx: Uint8Array,
    aggregatorId: number,
    parameter: Uint8Array,
    nonce: Uint8Array,
    publicShare: Uint8Array,
    inputShare: Uint8Array,
  ): Continued<Prio3State> {
    demand(parameter.length === 0, 'the aggregation parameter is not empty');
    const { field } = this.flp.valid;
    const share = this.#expand(ctx, aggregatorId, inputShare);
    const parts = split(publicShare, new Array<number>(this.#joint ? this.shares : 0).fill(SEED_SIZE));
    const part = this.#joint
      ? this.#jointRandPart(ctx, aggregatorId, share.blind, share.measurement, nonce)
      : new Uint8Array(0);
    if (this.#joint) parts[aggregatorId] = part;
    const jointRandSeed = this.#jointRandSeed(ctx, parts);
    const verifiers = this.#query(verifyKey, ctx, nonce, share, jointRandSeed);
    return {
      state: { outShare: this.flp.valid.truncate(share.measurement), jointRandSeed },
      verifierShare: concat(field.encode(verifiers), part),
    };
  }

  verifierSharesToMessage(ctx: Uint8Array, _parameter: Uint8Array, verifierShares: readonly Uint8Array[]): Uint8Array {
    const { field } = this.flp.valid;
    const verifierLength = this.flp.verifierLength * this.proofs;
    demand(verifierShares.length === this.shares, 'there are not as many verifier shares as aggregators');
    const pieces = verifierShares.map((share) =>
      split(share, [verifierLength * field.size, this.#joint ? SEED_SIZE : 0]),
    );
    const verifiers = pieces.reduce(
      (sum, [verifiersShare]) => field.addVectors(sum, field.decode(verifiersShare!)),
      field.zeros(verifierLength),
    );
    for (const verifier of equalParts(verifiers, this.proofs))
      demand(this.flp.decide(verifier), 'a proof is not accepted');
    return this.#jointRandSeed(
      ctx,
      pieces.map(([, part]) => part!),
    );
  }

  verifyNext(_ctx: Uint8Array, state: Prio3State, message: Uint8Array): Finished {
    demand(same(message, state.jointRandSeed), 'the joint randomness is another');
    return { outShare: this.flp.valid.field.encode(state.outShare) };
  }

  aggregate(_parameter: Uint8Array, outShares: readonly Uint8Array[]): Uint8Array {
    return this.flp.valid.field.encode(this.#total(outShares));
  }

  unshard(_parameter: Uint8Array, aggregateShares: readonly Uint8Array[], _reportCount: number): Result {
    return this.flp.valid.decode(this.#total(aggregateShares));
  }

  #total(encoded: readonly Uint8Array[]): bigint[] {
    const { field, outputLength } = this.flp.valid;
    return encoded.reduce((sum, share) => field.addVectors(sum, field.decode(share)), field.zeros(outputLength));
  }

  /** The random bytes of a client: input shares of the helpers, then the leader's blind if there is one, then a seed. */
  #seeds(rand: Uint8Array): { helpers: Uint8Array[]; leaderBlind: Uint8Array; proveSeed: Uint8Array } {
    const helperSize = this.#joint ? 2 * SEED_SIZE : SEED_SIZE;
    const blindSize = this.#joint ? SEED_SIZE : 0;
    const pieces = split(rand, [...new Array<number>(this.shares - 1).fill(helperSize), blindSize, SEED_SIZE]);
    const [leaderBlind, proveSeed] = pieces.slice(-2);
    return { helpers: pieces.slice(0, -2), leaderBlind: leaderBlind!, proveSeed: proveSeed! };
  }

  #expand(ctx: Uint8Array, aggregatorId: number, inputShare: Uint8Array): Prio3Share {
    const { field, measurementLength } = this.flp.valid;
    const proofsLength = this.flp.proofLength * this.proofs;
    const blindSize = this.#joint ? SEED_SIZE : 0;
    if (aggregatorId === 0) {
      const sizes = [measurementLength * field.size, proofsLength * field.size, blindSize];
      const [measurement, proofs, blind] = split(inputShare, sizes);
      return { measurement: field.decode(measurement!), proofs: field.decode(proofs!), blind: blind! };
    }
    const [seed, blind] = split(inputShare, [SEED_SIZE, blindSize]);
    const id = bigEndian(aggregatorId, 1);
    return {
      measurement: this.#expandSeed(ctx, seed!, USAGE_MEAS_SHARE, id, measurementLength),
      proofs: this.#expandSeed(ctx, seed!, USAGE_PROOF_SHARE, concat(bigEndian(this.proofs, 1), id), proofsLength),
      blind: blind!,
    };
  }

  #prove(ctx: Uint8Array, measurement: readonly bigint[], seed: Uint8Array, jointRandSeed: Uint8Array): bigint[] {
    const length = this.flp.proveRandLength * this.proofs;
    const rands = this.#expandSeed(ctx, seed, USAGE_PROVE_RANDOMNESS, bigEndian(this.proofs, 1), length);
    const jointRands = this.#jointRands(ctx, jointRandSeed);
    return equalParts(rands, this.proofs).flatMap((rand, i) => this.flp.prove(measurement, rand, jointRands[i]!));
  }

  #query(
    verifyKey: Uint8Array,
    ctx: Uint8Array,
    nonce: Uint8Array,
    share: Prio3Share,
    jointRandSeed: Uint8Array,
  ): bigint[] {
    const binder = concat(bigEndian(this.proofs, 1), nonce);
    const length = this.flp.queryRandLength * this.proofs;
    const rands = equalParts(this.#expandSeed(ctx, verifyKey, USAGE_QUERY_RANDOMNESS, binder, length), this.proofs);
    const jointRands = this.#jointRands(ctx, jointRandSeed);
    return equalParts(share.proofs, this.proofs).flatMap((proof, i) =>
      this.flp.query(share.measurement, proof, rands[i]!, jointRands[i]!, this.shares),
    );
  }

  #jointRandPart(
    ctx: Uint8Array,
    aggregatorId: number,
    blind: Uint8Array,
    measurement: readonly bigint[],
    nonce: Uint8Array,
  ): Uint8Array {
    const binder = concat(bigEndian(aggregatorId, 1), nonce, this.flp.valid.field.encode(measurement));
    return deriveSeed(XOF_TURBOSHAKE128, blind, this.#tag(USAGE_JOINT_RAND_PART, ctx), binder);
  }

  /** Empty without joint randomness. */
  #jointRandSeed(ctx: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    if (!this.#joint) return new Uint8Array(0);
    const zeros = new Uint8Array(SEED_SIZE);
    return deriveSeed(XOF_TURBOSHAKE128, zeros, this.#tag(USAGE_JOINT_RAND_SEED, ctx), concat(...parts));
  }

  /** The joint randomness of each proof. */
  #jointRands(ctx: Uint8Array, seed: Uint8Array): bigint[][] {
    if (!this.#joint) return new Array<bigint[]>(this.proofs).fill([]);
    const length = this.flp.valid.jointRandLength * this.proofs;
    const binder = bigEndian(this.proofs, 1);
    return equalParts(this.#expandSeed(ctx, seed, USAGE_JOINT_RANDOMNESS, binder, length), this.proofs);
  }

  #expandSeed(ctx: Uint8Array, seed: Uint8Array, usage: number, binder: Uint8Array, length: number): bigint[] {
    return expandIntoVector(XOF_TURBOSHAKE128, this.flp.valid.field, seed, this.#tag(usage, ctx), binder, length);
  }

  #tag(usage: number, ctx: Uint8Array): Uint8Array {
    return domainSeparationTag(0, this.id, usage, ctx);
  }
}

function equalParts(list: readonly bigint[], count: number): bigint[][] {
  const length = list.length / count;
  return Array.from({ length: count }, (_, i) => list.slice(i * length, (i + 1) * length));
}
