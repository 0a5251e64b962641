/**
 * Vectors of fields and polynomials. VDAF §6.1.
 *
 * The package has no transforms of their own: they are inside of proofs and queries. So products and values of polynomials
 * are compared with what a proof and a query make of them, and what is left follows by definition, in arithmetic of the
 * package.
 */
import { fieldSteps64, fieldSteps128, fieldSteps255, type PolynomialSteps } from '@privacy-edge/vdaf/steps';
import { SAME, type Verdict } from './kind.ts';
import { FieldArithmetic } from './vdaf-field-arithmetic.ts';
import { expectSame, type Vector, VectorError } from './vector.ts';

/** One field with everything recorded about it. */
export async function checkField(vector: Vector): Promise<Verdict> {
  const name = vector.text('field');
  const steps = { Field64: fieldSteps64, Field128: fieldSteps128 }[name];
  if (steps === undefined && name !== 'Field255')
    throw new VectorError('UNREADABLE', `Cannot read vector: there is no field "${name}"`);
  const field = new FieldArithmetic(steps ?? fieldSteps255, vector.bigint('modulus'));
  checkArithmetic(vector, field);
  if (steps !== undefined) checkPolynomials(vector, field, steps);
  return SAME;
}

function checkArithmetic(vector: Vector, field: FieldArithmetic): void {
  expectSame('size of an element', field.size, vector.integer('encoded_size'));
  field.checkModulus();
  for (const [i, op] of vector.vectors('ops').entries()) {
    const [a, b] = [op.bigint('a'), op.bigint('b')];
    const expect = (member: string, actual: bigint): void =>
      expectSame(`${member} of operation ${i}`, String(actual), String(op.bigint(member)));
    expect('add', field.add(a, b));
    expect('sub', field.subtract(a, b));
    expect('mul', field.multiply(a, b));
    expect('neg_a', field.subtract(0n, a));
    if (b !== 0n)
      expectSame(`product with inv_b of operation ${i}`, String(field.multiply(b, op.bigint('inv_b'))), '1');
    expectSame(`encoding of operation ${i}`, field.decode(op.hex('encoded_ab'))?.map(String), [a, b].map(String));
  }
  for (const error of vector.vectors('decode_errors'))
    expectSame(`decoding of what is "${error.text('why')}"`, field.decode(error.hex('hex'))?.map(String), undefined);
}

/** Roots of unity by their order: all are powers of the recorded one with the highest. */
type RootOf = (n: number) => bigint;

function checkPolynomials(vector: Vector, field: FieldArithmetic, steps: PolynomialSteps): void {
  const rootOf = checkRoots(vector.vector('nth_root'), field);
  for (const [i, entry] of vector.vectors('ntt').entries())
    checkTransform(entry, field, steps, rootOf, `transform ${i}`);
  for (const [i, entry] of vector.vectors('lagrange').entries())
    checkLagrange(entry, field, steps, rootOf, `polynomial ${i}`);
  for (const [i, entry] of vector.vectors('extend').entries()) {
    const [input, output] = [entry.bigints('input'), entry.bigints('output')];
    expectSame(`length of extension ${i}`, output.length, entry.integer('n'));
    expectSame(`start of extension ${i}`, output.slice(0, input.length).map(String), input.map(String));
    expectDegree(field, output, input.length, rootOf, `extension ${i}`);
  }
}

function checkRoots(recorded: Vector, field: FieldArithmetic): RootOf {
  const orders = recorded
    .names()
    .map(Number)
    .sort((a, b) => b - a);
  const [highest = 1] = orders;
  const halved = new Map<number, bigint>();
  let root = recorded.bigint(String(highest));
  for (let n = highest; n >= 1; n /= 2) {
    halved.set(n, root);
    root = field.multiply(root, root);
  }
  if (highest > 1) expectSame('the root of order 2', String(halved.get(2)), String(field.subtract(0n, 1n)));
  for (const n of orders)
    expectSame(`the root of order ${n}`, String(halved.get(n)), String(recorded.bigint(String(n))));
  return (n) => {
    const found = halved.get(n);
    if (found === undefined) throw new VectorError('UNREADABLE', `Cannot read vector: there is no root of order ${n}`);
    return found;
  };
}

