/**
 * The collector's way down the prefix tree to the strings that many clients hold. VDAF §8.
 *
 * Every round tells aggregators and collector which prefixes are frequent, also where no string below them is; see VDAF
 * §9.4 for what that means, and why such tasks should add noise.
 */
import { MAX_BITS, packedSize } from './poplar1-layout.ts';
import { decodePrefixes, encodePrefixes, MAX_NODES, MAX_PREFIXES, prefixAt } from './poplar1-parameter.ts';

/** All strings that `prefix` begins, `more` bits longer, in order. */
function* descendants(prefix: Uint8Array, bits: number, more: number): Generator<Uint8Array> {
  const size = packedSize(bits + more);
  for (let value = 0; value < 2 ** more; value++) {
    const longer = new Uint8Array(size);
    longer.set(prefix);
    for (let bit = 0; bit < more; bit++) {
      const at = bits + bit;
      const isSet = Math.floor(value / 2 ** (more - 1 - bit)) % 2;
      longer[at >> 3] = (longer[at >> 3] as number) | (isSet << (7 - (at & 7)));
    }
    yield longer;
  }
}

/**
 * The aggregation parameter of a first round: all prefixes of `length` bits.
 *
 * @param length - 1 to 16
 * @throws RangeError for another length
 */
export function firstPrefixes(length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 1 || 2 ** length > MAX_PREFIXES)
    throw new RangeError('Cannot start: there are too many prefixes of that length');
  return encodePrefixes(length - 1, [...descendants(new Uint8Array(0), 0, length)]);
}

/**
 * The prefixes whose counts reach a threshold. After the last level these are the heavy hitters.
 *
 * @param aggregationParameter - of the round
 * @param counts - its result
 * @param threshold - the least count to keep
 * @returns packed strings of bits with their counts, in order
 * @throws {@link VdafError} `PARAMETER_INVALID`
 */
export function heavyPrefixes(
  aggregationParameter: Uint8Array,
  counts: readonly bigint[],
  threshold: bigint,
): { readonly prefix: Uint8Array; readonly count: bigint }[] {
  const set = decodePrefixes(aggregationParameter, MAX_BITS);
  if (counts.length !== set.count) throw new RangeError('Cannot go on: there must be one count for each prefix');
  return counts
    .map((count, index) => ({ prefix: prefixAt(set, index).slice(), count }))
    .filter(({ count }) => count >= threshold);
}

/**
 * The aggregation parameter of the next round: what may follow each prefix whose count reaches the threshold.
 *
 * @param bits - length of the clients' strings
 * @param aggregationParameter - of the last round
 * @param counts - its result
 * @param threshold - the least count to follow
 * @param levels - bits to go down, 1 unless given; fewer when the strings end before
 * @returns `undefined` when no prefix is left, or the last round was at the strings' last bit
 * @throws {@link VdafError} `PARAMETER_INVALID`
 * @throws RangeError when the next round would have more than {@link MAX_PREFIXES} prefixes, or their bits be more than
 *   {@link MAX_NODES} together
 */
export function nextPrefixes(
  bits: number,
  aggregationParameter: Uint8Array,
  counts: readonly bigint[],
  threshold: bigint,
  levels: number = 1,
): Uint8Array | undefined {
  const { level } = decodePrefixes(aggregationParameter, bits);
  const heavy = heavyPrefixes(aggregationParameter, counts, threshold);
  const more = Math.min(levels, bits - 1 - level);
  if (heavy.length === 0 || more < 1) return undefined;
  const count = heavy.length * 2 ** more;
  if (count > MAX_PREFIXES || count * (level + more + 1) > MAX_NODES)
    throw new RangeError('Cannot go on: the next round would have too many prefixes');
  return encodePrefixes(
    level + more,
    heavy.flatMap(({ prefix }) => [...descendants(prefix, level + 1, more)]),
  );
}

/**
 * A text or other bytes of varying length as a measurement: 0x01 and zeros up to the end. VDAF §8.1.1.
 *
 * @param bytes - shorter than `bits / 8`
 * @param bits - length of the clients' strings, a multiple of 8
 * @throws RangeError when it does not fit
 */
export function padString(bytes: Uint8Array, bits: number): Uint8Array {
  if (bits % 8 !== 0 || bytes.length >= bits / 8)
    throw new RangeError('Cannot pad: the bytes do not fit into the string of bits');
  const padded = new Uint8Array(bits / 8);
  padded.set(bytes);
  padded[bytes.length] = 1;
  return padded;
}

/**
 * The bytes that {@link padString} was given.
 *
 * @param padded - a whole string
 * @returns `undefined` for a string that is none of its results
 */
export function unpadString(padded: Uint8Array): Uint8Array | undefined {
  const end = padded.findLastIndex((byte) => byte !== 0);
  return end < 0 || padded[end] !== 1 ? undefined : padded.slice(0, end);
}
