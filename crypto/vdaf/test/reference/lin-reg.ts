/**
 * Circuit of Prio3LinReg, an algorithm of our own: numbers and all products of two of them, added up each for itself.
 * From these sums follow the coefficients of a linear regression.
 *
 * Encoded are the bits of z_1 … z_D, then p_ij = z_i * z_j for i <= j, row by row. One check for each of these elements:
 * left * right - term = 0, with (bit, bit - 1, 0) and (z_i, z_j, p_ij).
 */
import { chunks } from './chunks.ts';
import { cut } from './cut.ts';
import type { Field } from './field.ts';
import { MUL, parallelSum } from './gadget.ts';
import { bitLength, decodeRangeChecked, encodeRangeChecked } from './range-checked-int.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';

/** One factor each, and what their product should be. */
interface Check {
  readonly left: bigint;
  readonly right: bigint;
  readonly term: bigint;
}

/** `maxima` are those of z_1 … z_D. */
export function linReg(field: Field, maxima: readonly bigint[], chunk: number): Valid<readonly bigint[], bigint[]> {
  const bits = maxima.reduce((total, max) => total + bitLength(max), 0);
  const pairs = maxima.flatMap((_, i) => maxima.slice(i).map((__, j) => [i, i + j] as const));
  const calls = Math.ceil((bits + pairs.length) / chunk);

  const numbersOf = (measurement: readonly bigint[]): bigint[] =>
    cut<readonly bigint[]>(measurement, maxima.map(bitLength)).map((part, i) =>
      decodeRangeChecked(field, part, maxima[i]!),
    );
  const checksOf = (measurement: readonly bigint[], shares: number): Check[] => {
    const one = field.inv(BigInt(shares));
    const numbers = numbersOf(measurement);
    return [
      ...measurement.slice(0, bits).map((bit) => ({ left: bit, right: field.sub(bit, one), term: 0n })),
      ...pairs.map(([i, j], k) => ({ left: numbers[i]!, right: numbers[j]!, term: measurement[bits + k]! })),
    ];
  };

  return {
    field,
    measurementLength: bits + pairs.length,
    outputLength: maxima.length + pairs.length,
    jointRandLength: calls,
    evalOutputLength: 1,
    gadgets: [parallelSum(MUL, chunk)],
    gadgetCalls: [calls],
    encode(measurement) {
      demand(measurement.length === maxima.length, 'a measurement has the wrong length');
      const encoded = measurement.flatMap((value, i) => encodeRangeChecked(value, maxima[i]!));
      return [...encoded, ...pairs.map(([i, j]) => field.mul(measurement[i]!, measurement[j]!))];
    },
    evaluate(measurement, jointRand, shares, call) {
      const outputs = chunks(checksOf(measurement, shares), chunk).map((piece, i) => {
        const powers = piece.map((_, j) => field.pow(jointRand[i]!, BigInt(j + 1)));
        const inputs = piece.flatMap(({ left, right }, j) => [field.mul(powers[j]!, left), right]);
        const product = call(0, [...inputs, ...field.zeros(2 * (chunk - piece.length))]);
        const terms = piece.map(({ term }) => term);
        return field.sub(product, field.dot(powers, terms));
      });
      return [field.sum(outputs)];
    },
    truncate: (measurement) => [...numbersOf(measurement), ...measurement.slice(bits)],
    decode: (output) => [...output],
  };
}
