/** Poplar1. VDAF §8.2. */
import { bigEndian, concat, split } from './bytes.ts';
import { domainSeparationTag } from './domain-separation.ts';
import { FIELD64, FIELD255, type Field } from './field.ts';
import { Idpf, KEY_SIZE } from './idpf.ts';
import { decodeParameter, isValidAfter, type Poplar1Parameter } from './poplar1-parameter.ts';
import { demand } from './refusal.ts';
import { type Continued, type Finished, NONCE_SIZE, type Report, type Vdaf } from './vdaf.ts';
import { expandIntoVector, nextVector } from './xof.ts';
import { XOF_TURBOSHAKE128 } from './xof-turboshake128.ts';

const USAGE_SHARD_RAND = 1;
const USAGE_CORR_INNER = 2;
const USAGE_CORR_LEAF = 3;
const USAGE_VERIFY_RAND = 4;
const SEED_SIZE = XOF_TURBOSHAKE128.seedSize;

/** What an aggregator remembers between two rounds. */
export interface Poplar1State {
  readonly step: 'evaluate sketch' | 'reveal sketch';
  readonly aggregatorId: number;
  readonly field: Field;
  /** Shares of A and B. */
  readonly correlation: readonly bigint[];
  readonly outShare: readonly bigint[];
}

/** Counts how many measurements of `bits` bits start with each of some prefixes. */
export class Poplar1 implements Vdaf<readonly boolean[], bigint[], Poplar1State> {
  readonly id = 6;
  readonly shares = 2;
  readonly rounds = 2;
  readonly randSize: number = 2 * KEY_SIZE + 3 * SEED_SIZE;
  readonly idpf: Idpf;

  constructor(bits: number) {
    this.idpf = new Idpf(2, bits);
  }

