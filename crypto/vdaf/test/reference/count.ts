/** Circuit of Prio3Count. VDAF §7.4.1. */
import type { Field } from './field.ts';
import { MUL } from './gadget.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';

/** Zero or one, counted. */
export function count(field: Field): Valid<bigint, bigint> {
  return {
    field,
    measurementLength: 1,
    outputLength: 1,
    jointRandLength: 0,
    evalOutputLength: 1,
    gadgets: [MUL],
    gadgetCalls: [1],
    encode(measurement) {
      demand(measurement === 0n || measurement === 1n, 'a measurement is out of range');
      return [measurement];
    },
    evaluate: ([x], _jointRand, _shares, call) => [field.sub(call(0, [x!, x!]), x!)],
    truncate: (measurement) => [...measurement],
    decode: ([total]) => total!,
  };
}
