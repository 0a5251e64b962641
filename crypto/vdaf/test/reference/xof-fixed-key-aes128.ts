/** XofFixedKeyAes128. VDAF §6.2.2. */
import { createCipheriv } from 'node:crypto';
import { turboshake128 } from '@noble/hashes/sha3-addons.js';
import { concat, littleEndian, xor } from './bytes.ts';
import { demand } from './refusal.ts';
import type { Stream, Xof } from './xof.ts';

export const XOF_FIXED_KEY_AES128: Xof = {
  seedSize: 16,
  start(seed, dst, binder): Stream {
    demand(seed.length === 16, 'a seed has the wrong length');
    const key = turboshake128(concat(littleEndian(BigInt(dst.length), 2), dst, binder), { D: 2, dkLen: 16 });
    let at = 0;
    return {
      next(length) {
        const first = Math.floor(at / 16);
        const blocks = Array.from({ length: Math.ceil((at + length) / 16) - first }, (_, i) =>
          hashBlock(key, xor(seed, littleEndian(BigInt(first + i), 16))),
        );
        const output = concat(...blocks).slice(at - 16 * first, at - 16 * first + length);
        at += length;
        return output;
      },
    };
  },
};

function hashBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  const [low, high] = [block.slice(0, 8), block.slice(8)];
  const sigma = concat(high, xor(high, low));
  return xor(aes128(key, sigma), sigma);
}

function aes128(key: Uint8Array, block: Uint8Array): Uint8Array {
  return new Uint8Array(createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block));
}
