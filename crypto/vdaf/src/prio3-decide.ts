/** From verifier shares to the decision. VDAF §7.2.2. */
import type { Arena } from './prio3-arena.ts';
import { type Prio3Instance, USAGE_JOINT_RAND_SEED } from './prio3-instance.ts';
import { SEED_SIZE, type XofInput } from './xof-turboshake128.ts';

/** Adds verifier shares up and decides; keeps its places for a batch. */
export class Decision {
  readonly #prio3: Prio3Instance<never, unknown>;
  readonly #arena: Arena;
  readonly #sum: number;
  readonly #share: number;
  readonly #work: number;
  readonly #jointSeed: XofInput;
  readonly #seed: number;

  constructor(prio3: Prio3Instance<never, unknown>, arena: Arena, ctx: Uint8Array) {
    const { field, circuit, lengths, proofs, shares } = prio3;
    this.#prio3 = prio3;
    this.#arena = arena;
    this.#sum = arena.reserve(field.size * lengths.verifier * proofs);
    this.#share = arena.reserve(field.size * lengths.verifier * proofs);
    this.#work = arena.reserve(field.workSize(circuit.shape.log));
    this.#jointSeed = prio3.xofInput(arena, USAGE_JOINT_RAND_SEED, ctx, SEED_SIZE * shares);
    this.#seed = arena.reserve(SEED_SIZE);
  }

  /** Elements of a verifier share. */
  get #length(): number {
    return this.#prio3.lengths.verifier * this.#prio3.proofs;
  }

  /** Begins with the verifiers at an address. */
  start(verifiers: number): void {
    this.#arena.copy(this.#sum, verifiers, this.#prio3.field.size * this.#length);
  }

  /** Begins with zero. */
  clear(): void {
    this.#arena.clear(this.#sum, this.#prio3.field.size * this.#length);
  }

  /**
   * Adds an encoded verifier share.
   *
   * @param share - from the other aggregator, `verifierShareSize` bytes
   * @returns false when an element is not below the modulus
   */
  add(share: Uint8Array): boolean {
    const { field } = this.#prio3;
    this.#arena.write(this.#share, share.subarray(0, field.size * this.#length));
    if (!field.isCanonical(this.#share, this.#length)) return false;
    field.add(this.#sum, this.#sum, this.#share, this.#length);
    return true;
  }

  /** Whether every proof holds. */
  decide(): boolean {
    const { field, circuit, lengths, proofs } = this.#prio3;
    let valid = true;
    for (let i = 0; i < proofs; i++) {
      const verifier = this.#sum + field.size * lengths.verifier * i;
      valid = field.decide(verifier, circuit.shape.chunk, circuit.single, this.#work) && valid;
    }
    return valid;
  }

  /** The seed of the joint randomness that follows from all parts; empty without joint randomness. */
  jointSeed(parts: readonly Uint8Array[]): Uint8Array {
    if (!this.#prio3.joint) return new Uint8Array(0);
    const { at, length, binder } = this.#jointSeed;
    parts.forEach((part, i) => {
      this.#arena.write(binder + SEED_SIZE * i, part);
    });
    this.#arena.kernel.seed(at, length, this.#seed);
    return this.#arena.read(this.#seed, SEED_SIZE);
  }
}
