/** Vectors that cover every variant and its edges; the same in every run. */
import {
  count,
  deriveSeed,
  expandIntoVector,
  FIELD64,
  FIELD128,
  FIELD255,
  type Field,
  Flp,
  histogram,
  Idpf,
  linReg,
  littleEndian,
  nextVector,
  sum,
  sumVec,
  type Valid,
  XOF_FIXED_KEY_AES128,
  XOF_TURBOSHAKE128,
  type Xof,
} from './reference/index.ts';
import {
  type FieldVector,
  type FlpVector,
  fieldVector,
  flpVector,
  type RangeCheckedVector,
  rangeCheckedVector,
} from './reference-circuits.ts';
import {
  hex,
  type MakeReport,
  makeForged,
  makeRefused,
  makeVector,
  type Recipe,
  repeatable,
  sharing,
  spoiling,
  type VdafVector,
} from './reference-vectors.ts';

const RECIPES: readonly Recipe[] = [
  { name: 'Prio3Count_0', parameters: {}, measurements: [1, 0, 1] },
  { name: 'Prio3Count_1', parameters: {}, measurements: [0], ctx: '' },
  { name: 'Prio3Sum_0', parameters: { max_measurement: 1 }, measurements: [0, 1] },
  { name: 'Prio3Sum_1', parameters: { max_measurement: 10 }, measurements: [10, 3] },
  { name: 'Prio3Sum_2', parameters: { max_measurement: 2 ** 40 }, measurements: [2 ** 40, 0, 12345678901] },
  {
    name: 'Prio3SumVec_0',
    parameters: { length: 3, max_measurement: 9, chunk_length: 2 },
    measurements: [
      [0, 9, 5],
      [1, 0, 9],
    ],
  },
  { name: 'Prio3SumVec_1', parameters: { length: 1, max_measurement: 1, chunk_length: 5 }, measurements: [[1]] },
  {
    name: 'Prio3SumVecWithMultiproof_0',
    parameters: { length: 2, max_measurement: 7, chunk_length: 2 },
    measurements: [[7, 2]],
  },
  { name: 'Prio3Histogram_0', parameters: { length: 5, chunk_length: 2 }, measurements: [4, 0, 4] },
  { name: 'Prio3Histogram_1', parameters: { length: 1, chunk_length: 1 }, measurements: [0] },
  { name: 'Prio3Histogram_3', parameters: { length: 4, chunk_length: 2, shares: 3 }, measurements: [3] },
  { name: 'Prio3Sum_3', parameters: { max_measurement: 6, shares: 4 }, measurements: [6, 1] },
  { name: 'Prio3Histogram_2', parameters: { length: 3, chunk_length: 8 }, measurements: [1] },
  {
    name: 'Prio3MultihotCountVec_0',
    parameters: { length: 4, max_weight: 3, chunk_length: 3 },
    measurements: [
      [true, false, true, true],
      [false, false, false, false],
    ],
  },
  {
    name: 'Prio3L1BoundSum_0',
    parameters: { length: 3, max_value: 6, chunk_length: 4 },
    measurements: [
      [1, 2, 3],
      [0, 0, 0],
      [6, 0, 0],
    ],
  },
  {
    name: 'Prio3LinReg_0',
    parameters: { max_values: [1, 1000, 7], chunk_length: 5 },
    measurements: [
      [1, 1000, 7],
      [0, 17, 3],
    ],
  },
  {
    name: 'Poplar1_0',
    parameters: { bits: 5 },
    measurements: [
      [true, false, true, true, false],
      [true, true, true, true, true],
    ],
    aggregationParameter: { level: 1, prefixes: ['00', '10', '11'] },
  },
  {
    name: 'Poplar1_1',
    parameters: { bits: 9 },
    measurements: [[false, true, false, true, false, true, false, true, true]],
    aggregationParameter: { level: 8, prefixes: ['010101010', '010101011'] },
  },
  {
    name: 'Poplar1_2',
    parameters: { bits: 1 },
    measurements: [[true]],
    aggregationParameter: { level: 0, prefixes: ['1'] },
  },
];

