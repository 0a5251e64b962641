/** Field255 in the kernel against integers, most of all around 0, 19 and the modulus. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Workspace } from '../src/workspace.ts';
import { FUZZ_RUNS } from './poplar1-cases.ts';

const numRuns = Math.max(50, FUZZ_RUNS);
const P = 2n ** 255n - 19n;

const element = fc.oneof(
  fc.bigInt({ min: 0n, max: P - 1n }),
  fc.bigInt({ min: 0n, max: 40n }),
  fc.bigInt({ min: P - 40n, max: P - 1n }),
  // Limbs that are all ones or zero, and powers of two.
  fc.bigInt({ min: 0n, max: 254n }).map((bit) => 1n << bit),
  fc.bigInt({ min: 0n, max: 254n }).map((bit) => (1n << bit) - 1n),
  fc
    .bigInt({ min: 0n, max: 254n })
    .map((bit) => P - (1n << bit) - 1n)
    .filter((value) => value >= 0n),
);

function encode(value: bigint): Uint8Array {
  return Uint8Array.fromHex(value.toString(16).padStart(64, '0')).reverse();
}

function decode(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytes.slice().reverse().toHex()}`);
}

/** agg_id·(x² − y − z) + A·x + B: all operations in one. */
function reveal(aggregator: bigint, values: readonly bigint[]): bigint {
  return Workspace.use((space) => {
    const at = space.put(Uint8Array.from(values.flatMap((value) => [...encode(value)])));
    const out = space.reserve(32);
    space.kernel.reveal255(aggregator, at, at + 96, out);
    return decode(space.read(out, 32));
  });
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P;
}

it('sum255() adds', () => {
  fc.assert(
    fc.property(element, element, (a, b) => {
      const total = Workspace.use((space) => {
        const to = space.put(encode(a));
        space.kernel.sum255(to, space.put(encode(b)), 1);
        return decode(space.read(to, 32));
      });
      assert.equal(total, modulo(a + b));
    }),
    { numRuns },
  );
});

it('reveal255() multiplies, subtracts and adds', () => {
  fc.assert(
    fc.property(fc.constantFrom(0n, 1n), fc.tuple(element, element, element, element, element), (id, values) => {
      const [x, y, z, A, B] = values;
      assert.equal(reveal(id, values), modulo(id * (x * x - y - z) + A * x + B));
    }),
    { numRuns },
  );
});

it('canonical255() knows the elements from other numbers of 256 bits', () => {
  const number = fc.oneof(
    element,
    fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    fc.bigInt({ min: P, max: P + 40n }),
    element.map((value) => value + 2n ** 255n),
  );
  fc.assert(
    fc.property(fc.array(number, { maxLength: 3 }), (numbers) => {
      const canonical = Workspace.use((space) => {
        const at = space.put(Uint8Array.from(numbers.flatMap((value) => [...encode(value)])));
        return space.kernel.canonical255(at, numbers.length);
      });
      assert.equal(
        canonical === 1,
        numbers.every((value) => value < P),
      );
    }),
    { numRuns },
  );
});
