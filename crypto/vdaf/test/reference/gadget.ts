/** Gadgets, the parts of a circuit that are not affine. VDAF §A. */
import type { Field } from './field.ts';
import { evaluate } from './polynomial.ts';

/** A function of field elements that is a polynomial of low degree. */
export interface Gadget {
  /** How many inputs it has. */
  readonly arity: number;
  readonly degree: number;
  evaluate(field: Field, inputs: readonly bigint[]): bigint;
}

/** The product of two inputs. VDAF §A.1. */
export const MUL: Gadget = {
  arity: 2,
  degree: 2,
  evaluate: (field, [left, right]) => field.mul(left!, right!),
};

/** The value of a polynomial with integer coefficients. VDAF §A.2. */
export function polyEval(coefficients: readonly bigint[]): Gadget {
  return {
    arity: 1,
    degree: coefficients.length - 1,
    evaluate: (field, [x]) =>
      evaluate(
        field,
        coefficients.map((value) => field.from(value)),
        x!,
      ),
  };
}

/** The sum of what a gadget gives for `count` groups of inputs. VDAF §A.3. */
export function parallelSum(inner: Gadget, count: number): Gadget {
  return {
    arity: inner.arity * count,
    degree: inner.degree,
    evaluate: (field, inputs) =>
      field.sum(
        Array.from({ length: count }, (_, i) =>
          inner.evaluate(field, inputs.slice(i * inner.arity, (i + 1) * inner.arity)),
        ),
      ),
  };
}
