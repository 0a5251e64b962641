/** Lengths of what Poplar1 encodes. VDAF §8.2.6. */

/** Bytes of an element of Field64, the field of inner levels. */
export const INNER_SIZE = 8;

/** Bytes of an element of Field255, the field of the leaves. */
export const LEAF_SIZE = 32;

/** Bytes of an IDPF key and of every node's seed. */
export const KEY_SIZE = 16;

/** Bytes of a seed of XofTurboShake128. */
export const SEED_SIZE = 32;

/** Bytes of a report's nonce. */
export const NONCE_SIZE = 16;

/** Most levels that a tree may have: the level of an aggregation parameter has 16 bits. */
export const MAX_BITS = 65535;

/** Bytes of an element at a level. */
export function elementSize(bits: number, level: number): number {
  return level === bits - 1 ? LEAF_SIZE : INNER_SIZE;
}

/** Bytes of a packed string of bits. */
export function packedSize(bits: number): number {
  return (bits + 7) >> 3;
}

/** Whether the bits after the last one of a packed string are zero. */
export function isPadded(packed: Uint8Array, bits: number): boolean {
  return ((packed.at(-1) ?? 0) & (0xff >> (((bits + 7) & 7) + 1))) === 0;
}

/** Bytes of a public share. */
export function publicShareSize(bits: number): number {
  return packedSize(2 * bits) + KEY_SIZE * bits + 2 * INNER_SIZE * (bits - 1) + 2 * LEAF_SIZE;
}

/** Where the correlated randomness of a level lies in an input share. */
export function correlatedAt(level: number): number {
  return KEY_SIZE + SEED_SIZE + 2 * INNER_SIZE * level;
}

/** Bytes of an input share. */
export function inputShareSize(bits: number): number {
  return correlatedAt(bits - 1) + 2 * LEAF_SIZE;
}
