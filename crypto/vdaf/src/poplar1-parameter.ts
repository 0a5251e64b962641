/** Aggregation parameters of Poplar1: a level, and the candidate prefixes there. VDAF §8.2.6.6. */
import { Reader, Writer } from '@privacy-edge/bytes';
import { isPadded, MAX_BITS, packedSize } from './poplar1-layout.ts';
import { VdafError } from './vdaf-error.ts';

/** Most prefixes that one parameter may hold. A bound of this implementation, so that a collector cannot ask for all memory. */
export const MAX_PREFIXES: number = 1 << 16;

/**
 * Most nodes that the ways from the root to all prefixes may have, shared ones counted each time. It bounds what one report
 * costs an aggregator in one go: some tens of milliseconds.
 */
export const MAX_NODES: number = 1 << 20;

/** Candidate prefixes, each of `level + 1` bits, strictly in lexicographic order, at least one. */
export interface PrefixSet {
  readonly level: number;
  readonly count: number;
  /** Bytes of one packed prefix. */
  readonly size: number;
  /** The prefixes one after the other. A bit string starts with the highest bit of its first byte. */
  readonly packed: Uint8Array;
}

/** One of the prefixes, as a view. */
export function prefixAt(set: PrefixSet, index: number): Uint8Array {
  return set.packed.subarray(index * set.size, (index + 1) * set.size);
}

/** Lexicographic order of packed strings of one length: negative, zero or positive. */
function compareBits(left: Uint8Array, right: Uint8Array): number {
  for (let at = 0; at < left.length; at++) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether strings are padded with zero bits, and each is greater than the one before. */
function isStrictlySorted(set: PrefixSet): boolean {
  for (let index = 0; index < set.count; index++) {
    const prefix = prefixAt(set, index);
    if (!isPadded(prefix, set.level + 1)) return false;
    if (index > 0 && compareBits(prefixAt(set, index - 1), prefix) >= 0) return false;
  }
  return true;
}

/**
 * Decodes an aggregation parameter.
 *
 * The draft lets decoding accept unsorted or repeated prefixes, and leaves them to `is_valid`. Here they do not decode.
 *
 * @param bytes - chosen by the collector
 * @param bits - length of the strings that clients hold
 * @returns the prefixes, as views of `bytes`
 * @throws {@link VdafError} `PARAMETER_INVALID`
 */
export function decodePrefixes(bytes: Uint8Array, bits: number): PrefixSet {
  const set = readPrefixes(bytes);
  if (set === undefined || set.level >= bits || !isStrictlySorted(set)) throw parameterInvalid();
  return set;
}

/** The error for bytes that are not an aggregation parameter. */
export function parameterInvalid(): VdafError {
  return new VdafError('PARAMETER_INVALID', 'Cannot read aggregation parameter: it is not one of this Poplar1');
}

function readPrefixes(bytes: Uint8Array): PrefixSet | undefined {
  if (bytes.length < 6) return undefined;
  const reader = new Reader(bytes, 'aggregation parameter');
  const level = reader.u16();
  const count = reader.u32();
  const size = packedSize(level + 1);
  if (count === 0 || count > MAX_PREFIXES || count * (level + 1) > MAX_NODES) return undefined;
  if (reader.remaining !== count * size) return undefined;
  return { level, count, size, packed: reader.rest() };
}

/**
 * Encodes an aggregation parameter.
 *
 * @param level - one less than the prefixes' length in bits
 * @param prefixes - packed strings of bits, highest bit first and zero bits after the last, strictly in lexicographic order
 * @throws RangeError when they are not, or there is none, or there are more than {@link MAX_PREFIXES}, or their bits are
 *   more than {@link MAX_NODES} together
 * @see VDAF §8.2.6.6
 */
export function encodePrefixes(level: number, prefixes: readonly Uint8Array[]): Uint8Array {
  if (!Number.isInteger(level) || level < 0 || level >= MAX_BITS)
    throw new RangeError('Cannot encode prefixes: there is no such level');
  if (prefixes.length === 0 || prefixes.length > MAX_PREFIXES || prefixes.length * (level + 1) > MAX_NODES)
    throw new RangeError('Cannot encode prefixes: there are too few or too many');
  const size = packedSize(level + 1);
  const writer = new Writer(6 + size * prefixes.length).u16(level).u32(prefixes.length);
  for (const prefix of prefixes) {
    if (prefix.length !== size)
      throw new RangeError('Cannot encode prefixes: one does not have the length of its level');
    writer.bytes(prefix);
  }
  const encoded = writer.finish();
  if (!isStrictlySorted({ level, count: prefixes.length, size, packed: encoded.subarray(6) })) {
    throw new RangeError('Cannot encode prefixes: they are not padded with zero bits, or not strictly sorted');
  }
  return encoded;
}

/**
 * Compares the first `level + 1` bits of `prefix` with an `ancestor` of that many bits: negative, zero or positive.
 *
 * @param prefix - packed, at least as long
 */
function compareAncestor(prefix: Uint8Array, ancestor: Uint8Array, level: number): number {
  const last = ancestor.length - 1;
  for (let at = 0; at < last; at++) {
    const difference = (prefix[at] as number) - (ancestor[at] as number);
    if (difference !== 0) return difference;
  }
  const mask = (0xff00 >> ((level & 7) + 1)) & 0xff;
  return ((prefix[last] as number) & mask) - (ancestor[last] as number);
}

/**
 * For each prefix, the index of its ancestor in a set of an earlier level.
 *
 * @returns `undefined` when a prefix has no ancestor there, or the level is not an earlier one
 */
export function ancestors(set: PrefixSet, earlier: PrefixSet): Uint32Array | undefined {
  if (earlier.level >= set.level) return undefined;
  const found = new Uint32Array(set.count);
  let candidate = 0;
  for (let index = 0; index < set.count; index++) {
    const prefix = prefixAt(set, index);
    // Both sets are sorted, so that the next ancestor is never before the last one.
    let order = compareAncestor(prefix, prefixAt(earlier, candidate), earlier.level);
    while (order > 0 && candidate + 1 < earlier.count) {
      candidate += 1;
      order = compareAncestor(prefix, prefixAt(earlier, candidate), earlier.level);
    }
    if (order !== 0) return undefined;
    found[index] = candidate;
  }
  return found;
}
