/** Verification up to the verifier share, of two reports at a time. VDAF §7.2.2. */
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
  USAGE_QUERY_RANDOMNESS,
} from './prio3-instance.ts';
import type { ReportShare } from './vdaf.ts';
import { SEED_SIZE, type XofInput } from './xof-turboshake128.ts';

/** Reports that go through the XOF together. */
export const LANES = 2;

/** One of the two places for a report. */
interface Lane {
  readonly place: ReportPlace;
  readonly measShare: XofInput;
  readonly proofShare: XofInput;
  readonly queryRandomness: XofInput;
  readonly part: XofInput;
  readonly jointSeed: XofInput;
  readonly jointRandomness: XofInput;
  /** The query randomness. */
  readonly query: number;
  readonly verifiers: number;
  readonly output: number;
}

/** What a batch verifies with. */
export interface VerifySetup {
  readonly verifyKey: Uint8Array;
  readonly ctx: Uint8Array;
  readonly aggregatorId: number;
}

/**
 * The places of a batch. {@link Verification.load} one or two reports, {@link Verification.query}, read the results.
 */
export class Verification {
  readonly #prio3: Prio3Instance<never, unknown>;
  readonly #arena: Arena;
  readonly #id: number;
  readonly #lanes: readonly Lane[];
  /** Whether each lane's share has decoded, and whether its report is still in the running. */
  readonly #decoded: boolean[] = [];
  readonly #valid: boolean[] = [];

  /**
   * @param setup - key and context are used now
   * @param lanes - how many reports there will be at once, 1 or 2
   */
  constructor(prio3: Prio3Instance<never, unknown>, arena: Arena, setup: VerifySetup, lanes: number) {
    this.#prio3 = prio3;
    this.#arena = arena;
    this.#id = setup.aggregatorId;
    const work = arena.reserve(prio3.field.workSize(prio3.circuit.shape.log));
    this.#lanes = Array.from({ length: lanes }, () => this.#lane(setup, work));
  }

  #lane({ verifyKey, ctx }: VerifySetup, work: number): Lane {
    const arena = this.#arena;
    const { field, circuit, lengths, proofs, shares, outputSize } = this.#prio3;
    const input = (usage: number, binderSize: number): XofInput => this.#prio3.xofInput(arena, usage, ctx, binderSize);
    const lane: Lane = {
      place: this.#prio3.reserveReport(arena, false, work),
      measShare: input(USAGE_MEAS_SHARE, 1),
      proofShare: input(USAGE_PROOF_SHARE, 2),
      queryRandomness: input(USAGE_QUERY_RANDOMNESS, 1 + NONCE_SIZE),
      part: input(USAGE_JOINT_RAND_PART, 1 + NONCE_SIZE + field.size * circuit.measurementLength),
      jointSeed: input(USAGE_JOINT_RAND_SEED, SEED_SIZE * shares),
      jointRandomness: input(USAGE_JOINT_RANDOMNESS, 1),
      query: arena.reserve(field.size * lengths.queryRandomness * proofs),
      verifiers: arena.reserve(field.size * lengths.verifier * proofs),
      output: arena.reserve(outputSize),
    };
    arena.writeByte(lane.measShare.binder, this.#id);
    arena.writeByte(lane.proofShare.binder, proofs);
    arena.writeByte(lane.proofShare.binder + 1, this.#id);
    arena.write(lane.queryRandomness.seed, verifyKey);
    arena.writeByte(lane.queryRandomness.binder, proofs);
    arena.writeByte(lane.part.binder, this.#id);
    arena.writeByte(lane.jointRandomness.binder, proofs);
    return lane;
  }

  #at(lane: number): Lane {
    return this.#lanes[lane] as Lane;
  }

  /** Whether the lane's report is still in the running. */
  isValid(lane: number): boolean {
    return this.#valid[lane] === true;
  }

  /** Takes a report's share in; one that does not decode is out of the running. */
  load(lane: number, report: ReportShare): void {
    const decoded = this.#load(lane, report);
    this.#decoded[lane] = decoded;
    this.#valid[lane] = decoded;
  }

  /** Whether the lane's public share and input share have decoded. */
  isDecoded(lane: number): boolean {
    return this.#decoded[lane] === true;
  }

  #load(lane: number, { nonce, publicShare, inputShare }: ReportShare): boolean {
    const { joint, publicShareSize, leaderShareSize, helperShareSize } = this.#prio3;
    const { part, jointSeed, queryRandomness, measShare, proofShare } = this.#at(lane);
    const shareSize = this.#id === 0 ? leaderShareSize : helperShareSize;
    if (nonce.length !== NONCE_SIZE || publicShare.length !== publicShareSize || inputShare.length !== shareSize)
      return false;
    const arena = this.#arena;
    arena.write(queryRandomness.binder + 1, nonce);
    if (joint) {
      arena.write(part.binder + 1, nonce);
      arena.write(part.seed, inputShare.subarray(shareSize - SEED_SIZE));
      arena.write(jointSeed.binder, publicShare);
    }
    if (this.#id === 0) return this.#loadLeader(lane, inputShare);
    const seed = inputShare.subarray(0, SEED_SIZE);
    arena.write(measShare.seed, seed);
    arena.write(proofShare.seed, seed);
    return true;
  }

  /** The leader's share is elements, of which each must be below the modulus. */
  #loadLeader(lane: number, inputShare: Uint8Array): boolean {
    const { place } = this.#at(lane);
    const { field, circuit, lengths, proofs } = this.#prio3;
    const measurementSize = field.size * circuit.measurementLength;
    const proofLength = lengths.proof * proofs;
    this.#arena.write(place.measurement, inputShare.subarray(0, measurementSize));
    this.#arena.write(place.proofs, inputShare.subarray(measurementSize, measurementSize + field.size * proofLength));
    return (
      field.isCanonical(place.measurement, circuit.measurementLength) && field.isCanonical(place.proofs, proofLength)
    );
  }

