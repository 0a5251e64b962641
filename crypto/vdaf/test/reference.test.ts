/** The reference itself: recorded vectors where they are at hand, and what must hold for every VDAF. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import {
  deriveSeed,
  double,
  encodeParameter,
  evaluate,
  evaluateLagrange,
  expandIntoVector,
  extend,
  FIELD64,
  FIELD128,
  FIELD255,
  type Field,
  Flp,
  histogram,
  Idpf,
  inverseNtt,
  linReg,
  multiply,
  ntt,
  Poplar1,
  prio3Count,
  prio3Histogram,
  prio3SumVecWithMultiproof,
  Refusal,
  sum,
  type Valid,
  XOF_FIXED_KEY_AES128,
  XOF_TURBOSHAKE128,
  type Xof,
} from './reference/index.ts';
import {
  circuitOf,
  type FieldVector,
  type FlpVector,
  fieldVector,
  flpVector,
  type RangeCheckedVector,
  rangeCheckedVector,
} from './reference-circuits.ts';
import { allVectors } from './reference-recipes.ts';
import { type AnyVdaf, checkVector, hex, repeatable, unhex, type VdafVector, verify } from './reference-vectors.ts';

const SHARED = fileURLToPath(new URL('../../../../shared/vectors/vdaf', import.meta.url));
const RUNS = Math.max(10, Math.round(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 100));

/** Of the vectors that `write-vectors.ts` makes, at a time when the reference reproduced all vectors of the draft. */
const DIGEST = 'd817405fad445dcec04db66ec217d368ff5cf3b1f8f622f6805d87e378f3a8cd';

interface XofVector {
  readonly seed: string;
  readonly dst: string;
  readonly binder: string;
  readonly length: number;
  readonly derived_seed: string;
  readonly expanded_vec_field128: string;
}

interface IdpfVector {
  readonly bits: number;
  readonly alpha: readonly boolean[];
  readonly beta_inner: readonly (readonly string[])[];
  readonly beta_leaf: readonly string[];
  readonly ctx: string;
  readonly nonce: string;
  readonly keys: readonly [string, string];
  readonly public_share: string;
}

/** A report whose verifier shares must not be accepted, in the form of its own. */
interface RejectedReport extends Omit<VdafVector, 'reports'> {
  readonly nonce: string;
  readonly public_share: string;
  readonly input_shares: readonly string[];
  readonly verifier_shares: readonly string[];
}

function checkXof(xof: Xof, vector: XofVector): void {
  const [seed, dst, binder] = [unhex(vector.seed), unhex(vector.dst), unhex(vector.binder)];
  assert.equal(hex(deriveSeed(xof, seed, dst, binder)), vector.derived_seed);
  const expanded = expandIntoVector(xof, FIELD128, seed, dst, binder, vector.length);
  assert.equal(hex(FIELD128.encode(expanded)), vector.expanded_vec_field128);
}

function checkIdpf(vector: IdpfVector): void {
  const idpf = new Idpf(2, vector.bits);
  const values = [...vector.beta_inner, vector.beta_leaf].map((value) => value.map(BigInt));
  const keys: [Uint8Array, Uint8Array] = [unhex(vector.keys[0]), unhex(vector.keys[1])];
  const words = idpf.generate(vector.alpha, values, unhex(vector.ctx), unhex(vector.nonce), keys);
  assert.equal(hex(idpf.encodePublicShare(words)), vector.public_share);
  assert.deepEqual(idpf.decodePublicShare(unhex(vector.public_share)), words);
}

function checkRejected(name: string, vector: RejectedReport): void {
  const report = { ...vector, measurement: null, rand: '', verifier_messages: [], out_shares: [] };
  const operations = [0, 1].map((id) => ({ operation: 'verify_init', aggregator_id: id, success: true }));
  checkVector(name, {
    ...vector,
    agg_param: '',
    reports: [{ ...report, verifier_shares: [vector.verifier_shares] }],
    operations: [...operations, { operation: 'verifier_shares_to_message', round: 0, success: false }],
  });
}

function isVdafVector(content: unknown): content is VdafVector {
  return Object.hasOwn(content as object, 'operations');
}

