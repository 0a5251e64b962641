/** What all steps of one Prio3 share: its circuit, its lengths, and where they lie in kernel memory. VDAF §7.2. */
import { FIELD64, type Field, type ProofPlace } from './field.ts';
import { type Circuit, type CircuitPlace, type FlpLengths, flpLengths } from './flp.ts';
import { Arena, REGION_LIMIT } from './prio3-arena.ts';
import { invalidConfiguration } from './vdaf-error.ts';
import { MAX_CONTEXT_SIZE, SEED_SIZE, type XofInput, xofInput } from './xof-turboshake128.ts';

/** Bytes of a nonce. */
export const NONCE_SIZE = 16;

/** VDAF §7.2, Table "Constants used by Prio3". */
export const USAGE_MEAS_SHARE = 1;
export const USAGE_PROOF_SHARE = 2;
export const USAGE_JOINT_RANDOMNESS = 3;
export const USAGE_PROVE_RANDOMNESS = 4;
export const USAGE_QUERY_RANDOMNESS = 5;
export const USAGE_JOINT_RAND_SEED = 6;
export const USAGE_JOINT_RAND_PART = 7;

/** Where the elements of one report lie. */
export interface ReportPlace extends CircuitPlace {
  /** Proofs, or a share of them. */
  readonly proofs: number;
  readonly jointRandomness: number;
  readonly work: number;
}

/** One Prio3: a circuit, an identifier, numbers of proofs and shares. */
export class Prio3Instance<Measurement, Result> {
  readonly id: number;
  readonly circuit: Circuit<Measurement, Result>;
  readonly field: Field;
  readonly proofs: number;
  readonly shares: number;
  readonly lengths: FlpLengths;
  /** Whether there is joint randomness. */
  readonly joint: boolean;
  /** Lengths in bytes. */
  readonly publicShareSize: number;
  readonly leaderShareSize: number;
  readonly helperShareSize: number;
  readonly verifierShareSize: number;
  readonly verifierMessageSize: number;
  readonly outputSize: number;
  readonly randSize: number;
  /** A share of one, and one, as elements. */
  readonly #shareOfOne: Uint8Array;
  readonly #one: Uint8Array;
  #table = 0;

  /**
   * @param id - algorithm identifier
   * @param proofs - 1, or more for a small field
   * @param shares - aggregators; 2 except in tests
   * @throws {@link VdafError} `CONFIGURATION_INVALID`
   */
  constructor(id: number, circuit: Circuit<Measurement, Result>, proofs: number, shares: number) {
    if (!Number.isInteger(proofs) || proofs < 1 || proofs > 255) throw invalidConfiguration('no such number of proofs');
    // VDAF §9.7: the joint randomness is the client's to search through, which 64 bits alone do not withstand.
    if (circuit.jointRandomnessLength > 0 && circuit.field === FIELD64 && proofs < 3) {
      throw invalidConfiguration('the field is too small for that few proofs');
    }
    this.id = id;
    this.circuit = circuit;
    this.field = circuit.field;
    this.proofs = proofs;
    this.shares = shares;
    this.lengths = flpLengths(circuit);
    this.joint = circuit.jointRandomnessLength > 0;
    const { size } = circuit.field;
    const blind = this.joint ? SEED_SIZE : 0;
    this.publicShareSize = blind * shares;
    this.leaderShareSize = size * (circuit.measurementLength + this.lengths.proof * proofs) + blind;
    this.helperShareSize = SEED_SIZE + blind;
    this.verifierShareSize = size * this.lengths.verifier * proofs + blind;
    this.verifierMessageSize = blind;
    this.outputSize = size * circuit.outputLength;
    this.randSize = (SEED_SIZE + blind) * shares;
    this.#one = element(size, 1n);
    this.#shareOfOne = element(size, inverse(BigInt(shares), circuit.field.modulus));
    this.#checkMemory();
  }

  #checkMemory(): void {
    const { size } = this.field;
    const { shape, jointRandomnessLength, temporaries } = this.circuit;
    const padded = shape.calls * shape.chunk;
    // Two reports at a time, with three vectors and a copy of a fourth, are what takes most.
    const vectors = 8 * padded + 4 * (this.lengths.proof + jointRandomnessLength) * this.proofs + 2 * temporaries;
    const bytes = size * vectors + 2 * this.field.workSize(shape.log);
    if (bytes > REGION_LIMIT) throw invalidConfiguration('measurement and proof would take too much memory');
  }

  /** {@link Arena.use}, with the tables of this instance in memory. */
  use<T>(call: (arena: Arena) => T): T {
    if (this.#table === 0) this.#table = this.field.table(this.circuit.shape.log);
    return Arena.use(call);
  }

  /** Lays out an input of the XOF. */
  xofInput(arena: Arena, usage: number, ctx: Uint8Array, binderSize: number): XofInput {
    if (ctx.length > MAX_CONTEXT_SIZE) throw new RangeError('Cannot use the application context: it is too long');
    return xofInput(arena, this.id, usage, ctx, binderSize);
  }

  /**
   * Room for one report.
   *
   * @param whole - whether it is the measurement itself and not a share
   */
  reserveReport(arena: Arena, whole: boolean, work: number): ReportPlace {
    const { circuit, lengths, field } = this;
    const { size } = field;
    const padded = size * circuit.shape.calls * circuit.shape.chunk;
    const measurement = arena.reserve(padded);
    const one = arena.put(whole ? this.#one : this.#shareOfOne);
    return {
      measurement,
      left: circuit.hasLeftWires ? arena.reserve(padded) : measurement,
      right: circuit.single ? 0 : arena.reserve(padded),
      one,
      constants: arena.put(circuit.constants),
      temporary: arena.reserve(size * circuit.temporaries),
      proofs: arena.reserve(size * lengths.proof * this.proofs),
      jointRandomness: this.joint ? arena.reserve(size * circuit.jointRandomnessLength * this.proofs) : 0,
      work,
    };
  }

  /** Where the given one of a report's proofs is. */
  proofPlace(place: ReportPlace, index: number): ProofPlace {
    const { size } = this.field;
    return {
      left: place.left,
      right: place.right,
      jointRandomness: place.jointRandomness + size * this.circuit.jointRandomnessLength * index,
      proof: place.proofs + size * this.lengths.proof * index,
      work: place.work,
      table: this.#table,
    };
  }
}

function element(size: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

/** 1/n modulo a prime, for small n: p = q·n + r gives 1/n = -q/r. */
function inverse(n: bigint, p: bigint): bigint {
  if (n === 1n) return 1n;
  return (((p - p / n) * inverse(p % n, p)) % p) as bigint;
}
