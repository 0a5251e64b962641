/** Circuit of Prio3Sum. VDAF §7.4.2. */
import type { Field } from './field.ts';
import { polyEval } from './gadget.ts';
import { bitLength, decodeRangeChecked, encodeRangeChecked } from './range-checked-int.ts';
import type { Valid } from './valid.ts';

/** A number in [0, max], added up. */
export function sum(field: Field, max: bigint): Valid<bigint, bigint> {
  const bits = bitLength(max);
  return {
    field,
    measurementLength: bits,
    outputLength: 1,
    jointRandLength: 0,
    evalOutputLength: bits,
    gadgets: [polyEval([0n, -1n, 1n])],
    gadgetCalls: [bits],
    encode: (measurement) => encodeRangeChecked(measurement, max),
    evaluate: (measurement, _jointRand, _shares, call) => measurement.map((bit) => call(0, [bit])),
    truncate: (measurement) => [decodeRangeChecked(field, measurement, max)],
    decode: ([total]) => total!,
  };
}
