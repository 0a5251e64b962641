/** Vectors of proofs over two shares, and of integers in a range. VDAF §7.3, §7.4.2. */
import type { Prio3Configuration } from '@privacy-edge/vdaf';
import { type FlpSteps, flpSteps } from '@privacy-edge/vdaf/steps';
import { SAME, type Verdict } from './kind.ts';
import { decodeElements, encodeElements, inverse, MODULUS64, MODULUS128, modulo } from './vdaf-numbers.ts';
import { attempt } from './vdaf-values.ts';
import { expectBytes, expectSame, type Vector, VectorError } from './vector.ts';

/** The members of `lens` and what they are here. */
const LENGTHS: readonly (readonly [name: string, key: keyof FlpSteps<never>['lengths']])[] = [
  ['PROVE_RAND_LEN', 'proveRandomness'],
  ['QUERY_RAND_LEN', 'queryRandomness'],
  ['JOINT_RAND_LEN', 'jointRandomness'],
  ['MEAS_LEN', 'measurement'],
  ['OUTPUT_LEN', 'output'],
  ['PROOF_LEN', 'proof'],
  ['VERIFIER_LEN', 'verifier'],
];

/** Proof, queries, decision and truncation. */
export async function checkFlp(vector: Vector): Promise<Verdict> {
  const flp = flpSteps(configurationOf(vector)) as FlpSteps<unknown>;
  const size = flp.elementSize;
  expectSame('the field', `Field${8 * size}`, vector.text('field'));
  const lens = vector.vector('lens');
  for (const [name, key] of LENGTHS) expectSame(name, flp.lengths[key], lens.integer(name));

  const elements = (name: string, key: keyof typeof flp.lengths): Uint8Array =>
    encoded(vector.bigints(name), size, name, flp.lengths[key]);
  const shares = (name: string, key: keyof typeof flp.lengths): Uint8Array[] =>
    vector.bigintLists(name).map((share) => encoded(share, size, name, flp.lengths[key]));
  const measurement = elements('meas', 'measurement');
  const jointRandomness = elements('joint_rand', 'jointRandomness');
  const queryRandomness = elements('query_rand', 'queryRandomness');
  const proof = elements('proof', 'proof');
  expectBytes('proof', flp.prove(measurement, elements('prove_rand', 'proveRandomness'), jointRandomness), proof);

  const [measurements, proofs] = [shares('meas_shares', 'measurement'), shares('proof_shares', 'proof')];
  const [verifiers, outputs] = [shares('verifier_shares', 'verifier'), shares('truncated_shares', 'output')];
  expectSame(
    'number of shares',
    [measurements, proofs, verifiers, outputs].map((list) => list.length),
    [2, 2, 2, 2],
  );
  const modulus = size === 8 ? MODULUS64 : MODULUS128;
  expectBytes('sum of the measurement shares', sumOf(measurements, size, modulus), measurement);
  expectBytes('sum of the proof shares', sumOf(proofs, size, modulus), proof);
  for (const [i, share] of measurements.entries()) {
    const verifier = flp.query(share, proofs[i] ?? proof, queryRandomness, jointRandomness);
    if (verifier === undefined) throw new VectorError('MISMATCH', 'the query is refused');
    expectBytes(`verifier share ${i}`, verifier, verifiers[i] ?? proof);
    expectBytes(`truncated share ${i}`, flp.truncate(share), outputs[i] ?? proof);
  }
  const verifier = elements('verifier', 'verifier');
  expectBytes('sum of the verifier shares', sumOf(verifiers, size, modulus), verifier);
  expectSame('the decision', flp.decide(verifier), vector.json('decide'));
  return SAME;
}

/** The circuit of a proof, by its name; what a name does not say follows from lengths and values. */
function configurationOf(vector: Vector): Prio3Configuration {
  const name = vector.text('name');
  const lens = vector.vector('lens');
  const chunkLength = lens.integer('PROVE_RAND_LEN') / 2;
  const numbers = (name.match(/\d+/g) ?? []).map(Number);
  switch (/^\w*/.exec(name)?.[0] ?? '') {
    case 'Count':
      return { kind: 'count' };
    case 'Sum':
      return { kind: 'sum', maxMeasurement: maximumOf(vector) };
    case 'Histogram':
      return { kind: 'histogram', length: lens.integer('MEAS_LEN'), chunkLength };
    case 'SumVec':
      return { kind: 'sumVec', length: numbers[0] ?? 0, maxMeasurement: numbers[1] ?? 0, chunkLength };
    case 'LinReg': {
      const maxValues = (/\[(.*)\]/.exec(name)?.[1] ?? '').split(',').map(Number);
      return { kind: 'linReg', maxValues, chunkLength };
    }
    default:
      throw new VectorError('UNREADABLE', `Cannot read vector: there is no circuit "${name}"`);
  }
}

/** The maximum of a sum. Where the name does not say it: a share's bits and its integer give the last weight. */
function maximumOf(vector: Vector): bigint {
  const stated = /max=(\d+)/.exec(vector.text('name'))?.[1];
  if (stated !== undefined) return BigInt(stated);
  const [bits = []] = vector.bigintLists('meas_shares');
  const [[integer = 0n] = []] = vector.bigintLists('truncated_shares');
  const ones = 2n ** BigInt(Math.max(0, bits.length - 1)) - 1n;
  const rest = bits.slice(0, -1).reduce((sum, bit, i) => sum + bit * 2n ** BigInt(i), 0n);
  return ones + modulo((integer - rest) * inverse(bits.at(-1) ?? 0n, MODULUS64), MODULUS64);
}

function encoded(values: readonly bigint[], size: number, what: string, length: number): Uint8Array {
  expectSame(`length of ${what}`, values.length, length);
  return encodeElements(values, size);
}

function sumOf(shares: readonly Uint8Array[], size: number, modulus: bigint): Uint8Array {
  const [first = [], second = []] = shares.map((share) => decodeElements(share, size));
  return encodeElements(
    first.map((value, i) => modulo(value + (second[i] ?? 0n), modulus)),
    size,
  );
}

/** The encoding of a number, and back. */
export async function checkRangeCheckedInteger(vector: Vector): Promise<Verdict> {
  const [max, value] = [vector.bigint('max'), vector.bigint('value')];
  const flp = flpSteps({ kind: 'sum', maxMeasurement: max });
  const bits = attempt(() => flp.encode(value));
  if (bits === undefined) throw new VectorError('MISMATCH', 'the number is refused');
  const expected = encodeElements(vector.bigints('encoded'), flp.elementSize);
  expectBytes('encoded number', bits, expected);
  expectBytes('decoded number', flp.truncate(expected), encodeElements([value], flp.elementSize));
  return SAME;
}