  shard(ctx: Uint8Array, measurement: readonly boolean[], nonce: Uint8Array, rand: Uint8Array): Report {
    demand(nonce.length === NONCE_SIZE, 'the nonce has the wrong length');
    const { idpf } = this;
    const pieces = split(rand, [KEY_SIZE, KEY_SIZE, SEED_SIZE, SEED_SIZE, SEED_SIZE]);
    const [key0, key1, seed0, seed1, shardSeed] = pieces as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const stream = XOF_TURBOSHAKE128.start(shardSeed, this.#tag(USAGE_SHARD_RAND, ctx), nonce);

    const authenticators = [...nextVector(stream, FIELD64, idpf.bits - 1), ...nextVector(stream, FIELD255, 1)];
    const values = authenticators.map((authenticator) => [1n, authenticator]);
    const words = idpf.generate(measurement, values, ctx, nonce, [key0, key1]);

    const correlations = authenticators.map((k, level) => {
      const field = idpf.fieldAt(level);
      const triples = [seed0, seed1].map((seed, id) => this.#triple(seed, ctx, id, nonce, level));
      const [a, b, c] = field.addVectors(triples[0]!, triples[1]!) as [bigint, bigint, bigint];
      const A = field.from(-2n * a + k);
      const B = field.from(a * a + b - a * k + c);
      const second = nextVector(stream, field, 2);
      return [field.subVectors([A, B], second), second];
    });
    const inputShares = [key0, key1].map((key, id) =>
      concat(key, [seed0, seed1][id]!, ...correlations.map((shares, level) => idpf.fieldAt(level).encode(shares[id]!))),
    );
    return { publicShare: idpf.encodePublicShare(words), inputShares };
  }

  isValid(parameter: Uint8Array, previous: readonly Uint8Array[]): boolean {
    return isValidAfter(
      this.#parameter(parameter),
      previous.map((bytes) => this.#parameter(bytes)),
    );
  }

  verifyInit(
    verifyKey: Uint8Array,
    ctx: Uint8Array,
    aggregatorId: number,
    parameter: Uint8Array,
    nonce: Uint8Array,
    publicShare: Uint8Array,
    inputShare: Uint8Array,
  ): Continued<Poplar1State> {
    const { level, prefixes } = this.#parameter(parameter);
    const { key, seed, correlations } = this.#decodeInputShare(inputShare);
    const field = this.idpf.fieldAt(level);
    const words = this.idpf.decodePublicShare(publicShare);
    const values = this.idpf.evaluate(aggregatorId, words, key, level, prefixes, ctx, nonce);
    const data = values.map((value) => value[0]!);
    const authenticated = values.map((value) => value[1]!);

    const binder = concat(nonce, bigEndian(level, 2));
    const stream = XOF_TURBOSHAKE128.start(verifyKey, this.#tag(USAGE_VERIFY_RAND, ctx), binder);
    const rands = nextVector(stream, field, prefixes.length);
    const squares = rands.map((rand) => field.mul(rand, rand));
    const sketch = field.addVectors(this.#triple(seed, ctx, aggregatorId, nonce, level), [
      field.dot(data, rands),
      field.dot(data, squares),
      field.dot(authenticated, rands),
    ]);
    const correlation = correlations[level]!;
    return {
      state: { step: 'evaluate sketch', aggregatorId, field, correlation, outShare: data },
      verifierShare: field.encode(sketch),
    };
  }

  verifyNext(_ctx: Uint8Array, state: Poplar1State, message: Uint8Array): Continued<Poplar1State> | Finished {
    const { field, aggregatorId, correlation, outShare } = state;
    const sketch = field.decode(message);
    if (state.step === 'reveal sketch') {
      demand(sketch.length === 0, 'the last message is not empty');
      return { outShare: field.encode(outShare) };
    }
    demand(sketch.length === 3, 'a sketch has the wrong length');
    const [x, y, z] = sketch as [bigint, bigint, bigint];
    const [A, B] = correlation as [bigint, bigint];
    const share = field.from(BigInt(aggregatorId) * (x * x - y - z) + A * x + B);
    return { state: { ...state, step: 'reveal sketch' }, verifierShare: field.encode([share]) };
  }

  verifierSharesToMessage(_ctx: Uint8Array, parameter: Uint8Array, verifierShares: readonly Uint8Array[]): Uint8Array {
    const field = this.idpf.fieldAt(this.#parameter(parameter).level);
    demand(verifierShares.length === 2, 'there are not two verifier shares');
    const [left, right] = verifierShares.map((share) => field.decode(share));
    const sketch = field.addVectors(left!, right!);
    demand(sketch.length === 3 || sketch.length === 1, 'a sketch has the wrong length');
    if (sketch.length === 3) return field.encode(sketch);
    demand(sketch[0] === 0n, 'a sketch is not accepted');
    return new Uint8Array(0);
  }

  aggregate(parameter: Uint8Array, outShares: readonly Uint8Array[]): Uint8Array {
    const { level } = this.#parameter(parameter);
    return this.idpf.fieldAt(level).encode(this.#total(parameter, outShares));
  }

  unshard(parameter: Uint8Array, aggregateShares: readonly Uint8Array[], _reportCount: number): bigint[] {
    return this.#total(parameter, aggregateShares);
  }

  #total(parameter: Uint8Array, encoded: readonly Uint8Array[]): bigint[] {
    const { level, prefixes } = this.#parameter(parameter);
    const field = this.idpf.fieldAt(level);
    return encoded.reduce((sum, share) => field.addVectors(sum, field.decode(share)), field.zeros(prefixes.length));
  }

  #parameter(bytes: Uint8Array): Poplar1Parameter {
    const parameter = decodeParameter(bytes);
    demand(parameter.level < this.idpf.bits, 'there is no such level');
    return parameter;
  }

  /** An aggregator's shares of a, b and c of one level: those of inner levels follow each other in one stream. */
  #triple(seed: Uint8Array, ctx: Uint8Array, aggregatorId: number, nonce: Uint8Array, level: number): bigint[] {
    const field = this.idpf.fieldAt(level);
    const isLeaf = level === this.idpf.bits - 1;
    const tag = this.#tag(isLeaf ? USAGE_CORR_LEAF : USAGE_CORR_INNER, ctx);
    const binder = concat(bigEndian(aggregatorId, 1), nonce);
    const skipped = isLeaf ? 0 : 3 * level;
    return expandIntoVector(XOF_TURBOSHAKE128, field, seed, tag, binder, skipped + 3).slice(skipped);
  }

  #decodeInputShare(bytes: Uint8Array): { key: Uint8Array; seed: Uint8Array; correlations: bigint[][] } {
    const levels = Array.from({ length: this.idpf.bits }, (_, level) => this.idpf.fieldAt(level));
    const [key, seed, ...pairs] = split(bytes, [KEY_SIZE, SEED_SIZE, ...levels.map((field) => 2 * field.size)]);
    return { key: key!, seed: seed!, correlations: pairs.map((pair, level) => levels[level]!.decode(pair)) };
  }

  #tag(usage: number, ctx: Uint8Array): Uint8Array {
    return domainSeparationTag(0, this.id, usage, ctx);
  }
}
