/** Validity circuits. VDAF §7.3.2. */
import type { Field } from './field.ts';
import type { Gadget } from './gadget.ts';

/** What a circuit uses in place of its gadgets: the first argument is the gadget's number. */
export type CallGadget = (gadget: number, inputs: readonly bigint[]) => bigint;

/** A circuit and the encoding of the measurements that it checks. A measurement is valid if all its outputs are zero. */
export interface Valid<Measurement, Result> {
  readonly field: Field;
  /** Length of an encoded measurement. */
  readonly measurementLength: number;
  /** Length of what is aggregated. */
  readonly outputLength: number;
  /** How many joint random elements the circuit consumes. */
  readonly jointRandLength: number;
  /** How many outputs the circuit has. */
  readonly evalOutputLength: number;
  readonly gadgets: readonly Gadget[];
  /** How often each gadget is called. */
  readonly gadgetCalls: readonly number[];
  encode(measurement: Measurement): bigint[];
  /** The circuit, on a measurement or on a share of it. */
  evaluate(
    measurement: readonly bigint[],
    jointRand: readonly bigint[],
    shares: number,
    call: CallGadget,
  ): readonly bigint[];
  /** The part that is aggregated, of a measurement or of a share of it. */
  truncate(measurement: readonly bigint[]): bigint[];
  decode(output: readonly bigint[]): Result;
}
