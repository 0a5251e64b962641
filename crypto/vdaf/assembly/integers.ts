/** Integers as weighted bits. VDAF §7.4.2. */

/**
 * encode_range_checked_int for many integers, without a branch that depends on one.
 *
 * @param values - `count` integers of 64 bits, each at most the largest
 * @param bits - bit length of the largest
 * @param largest - address of the largest, 64 bits
 * @param size - bytes of an element
 * @param out - receives count·bits elements
 */
export function encodeIntegers(
  values: usize,
  count: usize,
  bits: usize,
  largest: usize,
  size: usize,
  out: usize,
): void {
  const restOfOnes: u64 = (<u64>1 << (<u64>bits - 1)) - 1;
  const lastWeight = load<u64>(largest) - restOfOnes;
  memory.fill(out, 0, count * bits * size);
  for (let i: usize = 0; i < count; i++) {
    const value = load<u64>(values + 8 * i);
    const last = u64(value > restOfOnes);
    const rest = value - (lastWeight & (0 - last));
    for (let l: usize = 0; l < bits - 1; l++) {
      store<u64>(out, (rest >> l) & 1);
      out += size;
    }
    store<u64>(out, last);
    out += size;
  }
}

/** One at `index` and zero elsewhere, in time that does not depend on `index`. */
export function encodeOneHot(index: usize, length: usize, size: usize, out: usize): void {
  memory.fill(out, 0, length * size);
  for (let i: usize = 0; i < length; i++) {
    store<u64>(out, u64(i === index));
    out += size;
  }
}