/** Checks a file of any kind. */
function checkFile(name: string, content: unknown): void {
  if (name === 'fields.json')
    for (const vector of content as FieldVector[]) assert.deepEqual(fieldVector(vector), vector);
  else if (name === 'flp.json')
    for (const vector of content as FlpVector[]) assert.deepEqual(flpVector(circuitOf(vector), vector), vector);
  else if (name === 'range_checked_int.json')
    for (const vector of content as RangeCheckedVector[]) assert.deepEqual(rangeCheckedVector(vector), vector);
  else if (name.startsWith('XofTurboShake128')) checkXof(XOF_TURBOSHAKE128, content as XofVector);
  else if (name.startsWith('XofFixedKeyAes128')) checkXof(XOF_FIXED_KEY_AES128, content as XofVector);
  else if (name.startsWith('Idpf')) checkIdpf(content as IdpfVector);
  else if (isVdafVector(content)) checkVector(name, content);
  else checkRejected(name, content as RejectedReport);
}

describe('recorded vectors', { skip: existsSync(SHARED) ? false : 'there is no folder of shared vectors' }, () => {
  const files = existsSync(SHARED) ? readdirSync(SHARED, { recursive: true, encoding: 'utf8' }) : [];
  for (const file of files.filter((path) => path.endsWith('.json'))) {
    it(file, () => checkFile(basename(file), JSON.parse(readFileSync(`${SHARED}/${file}`, 'utf8'))));
  }
});

describe('vectors that the reference makes', () => {
  const made = allVectors();

  it('have not changed', () => {
    const digest = createHash('sha256')
      .update(JSON.stringify([...made]))
      .digest('hex');
    assert.equal(digest, DIGEST);
  });

  for (const [name, content] of made) it(`${name} is read back`, () => checkFile(name, content));

  it('fail when any byte string of a report changes', () => {
    for (const [name, vector] of made) {
      if (!isVdafVector(vector) || name.includes('_bad_')) continue;
      const [report] = vector.reports;
      const bent = (text: string): string =>
        text === '' ? '00' : text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');
      const changes = [
        { public_share: bent(report!.public_share) },
        ...report!.input_shares.map((_, id) => ({
          input_shares: report!.input_shares.map((share, i) => (i === id ? bent(share) : share)),
        })),
        { verifier_shares: report!.verifier_shares.map((round) => round.map(bent)) },
      ];
      for (const change of changes) {
        const reports = [{ ...report!, ...change }, ...vector.reports.slice(1)];
        assert.throws(() => checkVector(name, { ...vector, reports }), `${name} ${Object.keys(change).join()}`);
      }
    }
  });
});

describe('fields and polynomials', () => {
  const element = (field: Field): fc.Arbitrary<bigint> =>
    fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(0n, 1n, field.modulus - 1n) },
      { weight: 3, arbitrary: fc.bigInt(0n, field.modulus - 1n) },
    );
  const vector = (field: Field, length: number): fc.Arbitrary<bigint[]> =>
    fc.array(element(field), { minLength: length, maxLength: length });

  for (const field of [FIELD64, FIELD128, FIELD255]) {
    it(`${field.name}: inverses, encoding, and refusal of what is no element`, () => {
      fc.assert(
        fc.property(element(field), element(field), (a, b) => {
          assert.equal(field.mul(a, field.inv(a)), a === 0n ? 0n : 1n);
          assert.equal(field.add(field.sub(a, b), b), a);
          assert.equal(field.add(a, field.neg(a)), 0n);
          assert.deepEqual(field.decode(field.encode([a, b])), [a, b]);
        }),
        { numRuns: RUNS },
      );
      const modulus = Uint8Array.from({ length: field.size }, (_, i) =>
        Number((field.modulus >> BigInt(8 * i)) & 255n),
      );
      assert.throws(() => field.decode(modulus), Refusal);
      assert.throws(() => field.decode(new Uint8Array(field.size + 1)), Refusal);
    });
  }

  for (const field of [FIELD64, FIELD128]) {
    it(`${field.name}: roots of unity have their order`, () => {
      for (let n = 2; n <= 2 ** 20; n *= 2) {
        assert.equal(field.pow(field.root(n), BigInt(n) / 2n), field.modulus - 1n);
        assert.equal(field.mul(field.root(n), field.root(n)), field.root(n / 2));
      }
    });

    it(`${field.name}: all ways to a value of a polynomial agree`, () => {
      const inputs = fc
        .constantFrom(1, 2, 4, 8)
        .chain((n) => fc.tuple(vector(field, n), vector(field, n), element(field)));
      fc.assert(
        fc.property(inputs, ([p, q, x]) => {
          const n = p.length;
          const [values, others] = [ntt(field, p, n), ntt(field, q, n)];
          assert.deepEqual(inverseNtt(field, values), p);
          assert.equal(evaluateLagrange(field, field.rootPowers(n), values, x), evaluate(field, p, x));
          const doubled = double(field, values);
          assert.deepEqual(doubled, ntt(field, p, 2 * n));
          const odd = doubled.filter((_, i) => i % 2 === 1);
          assert.deepEqual(odd, ntt(field, p, n, true));
          const product = multiply(field, values, others);
          assert.equal(
            evaluateLagrange(field, field.rootPowers(2 * n), product, x),
            field.mul(evaluate(field, p, x), evaluate(field, q, x)),
          );
          // A product of two has 2n - 1 values that determine the last.
          assert.deepEqual(extend(field, product.slice(0, 2 * n - 1), 2 * n), product);
        }),
        { numRuns: RUNS },
      );
    });
  }
});

