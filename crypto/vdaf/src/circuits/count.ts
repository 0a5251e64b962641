/** The circuit of Prio3Count. VDAF §7.4.1. */
import { FIELD64 } from '../field.ts';
import { type Circuit, shapeOf } from '../flp.ts';
import { invalidMeasurement } from '../vdaf-error.ts';

/** Zero or one. */
export type CountMeasurement = boolean | number;

/** x² - x of a single element. */
export function count(): Circuit<CountMeasurement, bigint> {
  return {
    field: FIELD64,
    shape: shapeOf(1, 1),
    single: false,
    measurementLength: 1,
    outputLength: 1,
    jointRandomnessLength: 0,
    evaluationLength: 1,
    hasLeftWires: false,
    largestOutput: 1n,
    constants: new Uint8Array(0),
    temporaries: 0,
    encode(arena, { measurement }, value) {
      if (value !== true && value !== false && value !== 0 && value !== 1) {
        throw invalidMeasurement('the value is neither zero nor one');
      }
      arena.writeInteger(measurement, Number(value));
    },
    wires(arena, { measurement, right }) {
      arena.copy(right, measurement, FIELD64.size);
    },
    output(_arena, { measurement }, _randomness, _outputRandomness, output) {
      FIELD64.subtract(output, output, measurement, 1);
    },
    truncate(arena, { measurement }, out) {
      arena.copy(out, measurement, FIELD64.size);
    },
    decode: ([sum]) => sum as bigint,
  };
}
