/**
 * The circuit of Prio3LinReg: integers x_1, …, x_d, y and all their products, which is what a least-squares fit needs.
 *
 * The encoding is the weighted bits of each integer, then the products z_i·z_j for i <= j in row order. Bits are
 * checked as elsewhere; a product is one more multiplication by the same gadget, with the claimed product taken off the
 * circuit's output under the same power of the randomness. The algorithm identifier is of the private range.
 */
import { FIELD128 } from '../field.ts';
import { type Circuit, type CircuitPlace, shapeOf } from '../flp.ts';
import type { Arena } from '../prio3-arena.ts';
import { invalidConfiguration, invalidMeasurement } from '../vdaf-error.ts';
import { IntegerRange, RANGE_CONSTANTS_SIZE } from './integer-range.ts';
import { checkBound, checkLength, checkMeasurementLength } from './limits.ts';

/** Parameters of a linear regression. */
export interface LinRegParameters {
  /** Largest value of each integer, features first, the dependent variable last; below 2^32. */
  readonly maxValues: readonly (number | bigint)[];
  /** Products of one call of the gadget. */
  readonly chunkLength: number;
}

/** Sums over all reports. */
export interface LinRegSums {
  /** Sum of each integer, in the order of the parameters. */
  readonly sums: readonly bigint[];
  /** Sum of each product z_i·z_j with i <= j, in row order. */
  readonly products: readonly bigint[];
}

/** Products of two such integers fit into 64 bits. */
const BOUND_LIMIT = 2n ** 32n - 1n;

/** Elements of the encoded measurement of {@link linReg}. */
export function linRegLength(maxValues: readonly (number | bigint)[]): number {
  return rangesOf(maxValues).reduce((length, { bits }) => length + bits, 0) + pairCount(maxValues.length);
}

/**
 * Integers and their products.
 *
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function linReg(parameters: LinRegParameters): Circuit<readonly (number | bigint)[], LinRegSums> {
  const ranges = rangesOf(parameters.maxValues);
  const chunkLength = checkLength(parameters.chunkLength, 'chunk length');
  const [numbers, products] = [ranges.length, pairCount(ranges.length)];
  const bits = ranges.reduce((length, range) => length + range.bits, 0);
  const length = checkMeasurementLength(bits + products);
  const shape = shapeOf(length, chunkLength);
  const padding = shape.calls * chunkLength - length;
  const { size } = FIELD128;
  const largest = ranges.reduce((bound, range) => (range.bound > bound ? range.bound : bound), 0n);

  function decodeNumbers({ measurement, constants }: CircuitPlace, out: number): void {
    let at = measurement;
    ranges.forEach((range, i) => {
      range.decode(at, 1, constants + RANGE_CONSTANTS_SIZE * i, out + size * i);
      at += size * range.bits;
    });
  }

  function wires(arena: Arena, place: CircuitPlace): void {
    const { measurement, left, right, one, temporary } = place;
    arena.copy(left, measurement, size * bits);
    FIELD128.bitWires(left, bits, bits, one, right);
    decodeNumbers(place, temporary);
    arena.kernel.pairs128(temporary, numbers, left + size * bits, right + size * bits);
    arena.clear(left + size * length, size * padding);
    arena.clear(right + size * length, size * padding);
  }

  return {
    field: FIELD128,
    shape,
    single: false,
    measurementLength: length,
    outputLength: numbers + products,
    jointRandomnessLength: shape.calls,
    evaluationLength: 1,
    hasLeftWires: true,
    largestOutput: largest * largest,
    constants: joined(ranges),
    temporaries: numbers + 1,
    encode(arena, place, values) {
      if (values.length !== numbers) throw invalidMeasurement('the vector has the wrong length');
      const { measurement, left, right, constants, temporary } = place;
      let at = measurement;
      ranges.forEach((range, i) => {
        range.encode(arena, [values[i] as number | bigint], constants + RANGE_CONSTANTS_SIZE * i, temporary, at);
        at += size * range.bits;
      });
      decodeNumbers(place, temporary);
      arena.kernel.pairs128(temporary, numbers, left, right);
      arena.kernel.smallProducts128(left, right, products, at);
    },
    wires,
    output(arena, { measurement, temporary }, randomness, _outputRandomness, output) {
      const claims = measurement + size * bits;
      arena.kernel.powerSum128(randomness, chunkLength, bits, claims, products, temporary);
      FIELD128.subtract(output, output, temporary, 1);
    },
    truncate(arena, place, out) {
      decodeNumbers(place, out);
      arena.copy(out + size * numbers, place.measurement + size * bits, size * products);
    },
    decode: (sums) => ({ sums: sums.slice(0, numbers), products: sums.slice(numbers) }),
  };
}

function rangesOf(maxValues: readonly (number | bigint)[]): IntegerRange[] {
  if (maxValues.length < 2) throw invalidConfiguration('a regression needs a feature and a dependent variable');
  checkLength(maxValues.length, 'number of variables');
  return maxValues.map((value) => {
    const bound = checkBound(value, FIELD128.modulus, 'largest value');
    if (bound > BOUND_LIMIT) throw invalidConfiguration('a largest value is not below 2^32');
    return new IntegerRange(FIELD128, bound);
  });
}

function pairCount(numbers: number): number {
  return (numbers * (numbers + 1)) / 2;
}

function joined(ranges: readonly IntegerRange[]): Uint8Array {
  const constants = new Uint8Array(RANGE_CONSTANTS_SIZE * ranges.length);
  ranges.forEach(({ constants: own }, i) => {
    constants.set(own, RANGE_CONSTANTS_SIZE * i);
  });
  return constants;
}
