/** Vectors of single building blocks: fields and polynomials, proofs, range-checked integers. */
import assert from 'node:assert/strict';
import {
  count,
  decodeRangeChecked,
  double,
  encodeRangeChecked,
  evaluateLagrange,
  extend,
  FIELD64,
  FIELD128,
  FIELD255,
  type Field,
  Flp,
  histogram,
  inverseNtt,
  linReg,
  multiply,
  ntt,
  Refusal,
  sum,
  sumVec,
  type Valid,
} from './reference/index.ts';
import { hex, unhex } from './reference-vectors.ts';

/** Integers in decimal, as these files have them. */
type Decimal = string;

/** One field of `fields.json`. */
export interface FieldVector {
  readonly field: string;
  readonly modulus: Decimal;
  readonly encoded_size: number;
  readonly ops: readonly {
    readonly a: Decimal;
    readonly b: Decimal;
    readonly add: Decimal;
    readonly sub: Decimal;
    readonly mul: Decimal;
    readonly neg_a: Decimal;
    /** Absent where b is 0. */
    readonly inv_b?: Decimal;
    readonly encoded_ab: string;
  }[];
  readonly decode_errors: readonly { readonly hex: string; readonly why: string }[];
  /** The rest is absent where the field has no roots of unity. */
  readonly nth_root?: Readonly<Record<string, Decimal>>;
  readonly ntt?: readonly {
    readonly n: number;
    readonly coefficients: readonly Decimal[];
    readonly evaluations: readonly Decimal[];
    readonly evaluations_set_s: readonly Decimal[];
    readonly inv_ntt_of_evaluations: readonly Decimal[];
  }[];
  readonly lagrange?: readonly {
    readonly n: number;
    readonly evaluations: readonly Decimal[];
    readonly x: Decimal;
    readonly poly_eval: Decimal;
    readonly double_evaluations: readonly Decimal[];
    readonly other: readonly Decimal[];
    readonly poly_mul: readonly Decimal[];
  }[];
  readonly extend?: readonly {
    readonly input: readonly Decimal[];
    readonly n: number;
    readonly output: readonly Decimal[];
  }[];
}

/** One proof of `flp.json`, over two shares. */
export interface FlpVector {
  /** Circuit, parameters, measurement: `Histogram len4 chunk2 (2)`. */
  readonly name: string;
  readonly field: string;
  readonly lens: Readonly<Record<string, number>>;
  readonly meas: readonly Decimal[];
  readonly prove_rand: readonly Decimal[];
  readonly joint_rand: readonly Decimal[];
  readonly query_rand: readonly Decimal[];
  readonly proof: readonly Decimal[];
  readonly meas_shares: readonly (readonly Decimal[])[];
  readonly proof_shares: readonly (readonly Decimal[])[];
  readonly verifier_shares: readonly (readonly Decimal[])[];
  readonly verifier: readonly Decimal[];
  readonly truncated_shares: readonly (readonly Decimal[])[];
  readonly decide: boolean;
}

/** One number of `range_checked_int.json`. */
export interface RangeCheckedVector {
  readonly max: Decimal;
  readonly value: Decimal;
  readonly encoded: readonly number[];
}

/** The field of a name. */
function fieldOf(name: string): Field {
  return [FIELD64, FIELD128, FIELD255].find((field) => field.name === name)!;
}

const integers = (list: readonly Decimal[]): bigint[] => list.map(BigInt);
const decimals = (list: readonly bigint[]): Decimal[] => list.map(String);

/** Everything that the reference says about the inputs of a field's vector. */
export function fieldVector(given: FieldVector): FieldVector {
  const field = fieldOf(given.field);
  const { nth_root, ntt: transforms, lagrange, extend: extensions } = given;
  return {
    field: field.name,
    modulus: String(field.modulus),
    encoded_size: field.size,
    ops: given.ops.map((op) => {
      const [a, b] = [BigInt(op.a), BigInt(op.b)];
      return {
        a: op.a,
        b: op.b,
        add: String(field.add(a, b)),
        sub: String(field.sub(a, b)),
        mul: String(field.mul(a, b)),
        neg_a: String(field.neg(a)),
        ...(b === 0n ? {} : { inv_b: String(field.inv(b)) }),
        encoded_ab: hex(field.encode([a, b])),
      };
    }),
    decode_errors: given.decode_errors.filter((error) => {
      assert.throws(() => field.decode(unhex(error.hex)), Refusal, error.why);
      return true;
    }),
    ...(nth_root && {
      nth_root: Object.fromEntries(Object.keys(nth_root).map((n) => [n, String(field.root(Number(n)))])),
    }),
    ...(transforms && {
      ntt: transforms.map(({ n, coefficients }) => {
        const evaluations = ntt(field, integers(coefficients), n);
        return {
          n,
          coefficients,
          evaluations: decimals(evaluations),
          evaluations_set_s: decimals(ntt(field, integers(coefficients), n, true)),
          inv_ntt_of_evaluations: decimals(inverseNtt(field, evaluations)),
        };
      }),
    }),
    ...(lagrange && {
      lagrange: lagrange.map(({ n, evaluations, x, other }) => ({
        n,
        evaluations,
        x,
        poly_eval: String(evaluateLagrange(field, field.rootPowers(n), integers(evaluations), BigInt(x))),
        double_evaluations: decimals(double(field, integers(evaluations))),
        other,
        poly_mul: decimals(multiply(field, integers(evaluations), integers(other))),
      })),
    }),
    ...(extensions && {
      extend: extensions.map(({ input, n }) => ({ input, n, output: decimals(extend(field, integers(input), n)) })),
    }),
  };
}

