/**
 * The WebAssembly kernel of Prio3, from `assembly/prio3.ts`. Addresses are bytes in its memory; elements of a field lie
 * there as they are encoded.
 */
import { prio3Module } from '#prio3-module';

type Vector = (out: number, a: number, b: number, count: number) => void;
type Expand = (message: number, length: number, out: number, count: number) => void;
/** Elements out of two streams. */
export type ExpandPair = (
  first: number,
  second: number,
  length: number,
  firstOut: number,
  secondOut: number,
  count: number,
) => void;
type Prove = (
  left: number,
  right: number,
  calls: number,
  chunk: number,
  log: number,
  table: number,
  proveRandomness: number,
  jointRandomness: number,
  proof: number,
  work: number,
) => void;

/** What the kernel exports; each function is described where it is written. */
export interface Prio3Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  heapStart(): number;

  turboShake128(message: number, length: number, domain: number, out: number, outLength: number): void;
  wipe(): void;
  seed(message: number, length: number, out: number): void;
  seedPair(first: number, second: number, length: number, firstOut: number, secondOut: number): void;
  expand64: Expand;
  expand128: Expand;
  expandPair64: ExpandPair;
  expandPair128: ExpandPair;

  canonical64(elements: number, count: number): number;
  canonical128(elements: number, count: number): number;
  add64: Vector;
  add128: Vector;
  subtract64: Vector;
  subtract128: Vector;
  multiply64: Vector;
  multiply128: Vector;
  inner64(a: number, b: number, count: number, out: number): void;
  inner128(a: number, b: number, count: number, out: number): void;
  total128(elements: number, count: number, out: number): void;

  tableSize64(log: number): number;
  tableSize128(log: number): number;
  table64(log: number, table: number): void;
  table128(log: number, table: number): void;
  flpWork64(log: number): number;
  flpWork128(log: number): number;
  prove64: Prove;
  prove128: Prove;
  query64(
    left: number,
    right: number,
    calls: number,
    chunk: number,
    log: number,
    table: number,
    proof: number,
    jointRandomness: number,
    outputRandomness: number,
    point: number,
    verifier: number,
    work: number,
  ): number;
  query128(
    left: number,
    right: number,
    calls: number,
    chunk: number,
    log: number,
    table: number,
    proof: number,
    jointRandomness: number,
    point: number,
    verifier: number,
    work: number,
  ): number;
  decide64(verifier: number, chunk: number, single: number): number;
  decide128(verifier: number, chunk: number, work: number): number;

  encodeIntegers(values: number, count: number, bits: number, largest: number, size: number, out: number): void;
  encodeOneHot(index: number, length: number, size: number, out: number): void;
  bitWires64(measurement: number, length: number, padded: number, one: number, right: number): void;
  bitWires128(measurement: number, length: number, padded: number, one: number, right: number): void;
  weigh64(elements: number, count: number, bits: number, lastWeight: number, out: number): void;
  weigh128(elements: number, count: number, bits: number, lastWeight: number, out: number): void;
  pairs128(numbers: number, count: number, left: number, right: number): void;
  smallProducts128(left: number, right: number, count: number, out: number): void;
  powerSum128(randomness: number, chunk: number, first: number, terms: number, count: number, out: number): void;
}

let instance: Prio3Kernel | undefined;

/** The kernel, compiled when it is first needed. */
export function prio3Kernel(): Prio3Kernel {
  instance ??= new WebAssembly.Instance(prio3Module()).exports as unknown as Prio3Kernel;
  return instance;
}
