/** The circuit of Prio3Histogram. VDAF §7.4.4. */
import { FIELD128 } from '../field.ts';
import type { Circuit } from '../flp.ts';
import { invalidMeasurement } from '../vdaf-error.ts';
import { bitChecks } from './bits.ts';
import { checkLength } from './limits.ts';

/** Parameters of a histogram. */
export interface HistogramParameters {
  /** Number of buckets. */
  readonly length: number;
  /** Products of one call of the gadget. */
  readonly chunkLength: number;
}

/**
 * One bucket out of `length`; the measurement is its index.
 *
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function histogram(parameters: HistogramParameters): Circuit<number, readonly bigint[]> {
  const length = checkLength(parameters.length, 'length');
  const chunkLength = checkLength(parameters.chunkLength, 'chunk length');
  const { size } = FIELD128;
  return {
    ...bitChecks(FIELD128, length, chunkLength),
    outputLength: length,
    evaluationLength: 2,
    largestOutput: 1n,
    constants: new Uint8Array(0),
    temporaries: 2,
    encode(arena, { measurement }, bucket) {
      if (!Number.isSafeInteger(bucket) || bucket < 0 || bucket >= length) {
        throw invalidMeasurement('there is no such bucket');
      }
      arena.kernel.encodeOneHot(bucket, length, size, measurement);
    },
    output(arena, { measurement, one, temporary }, _randomness, outputRandomness, output) {
      arena.copy(temporary, output, size);
      arena.kernel.total128(measurement, length, temporary + size);
      FIELD128.subtract(temporary + size, temporary + size, one, 1);
      FIELD128.inner(temporary, outputRandomness, 2, output);
    },
    truncate(arena, { measurement }, out) {
      arena.copy(out, measurement, size * length);
    },
    decode: (sums) => sums,
  };
}