  /** Runs the queries of the first `lanes` lanes. */
  query(lanes: number): void {
    if (this.#id > 0) this.#expandShares(lanes);
    if (this.#prio3.joint) this.#deriveJointRandomness(lanes);
    const { lengths, proofs } = this.#prio3;
    this.#expand(lanes, 'queryRandomness', (lane) => lane.query, lengths.queryRandomness * proofs);
    for (let lane = 0; lane < lanes; lane++) {
      if (this.isValid(lane)) this.#valid[lane] = this.#queryLane(this.#at(lane));
    }
  }

  #expandShares(lanes: number): void {
    const { circuit, lengths, proofs } = this.#prio3;
    this.#expand(lanes, 'measShare', (lane) => lane.place.measurement, circuit.measurementLength);
    this.#expand(lanes, 'proofShare', (lane) => lane.place.proofs, lengths.proof * proofs);
  }

  /** The own part of the joint randomness takes the place of the one that the client claims. */
  #deriveJointRandomness(lanes: number): void {
    const { field, circuit, proofs } = this.#prio3;
    for (let i = 0; i < lanes; i++) {
      const { part, place } = this.#at(i);
      const size = field.size * circuit.measurementLength;
      this.#arena.copy(part.binder + 1 + NONCE_SIZE, place.measurement, size);
    }
    this.#derive(lanes, 'part', (lane) => lane.jointSeed.binder + SEED_SIZE * this.#id);
    this.#derive(lanes, 'jointSeed', (lane) => lane.jointRandomness.seed);
    const length = circuit.jointRandomnessLength * proofs;
    this.#expand(lanes, 'jointRandomness', (lane) => lane.place.jointRandomness, length);
  }

  #expand(
    lanes: number,
    input: 'measShare' | 'proofShare' | 'queryRandomness' | 'jointRandomness',
    out: (lane: Lane) => number,
    count: number,
  ): void {
    const { field } = this.#prio3;
    const first = this.#at(0);
    const { at, length } = first[input];
    const second = this.#lanes[1];
    if (lanes === 1 || second === undefined) field.expand(at, length, out(first), count);
    else field.expandPair(at, second[input].at, length, out(first), out(second), count);
  }

  #derive(lanes: number, input: 'part' | 'jointSeed', out: (lane: Lane) => number): void {
    const { kernel } = this.#arena;
    const first = this.#at(0);
    const { at, length } = first[input];
    const second = this.#lanes[1];
    if (lanes === 1 || second === undefined) kernel.seed(at, length, out(first));
    else kernel.seedPair(at, second[input].at, length, out(first), out(second));
  }

  #queryLane({ place, query, verifiers, output }: Lane): boolean {
    const { field, circuit, lengths, proofs } = this.#prio3;
    const weighed = circuit.evaluationLength > 1;
    circuit.wires(this.#arena, place);
    let usable = true;
    for (let i = 0; i < proofs; i++) {
      const proof = this.#prio3.proofPlace(place, i);
      const verifier = verifiers + field.size * lengths.verifier * i;
      const randomness = query + field.size * lengths.queryRandomness * i;
      const point = randomness + field.size * (lengths.queryRandomness - 1);
      usable = field.query(circuit.shape, proof, weighed ? randomness : 0, point, verifier) && usable;
      circuit.output(this.#arena, place, proof.jointRandomness, randomness, verifier);
    }
    circuit.truncate(this.#arena, place, output);
    return usable;
  }

  /** The address of the lane's verifiers. */
  verifiersAt(lane: number): number {
    return this.#at(lane).verifiers;
  }

  /** Writes the encoded verifier share of a lane to the end of `out`. */
  readVerifierShare(lane: number, out: Uint8Array): void {
    const { verifierShareSize, joint } = this.#prio3;
    const { verifiers } = this.#at(lane);
    const start = out.length - verifierShareSize;
    const size = verifierShareSize - (joint ? SEED_SIZE : 0);
    out.set(this.#arena.view(verifiers, size), start);
    if (joint) out.set(this.#arena.view(this.#partAt(lane, this.#id), SEED_SIZE), start + size);
  }

  #partAt(lane: number, aggregatorId: number): number {
    return this.#at(lane).jointSeed.binder + SEED_SIZE * aggregatorId;
  }

  /** The part of the joint randomness that this side uses for an aggregator, until the next {@link Arena.reserve}. */
  partView(lane: number, aggregatorId: number): Uint8Array {
    return this.#arena.view(this.#partAt(lane, aggregatorId), SEED_SIZE);
  }

  /** The seed of the joint randomness that this side has used; empty when there is none. */
  readJointSeed(lane: number): Uint8Array {
    return this.#arena.read(this.#at(lane).jointRandomness.seed, this.#prio3.verifierMessageSize);
  }

  /** The output share. */
  readOutput(lane: number): Uint8Array {
    return this.#arena.read(this.#at(lane).output, this.#prio3.outputSize);
  }

  /** The output share followed by the seed: all that has to be remembered until the other side has answered. */
  readState(lane: number): Uint8Array {
    const { outputSize, verifierMessageSize } = this.#prio3;
    const { output, jointRandomness } = this.#at(lane);
    const state = new Uint8Array(outputSize + verifierMessageSize);
    state.set(this.#arena.view(output, outputSize));
    state.set(this.#arena.view(jointRandomness.seed, verifierMessageSize), outputSize);
    return state;
  }
}
