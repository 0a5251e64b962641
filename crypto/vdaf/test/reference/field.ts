/** Finite fields of prime order. VDAF §6.1. */
import { concat, fromLittleEndian, littleEndian } from './bytes.ts';
import { demand } from './refusal.ts';

/** Elements are integers in [0, modulus). */
export class Field {
  readonly name: string;
  readonly modulus: bigint;
  /** Length of an encoded element, bytes. */
  readonly size: number;
  /** Generator of the largest subgroup whose order is a power of two, and that order; undefined when it is of no use. */
  readonly subgroup: { readonly generator: bigint; readonly order: bigint } | undefined;

  constructor(name: string, modulus: bigint, size: number, subgroup?: { base: bigint; order: bigint }) {
    this.name = name;
    this.modulus = modulus;
    this.size = size;
    this.subgroup = subgroup && {
      generator: this.pow(subgroup.base, (modulus - 1n) / subgroup.order),
      order: subgroup.order,
    };
  }

  /** The element that an integer of any size or sign stands for. */
  from(value: bigint | number): bigint {
    const rest = BigInt(value) % this.modulus;
    return rest < 0n ? rest + this.modulus : rest;
  }

  add(left: bigint, right: bigint): bigint {
    return this.from(left + right);
  }

  sub(left: bigint, right: bigint): bigint {
    return this.from(left - right);
  }

  neg(value: bigint): bigint {
    return this.from(-value);
  }

  mul(left: bigint, right: bigint): bigint {
    return this.from(left * right);
  }

  pow(base: bigint, exponent: bigint): bigint {
    if (exponent === 0n) return 1n;
    const half = this.pow(base, exponent >> 1n);
    const square = this.mul(half, half);
    return (exponent & 1n) === 0n ? square : this.mul(square, base);
  }

  /** The inverse; 0 for 0. */
  inv(value: bigint): bigint {
    return this.pow(value, this.modulus - 2n);
  }

  sum(values: readonly bigint[]): bigint {
    return this.from(values.reduce((sum, value) => sum + value, 0n));
  }

  product(values: readonly bigint[]): bigint {
    return values.reduce((product, value) => this.mul(product, value), 1n);
  }

  /** Sum of the products of elements at the same place. */
  dot(left: readonly bigint[], right: readonly bigint[]): bigint {
    return this.sum(left.map((value, i) => value * right[i]!));
  }

  addVectors(left: readonly bigint[], right: readonly bigint[]): bigint[] {
    demand(left.length === right.length, 'vectors differ in length');
    return left.map((value, i) => this.add(value, right[i]!));
  }

  subVectors(left: readonly bigint[], right: readonly bigint[]): bigint[] {
    demand(left.length === right.length, 'vectors differ in length');
    return left.map((value, i) => this.sub(value, right[i]!));
  }

  zeros(length: number): bigint[] {
    return new Array<bigint>(length).fill(0n);
  }

  /** The principal n-th root of unity, n a power of two. VDAF §6.1.2. */
  root(n: number): bigint {
    const { generator, order } = this.subgroup!;
    return this.pow(generator, order / BigInt(n));
  }

  /** The first `count` powers, from the zeroth, of the principal n-th root of unity. */
  rootPowers(n: number, count: number = n): bigint[] {
    const root = this.root(n);
    return Array.from({ length: count }, (_, i) => this.pow(root, BigInt(i)));
  }

  /** Encodes a vector, each element with its least significant byte first. */
  encode(vector: readonly bigint[]): Uint8Array {
    return concat(...vector.map((value) => littleEndian(value, this.size)));
  }

  /** Undoes {@link encode}; elements have to be smaller than the modulus. */
  decode(bytes: Uint8Array): bigint[] {
    demand(bytes.length % this.size === 0, 'a vector ends inside of an element');
    return Array.from({ length: bytes.length / this.size }, (_, i) => {
      const value = fromLittleEndian(bytes.slice(i * this.size, (i + 1) * this.size));
      demand(value < this.modulus, 'an element is not smaller than the modulus');
      return value;
    });
  }
}

/** VDAF §6.1.4. */
export const FIELD64: Field = new Field('Field64', 2n ** 32n * 4294967295n + 1n, 8, { base: 7n, order: 2n ** 32n });
/** VDAF §6.1.4. */
export const FIELD128: Field = new Field('Field128', 2n ** 66n * 4611686018427387897n + 1n, 16, {
  base: 7n,
  order: 2n ** 66n,
});
/** VDAF §6.1.4. */
export const FIELD255: Field = new Field('Field255', 2n ** 255n - 19n, 32);
