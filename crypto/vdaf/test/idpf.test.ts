/** The IDPF: shares of the programmed values on the path, shares of zero beside it. VDAF §8.3. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { idpfEvaluate, idpfGenerate, xofFixedKeyAes128 } from '../src/poplar1-steps.ts';
import { FUZZ_RUNS, hex, pack, parameterOf, random } from './poplar1-cases.ts';
import { FIELD64, FIELD255, Idpf } from './reference/index.ts';

const numRuns = Math.max(10, FUZZ_RUNS / 40);

/** Values for each level: two elements. */
function valuesFor(bits: number): fc.Arbitrary<bigint[][]> {
  const pair = (modulus: bigint) => {
    const element = fc.oneof(fc.bigInt({ min: 0n, max: modulus - 1n }), fc.constantFrom(0n, 1n, modulus - 1n));
    return fc.array(element, { minLength: 2, maxLength: 2 });
  };
  return fc.tuple(
    ...Array.from({ length: bits }, (_, level) => pair(level === bits - 1 ? FIELD255.modulus : FIELD64.modulus)),
  );
}

const instance = fc.integer({ min: 1, max: 24 }).chain((bits) =>
  fc.record({
    alpha: fc.string({ unit: fc.constantFrom('0', '1'), minLength: bits, maxLength: bits }),
    values: valuesFor(bits),
    others: fc.array(fc.string({ unit: fc.constantFrom('0', '1'), minLength: bits, maxLength: bits }), {
      maxLength: 9,
    }),
    ctx: fc.uint8Array({ maxLength: 300 }),
  }),
);

function encodeValues(values: readonly (readonly bigint[])[]): Uint8Array {
  const parts = values.map((pair, level) => (level === values.length - 1 ? FIELD255 : FIELD64).encode(pair));
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe('idpfGenerate() and idpfEvaluate()', () => {
  it('give the programmed values on the path and nothing beside it, at every level', () => {
    fc.assert(
      fc.property(instance, ({ alpha, values, others, ctx }) => {
        const bits = alpha.length;
        const nonce = random(16);
        const { publicShare, keys } = idpfGenerate(bits, pack(alpha), encodeValues(values), ctx, nonce, random(32));
        for (let level = 0; level < bits; level++) {
          const field = level === bits - 1 ? FIELD255 : FIELD64;
          const prefixes = [...new Set([alpha, ...others].map((text) => text.slice(0, level + 1)))].sort();
          const [first, second] = ([0, 1] as const).map((id) =>
            field.decode(idpfEvaluate(bits, id, publicShare, keys[id], parameterOf(...prefixes), ctx, nonce)),
          );
          const expected = prefixes.flatMap((text) => (alpha.startsWith(text) ? values[level]! : [0n, 0n]));
          assert.deepEqual(field.addVectors(first!, second!), expected);
        }
      }),
      { numRuns },
    );
  });
});

// The keys of this context and nonce have these two seeds, found by search over 2³² of them, whose stream has a candidate
// for Field64 that is out of range: for the first element, and for the second.
const CTX = new TextEncoder().encode('rejection');
const NONCE = Uint8Array.from({ length: 16 }, (_, at) => at);
const CONVERT_TAG = Uint8Array.from([18, 1, 0, 0, 0, 0, 0, 1, ...CTX]);
const EXTEND_TAG = Uint8Array.from([18, 1, 0, 0, 0, 0, 0, 0, ...CTX]);

for (const [which, text] of [
  ['first', '80302fb1000000000000000000000000'],
  ['second', '0a512e27010000000000000000000000'],
] as const) {
  it(`skips a candidate for the ${which} element that is not below the modulus`, () => {
    const seed = hex(text);
    const stream = xofFixedKeyAes128(seed, CONVERT_TAG, NONCE, 32).slice(16);
    const at = which === 'first' ? 4 : 12;
    assert.deepEqual([...stream.subarray(at, at + 4)], [255, 255, 255, 255]);

    // The second aggregator starts with control bit 1: the correction word takes its left child to the seed.
    const key = new Uint8Array(16).fill(7);
    const extended = xofFixedKeyAes128(key, EXTEND_TAG, NONCE, 16);
    extended[0]! &= 0xfe;
    const correction = seed.map((byte, index) => byte ^ extended[index]!);
    const publicShare = new Uint8Array(1 + 2 * 16 + 16 + 64);
    publicShare.set(correction, 1);

    const idpf = new Idpf(2, 2);
    const words = idpf.decodePublicShare(publicShare);
    const [expected] = idpf.evaluate(1, words, key, 0, [[false]], CTX, NONCE);
    const value = idpfEvaluate(2, 1, publicShare, key, parameterOf('0'), CTX, NONCE);
    assert.deepEqual(FIELD64.decode(value), expected);
  });
}
