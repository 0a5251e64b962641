/** The circuit of Prio3L1BoundSum. L1 Bound Sum §3. */
import { FIELD128 } from '../field.ts';
import type { Circuit } from '../flp.ts';
import { invalidMeasurement } from '../vdaf-error.ts';
import { bitChecks } from './bits.ts';
import { IntegerRange } from './integer-range.ts';
import { checkBound, checkLength, checkMeasurementLength } from './limits.ts';

/** Parameters of a vector whose sum is bounded. */
export interface L1BoundSumParameters {
  /** Number of coordinates. */
  readonly length: number;
  /** Largest sum of all coordinates. */
  readonly maxValue: number | bigint;
  /** Products of one call of the gadget. */
  readonly chunkLength: number;
}

/**
 * A vector of integers whose sum is at most `maxValue`.
 *
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function l1BoundSum(parameters: L1BoundSumParameters): Circuit<readonly (number | bigint)[], readonly bigint[]> {
  const length = checkLength(parameters.length, 'length');
  const chunkLength = checkLength(parameters.chunkLength, 'chunk length');
  const range = new IntegerRange(FIELD128, checkBound(parameters.maxValue, FIELD128.modulus, 'largest sum'));
  const { size } = FIELD128;
  return {
    ...bitChecks(FIELD128, checkMeasurementLength((length + 1) * range.bits), chunkLength),
    outputLength: length,
    evaluationLength: 2,
    largestOutput: range.bound,
    constants: range.constants,
    temporaries: length + 3,
    encode(arena, { measurement, constants, temporary }, values) {
      if (values.length !== length) throw invalidMeasurement('the vector has the wrong length');
      range.encode(arena, [...values, total(values)], constants, temporary, measurement);
    },
    output(arena, { measurement, constants, temporary }, _randomness, outputRandomness, output) {
      // The components lie behind the two outputs, the claimed sum behind the components.
      const [difference, components] = [temporary + size, temporary + 2 * size];
      arena.copy(temporary, output, size);
      range.decode(measurement, length + 1, constants, components);
      arena.kernel.total128(components, length, difference);
      FIELD128.subtract(difference, difference, components + size * length, 1);
      FIELD128.inner(temporary, outputRandomness, 2, output);
    },
    truncate(_arena, { measurement, constants }, out) {
      range.decode(measurement, length, constants, out);
    },
    decode: (sums) => sums,
  };
}

/** The sum of what should be integers; what is not is refused when it is encoded. */
function total(values: readonly (number | bigint)[]): number | bigint {
  let small = 0;
  let large = 0n;
  for (const value of values) {
    if (typeof value === 'bigint') large += value;
    else small += value;
  }
  return large === 0n || !Number.isSafeInteger(small) ? small : large + BigInt(small);
}
