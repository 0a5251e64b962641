/**
 * Where things are in an encoded IDPF public share: packed control bits, seeds, payloads of inner levels, payload of
 * the leaves. VDAF §8.2.6.1.
 */

/** Bytes of an IDPF key and of a node's seed. */
export const SEED_SIZE: usize = 16;

/** Bytes of an inner node's two elements of Field64. */
export const INNER_SIZE: usize = 16;

/** Bytes of a leaf's two elements of Field255. */
export const LEAF_SIZE: usize = 64;

@inline
function packedSize(bits: usize): usize {
  return (2 * bits + 7) >> 3;
}

@inline
export function seedAt(share: usize, bits: usize, level: usize): usize {
  return share + packedSize(bits) + SEED_SIZE * level;
}

@inline
export function payloadAt(share: usize, bits: usize, level: usize): usize {
  return seedAt(share, bits, bits) + INNER_SIZE * level;
}

/** The two control bits of a level, the left child's as the lower one. */
@inline
export function controlBits(share: usize, level: usize): u32 {
  return (load<u8>(share + (level >> 2)) >> u8((level & 3) << 1)) & 3;
}

/** Adds the two control bits to a share whose control bits are zero. */
@inline
export function storeControlBits(share: usize, level: usize, control: u32): void {
  const at = share + (level >> 2);
  store<u8>(at, load<u8>(at) | u8(control << u32((level & 3) << 1)));
}

/** Whether the bits after the last control bit are zero. */
@inline
export function paddingIsZero(share: usize, bits: usize): bool {
  return (bits & 3) === 0 || load<u8>(share + packedSize(bits) - 1) >> u8((bits & 3) << 1) === 0;
}
