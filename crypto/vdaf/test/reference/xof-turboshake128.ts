/** XofTurboShake128. VDAF §6.2.1. */
import { turboshake128 } from '@noble/hashes/sha3-addons.js';
import { bigEndian, concat, littleEndian } from './bytes.ts';
import type { Stream, Xof } from './xof.ts';

export const XOF_TURBOSHAKE128: Xof = {
  seedSize: 32,
  start(seed, dst, binder): Stream {
    const hash = turboshake128.create({ D: 1 });
    hash.update(concat(littleEndian(BigInt(dst.length), 2), dst, bigEndian(seed.length, 1), seed, binder));
    return { next: (length) => hash.xof(length) };
  },
};
