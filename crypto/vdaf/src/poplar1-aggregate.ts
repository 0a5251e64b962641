/** Sums of output shares, and the result. VDAF §8.2.4, §8.2.5. */
import { elementSize, INNER_SIZE } from './poplar1-layout.ts';
import { decodePrefixes } from './poplar1-parameter.ts';
import { invalidShare } from './vdaf-error.ts';
import { Workspace } from './workspace.ts';

/** Bytes of an element, and how many there are, under an aggregation parameter. */
function shape(bits: number, parameter: Uint8Array): { readonly size: number; readonly count: number } {
  const { level, count } = decodePrefixes(parameter, bits);
  return { size: elementSize(bits, level), count };
}

/** The encoding of all zeros. */
export function zeroShare(bits: number, parameter: Uint8Array): Uint8Array {
  const { size, count } = shape(bits, parameter);
  return new Uint8Array(size * count);
}

/**
 * Adds encoded output shares or aggregate shares.
 *
 * @param parameter - the aggregation parameter of all of them
 * @throws {@link VdafError} `PARAMETER_INVALID`, `SHARE_INVALID`
 */
export function sumShares(bits: number, parameter: Uint8Array, shares: readonly Uint8Array[]): Uint8Array {
  const { size, count } = shape(bits, parameter);
  return Workspace.use((space) => {
    const { kernel } = space;
    const isInner = size === INNER_SIZE;
    const total = space.reserve(size * count);
    const next = space.reserve(size * count);
    for (const share of shares) {
      if (share.length !== size * count) throw invalidShare();
      space.write(next, share);
      if ((isInner ? kernel.canonical64(next, count) : kernel.canonical255(next, count)) !== 1) throw invalidShare();
      if (isInner) kernel.sum64(total, next, count);
      else kernel.sum255(total, next, count);
    }
    return space.read(total, size * count);
  });
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The numbers that an encoded sum stands for, one for each prefix. */
export function decodeSum(bits: number, parameter: Uint8Array, sum: Uint8Array): bigint[] {
  const { size, count } = shape(bits, parameter);
  return Array.from({ length: count }, (_, index) => fromLittleEndian(sum.subarray(index * size, (index + 1) * size)));
}