describe('extendable output functions', () => {
  for (const [name, xof] of Object.entries({ XOF_TURBOSHAKE128, XOF_FIXED_KEY_AES128 })) {
    it(`${name} gives the same stream however it is read`, () => {
      const start = (): ReturnType<Xof['start']> => xof.start(new Uint8Array(xof.seedSize), unhex('01'), unhex('0203'));
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }), (lengths) => {
          const stream = start();
          const pieces = lengths.map((length) => hex(stream.next(length))).join('');
          const whole = pieces === '' ? '' : hex(start().next(pieces.length / 2));
          assert.equal(pieces, whole);
        }),
        { numRuns: RUNS },
      );
    });
  }
});

describe('proofs', () => {
  const circuits: readonly [name: string, valid: Valid<never, unknown>, measurement: unknown][] = [
    ['Sum', sum(FIELD64, 100n), 77n],
    ['Histogram', histogram(FIELD128, 5, 2), 3n],
    ['LinReg', linReg(FIELD128, [1n, 6n], 3), [1n, 5n]],
  ];
  for (const [name, valid, measurement] of circuits) {
    const flp = new Flp(valid);
    const random = repeatable(`proofs ${name}`);
    const vector = (length: number): bigint[] =>
      Array.from({ length }, () => valid.field.from(BigInt(`0x${hex(random.next(32))}`)));
    const jointRand = vector(valid.jointRandLength);
    const encoded = valid.encode(measurement as never);
    const decide = (whole: readonly bigint[], proof: readonly bigint[]): boolean => {
      const { field } = valid;
      const queryRand = vector(flp.queryRandLength);
      const [a, b] = [vector(whole.length), vector(proof.length)];
      const ours = flp.query(a, b, queryRand, jointRand, 2);
      const theirs = flp.query(field.subVectors(whole, a), field.subVectors(proof, b), queryRand, jointRand, 2);
      return flp.decide(field.addVectors(ours, theirs));
    };

    it(`${name}: a valid measurement is accepted, one with any element changed is not`, () => {
      assert.equal(decide(encoded, flp.prove(encoded, vector(flp.proveRandLength), jointRand)), true);
      for (const i of encoded.keys()) {
        const changed = encoded.with(i, valid.field.add(encoded[i]!, 2n));
        assert.equal(decide(changed, flp.prove(changed, vector(flp.proveRandLength), jointRand)), false);
      }
    });

    it(`${name}: a proof with any element changed is not accepted`, () => {
      const proof = flp.prove(encoded, vector(flp.proveRandLength), jointRand);
      for (const i of proof.keys()) assert.equal(decide(encoded, proof.with(i, valid.field.add(proof[i]!, 1n))), false);
    });

    it(`${name}: a query at a root of unity is refused`, () => {
      const proof = vector(flp.proofLength);
      const queryRand = vector(flp.queryRandLength).with(-1, valid.field.root(2));
      assert.throws(() => flp.query(encoded, proof, queryRand, jointRand, 2), Refusal);
    });
  }
});

