/** The circuit of Prio3SumVec. VDAF §7.4.3. */
import type { Field } from '../field.ts';
import type { Circuit } from '../flp.ts';
import { invalidMeasurement } from '../vdaf-error.ts';
import { bitChecks } from './bits.ts';
import { IntegerRange } from './integer-range.ts';
import { checkBound, checkLength, checkMeasurementLength } from './limits.ts';

/** Parameters of a vector of integers. */
export interface SumVecParameters {
  /** Number of coordinates. */
  readonly length: number;
  /** Largest value of a coordinate. */
  readonly maxMeasurement: number | bigint;
  /** Products of one call of the gadget. */
  readonly chunkLength: number;
}

/**
 * A vector of integers.
 *
 * @param field - Field64 only with three or more proofs
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function sumVec(
  field: Field,
  parameters: SumVecParameters,
): Circuit<readonly (number | bigint)[], readonly bigint[]> {
  const length = checkLength(parameters.length, 'length');
  const chunkLength = checkLength(parameters.chunkLength, 'chunk length');
  const range = new IntegerRange(field, checkBound(parameters.maxMeasurement, field.modulus, 'largest measurement'));
  return {
    ...bitChecks(field, checkMeasurementLength(length * range.bits), chunkLength),
    outputLength: length,
    evaluationLength: 1,
    largestOutput: range.bound,
    constants: range.constants,
    temporaries: length,
    encode(arena, { measurement, constants, temporary }, values) {
      if (values.length !== length) throw invalidMeasurement('the vector has the wrong length');
      range.encode(arena, values, constants, temporary, measurement);
    },
    output() {},
    truncate(_arena, { measurement, constants }, out) {
      range.decode(measurement, length, constants, out);
    },
    decode: (sums) => sums,
  };
}
