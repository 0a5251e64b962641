/** Checks of parameters and measurements that circuits share. */
import { invalidConfiguration, invalidMeasurement } from '../vdaf-error.ts';

/** Longest encoded measurement, elements. Longer ones are refused, so that no task can ask for unbounded memory. */
const MAX_MEASUREMENT_LENGTH = 2 ** 20;

/** Largest bound of an integer: configurations carry 64 bits. */
const MAX_BOUND = 2n ** 64n - 1n;

/** A length or count from a configuration. */
export function checkLength(value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 1) throw invalidConfiguration(`the ${name} is not a positive integer`);
  if (value > MAX_MEASUREMENT_LENGTH) throw invalidConfiguration(`the ${name} is above ${MAX_MEASUREMENT_LENGTH}`);
  return value;
}

/** The length of an encoded measurement. */
export function checkMeasurementLength(length: number): number {
  if (length > MAX_MEASUREMENT_LENGTH) throw invalidConfiguration('the encoded measurement would be too long');
  return length;
}

/** The largest value of an integer in a measurement. */
export function checkBound(value: number | bigint, modulus: bigint, name: string): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw invalidConfiguration(`the ${name} is not an exact integer`);
  }
  const bound = BigInt(value);
  if (bound < 1n) throw invalidConfiguration(`the ${name} is not positive`);
  if (bound >= modulus || bound > MAX_BOUND) throw invalidConfiguration(`the ${name} is too large`);
  return bound;
}

/** Bits of a positive integer. */
export function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** Whether a value of a measurement is an integer from 0 to `bound`. */
export function checkInteger(value: number | bigint, bound: bigint, boundNumber: number): void {
  const valid =
    typeof value === 'bigint'
      ? value >= 0n && value <= bound
      : Number.isSafeInteger(value) && value >= 0 && value <= boundNumber;
  if (!valid) throw invalidMeasurement('a value is not an integer within the bounds');
}

/** Bits of a bound that nobody has checked yet; 1 when it is none, which is found out later. */
export function bitsOf(bound: number | bigint): number {
  const exact = typeof bound === 'bigint' || Number.isSafeInteger(bound);
  return exact && bound >= 1 ? bitLength(BigInt(bound)) : 1;
}
