/** Sums of output shares. VDAF §7.2.4. */
import type { Arena } from './prio3-arena.ts';
import type { Prio3Instance } from './prio3-instance.ts';
import { invalidShare, VdafError } from './vdaf-error.ts';

type Prio3 = Prio3Instance<never, unknown>;

/**
 * The sum of output or aggregate shares, encoded.
 *
 * @param shares - checked; of none the sum is zero
 * @throws {@link VdafError} `SHARE_INVALID`
 */
export function sumShares(prio3: Prio3, shares: readonly Uint8Array[]): Uint8Array {
  return prio3.use((arena) => arena.read(sumIn(prio3, arena, shares), prio3.outputSize));
}

function sumIn(prio3: Prio3, arena: Arena, shares: readonly Uint8Array[]): number {
  const { field, circuit, outputSize } = prio3;
  const sum = arena.reserve(outputSize);
  const share = arena.reserve(outputSize);
  for (const bytes of shares) {
    if (bytes.length !== outputSize) throw invalidShare();
    arena.write(share, bytes);
    if (!field.isCanonical(share, circuit.outputLength)) throw invalidShare();
    field.add(sum, sum, share, circuit.outputLength);
  }
  return sum;
}

/** How many reports can be aggregated before a sum could wrap around. */
export function maxReports({ field, circuit }: Prio3): bigint {
  return (field.modulus - 1n) / circuit.largestOutput;
}

/**
 * The sums that shares stand for.
 *
 * @param shares - one of each aggregator
 * @param reportCount - reports in each
 * @throws {@link VdafError} `SHARE_INVALID`, `BATCH_TOO_LARGE`
 * @see VDAF §7.2.5
 */
export function openShares(prio3: Prio3, shares: readonly Uint8Array[], reportCount: number): bigint[] {
  if (!Number.isSafeInteger(reportCount) || reportCount < 0)
    throw new RangeError('Cannot unshard: no such report count');
  if (BigInt(reportCount) > maxReports(prio3)) {
    throw new VdafError('BATCH_TOO_LARGE', 'Cannot unshard: the sums of so many reports may have wrapped around');
  }
  return elementsOf(sumShares(prio3, shares), prio3.field.size);
}

/** Elements of an encoding. */
function elementsOf(bytes: Uint8Array, size: number): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / size }, (_, i) => {
    const low = view.getBigUint64(size * i, true);
    return size === 8 ? low : low | (view.getBigUint64(size * i + 8, true) << 64n);
  });
}

/**
 * Adds an integer, such as noise, to every coordinate of an aggregate share.
 *
 * @param integers - as many as the share has coordinates; may be negative
 * @throws {@link VdafError} `SHARE_INVALID`
 * @throws RangeError for another number of integers
 */
export function addIntegers(prio3: Prio3, share: Uint8Array, integers: readonly bigint[]): Uint8Array {
  const { field, circuit, outputSize } = prio3;
  if (integers.length !== circuit.outputLength)
    throw new RangeError('Cannot add: there must be one for each coordinate');
  const encoded = new Uint8Array(outputSize);
  const view = new DataView(encoded.buffer);
  integers.forEach((integer, i) => {
    const rest = integer % field.modulus;
    const value = rest < 0n ? rest + field.modulus : rest;
    view.setBigUint64(field.size * i, BigInt.asUintN(64, value), true);
    if (field.size === 16) view.setBigUint64(field.size * i + 8, value >> 64n, true);
  });
  return sumShares(prio3, [share, encoded]);
}
