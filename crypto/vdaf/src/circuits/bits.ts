/** What the circuits have in common that check a vector for bits by ParallelSum(Mul). VDAF §7.4.3. */
import type { Field } from '../field.ts';
import { type Circuit, type CircuitPlace, shapeOf } from '../flp.ts';
import type { Arena } from '../prio3-arena.ts';

type Shared = Pick<
  Circuit<never, unknown>,
  'field' | 'shape' | 'single' | 'measurementLength' | 'jointRandomnessLength' | 'hasLeftWires' | 'wires'
>;

/**
 * The check that each of `length` elements is zero or one.
 *
 * @param length - elements of the encoded measurement
 * @param chunkLength - products of one call of the gadget
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function bitChecks(field: Field, length: number, chunkLength: number): Shared {
  const shape = shapeOf(length, chunkLength);
  const padded = shape.calls * chunkLength;
  return {
    field,
    shape,
    single: false,
    measurementLength: length,
    jointRandomnessLength: shape.calls,
    hasLeftWires: false,
    wires(_arena: Arena, { measurement, one, right }: CircuitPlace) {
      field.bitWires(measurement, length, padded, one, right);
    },
  };
}
