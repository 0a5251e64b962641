/** Arithmetic of the package on integers. */
import type { FieldSteps } from '@privacy-edge/vdaf/steps';
import { decodeElements, encodeElements } from './vdaf-numbers.ts';
import { VectorError } from './vector.ts';

/** One field. Everything that is computed is computed by the package. */
export class FieldArithmetic {
  readonly size: number;
  readonly #steps: FieldSteps;
  readonly #modulus: bigint;

  /** @param modulus - as recorded */
  constructor(steps: FieldSteps, modulus: bigint) {
    this.size = steps.size;
    this.#steps = steps;
    this.#modulus = modulus;
  }

  /** Whether the package takes what is below the modulus and refuses the modulus itself. */
  checkModulus(): void {
    const isElement = (value: bigint): boolean => this.#steps.isVector(encodeElements([value], this.size));
    if (this.#modulus >> BigInt(8 * this.size) !== 0n || !isElement(this.#modulus - 1n) || isElement(this.#modulus))
      throw new VectorError('MISMATCH', 'the modulus is another');
  }

  add(a: bigint, b: bigint): bigint {
    return this.#only(this.#steps.add(this.encode([a]), this.encode([b])));
  }

  subtract(a: bigint, b: bigint): bigint {
    return this.#only(this.#steps.subtract(this.encode([a]), this.encode([b])));
  }

  multiply(a: bigint, b: bigint): bigint {
    return this.#only(this.#steps.multiply(this.encode([a]), this.encode([b])));
  }

  /** The first `count` powers, from the zeroth. */
  powers(base: bigint, count: number): bigint[] {
    const powers: bigint[] = [];
    for (let power = 1n; powers.length < count; power = this.multiply(power, base)) powers.push(power);
    return powers;
  }

  /** The value of a polynomial, its constant coefficient first. */
  evaluate(coefficients: readonly bigint[], x: bigint): bigint {
    return coefficients.reduceRight((value, coefficient) => this.add(this.multiply(value, x), coefficient), 0n);
  }

  /** The encoding of elements. */
  encode(values: readonly bigint[]): Uint8Array {
    const bytes = encodeElements(values, this.size);
    if (values.some((value) => value >= this.#modulus))
      throw new VectorError('UNREADABLE', 'Cannot read vector: a number is no element of the field');
    return bytes;
  }

  /** The elements of an encoding; undefined when the package takes it for none. */
  decode(bytes: Uint8Array): bigint[] | undefined {
    return this.#steps.isVector(bytes) ? decodeElements(bytes, this.size) : undefined;
  }

  #only(bytes: Uint8Array): bigint {
    const [value] = this.decode(bytes) ?? [];
    if (value === undefined) throw new VectorError('MISMATCH', 'a result is not reduced');
    return value;
  }
}
