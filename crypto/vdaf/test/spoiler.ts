/** What clients, and whoever is in between, may do to encoded shares. */
import fc from 'fast-check';
import type { Case } from './differential.ts';

/** A change of one part of a report, or none. */
export const spoiler: fc.Arbitrary<NonNullable<Case<never>['spoil']>> = fc
  .record({
    part: fc.constantFrom('publicShare', 'leader', 'helper', undefined),
    /** Where, as a fraction of the length. */
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    change: fc.oneof(
      { weight: 3, arbitrary: fc.record({ xor: fc.integer({ min: 1, max: 255 }) }) },
      { weight: 1, arbitrary: fc.constantFrom('all ones', 'shorter', 'longer') },
    ),
  })
  .map(({ part, at, change }) => (name, bytes) => {
    if (name !== part) return bytes;
    const index = Math.floor(at * bytes.length);
    switch (change) {
      // Elements that are not below the modulus.
      case 'all ones':
        return bytes.slice().fill(0xff, index, index + 32);
      case 'shorter':
        return bytes.slice(0, index);
      case 'longer':
        return Uint8Array.from([...bytes, 0]);
      default:
        return bytes.length === 0 ? bytes : bytes.with(index, bytes[index]! ^ change.xor);
    }
  });
