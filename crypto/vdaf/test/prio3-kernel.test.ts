/** The kernel's functions against integers and another TurboSHAKE. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { turboshake128 } from '@noble/hashes/sha3-addons.js';
import { toHex } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { FIELD64, FIELD128, type Field } from '../src/field.ts';
import { Arena } from '../src/prio3-arena.ts';
import { prio3Kernel } from '../src/prio3-kernel.ts';
import { xofTurboShake128 } from '../src/turboshake-stream.ts';

const RUNS = Math.max(20, Math.round(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000) / 10));

const FIELDS: readonly (readonly [string, Field])[] = [
  ['Field64', FIELD64],
  ['Field128', FIELD128],
];

/** Elements, among them those at which carries and borrows happen. */
function elements({ modulus, size }: Field): fc.Arbitrary<bigint> {
  const word = 2n ** BigInt(4 * size);
  const edges = [0n, 1n, 2n, word - 1n, word, word + 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 64n - 1n, 2n ** 64n]
    .flatMap((edge) => [edge, modulus - edge])
    .filter((edge) => edge >= 0n && edge < modulus);
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...edges) },
    { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: modulus - 1n }) },
  );
}

function encode(values: readonly bigint[], size: number): Uint8Array {
  const bytes = new Uint8Array(values.length * size);
  values.forEach((value, i) => {
    for (let k = 0; k < size; k++) bytes[i * size + k] = Number((value >> BigInt(8 * k)) & 0xffn);
  });
  return bytes;
}

function decode(bytes: Uint8Array, size: number): bigint[] {
  return Array.from({ length: bytes.length / size }, (_, i) => {
    const word = bytes.slice(i * size, (i + 1) * size).reverse();
    return BigInt(`0x${toHex(word)}`);
  });
}

function multiplyOf(field: Field): (out: number, a: number, b: number, count: number) => void {
  return field === FIELD64 ? prio3Kernel().multiply64 : prio3Kernel().multiply128;
}

for (const [name, field] of FIELDS) {
  const { size, modulus } = field;
  describe(`${name} in the kernel`, () => {
    const operations: Readonly<
      Record<
        string,
        readonly [(out: number, a: number, b: number, n: number) => void, (a: bigint, b: bigint) => bigint]
      >
    > = {
      add: [field.add, (a, b) => (a + b) % modulus],
      subtract: [field.subtract, (a, b) => (a - b + modulus) % modulus],
      multiply: [multiplyOf(field), (a, b) => (a * b) % modulus],
    };
    for (const [operation, [kernel, expected]] of Object.entries(operations)) {
      it(`${operation} does what integers do`, () => {
        fc.assert(
          fc.property(
            fc.array(fc.tuple(elements(field), elements(field)), { minLength: 1, maxLength: 40 }),
            (pairs) => {
              const [left, right] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
              const result = Arena.use((arena) => {
                const [a, b] = [arena.put(encode(left, size)), arena.put(encode(right, size))];
                // In place, as most callers do.
                kernel(a, a, b, left.length);
                return decode(arena.read(a, size * left.length), size);
              });
              assert.deepEqual(
                result,
                pairs.map(([a, b]) => expected(a, b)),
              );
            },
          ),
          { numRuns: RUNS },
        );
      });
    }

    it('inner products are sums of products', () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(elements(field), elements(field)), { minLength: 1, maxLength: 20 }), (pairs) => {
          const [left, right] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
          const [result] = Arena.use((arena) => {
            const out = arena.reserve(size);
            field.inner(arena.put(encode(left, size)), arena.put(encode(right, size)), left.length, out);
            return decode(arena.read(out, size), size);
          });
          assert.equal(result, pairs.reduce((sum, [a, b]) => sum + a * b, 0n) % modulus);
        }),
        { numRuns: RUNS },
      );
    });

    it('only encodings below the modulus are canonical', () => {
      const top = 2n ** BigInt(8 * size) - 1n;
      const canonical = (values: readonly bigint[]): boolean =>
        Arena.use((arena) => field.isCanonical(arena.put(encode(values, size)), values.length));
      assert.equal(canonical([0n, 1n, modulus - 1n]), true);
      for (const bad of [modulus, modulus + 1n, top]) {
        assert.equal(canonical([bad]), false);
        assert.equal(canonical([1n, bad, 2n]), false);
      }
    });

    it('two streams at once are two streams', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 400 }).chain((length) => {
            const message = fc.uint8Array({ minLength: length, maxLength: length });
            return fc.tuple(message, message);
          }),
          fc.integer({ min: 1, max: 50 }),
          (messages, count) => {
            Arena.use((arena) => {
              const [first, second] = [arena.put(messages[0]), arena.put(messages[1])];
              const outs = Array.from({ length: 4 }, () => arena.reserve(size * count));
              const length = messages[0].length;
              field.expandPair(first, second, length, outs[0]!, outs[1]!, count);
              field.expand(first, length, outs[2]!, count);
              field.expand(second, length, outs[3]!, count);
              const read = (i: number): Uint8Array => arena.read(outs[i]!, size * count);
              assert.deepEqual(read(0), read(2));
              assert.deepEqual(read(1), read(3));
              const stream = turboshake128(messages[0], { D: 1, dkLen: size * (count + 8) });
              const expected = decode(stream, size).filter((element) => element < modulus);
              assert.deepEqual(decode(read(0), size), expected.slice(0, count));
            });
          },
        ),
        { numRuns: RUNS },
      );
    });
  });
}

describe('TurboSHAKE128 in the kernel', () => {
  it('is that of another implementation, at all lengths around a block', () => {
    for (let length = 0; length <= 340; length++) {
      const binder = Uint8Array.from({ length }, (_, i) => i);
      const message = Uint8Array.of(0, 0, 0, ...binder);
      const expected = turboshake128(message, { D: 1, dkLen: 400 });
      assert.deepEqual(xofTurboShake128(new Uint8Array(0), new Uint8Array(0), binder, 400), expected);
    }
  });

  it('seeds are the first 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 400 }), (a, b) => {
        const length = Math.min(a.length, b.length);
        const [first, second] = [a.slice(0, length), b.slice(0, length)];
        Arena.use((arena) => {
          const [firstAt, secondAt] = [arena.put(first), arena.put(second)];
          const outs = Array.from({ length: 3 }, () => arena.reserve(32));
          arena.kernel.seedPair(firstAt, secondAt, length, outs[0]!, outs[1]!);
          arena.kernel.seed(firstAt, length, outs[2]!);
          const seeds = outs.map((out) => arena.read(out, 32));
          assert.deepEqual(seeds[0], turboshake128(first, { D: 1, dkLen: 32 }));
          assert.deepEqual(seeds[1], turboshake128(second, { D: 1, dkLen: 32 }));
          assert.deepEqual(seeds[2], seeds[0]);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('refuses seeds and tags that its input has no room for', () => {
    const nothing = new Uint8Array(0);
    assert.throws(() => xofTurboShake128(new Uint8Array(256), nothing, nothing, 1), RangeError);
    assert.throws(() => xofTurboShake128(nothing, new Uint8Array(65536), nothing, 1), RangeError);
  });
});
