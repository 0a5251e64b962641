/**
 * Fields and polynomials by themselves, in bytes, for comparison with test vectors: the kernels use them inside of larger
 * steps. VDAF §6.1.
 */
import { FIELD64, FIELD128, type Field, type ProofShape } from './field.ts';
import { Arena } from './prio3-arena.ts';
import { Workspace } from './workspace.ts';

/** Arithmetic on encoded vectors. */
export interface FieldSteps {
  /** Bytes of an element. */
  readonly size: number;
  /** Whether the bytes are elements, each below the modulus. */
  isVector(bytes: Uint8Array): boolean;
  /** Vector sum. */
  add(left: Uint8Array, right: Uint8Array): Uint8Array;
  /** Vector difference. */
  subtract(left: Uint8Array, right: Uint8Array): Uint8Array;
  /** Product of two elements. */
  multiply(left: Uint8Array, right: Uint8Array): Uint8Array;
}

/** Arithmetic on polynomials given by their values at the n-th roots of unity, n a power of two above 1. */
export interface PolynomialSteps extends FieldSteps {
  /** The first 2n - 1 of the values that the product of two polynomials has at the 2n-th roots of unity. */
  multiplyPolynomials(left: Uint8Array, right: Uint8Array): Uint8Array;
  /**
   * The values of two polynomials, and of one given by 2n - 1 values at the 2n-th roots of unity, at a point.
   *
   * @returns three elements, or `undefined` when the point is an n-th root of unity
   */
  evaluate(left: Uint8Array, right: Uint8Array, product: Uint8Array, point: Uint8Array): Uint8Array | undefined;
}

/** Field64. VDAF §6.1.4. */
export const fieldSteps64: PolynomialSteps = stepsOf(FIELD64);
/** Field128. VDAF §6.1.4. */
export const fieldSteps128: PolynomialSteps = stepsOf(FIELD128);

/** A proof with as many calls of one product as there are values after the first, and randomness one. */
interface Products {
  readonly shape: ProofShape;
  readonly table: number;
}

function stepsOf(field: Field): PolynomialSteps {
  const { size } = field;
  const productsOf = (values: Uint8Array): Products => {
    const log = Math.log2(values.length / size);
    return { shape: { calls: 2 ** log - 1, chunk: 1, log }, table: field.table(log) };
  };
  const vectors = (operation: (out: number, left: number, right: number, count: number) => void): FieldSteps['add'] => {
    return (left, right) =>
      Arena.use((arena) => {
        const out = arena.reserve(left.length);
        operation(out, arena.put(left), arena.put(right), left.length / size);
        return arena.read(out, left.length);
      });
  };
  return {
    size,
    isVector: (bytes) =>
      bytes.length % size === 0 && Arena.use((arena) => field.isCanonical(arena.put(bytes), bytes.length / size)),
    add: vectors((out, left, right, count) => field.add(out, left, right, count)),
    subtract: vectors((out, left, right, count) => field.subtract(out, left, right, count)),
    multiply: vectors((out, left, right) => field.inner(left, right, 1, out)),
    multiplyPolynomials(left, right) {
      const { shape, table } = productsOf(left);
      return Arena.use((arena) => {
        const seeds = arena.put(pair(left, right, size));
        const proof = arena.reserve(size * (2 * shape.calls + 3));
        field.prove(shape, { ...placesOf(arena, field, shape, left, right), proof, table }, seeds);
        return arena.read(proof + 2 * size, size * (2 * shape.calls + 1));
      });
    },
    evaluate(left, right, product, point) {
      const { shape, table } = productsOf(left);
      return Arena.use((arena) => {
        const proof = arena.reserve(2 * size + product.length);
        arena.write(proof, pair(left, right, size));
        arena.write(proof + 2 * size, product);
        const verifier = arena.reserve(4 * size);
        const place = { ...placesOf(arena, field, shape, left, right), proof, table };
        const usable = field.query(shape, place, 0, arena.put(point), verifier);
        return usable ? arena.read(verifier + size, 3 * size) : undefined;
      });
    },
  };
}

/** The first value of each. */
function pair(left: Uint8Array, right: Uint8Array, size: number): Uint8Array {
  const both = new Uint8Array(2 * size);
  both.set(left.subarray(0, size));
  both.set(right.subarray(0, size), size);
  return both;
}

function placesOf(
  arena: Arena,
  field: Field,
  { calls, log }: ProofShape,
  left: Uint8Array,
  right: Uint8Array,
): { left: number; right: number; jointRandomness: number; work: number } {
  const ones = new Uint8Array(field.size * calls);
  for (let i = 0; i < calls; i++) ones[field.size * i] = 1;
  return {
    left: arena.put(left.subarray(field.size)),
    right: arena.put(right.subarray(field.size)),
    jointRandomness: arena.put(ones),
    work: arena.reserve(field.workSize(log)),
  };
}

/** Bytes of an element of Field255. */
const SIZE255 = 32;

/**
 * Field255. VDAF §6.1.4. Its product and difference are those of the sketch's last step,
 * aggregator·(x² - y - z) + A·x + B.
 */
export const fieldSteps255: FieldSteps = {
  size: SIZE255,
  isVector: (bytes) =>
    bytes.length % SIZE255 === 0 &&
    Workspace.use((space) => space.kernel.canonical255(space.put(bytes), bytes.length / SIZE255) === 1),
  add: (left, right) =>
    Workspace.use((space) => {
      const out = space.put(left);
      space.kernel.sum255(out, space.put(right), left.length / SIZE255);
      return space.read(out, left.length);
    }),
  subtract: (left, right) => reveal255(1n, [undefined, right, undefined], [undefined, left]),
  multiply: (left, right) => reveal255(0n, [right, undefined, undefined], [left, undefined]),
};

type Element = Uint8Array | undefined;

function reveal255(aggregator: bigint, sketch: readonly Element[], shares: readonly Element[]): Uint8Array {
  return Workspace.use((space) => {
    const put = (elements: readonly Element[]): number => {
      const at = space.reserve(SIZE255 * elements.length);
      elements.forEach((element, i) => {
        if (element !== undefined) space.write(at + SIZE255 * i, element);
      });
      return at;
    };
    const out = space.reserve(SIZE255);
    space.kernel.reveal255(aggregator, put(sketch), put(shares), out);
    return space.read(out, SIZE255);
  });
}
