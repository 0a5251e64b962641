/** The circuit of Prio3MultihotCountVec. VDAF §7.4.5. */
import { FIELD128 } from '../field.ts';
import type { Circuit } from '../flp.ts';
import { invalidConfiguration, invalidMeasurement } from '../vdaf-error.ts';
import { bitChecks } from './bits.ts';
import { IntegerRange } from './integer-range.ts';
import { checkBound, checkLength, checkMeasurementLength } from './limits.ts';

/** Parameters of a vector of choices. */
export interface MultihotCountVecParameters {
  /** Number of choices. */
  readonly length: number;
  /** How many of them one report may make. */
  readonly maxWeight: number;
  /** Products of one call of the gadget. */
  readonly chunkLength: number;
}

/**
 * A vector of booleans of which no more than `maxWeight` are true.
 *
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function multihotCountVec(
  parameters: MultihotCountVecParameters,
): Circuit<readonly (boolean | number)[], readonly bigint[]> {
  const length = checkLength(parameters.length, 'length');
  const chunkLength = checkLength(parameters.chunkLength, 'chunk length');
  const weight = new IntegerRange(FIELD128, checkBound(parameters.maxWeight, FIELD128.modulus, 'largest weight'));
  if (weight.bound > length) throw invalidConfiguration('the largest weight is above the length');
  const { size } = FIELD128;
  return {
    ...bitChecks(FIELD128, checkMeasurementLength(length + weight.bits), chunkLength),
    outputLength: length,
    evaluationLength: 2,
    largestOutput: 1n,
    constants: weight.constants,
    temporaries: 3,
    encode(arena, { measurement, constants, temporary }, choices) {
      if (choices.length !== length) throw invalidMeasurement('the vector has the wrong length');
      let chosen = 0;
      for (let i = 0; i < length; i++) {
        const choice = choices[i];
        if (choice !== true && choice !== false && choice !== 0 && choice !== 1) {
          throw invalidMeasurement('a choice is neither true nor false');
        }
        chosen += Number(choice);
        arena.writeInteger(measurement + size * i, Number(choice));
      }
      weight.encode(arena, [chosen], constants, temporary, measurement + size * length);
    },
    output(arena, { measurement, constants, temporary }, _randomness, outputRandomness, output) {
      const [observed, claimed] = [temporary + size, temporary + 2 * size];
      arena.copy(temporary, output, size);
      arena.kernel.total128(measurement, length, observed);
      weight.decode(measurement + size * length, 1, constants, claimed);
      FIELD128.subtract(observed, observed, claimed, 1);
      FIELD128.inner(temporary, outputRandomness, 2, output);
    },
    truncate(arena, { measurement }, out) {
      arena.copy(out, measurement, size * length);
    },
    decode: (sums) => sums,
  };
}
