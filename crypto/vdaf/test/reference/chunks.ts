/** How circuits with joint randomness check many bits with few gadget calls. VDAF §7.4.3. */
import type { Field } from './field.ts';
import type { CallGadget } from './valid.ts';

/** Pieces of `length` each, the last perhaps shorter. */
export function chunks<T>(list: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / length) }, (_, i) => list.slice(i * length, (i + 1) * length));
}

/** Zero if all elements are bits, and with overwhelming probability only then. Gadget 0 is a sum of `chunk` products. */
export function checkBits(
  field: Field,
  bits: readonly bigint[],
  chunk: number,
  jointRand: readonly bigint[],
  shares: number,
  call: CallGadget,
): bigint {
  const one = field.inv(BigInt(shares));
  const outputs = chunks(bits, chunk).map((piece, i) => {
    const padded = [...piece, ...field.zeros(chunk - piece.length)];
    const inputs = padded.flatMap((bit, j) => [
      field.mul(field.pow(jointRand[i]!, BigInt(j + 1)), bit),
      field.sub(bit, one),
    ]);
    return call(0, inputs);
  });
  return field.sum(outputs);
}