/** Shards, verifies, aggregates and unshards. */
function run(vdaf: AnyVdaf, measurements: readonly unknown[], parameter: Uint8Array = new Uint8Array(0)): unknown {
  const random = repeatable('run');
  const [ctx, verifyKey] = [random.next(5), random.next(32)];
  const runs = measurements.map((measurement) => {
    const nonce = random.next(16);
    const report = vdaf.shard(ctx, measurement, nonce, random.next(vdaf.randSize));
    return verify(vdaf, { ctx, verifyKey, parameter, nonce, ...report }).outShares;
  });
  const shares = Array.from({ length: vdaf.shares }, (_, id) =>
    vdaf.aggregate(
      parameter,
      runs.map((one) => one[id]!),
    ),
  );
  return vdaf.unshard(parameter, shares, measurements.length);
}

describe('Prio3', () => {
  it('works for more than two aggregators', () => {
    for (const shares of [2, 3, 5]) {
      assert.equal(run(prio3Count(shares), [1n, 0n, 1n]), 2n);
      assert.deepEqual(run(prio3Histogram(3, 2, shares), [0n, 2n, 2n]), [1n, 0n, 2n]);
      assert.deepEqual(
        run(prio3SumVecWithMultiproof(2, 5n, 2, shares), [
          [1n, 5n],
          [4n, 5n],
        ]),
        [5n, 10n],
      );
    }
  });

  it('refuses measurements that are out of range', () => {
    assert.throws(() => run(prio3Count(), [2n]), Refusal);
    assert.throws(() => run(prio3Histogram(3, 2), [3n]), Refusal);
    assert.throws(() => run(prio3SumVecWithMultiproof(2, 5n, 2), [[6n, 0n]]), Refusal);
  });

  it('allows one aggregation, without a parameter', () => {
    const [none, some] = [new Uint8Array(0), new Uint8Array(1)];
    const vdaf = prio3Count();
    assert.deepEqual(
      [vdaf.isValid(none, []), vdaf.isValid(none, [none]), vdaf.isValid(some, [])],
      [true, false, false],
    );
  });
});

describe('Poplar1', () => {
  const bits = (text: string): boolean[] => Array.from(text, (bit) => bit === '1');
  const parameterOf = (level: number, prefixes: readonly string[]): Uint8Array =>
    encodeParameter({ level, prefixes: prefixes.map(bits) });

  it('counts the measurements below every prefix on every level', () => {
    const measurements = ['0110', '0111', '0110', '1000'];
    for (let level = 0; level < 4; level++) {
      const prefixes = Array.from({ length: 2 ** (level + 1) }, (_, i) => i.toString(2).padStart(level + 1, '0'));
      const counts = prefixes.map((prefix) => BigInt(measurements.filter((one) => one.startsWith(prefix)).length));
      assert.deepEqual(run(new Poplar1(4), measurements.map(bits), parameterOf(level, prefixes)), counts);
    }
  });

  it('refuses a report with a changed correction word', () => {
    const vdaf = new Poplar1(3);
    const random = repeatable('changed');
    const [ctx, verifyKey, nonce] = [random.next(5), random.next(32), random.next(16)];
    const { publicShare, inputShares } = vdaf.shard(ctx, bits('101'), nonce, random.next(vdaf.randSize));
    // All of level 0: its payload lies behind the control bits and three seeds.
    const parameter = parameterOf(0, ['0', '1']);
    for (const at of [1, 49, 57]) {
      const changed = publicShare.with(at, publicShare[at]! ^ 4);
      assert.throws(
        () => verify(vdaf, { ctx, verifyKey, parameter, nonce, publicShare: changed, inputShares }),
        Refusal,
      );
    }
    assert.throws(
      () => vdaf.verifyInit(verifyKey, ctx, 0, parameter, nonce, publicShare.with(0, 0xff), inputShares[0]!),
      Refusal,
    );
  });

  it('allows parameters in order, each below the one before', () => {
    const vdaf = new Poplar1(4);
    const first = parameterOf(0, ['0']);
    assert.equal(vdaf.isValid(parameterOf(1, ['00', '01']), [first]), true);
    for (const [level, prefixes] of [
      [0, ['0']],
      [1, ['01', '10']],
      [1, ['01', '00']],
      [1, ['01', '01']],
    ] as const)
      assert.equal(vdaf.isValid(parameterOf(level, prefixes), [first]), false);
    assert.throws(() => vdaf.isValid(parameterOf(4, ['00000']), []), Refusal);
    assert.throws(() => vdaf.isValid(unhex('00000000000101'), []), Refusal);
    assert.throws(() => vdaf.isValid(unhex('000000000001'), []), Refusal);
  });
});