/** What a circuit is known by. */
type Known = Pick<FlpVector, 'name' | 'lens' | 'meas_shares' | 'truncated_shares'>;

/** The circuit that a proof is about, by its name and, for what a name does not say, by the values. */
export function circuitOf(vector: Known): Valid<unknown, unknown> {
  const { name, lens } = vector;
  const numbers = (name.match(/\d+/g) ?? []).map(BigInt) as [bigint, bigint, bigint, ...bigint[]];
  const chunk = lens['PROVE_RAND_LEN']! / 2;
  switch (/^\w*/.exec(name)![0]) {
    case 'Count':
      return count(FIELD64);
    case 'Sum':
      return sum(FIELD64, maximumOf(vector));
    case 'Histogram':
      return histogram(FIELD128, lens['MEAS_LEN']!, chunk);
    case 'SumVec':
      return sumVec(FIELD128, Number(numbers[0]), numbers[1], chunk);
    case 'LinReg':
      return linReg(FIELD128, /\[(.*)\]/.exec(name)![1]!.split(',').map(BigInt), chunk);
    default:
      return assert.fail(`there is no circuit ${name}`);
  }
}

/** The maximum of a sum follows from its last weight, and that from any share. */
function maximumOf({ meas_shares, truncated_shares }: Known): bigint {
  const bits = integers(meas_shares[0]!);
  const last = bits.pop()!;
  const powers = bits.map((_, i) => 2n ** BigInt(i));
  const rest = FIELD64.sub(BigInt(truncated_shares[0]![0]!), FIELD64.dot(powers, bits));
  return powers.reduce((total, power) => total + power, FIELD64.mul(rest, FIELD64.inv(last)));
}

/** What is random or chosen in a proof's vector; everything else follows. */
type ProofInputs = Pick<FlpVector, 'name' | 'meas' | 'prove_rand' | 'joint_rand' | 'query_rand'> & {
  readonly meas_shares: readonly (readonly Decimal[])[];
  readonly proof_shares: readonly (readonly Decimal[])[];
};

/** Everything that the reference says about a proof. Of shares only the first is an input. */
export function flpVector(valid: Valid<unknown, unknown>, given: ProofInputs): FlpVector {
  const flp = new Flp(valid);
  const { field } = valid;
  const jointRand = integers(given.joint_rand);
  const proof = flp.prove(integers(given.meas), integers(given.prove_rand), jointRand);
  const shareOf = (whole: readonly bigint[], first: readonly Decimal[]): bigint[][] => [
    integers(first),
    field.subVectors(whole, integers(first)),
  ];
  const proofShares = shareOf(proof, given.proof_shares[0]!);
  const measShares = shareOf(integers(given.meas), given.meas_shares[0]!);
  const verifierShares = measShares.map((meas, i) =>
    flp.query(meas, proofShares[i]!, integers(given.query_rand), jointRand, 2),
  );
  const verifier = field.addVectors(verifierShares[0]!, verifierShares[1]!);
  return {
    name: given.name,
    field: field.name,
    lens: {
      PROVE_RAND_LEN: flp.proveRandLength,
      QUERY_RAND_LEN: flp.queryRandLength,
      JOINT_RAND_LEN: valid.jointRandLength,
      MEAS_LEN: valid.measurementLength,
      OUTPUT_LEN: valid.outputLength,
      PROOF_LEN: flp.proofLength,
      VERIFIER_LEN: flp.verifierLength,
    },
    meas: given.meas,
    prove_rand: given.prove_rand,
    joint_rand: given.joint_rand,
    query_rand: given.query_rand,
    proof: decimals(proof),
    meas_shares: measShares.map(decimals),
    proof_shares: proofShares.map(decimals),
    verifier_shares: verifierShares.map(decimals),
    verifier: decimals(verifier),
    truncated_shares: measShares.map((meas) => decimals(valid.truncate(meas))),
    decide: flp.decide(verifier),
  };
}

/** What the reference says about a number in a range. */
export function rangeCheckedVector({ max, value }: Pick<RangeCheckedVector, 'max' | 'value'>): RangeCheckedVector {
  const encoded = encodeRangeChecked(BigInt(value), BigInt(max));
  assert.equal(decodeRangeChecked(FIELD128, encoded, BigInt(max)), BigInt(value));
  return { max, value, encoded: encoded.map(Number) };
}