/** Evaluations by definition; on the odd coset also as a proof makes them. */
function checkTransform(
  entry: Vector,
  field: FieldArithmetic,
  steps: PolynomialSteps,
  rootOf: RootOf,
  what: string,
): void {
  const [n, coefficients] = [entry.integer('n'), entry.bigints('coefficients')];
  expectSame(`length of ${what}`, coefficients.length, n);
  const all = field.powers(rootOf(2 * n), 2 * n).map((x) => field.evaluate(coefficients, x));
  const [even, odd] = [0, 1].map((rest) => all.filter((_, i) => i % 2 === rest).map(String)) as [string[], string[]];
  const evaluations = entry.bigints('evaluations');
  expectSame(`evaluations of ${what}`, evaluations.map(String), even);
  expectSame(`evaluations on the coset of ${what}`, entry.bigints('evaluations_set_s').map(String), odd);
  expectSame(`coefficients of ${what}`, entry.bigints('inv_ntt_of_evaluations').map(String), coefficients.map(String));
  if (n > 1)
    expectSame(`proof of ${what}`, doubled(field, steps, evaluations).map(String), all.slice(0, -1).map(String));
}

/** All but the last of the values at twice as many points: a product with the polynomial one. */
function doubled(field: FieldArithmetic, steps: PolynomialSteps, values: readonly bigint[]): bigint[] {
  return product(
    field,
    steps,
    values,
    values.map(() => 1n),
  );
}

function product(
  field: FieldArithmetic,
  steps: PolynomialSteps,
  left: readonly bigint[],
  right: readonly bigint[],
): bigint[] {
  if (left.length === 1) return [field.multiply(left[0] ?? 0n, right[0] ?? 0n)];
  return field.decode(steps.multiplyPolynomials(field.encode(left), field.encode(right))) ?? [];
}

/** Product and values as a proof and a query make them. */
function checkLagrange(
  entry: Vector,
  field: FieldArithmetic,
  steps: PolynomialSteps,
  rootOf: RootOf,
  what: string,
): void {
  const [n, values, other] = [entry.integer('n'), entry.bigints('evaluations'), entry.bigints('other')];
  expectSame(`lengths of ${what}`, [values.length, other.length], [n, n]);
  const [twice, products] = [entry.bigints('double_evaluations'), entry.bigints('poly_mul')];
  expectSame(
    `double evaluations of ${what}`,
    twice.slice(0, -1).map(String),
    doubled(field, steps, values).map(String),
  );
  expectDegree(field, twice, n, rootOf, `double evaluations of ${what}`);
  const made = product(field, steps, values, other);
  expectSame(`product of ${what}`, products.slice(0, -1).map(String), made.map(String));
  expectDegree(field, products, 2 * n - 1, rootOf, `product of ${what}`);
  const [x, value] = [entry.bigint('x'), entry.bigint('poly_eval')];
  if (n === 1) {
    expectSame(`value of ${what}`, String(value), String(values[0]));
    return;
  }
  const queried = steps.evaluate(field.encode(values), field.encode(other), field.encode(made), field.encode([x]));
  const [left, right = 0n, both] = (queried && field.decode(queried)) ?? [];
  expectSame(`value of ${what}`, String(left), String(value));
  expectSame(`value of the product of ${what}`, String(both), String(field.multiply(value, right)));
}

/** Whether values at all n-th roots of unity are those of a polynomial with so many coefficients: the others are zero. */
function expectDegree(
  field: FieldArithmetic,
  values: readonly bigint[],
  coefficients: number,
  rootOf: RootOf,
  what: string,
): void {
  const points = field.powers(rootOf(values.length), values.length);
  for (let i = coefficients; i < values.length; i++) {
    // Up to a factor, coefficient i of a polynomial is the value at w^-i of the one whose coefficients are its values.
    const point = points[values.length - i] ?? 1n;
    expectSame(`coefficient ${i} of ${what}`, String(field.evaluate(values, point)), '0');
  }
}