/** Reports that are to be refused: of measurements that are not valid, or changed on the way. */
const REFUSED: readonly [recipe: Recipe, make: MakeReport][] = [
  [recipe('Prio3Count_bad_two', {}), sharing([2n])],
  [recipe('Prio3Sum_bad_bit', { max_measurement: 10 }), sharing([0n, 1n, 6n, 1n])],
  [recipe('Prio3SumVec_bad_bit', { length: 2, max_measurement: 1, chunk_length: 1 }), sharing([1n, FIELD128.neg(1n)])],
  [recipe('Prio3Histogram_bad_two_hot', { length: 4, chunk_length: 2 }), sharing([0n, 1n, 1n, 0n])],
  [recipe('Prio3Histogram_bad_three', { length: 2, chunk_length: 2, shares: 3 }), sharing([0n, 0n])],
  [
    recipe('Prio3MultihotCountVec_bad_weight', { length: 3, max_weight: 2, chunk_length: 2 }),
    sharing([1n, 1n, 0n, 1n, 0n]),
  ],
  [recipe('Prio3L1BoundSum_bad_norm', { length: 2, max_value: 3, chunk_length: 2 }), sharing([1n, 0n, 1n, 1n, 1n, 1n])],
  [recipe('Prio3LinReg_bad_product', { max_values: [3, 3], chunk_length: 3 }), sharing([1n, 0n, 1n, 1n, 1n, 3n, 8n])],
  [recipe('Prio3Sum_bad_proof', { max_measurement: 5 }), spoiling(3, 0, -1)],
  [recipe('Prio3Histogram_bad_public_share', { length: 3, chunk_length: 2 }), spoiling(2, 'public', 0)],
  [recipe('Prio3Histogram_bad_blind', { length: 3, chunk_length: 2 }), spoiling(2, 1, -1)],
  [
    recipe('Poplar1_bad_key', { bits: 4 }, { level: 2, prefixes: ['010', '110'] }),
    spoiling([false, true, false, true], 0, 1),
  ],
];

function recipe(
  name: string,
  parameters: Recipe['parameters'],
  aggregationParameter?: Recipe['aggregationParameter'],
): Recipe {
  return { name, parameters, measurements: [], ...(aggregationParameter && { aggregationParameter }) };
}

/** Vectors of whole VDAFs, by file name. */
function vdafVectors(): Map<string, VdafVector> {
  const forged: Recipe = {
    name: 'Prio3Histogram_bad_message',
    parameters: { length: 3, chunk_length: 2 },
    measurements: [1],
  };
  return new Map([
    ...RECIPES.map((one) => [`${one.name}.json`, makeVector(one)] as const),
    ...REFUSED.map(([one, make]) => [`${one.name}.json`, makeRefused(one, make)] as const),
    [`${forged.name}.json`, makeForged(forged)] as const,
  ]);
}

function vector(field: Field, label: string, length: number): string[] {
  return nextVector(repeatable(label), field, length).map(String);
}

function fieldVectorOf(field: Field): FieldVector {
  const values = ['0', '1', String(field.modulus - 1n), ...vector(field, 'operands', 3)];
  const empty: FieldVector = {
    field: field.name,
    modulus: '',
    encoded_size: 0,
    ops: values.flatMap((a) => values.map((b) => ({ a, b, add: '', sub: '', mul: '', neg_a: '', encoded_ab: '' }))),
    decode_errors: [
      { hex: hex(littleEndian(field.modulus, field.size)), why: 'equal to modulus' },
      { hex: 'ff'.repeat(field.size), why: 'greater than modulus' },
      { hex: '00'.repeat(field.size - 1), why: 'short' },
    ],
  };
  if (field.subgroup === undefined) return fieldVector(empty);
  const sizes = [1, 2, 8];
  return fieldVector({
    ...empty,
    nth_root: Object.fromEntries([1, 2, 4, 1024, 2 ** 32].map((n) => [n, ''])),
    ntt: sizes.map((n) => {
      const coefficients = vector(field, `coefficients ${n}`, n);
      return { n, coefficients, evaluations: [], evaluations_set_s: [], inv_ntt_of_evaluations: [] };
    }),
    lagrange: sizes.map((n) => ({
      n,
      evaluations: vector(field, `evaluations ${n}`, n),
      x: vector(field, `x ${n}`, 1)[0]!,
      poly_eval: '',
      double_evaluations: [],
      other: vector(field, `other ${n}`, n),
      poly_mul: [],
    })),
    extend: [3, 5, 7].map((length) => ({
      input: vector(field, `extend ${length}`, length),
      n: length < 4 ? 4 : 8,
      output: [],
    })),
  });
}

