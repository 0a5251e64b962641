/** Domain separation tags. VDAF §6.2.3. */
import { bigEndian, concat } from './bytes.ts';

/** Version of the wire format, which is the first byte of every tag. */
const VERSION = 18;

/**
 * @param algorithmClass - 0 for a VDAF, 1 for an IDPF
 * @param algorithm - identifier of the algorithm, 32 bits
 * @param usage - what the output is used for, 16 bits
 * @param ctx - application context
 */
export function domainSeparationTag(
  algorithmClass: number,
  algorithm: number,
  usage: number,
  ctx: Uint8Array,
): Uint8Array {
  return concat(bigEndian(VERSION, 1), bigEndian(algorithmClass, 1), bigEndian(algorithm, 4), bigEndian(usage, 2), ctx);
}
