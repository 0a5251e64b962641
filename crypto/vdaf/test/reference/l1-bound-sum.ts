/** Circuit of Prio3L1BoundSum, from draft-ietf-ppm-l1-bound-sum. */
import { checkBits, chunks } from './chunks.ts';
import type { Field } from './field.ts';
import { MUL, parallelSum } from './gadget.ts';
import { bitLength, decodeRangeChecked, encodeRangeChecked } from './range-checked-int.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';

/** Numbers whose sum is in [0, max], added up each for itself. */
export function l1BoundSum(
  field: Field,
  length: number,
  max: bigint,
  chunk: number,
): Valid<readonly bigint[], bigint[]> {
  const bits = bitLength(max);
  const calls = Math.ceil(((length + 1) * bits) / chunk);
  return {
    field,
    measurementLength: (length + 1) * bits,
    outputLength: length,
    jointRandLength: calls,
    evalOutputLength: 2,
    gadgets: [parallelSum(MUL, chunk)],
    gadgetCalls: [calls],
    encode(measurement) {
      demand(measurement.length === length, 'a measurement has the wrong length');
      const norm = measurement.reduce((sum, value) => sum + value, 0n);
      return [...measurement, norm].flatMap((value) => encodeRangeChecked(value, max));
    },
    evaluate(measurement, jointRand, shares, call) {
      const range = checkBits(field, measurement, chunk, jointRand, shares, call);
      const numbers = chunks(measurement, bits).map((part) => decodeRangeChecked(field, part, max));
      const norm = numbers.pop()!;
      return [range, field.sub(field.sum(numbers), norm)];
    },
    truncate: (measurement) =>
      chunks(measurement.slice(0, length * bits), bits).map((part) => decodeRangeChecked(field, part, max)),
    decode: (output) => [...output],
  };
}
