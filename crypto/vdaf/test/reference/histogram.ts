/** Circuit of Prio3Histogram. VDAF §7.4.4. */
import { checkBits } from './chunks.ts';
import type { Field } from './field.ts';
import { MUL, parallelSum } from './gadget.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';

/** One of `length` buckets, each counted. */
export function histogram(field: Field, length: number, chunk: number): Valid<bigint, bigint[]> {
  const calls = Math.ceil(length / chunk);
  return {
    field,
    measurementLength: length,
    outputLength: length,
    jointRandLength: calls,
    evalOutputLength: 2,
    gadgets: [parallelSum(MUL, chunk)],
    gadgetCalls: [calls],
    encode(measurement) {
      demand(measurement >= 0n && measurement < length, 'there is no such bucket');
      return Array.from({ length }, (_, i) => (BigInt(i) === measurement ? 1n : 0n));
    },
    evaluate(measurement, jointRand, shares, call) {
      const range = checkBits(field, measurement, chunk, jointRand, shares, call);
      return [range, field.sub(field.sum(measurement), field.inv(BigInt(shares)))];
    },
    truncate: (measurement) => [...measurement],
    decode: (output) => [...output],
  };
}
