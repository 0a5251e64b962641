/** The fully linear proof system. VDAF §7.3. */
import { cut } from './cut.ts';
import type { Gadget } from './gadget.ts';
import { evaluate, evaluateLagrange, inverseNtt, lagrangeBasis, nextPowerOfTwo } from './polynomial.ts';
import { demand } from './refusal.ts';
import type { Valid } from './valid.ts';

/** One gadget of a circuit with the lengths that its number of calls brings. */
interface Part {
  readonly gadget: Gadget;
  /** Where the values of a wire polynomial are: one for the seed, one for each call, up to a power of two. */
  readonly wirePoints: readonly bigint[];
  /** Where the values of the gadget polynomial are. */
  readonly points: readonly bigint[];
}

/** Proofs for one circuit. */
export class Flp<Measurement, Result> {
  readonly valid: Valid<Measurement, Result>;
  readonly proveRandLength: number;
  readonly queryRandLength: number;
  readonly proofLength: number;
  readonly verifierLength: number;
  readonly #parts: readonly Part[];

  constructor(valid: Valid<Measurement, Result>) {
    this.valid = valid;
    this.#parts = valid.gadgets.map((gadget, g) => {
      const wireLength = nextPowerOfTwo(1 + valid.gadgetCalls[g]!);
      const length = gadget.degree * (wireLength - 1) + 1;
      const points = valid.field.rootPowers(nextPowerOfTwo(length), length);
      return { gadget, wirePoints: valid.field.rootPowers(wireLength), points };
    });
    const total = (length: (part: Part) => number): number => this.#parts.reduce((sum, part) => sum + length(part), 0);
    this.proveRandLength = total(({ gadget }) => gadget.arity);
    this.queryRandLength = valid.gadgets.length + (valid.evalOutputLength > 1 ? valid.evalOutputLength : 0);
    this.proofLength = total(({ gadget, points }) => gadget.arity + points.length);
    this.verifierLength = 1 + total(({ gadget }) => gadget.arity + 1);
  }

  /** The proof: of each gadget the seeds of its wires, and its polynomial. VDAF §7.3.3. */
  prove(measurement: readonly bigint[], proveRand: readonly bigint[], jointRand: readonly bigint[]): bigint[] {
    const { field, gadgets } = this.valid;
    demand(proveRand.length === this.proveRandLength, 'the randomness of the prover has the wrong length');
    const seeds = cut(
      proveRand,
      this.#parts.map(({ gadget }) => gadget.arity),
    );
    const calls = this.#parts.map((): (readonly bigint[])[] => []);
    this.#evaluate(measurement, jointRand, 1, (g, inputs) => {
      calls[g]!.push(inputs);
      return gadgets[g]!.evaluate(field, inputs);
    });
    return this.#parts.flatMap((part, g) => {
      const wires = this.#wires(part, seeds[g]!, calls[g]!).map((wire) => inverseNtt(field, wire));
      const polynomial = part.points.map((x) =>
        part.gadget.evaluate(
          field,
          wires.map((wire) => evaluate(field, wire, x)),
        ),
      );
      return [...seeds[g]!, ...polynomial];
    });
  }

  /** The verifier message, or a share of it from shares of measurement and proof. VDAF §7.3.4. */
  query(
    measurement: readonly bigint[],
    proof: readonly bigint[],
    queryRand: readonly bigint[],
    jointRand: readonly bigint[],
    shares: number,
  ): bigint[] {
    const { field } = this.valid;
    demand(proof.length === this.proofLength, 'a proof has the wrong length');
    demand(queryRand.length === this.queryRandLength, 'the randomness of the query has the wrong length');
    const pieces = cut<readonly bigint[]>(
      proof,
      this.#parts.flatMap(({ gadget, points }) => [gadget.arity, points.length]),
    );
    const calls = this.#parts.map((): (readonly bigint[])[] => []);
    const outputs = this.#evaluate(measurement, jointRand, shares, (g, inputs) => {
      const part = this.#parts[g]!;
      const x = part.wirePoints[calls[g]!.push(inputs)]!;
      return evaluateLagrange(field, part.points, pieces[2 * g + 1]!, x);
    });
    const reducers = queryRand.slice(0, queryRand.length - this.#parts.length);
    const reduced = reducers.length === 0 ? outputs[0]! : field.dot(reducers, outputs);
    const tests = this.#parts.flatMap((part, g) => {
      const t = queryRand[reducers.length + g]!;
      demand(!part.wirePoints.includes(t), 'the point of a test is a root of unity');
      const basis = lagrangeBasis(field, part.wirePoints, t);
      const wires = this.#wires(part, pieces[2 * g]!, calls[g]!);
      const check = evaluateLagrange(field, part.points, pieces[2 * g + 1]!, t);
      return [...wires.map((wire) => field.dot(basis, wire)), check];
    });
    return [reduced, ...tests];
  }

  /** Whether the measurement is valid. VDAF §7.3.5. */
  decide(verifier: readonly bigint[]): boolean {
    demand(verifier.length === this.verifierLength, 'a verifier message has the wrong length');
    const { field } = this.valid;
    const [reduced, ...tests] = cut<readonly bigint[]>(verifier, [
      1,
      ...this.#parts.map(({ gadget }) => gadget.arity + 1),
    ]);
    return (
      reduced![0] === 0n &&
      this.#parts.every(({ gadget }, g) => {
        const wires = tests[g]!.slice(0, -1);
        return gadget.evaluate(field, wires) === tests[g]!.at(-1);
      })
    );
  }

  #evaluate(
    measurement: readonly bigint[],
    jointRand: readonly bigint[],
    shares: number,
    call: (gadget: number, inputs: readonly bigint[]) => bigint,
  ): readonly bigint[] {
    demand(measurement.length === this.valid.measurementLength, 'an encoded measurement has the wrong length');
    demand(jointRand.length === this.valid.jointRandLength, 'the joint randomness has the wrong length');
    return this.valid.evaluate(measurement, jointRand, shares, call);
  }

  /** Of each wire the values that determine its polynomial: the seed, the inputs of all calls, zeros. */
  #wires(part: Part, seeds: readonly bigint[], calls: readonly (readonly bigint[])[]): bigint[][] {
    return seeds.map((seed, j) => {
      const values = [seed, ...calls.map((inputs) => inputs[j]!)];
      return [...values, ...this.valid.field.zeros(part.wirePoints.length - values.length)];
    });
  }
}
