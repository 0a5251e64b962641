/**
 * XofFixedKeyAes128 by itself, for comparison with test vectors: the IDPF runs it inside of the kernel, with the two keys
 * of a report made once. VDAF §6.2.2.
 */
import { FIXED_KEYS_SIZE, RAW_KEYS_SIZE } from './idpf-walk.ts';
import { KEY_SIZE } from './poplar1-layout.ts';
import { spongeOf } from './poplar1-sponges.ts';
import { Workspace } from './workspace.ts';

/** The seed's block of some index, as the hash function's orthomorphism leaves it. */
function seedBlock(seed: Uint8Array, index: number): Uint8Array {
  const block = new Uint8Array(seed);
  for (let at = 0; at < 4; at++) block[at] = (block[at] as number) ^ ((index >>> (8 * at)) & 0xff);
  const [low, high] = [block.subarray(0, 8), block.subarray(8)];
  return Uint8Array.from({ length: KEY_SIZE }, (_, at) =>
    at < 8 ? (high[at] as number) : (high[at - 8] as number) ^ (low[at - 8] as number),
  );
}

/**
 * The first bytes of the stream.
 *
 * @param seed - 16 bytes
 * @param dst - domain separation tag, at most 65535 bytes
 * @param binder - binder string
 * @param length - bytes wanted
 * @see VDAF §6.2.2
 */
export function xofFixedKeyAes128(seed: Uint8Array, dst: Uint8Array, binder: Uint8Array, length: number): Uint8Array {
  if (seed.length !== KEY_SIZE) throw new RangeError('Cannot expand: the seed does not have 16 bytes');
  if (dst.length > 0xffff) throw new RangeError('Cannot expand: the domain separation tag is too long');
  return Workspace.use((space) => {
    const { kernel } = space;
    const sponge = spongeOf(space, Uint8Array.of(dst.length & 0xff, dst.length >> 8), dst, binder);
    kernel.finishSponge(sponge, 2);
    const key = space.reserve(RAW_KEYS_SIZE);
    kernel.squeeze(sponge, key, KEY_SIZE);
    const keys = space.reserve(FIXED_KEYS_SIZE);
    kernel.expandKey(key, keys);
    const count = Math.ceil(length / KEY_SIZE);
    const blocks = space.reserve(count * KEY_SIZE);
    for (let index = 0; index < count; index++) space.write(blocks + index * KEY_SIZE, seedBlock(seed, index));
    kernel.hashBlocks(keys, blocks, count);
    return space.read(blocks, length);
  });
}
