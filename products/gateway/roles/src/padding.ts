/** How messages are padded, so that their length says less about their content. RFC 9292 §3.8, RFC 9458 §6.2.3. */

/** A rule from the length of a message to the length it is padded to. All sizes in bytes. */
export type PaddingPolicy =
  /** No padding. */
  | { readonly kind: 'none' }
  /** Up to the next power of two, at least `minimumBytes`; from 64 KiB on up to a multiple of 64 KiB. */
  | { readonly kind: 'power-of-two'; readonly minimumBytes: number }
  /** Up to the next multiple of `bytes`. */
  | { readonly kind: 'multiple'; readonly bytes: number }
  /** Up to the smallest of these ascending sizes that fits; above the largest, up to a multiple of it. */
  | { readonly kind: 'buckets'; readonly bytes: readonly number[] };

/** Doubling stops here: a large answer would otherwise cost up to twice its bytes on every hop. */
const LARGE = 65_536;

/**
 * @param length - bytes of the unpadded message
 * @returns at least `length`
 */
export function paddedLength(policy: PaddingPolicy, length: number): number {
  switch (policy.kind) {
    case 'none':
      return length;
    case 'multiple':
      return roundUp(length, policy.bytes);
    case 'power-of-two': {
      const wanted = Math.max(length, policy.minimumBytes);
      if (wanted > LARGE) return roundUp(wanted, LARGE);
      let size = 1;
      while (size < wanted) size *= 2;
      return size;
    }
    case 'buckets': {
      const fitting = policy.bytes.find((size) => size >= length);
      return fitting ?? roundUp(length, policy.bytes.at(-1) ?? 1);
    }
  }
}

function roundUp(length: number, step: number): number {
  return Math.ceil(length / Math.max(1, step)) * Math.max(1, step);
}
