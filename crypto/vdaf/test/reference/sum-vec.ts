/** Circuit of Prio3SumVec. VDAF §7.4.3. */
import { checkBits, chunks } from './chunks.ts';
import type { Field } from './field.ts';
import { MUL, parallelSum } from './gadget.ts';
import { bitLength, decodeRangeChecked, encodeRangeChecked } from './range-checked-int.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';

/** Numbers in [0, max], added up each for itself. */
export function sumVec(field: Field, length: number, max: bigint, chunk: number): Valid<readonly bigint[], bigint[]> {
  const bits = bitLength(max);
  const calls = Math.ceil((length * bits) / chunk);
  return {
    field,
    measurementLength: length * bits,
    outputLength: length,
    jointRandLength: calls,
    evalOutputLength: 1,
    gadgets: [parallelSum(MUL, chunk)],
    gadgetCalls: [calls],
    encode(measurement) {
      demand(measurement.length === length, 'a measurement has the wrong length');
      return measurement.flatMap((value) => encodeRangeChecked(value, max));
    },
    evaluate: (measurement, jointRand, shares, call) => [checkBits(field, measurement, chunk, jointRand, shares, call)],
    truncate: (measurement) => chunks(measurement, bits).map((part) => decodeRangeChecked(field, part, max)),
    decode: (output) => [...output],
  };
}