function flpVectorOf(name: string, valid: Valid<unknown, unknown>, meas: readonly number[]): FlpVector {
  const flp = new Flp(valid);
  const random = (what: string, length: number): string[] => vector(valid.field, `${name} ${what}`, length);
  return flpVector(valid, {
    name,
    meas: meas.map(String),
    prove_rand: random('prove', flp.proveRandLength),
    joint_rand: random('joint', valid.jointRandLength),
    query_rand: random('query', flp.queryRandLength),
    meas_shares: [random('measurement share', meas.length)],
    proof_shares: [random('proof share', flp.proofLength)],
  });
}

function flpVectors(): FlpVector[] {
  return [
    flpVectorOf('Count(0)', count(FIELD64), [0]),
    flpVectorOf('Count bad: 3', count(FIELD64), [3]),
    flpVectorOf('Sum max=6 (5)', sum(FIELD64, 6n), [0, 1, 1]),
    flpVectorOf('Sum bad bit', sum(FIELD64, 6n), [0, 2, 1]),
    flpVectorOf('Histogram len3 chunk2 (2)', histogram(FIELD128, 3, 2), [0, 0, 1]),
    flpVectorOf('Histogram bad: none hot', histogram(FIELD128, 3, 2), [0, 0, 0]),
    flpVectorOf('SumVec 2x5 chunk4', sumVec(FIELD128, 2, 5n, 4), [1, 0, 1, 1, 1, 0]),
    flpVectorOf('LinReg [1,3] chunk2', linReg(FIELD128, [1n, 3n], 2), [1, 0, 1, 1, 2, 4]),
  ];
}

function rangeCheckedVectors(): RangeCheckedVector[] {
  const maxima = [1n, 2n, 3n, 6n, 7n, 8n, 1000n, 2n ** 32n - 1n];
  return maxima.flatMap((max) =>
    [...new Set([0n, 1n, max / 2n, max / 2n + 1n, max - 1n, max])].map((value) =>
      rangeCheckedVector({ max: String(max), value: String(value) }),
    ),
  );
}

function xofVector(xof: Xof): unknown {
  const random = repeatable('xof');
  const [seed, dst, binder] = [random.next(xof.seedSize), random.next(19), random.next(11)];
  const length = 20;
  return {
    seed: hex(seed),
    dst: hex(dst),
    binder: hex(binder),
    length,
    derived_seed: hex(deriveSeed(xof, seed, dst, binder)),
    expanded_vec_field128: hex(FIELD128.encode(expandIntoVector(xof, FIELD128, seed, dst, binder, length))),
  };
}

function idpfVector(bits: number): unknown {
  const random = repeatable('idpf');
  const keys: [Uint8Array, Uint8Array] = [random.next(16), random.next(16)];
  const [ctx, nonce, path] = [random.next(7), random.next(16), random.next(bits)];
  const alpha = Array.from(path, (byte) => (byte & 1) === 1);
  const inner = Array.from({ length: bits - 1 }, () => nextVector(random, FIELD64, 2));
  const leaf = nextVector(random, FIELD255, 2);
  const idpf = new Idpf(2, bits);
  return {
    bits,
    alpha,
    beta_inner: inner.map((values) => values.map(String)),
    beta_leaf: leaf.map(String),
    ctx: hex(ctx),
    nonce: hex(nonce),
    keys: keys.map(hex),
    public_share: hex(idpf.encodePublicShare(idpf.generate(alpha, [...inner, leaf], ctx, nonce, keys))),
  };
}

/** Every file of vectors, by name. */
export function allVectors(): Map<string, unknown> {
  return new Map<string, unknown>([
    ...vdafVectors(),
    ['XofTurboShake128.json', xofVector(XOF_TURBOSHAKE128)],
    ['XofFixedKeyAes128.json', xofVector(XOF_FIXED_KEY_AES128)],
    ['IdpfBBCGGI21_0.json', idpfVector(6)],
    ['fields.json', [FIELD64, FIELD128, FIELD255].map(fieldVectorOf)],
    ['flp.json', flpVectors()],
    ['range_checked_int.json', rangeCheckedVectors()],
  ]);
}
