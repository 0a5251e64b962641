/** The circuit of Prio3Sum. VDAF §7.4.2. */
import { FIELD64 } from '../field.ts';
import { type Circuit, shapeOf } from '../flp.ts';
import { IntegerRange } from './integer-range.ts';
import { checkBound } from './limits.ts';

/**
 * One integer; its bits are checked one by one.
 *
 * @param maxMeasurement - largest value
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function sum(maxMeasurement: number | bigint): Circuit<number | bigint, bigint> {
  const range = new IntegerRange(FIELD64, checkBound(maxMeasurement, FIELD64.modulus, 'largest measurement'));
  return {
    field: FIELD64,
    shape: shapeOf(range.bits, 1),
    single: true,
    measurementLength: range.bits,
    outputLength: 1,
    jointRandomnessLength: 0,
    evaluationLength: range.bits,
    hasLeftWires: false,
    largestOutput: range.bound,
    constants: range.constants,
    temporaries: 1,
    encode(arena, { measurement, constants, temporary }, value) {
      range.encode(arena, [value], constants, temporary, measurement);
    },
    // The measurement is the only wire, and the outputs are weighed when they are summed up.
    wires() {},
    output() {},
    truncate(_arena, { measurement, constants }, out) {
      range.decode(measurement, 1, constants, out);
    },
    decode: ([total]) => total as bigint,
  };
}
