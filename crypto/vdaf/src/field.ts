/** The fields of Prio3 as rows of kernel functions. VDAF §6.1. */
import { tableAt } from './prio3-arena.ts';
import { type ExpandPair, type Prio3Kernel, prio3Kernel } from './prio3-kernel.ts';

/** Where a proof's inputs and outputs are; addresses. */
export interface ProofPlace {
  /** The left inputs of all calls; calls·chunk elements. */
  readonly left: number;
  /** The right inputs; zero when the gadget has one wire. */
  readonly right: number;
  /** The randomness of the calls; zero when there is none. */
  readonly jointRandomness: number;
  /** Wire seeds and gadget polynomial. */
  readonly proof: number;
  /** `workSize` bytes. */
  readonly work: number;
  /** The {@link Field.table} of the proof's size. */
  readonly table: number;
}

/** The shape of a proof: how often the gadget is called with how many products. */
export interface ProofShape {
  readonly calls: number;
  readonly chunk: number;
  /** The wire polynomials have 2^log values. */
  readonly log: number;
}

/** A field that Prio3 computes in. */
export interface Field {
  /** Bytes of an element. */
  readonly size: 8 | 16;
  /** The modulus. */
  readonly modulus: bigint;
  /** Whether all encodings are below the modulus. */
  isCanonical(elements: number, count: number): boolean;
  /** Vector sum. */
  add(out: number, a: number, b: number, count: number): void;
  /** Vector difference. */
  subtract(out: number, a: number, b: number, count: number): void;
  /** Elements out of one stream. */
  expand(message: number, length: number, out: number, count: number): void;
  /** Elements out of two streams whose messages have one length. */
  expandPair: ExpandPair;
  /** Bytes of the tables for polynomials of 2^log values. */
  tableSize(log: number): number;
  /** Address of the tables for polynomials of 2^log values. Not to be called while an arena is in use. */
  table(log: number): number;
  /** Bytes of working memory for a proof. */
  workSize(log: number): number;
  /** VDAF §7.3.3. */
  prove(shape: ProofShape, place: ProofPlace, proveRandomness: number): void;
  /** VDAF §7.3.4; false when the point is a root of unity. `outputRandomness` is zero for a plain sum of outputs. */
  query(shape: ProofShape, place: ProofPlace, outputRandomness: number, point: number, verifier: number): boolean;
  /** VDAF §7.3.5. `single` is for the gadget of one wire. */
  decide(verifier: number, chunk: number, single: boolean, work: number): boolean;
  /** Inner product. */
  inner(a: number, b: number, count: number, out: number): void;
  /** Inputs of a check for bits. */
  bitWires(measurement: number, length: number, padded: number, one: number, right: number): void;
  /** Integers from weighted bits. */
  weigh(elements: number, count: number, bits: number, lastWeight: number, out: number): void;
}

function kernel(): Prio3Kernel {
  return prio3Kernel();
}

/** Field64. VDAF §6.1.4. */
export const FIELD64: Field = {
  size: 8,
  modulus: 2n ** 64n - 2n ** 32n + 1n,
  isCanonical: (elements, count) => kernel().canonical64(elements, count) === 1,
  add: (out, a, b, count) => kernel().add64(out, a, b, count),
  subtract: (out, a, b, count) => kernel().subtract64(out, a, b, count),
  expand: (message, length, out, count) => kernel().expand64(message, length, out, count),
  expandPair: (first, second, length, firstOut, secondOut, count) =>
    kernel().expandPair64(first, second, length, firstOut, secondOut, count),
  tableSize: (log) => kernel().tableSize64(log),
  table: (log) => tableAt(`64/${log}`, kernel().tableSize64(log), (at) => kernel().table64(log, at)),
  workSize: (log) => kernel().flpWork64(log),
  prove: ({ calls, chunk, log }, { left, right, jointRandomness, proof, work, table }, proveRandomness) =>
    kernel().prove64(left, right, calls, chunk, log, table, proveRandomness, jointRandomness, proof, work),
  query: ({ calls, chunk, log }, place, outputRandomness, point, verifier) =>
    kernel().query64(
      place.left,
      place.right,
      calls,
      chunk,
      log,
      place.table,
      place.proof,
      place.jointRandomness,
      outputRandomness,
      point,
      verifier,
      place.work,
    ) === 1,
  decide: (verifier, chunk, single) => kernel().decide64(verifier, chunk, Number(single)) === 1,
  inner: (a, b, count, out) => kernel().inner64(a, b, count, out),
  bitWires: (measurement, length, padded, one, right) => kernel().bitWires64(measurement, length, padded, one, right),
  weigh: (elements, count, bits, lastWeight, out) => kernel().weigh64(elements, count, bits, lastWeight, out),
};

/** Field128. VDAF §6.1.4. Its proofs always have joint randomness and two wires for each product. */
export const FIELD128: Field = {
  size: 16,
  modulus: 2n ** 128n - 28n * 2n ** 64n + 1n,
  isCanonical: (elements, count) => kernel().canonical128(elements, count) === 1,
  add: (out, a, b, count) => kernel().add128(out, a, b, count),
  subtract: (out, a, b, count) => kernel().subtract128(out, a, b, count),
  expand: (message, length, out, count) => kernel().expand128(message, length, out, count),
  expandPair: (first, second, length, firstOut, secondOut, count) =>
    kernel().expandPair128(first, second, length, firstOut, secondOut, count),
  tableSize: (log) => kernel().tableSize128(log),
  table: (log) => tableAt(`128/${log}`, kernel().tableSize128(log), (at) => kernel().table128(log, at)),
  workSize: (log) => kernel().flpWork128(log),
  prove: ({ calls, chunk, log }, { left, right, jointRandomness, proof, work, table }, proveRandomness) =>
    kernel().prove128(left, right, calls, chunk, log, table, proveRandomness, jointRandomness, proof, work),
  query: ({ calls, chunk, log }, place, _outputRandomness, point, verifier) =>
    kernel().query128(
      place.left,
      place.right,
      calls,
      chunk,
      log,
      place.table,
      place.proof,
      place.jointRandomness,
      point,
      verifier,
      place.work,
    ) === 1,
  decide: (verifier, chunk, _single, work) => kernel().decide128(verifier, chunk, work) === 1,
  inner: (a, b, count, out) => kernel().inner128(a, b, count, out),
  bitWires: (measurement, length, padded, one, right) => kernel().bitWires128(measurement, length, padded, one, right),
  weigh: (elements, count, bits, lastWeight, out) => kernel().weigh128(elements, count, bits, lastWeight, out),
};
