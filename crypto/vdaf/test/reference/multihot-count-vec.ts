/** Circuit of Prio3MultihotCountVec. VDAF §7.4.5. */
import { checkBits } from './chunks.ts';
import type { Field } from './field.ts';
import { MUL, parallelSum } from './gadget.ts';
import { bitLength, decodeRangeChecked, encodeRangeChecked } from './range-checked-int.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';

/** At most `maxWeight` of `length` places, each counted. */
export function multihotCountVec(
  field: Field,
  length: number,
  maxWeight: bigint,
  chunk: number,
): Valid<readonly boolean[], bigint[]> {
  const calls = Math.ceil((length + bitLength(maxWeight)) / chunk);
  return {
    field,
    measurementLength: length + bitLength(maxWeight),
    outputLength: length,
    jointRandLength: calls,
    evalOutputLength: 2,
    gadgets: [parallelSum(MUL, chunk)],
    gadgetCalls: [calls],
    encode(measurement) {
      demand(measurement.length === length, 'a measurement has the wrong length');
      const counts = measurement.map((bit) => (bit ? 1n : 0n));
      return [...counts, ...encodeRangeChecked(BigInt(measurement.filter(Boolean).length), maxWeight)];
    },
    evaluate(measurement, jointRand, shares, call) {
      const range = checkBits(field, measurement, chunk, jointRand, shares, call);
      const weight = field.sum(measurement.slice(0, length));
      return [range, field.sub(weight, decodeRangeChecked(field, measurement.slice(length), maxWeight))];
    },
    truncate: (measurement) => measurement.slice(0, length),
    decode: (output) => [...output],
  };
}
