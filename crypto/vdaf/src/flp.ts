/**
 * Validity circuits as this package runs them. Every circuit has one gadget, which is a sum of products (`single`
 * false) or x² - x (`single` true), so its proof has degree 2. VDAF §7.3.
 */
import type { Field, ProofShape } from './field.ts';
import type { Arena } from './prio3-arena.ts';
import { invalidConfiguration } from './vdaf-error.ts';

/** Where a circuit finds and puts elements while one report is worked on; addresses. */
export interface CircuitPlace {
  /** The encoded measurement, or a share of it; room for calls·chunk elements. */
  readonly measurement: number;
  /** The gadget's inputs, calls·chunk elements each. `left` is `measurement` unless the circuit has own left wires. */
  readonly left: number;
  readonly right: number;
  /** A share of one. */
  readonly one: number;
  /** The circuit's `constants`. */
  readonly constants: number;
  /** Room for the circuit's `temporaries` elements. */
  readonly temporary: number;
}

/** A validity circuit with the encoding that belongs to it. VDAF §7.3.2. */
export interface Circuit<Measurement, Result> {
  readonly field: Field;
  readonly shape: ProofShape;
  /** Whether the gadget is x² - x. */
  readonly single: boolean;
  /** MEAS_LEN. */
  readonly measurementLength: number;
  /** OUTPUT_LEN. */
  readonly outputLength: number;
  /** JOINT_RAND_LEN. */
  readonly jointRandomnessLength: number;
  /** EVAL_OUTPUT_LEN. */
  readonly evaluationLength: number;
  /** Whether the left inputs differ from the measurement. */
  readonly hasLeftWires: boolean;
  /** The largest value of one coordinate of one report's output. */
  readonly largestOutput: bigint;
  /** Bytes that the circuit wants in memory. */
  readonly constants: Uint8Array;
  /** Elements of scratch that the circuit wants. */
  readonly temporaries: number;
  /** Writes the encoded measurement. @throws {@link VdafError} `MEASUREMENT_INVALID` */
  encode(arena: Arena, place: CircuitPlace, measurement: Measurement): void;
  /** Makes the gadget's inputs of a measurement or a share of it. */
  wires(arena: Arena, place: CircuitPlace): void;
  /**
   * Makes the circuit's reduced output of the gadget's.
   *
   * @param randomness - the calls' joint randomness
   * @param outputRandomness - the part of the query randomness that weighs the outputs
   * @param output - holds the sum of the gadget's outputs; receives the circuit's output
   */
  output(arena: Arena, place: CircuitPlace, randomness: number, outputRandomness: number, output: number): void;
  /** Writes the aggregatable output; `out` may not be where the measurement is. */
  truncate(arena: Arena, place: CircuitPlace, out: number): void;
  /** The result that sums of outputs stand for. */
  decode(sums: readonly bigint[]): Result;
}

/** Lengths that follow from a circuit. VDAF §7.3.2. */
export interface FlpLengths {
  /** Wires of the gadget. */
  readonly arity: number;
  readonly proof: number;
  readonly verifier: number;
  readonly proveRandomness: number;
  readonly queryRandomness: number;
}

/** The lengths of {@link FlpLengths} for a circuit. */
export function flpLengths({ shape, single, evaluationLength }: Circuit<never, unknown>): FlpLengths {
  const arity = single ? 1 : 2 * shape.chunk;
  return {
    arity,
    proof: arity + 2 * (2 ** shape.log - 1) + 1,
    verifier: arity + 2,
    proveRandomness: arity,
    queryRandomness: (evaluationLength > 1 ? evaluationLength : 0) + 1,
  };
}

/** Most calls of a gadget; tables grow with it. */
const MAX_CALLS = 2 ** 16 - 1;

/**
 * The shape of a proof for a number of checks.
 *
 * @param checks - how many products there are
 * @param chunk - products of one call
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function shapeOf(checks: number, chunk: number): ProofShape {
  const calls = Math.ceil(checks / chunk);
  if (calls > MAX_CALLS) throw invalidConfiguration('the chunk length is too small for the measurement');
  return { calls, chunk, log: Math.ceil(Math.log2(1 + calls)) };
}
