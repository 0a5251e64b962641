/** The operating system's generator, read in blocks because one call costs more than a small request's worth of bytes. */
import { randomFillSync } from 'node:crypto';
import type { RandomSource } from '@privacy-edge/gateway-roles';

const BLOCK_BYTES = 4096;
const block = new Uint8Array(BLOCK_BYTES);
let used = BLOCK_BYTES;

/**
 * Fresh bytes from the system's cryptographic generator.
 *
 * @param length - bytes, 0 or more
 * @returns a new array that the caller owns; the pool keeps no copy
 */
export const systemRandom: RandomSource = (length) => {
  if (length > BLOCK_BYTES / 8) return randomFillSync(new Uint8Array(length));
  if (used + length > BLOCK_BYTES) {
    randomFillSync(block);
    used = 0;
  }
  const bytes = block.slice(used, used + length);
  // What was handed out may become a key: a later read of this process's memory must not find it here.
  block.fill(0, used, used + length);
  used += length;
  return bytes;
};
