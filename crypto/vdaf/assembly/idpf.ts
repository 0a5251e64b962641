/**
 * The tree of the IDPF: key generation, and evaluation of all wanted nodes level by level. VDAF §8.3.
 *
 * Which nodes are visited is public, since the collector says so. Seeds, control bits and the client's index are
 * secret: they select by masks, never by branches or addresses. Only a candidate out of range, one in 2³² for an
 * element of Field64, takes a different path.
 *
 * A visit of a level has phases, each over all nodes of the level, so that the two calls of AES between them are
 * batches that another implementation of AES can take over.
 */
import { expandKey, hashBlocks, ROUND_KEYS_SIZE } from './aes128';
import { add, subtract } from './field64';
import * as field255 from './field255';
import { controlBits, LEAF_SIZE, payloadAt, SEED_SIZE, seedAt, storeControlBits } from './public-share';
import { absorb, finish, fork, MODULUS_64, SPONGE_SIZE, sampleField255, squeeze } from './sponge';

const HIGH_HALF: usize = memory.data<u64>([0, 0xffffffffffffffff], 16);
const ONE_HIGH: usize = memory.data<u64>([0, 1], 16);
const NOT_LOWEST: usize = memory.data<u64>([0xfffffffffffffffe, 0xffffffffffffffff], 16);

/** The orthomorphism that the hash function applies before AES. VDAF §6.2.2. */
@inline
function sigma(x: v128): v128 {
  const swapped = i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  return v128.xor(swapped, v128.and(x, v128.load(HIGH_HALF)));
}

/** sigma of the seed's block `index`, from sigma of its block 0. */
@inline
function sigmaOfBlock(sigmaOfSeed: v128, index: u64): v128 {
  return v128.xor(sigmaOfSeed, i64x2.replace_lane(i64x2.splat(0), 1, index));
}

/** All ones where `bit` is 1, zero where it is 0. */
@inline
function maskOf(bit: u32): v128 {
  return i64x2.splat(-i64(bit));
}

/** An element of Field64 where `choice` is 0, its negative where it is 1. */
@inline
function negateIf(a: u64, choice: u64): u64 {
  return a ^ ((a ^ subtract(0, a)) & -choice);
}

/** The two fixed AES keys of a report: for extending and for converting. They need not be secret. */
export const FIXED_KEYS_SIZE: usize = 2 * ROUND_KEYS_SIZE;

const sponge: usize = memory.data(208, 16);

/**
 * @param prefixes - two sponges that have absorbed the domain separation tags
 * @param nonce - 16 bytes
 * @param keys - FIXED_KEYS_SIZE bytes to write
 * @param raw - 32 bytes to write: the keys as they are, for another implementation of AES
 */
export function fixedKeys(prefixes: usize, nonce: usize, keys: usize, raw: usize): void {
  for (let usage: usize = 0; usage < 2; usage++) {
    fork(prefixes + usage * SPONGE_SIZE, sponge);
    absorb(sponge, nonce, 16);
    finish(sponge, 2);
    squeeze(sponge, raw + usage * 16, 16);
    expandKey(raw + usage * 16, keys + usage * ROUND_KEYS_SIZE);
  }
}

// Nodes of the level that was visited last, and work space for the next.
let seeds: usize = 0;
let controls: usize = 0;
let blocks: usize = 0;
let carried: usize = 0;

/** Bytes of work space for each node of the widest level. */
export const NODE_SIZE: usize = 34;

/**
 * Sets the work space, and the root as the only node.
 *
 * @param space - NODE_SIZE bytes for each of `capacity` nodes: seeds, blocks, control bits, one more byte
 * @param key - 16 bytes
 * @param aggregator - 0 or 1
 */
export function plant(space: usize, capacity: usize, key: usize, aggregator: u32): void {
  seeds = space;
  blocks = space + capacity * 16;
  controls = space + capacity * 32;
  carried = controls + capacity;
  v128.store(seeds, v128.load(key));
  store<u8>(controls, u8(aggregator));
}

/**
 * First phase: one block to hash for each wanted child.
 *
 * @param plan - one byte for each node: 1 for its left child, 2 for its right child, 3 for both, 0 for none
 * @returns how many children there are
 */
export function extend(plan: usize, count: usize): usize {
  let children: usize = 0;
  for (let node: usize = 0; node < count; node++) {
    const wanted = <u32>load<u8>(plan + node);
    const control = load<u8>(controls + node);
    const block = sigma(v128.load(seeds + node * SEED_SIZE));
    if ((wanted & 1) !== 0) {
      v128.store(blocks + children * 16, block);
      store<u8>(carried + children, control);
      children++;
    }
    if ((wanted & 2) !== 0) {
      v128.store(blocks + children * 16, v128.xor(block, v128.load(ONE_HIGH)));
      store<u8>(carried + children, control | 2);
      children++;
    }
  }
  return children;
}

/** The seed of a child before its conversion, and its control bit, which was the seed's lowest bit. */
@inline
function corrected(seed: v128, correction: v128, parentControl: u32): v128 {
  return v128.xor(v128.and(seed, v128.load(NOT_LOWEST)), v128.and(correction, maskOf(parentControl)));
}

@inline
function correctedControl(seed: v128, correction: u32, parentControl: u32): u32 {
  return (u32(i64x2.extract_lane(seed, 0)) & 1) ^ (correction & parentControl);
}

/**
 * Second phase, after the blocks are hashed: applies the correction word, and leaves a block to hash as the seed of
 * each child.
 *
 * @param values - whether to leave another block to hash for the child's value
 */
export function correct(share: usize, bits: usize, level: usize, children: usize, values: bool): void {
  const seedCorrection = v128.load(seedAt(share, bits, level));
  const controlCorrection = controlBits(share, level);
  for (let child: usize = 0; child < children; child++) {
    const from = <u32>load<u8>(carried + child);
    const parentControl = from & 1;
    const hashed = v128.load(blocks + child * 16);
    const block = sigma(corrected(hashed, seedCorrection, parentControl));
    v128.store(seeds + child * SEED_SIZE, block);
    if (values) v128.store(blocks + child * 16, v128.xor(block, v128.load(ONE_HIGH)));
    store<u8>(controls + child, u8(correctedControl(hashed, controlCorrection >> (from >> 1), parentControl)));
  }
}

/** Third phase where nothing but the way down is wanted: the seeds of the children. */
@inline
export function convert(keys: usize, children: usize): void {
  hashBlocks(keys + ROUND_KEYS_SIZE, seeds, children);
}

/** All phases of inner levels `from` to `to - 1`. @returns the number of nodes of the last one */
export function walk(
  keys: usize,
  share: usize,
  bits: usize,
  from: usize,
  to: usize,
  plan: usize,
  count: usize,
): usize {
  for (let level = from; level < to; level++) {
    const children = extend(plan, count);
    plan += count;
    hashBlocks(keys, blocks, children);
    correct(share, bits, level, children, false);
    convert(keys, children);
    count = children;
  }
  return count;
}

/** The first two phases and the hashing around them, of the level whose values are wanted. @returns its nodes */
export function arrive(keys: usize, share: usize, bits: usize, level: usize, plan: usize, count: usize): usize {
  const children = extend(plan, count);
  hashBlocks(keys, blocks, children);
  correct(share, bits, level, children, true);
  hashBlocks(keys + ROUND_KEYS_SIZE, blocks, children);
  return children;
}

const extraBlock: usize = memory.data(16, 16);

/** Two elements out of a seed's blocks from the second on: its first one, already hashed, is at `block`. */
function sampleValue(keys: usize, sigmaOfSeed: v128, block: usize): void {
  const x = load<u64>(block);
  const y = load<u64>(block, 8);
  if (((x < MODULUS_64) as u32) & ((y < MODULUS_64) as u32)) return;
  let found: usize = 0;
  v128.store(extraBlock, v128.load(block));
  for (let index: u64 = 2; ; index++) {
    for (let at: usize = 0; at < 16; at += 8) {
      const candidate = load<u64>(extraBlock + at);
      if (candidate < MODULUS_64 && found < 2) store<u64>(block + 8 * found++, candidate);
    }
    if (found === 2) return;
    v128.store(extraBlock, sigmaOfBlock(sigmaOfSeed, index));
    hashBlocks(keys + ROUND_KEYS_SIZE, extraBlock, 1);
  }
}

/**
 * Third phase for the values of an inner level, after both hashes.
 *
 * @param out - two elements for each child
 */
export function innerValues(
  keys: usize,
  share: usize,
  bits: usize,
  level: usize,
  children: usize,
  aggregator: u64,
  out: usize,
): void {
  const payload = payloadAt(share, bits, level);
  const first = load<u64>(payload);
  const second = load<u64>(payload, 8);
  for (let child: usize = 0; child < children; child++) {
    const block = blocks + child * 16;
    sampleValue(keys, v128.load(seeds + child * SEED_SIZE), block);
    const mask = -u64(load<u8>(controls + child));
    store<u64>(out, negateIf(add(load<u64>(block), first & mask), aggregator));
    store<u64>(out, negateIf(add(load<u64>(block, 8), second & mask), aggregator), 8);
    out += 16;
  }
}

const expanded: usize = memory.data(32, 16);

/** The first `length` bytes for a node of the last level, whose XOF is TurboSHAKE128. Leaves the sponge for more. */
@inline
function expandLeaf(prefix: usize, seed: usize, nonce: usize): void {
  fork(prefix, sponge);
  absorb(sponge, seed, SEED_SIZE);
  absorb(sponge, nonce, 16);
  finish(sponge, 1);
}

const leafSeed: usize = memory.data(16, 16);

/**
 * All phases of the last level, where the parents are the nodes that were visited last.
 *
 * @param prefixes - two sponges that have absorbed what comes before the seed, for extending and for converting
 * @param out - two elements of Field255 for each child
 * @returns how many children there are
 */
export function leafValues(
  prefixes: usize,
  nonce: usize,
  share: usize,
  bits: usize,
  plan: usize,
  count: usize,
  aggregator: u64,
  out: usize,
): usize {
  const seedCorrection = v128.load(seedAt(share, bits, bits - 1));
  const controlCorrection = controlBits(share, bits - 1);
  const payload = payloadAt(share, bits, bits - 1);
  const start = out;
  for (let node: usize = 0; node < count; node++) {
    const parentControl = <u32>load<u8>(controls + node);
    expandLeaf(prefixes, seeds + node * SEED_SIZE, nonce);
    squeeze(sponge, expanded, 32);
    const wanted = <u32>load<u8>(plan + node);
    for (let bit: u32 = 0; bit < 2; bit++) {
      if (((wanted >> bit) & 1) === 0) continue;
      const raw = v128.load(expanded + bit * 16);
      const control = <u64>correctedControl(raw, controlCorrection >> bit, parentControl);
      v128.store(leafSeed, corrected(raw, seedCorrection, parentControl));
      leafValue(prefixes + SPONGE_SIZE, nonce, out);
      for (let end = out + LEAF_SIZE; out < end; out += field255.SIZE) {
        field255.addIf(out, payload + LEAF_SIZE - (end - out), control);
        field255.negateIf(out, aggregator);
      }
    }
  }
  return (out - start) / LEAF_SIZE;
}

/** What the conversion of the seed in `leafSeed` gives as its value. */
@inline
function leafValue(prefix: usize, nonce: usize, out: usize): void {
  expandLeaf(prefix, leafSeed, nonce);
  // The seed of a next level comes first, and there is no next level.
  squeeze(sponge, expanded, SEED_SIZE);
  sampleField255(sponge, out, 2);
}

// Key generation: both aggregators' nodes side by side, each with both of its children.
const pair: usize = memory.data(64, 16);
const values: usize = memory.data(128, 16);

/**
 * Makes the correction words of one level.
 *
 * @param raw - in `pair`, left and right child of the first and of the second aggregator, not yet corrected
 * @param controls - the aggregators' control bits, the first one's as the lower
 * @returns their next control bits; the uncorrected parts stay in `pair`: seeds before conversion in its first half
 */
@inline
function generateCorrection(share: usize, bits: usize, level: usize, bit: u32, controls: u32): u32 {
  const keepRight = maskOf(bit);
  const left0 = v128.load(pair);
  const right0 = v128.load(pair, 16);
  const left1 = v128.load(pair, 32);
  const right1 = v128.load(pair, 48);
  const notLowest = v128.load(NOT_LOWEST);

  const keep0 = v128.bitselect(right0, left0, keepRight);
  const keep1 = v128.bitselect(right1, left1, keepRight);
  const lose = v128.xor(v128.bitselect(left0, right0, keepRight), v128.bitselect(left1, right1, keepRight));
  const correction = v128.and(lose, notLowest);
  v128.store(seedAt(share, bits, level), correction);

  const left = u32(i64x2.extract_lane(v128.xor(left0, left1), 0)) & 1;
  const right = u32(i64x2.extract_lane(v128.xor(right0, right1), 0)) & 1;
  const leftControl = left ^ bit ^ 1;
  const rightControl = right ^ bit;
  storeControlBits(share, level, leftControl | (rightControl << 1));

  const keptControl = (leftControl & (bit ^ 1)) | (rightControl & bit);
  const control0 = controls & 1;
  const control1 = controls >> 1;
  v128.store(pair, corrected(keep0, correction, control0));
  v128.store(pair, corrected(keep1, correction, control1), 16);
  return correctedControl(keep0, keptControl, control0) | (correctedControl(keep1, keptControl, control1) << 1);
}

@inline
function generateInner(
  keys: usize,
  share: usize,
  bits: usize,
  level: usize,
  bit: u32,
  controls: u32,
  beta: usize,
): u32 {
  for (let party: usize = 0; party < 2; party++) {
    const block = sigma(v128.load(generated + party * SEED_SIZE));
    v128.store(pair + party * 32, block);
    v128.store(pair + party * 32, v128.xor(block, v128.load(ONE_HIGH)), 16);
  }
  hashBlocks(keys, pair, 4);
  const next = generateCorrection(share, bits, level, bit, controls);
  for (let party: usize = 0; party < 2; party++) {
    const block = sigma(v128.load(pair + party * SEED_SIZE));
    v128.store(values + party * 32, block);
    v128.store(values + party * 32, v128.xor(block, v128.load(ONE_HIGH)), 16);
    v128.store(pair + party * SEED_SIZE, block);
  }
  hashBlocks(keys + ROUND_KEYS_SIZE, values, 4);
  for (let party: usize = 0; party < 2; party++) {
    v128.store(generated + party * SEED_SIZE, v128.load(values + party * 32));
    sampleValue(keys, v128.load(pair + party * SEED_SIZE), values + party * 32 + 16);
  }
  const payload = payloadAt(share, bits, level);
  for (let at: usize = 0; at < 16; at += 8) {
    const word = add(subtract(load<u64>(beta + at), load<u64>(values + 16 + at)), load<u64>(values + 48 + at));
    store<u64>(payload + at, negateIf(word, u64(next >> 1)));
  }
  return next;
}

@inline
function generateLeaf(
  prefixes: usize,
  nonce: usize,
  share: usize,
  bits: usize,
  bit: u32,
  controls: u32,
  beta: usize,
): void {
  for (let party: usize = 0; party < 2; party++) {
    expandLeaf(prefixes, generated + party * SEED_SIZE, nonce);
    squeeze(sponge, pair + party * 32, 32);
  }
  const next = generateCorrection(share, bits, bits - 1, bit, controls);
  for (let party: usize = 0; party < 2; party++) {
    v128.store(leafSeed, v128.load(pair + party * SEED_SIZE));
    leafValue(prefixes + SPONGE_SIZE, nonce, values + party * LEAF_SIZE);
  }
  const payload = payloadAt(share, bits, bits - 1);
  for (let at: usize = 0; at < LEAF_SIZE; at += field255.SIZE) {
    field255.sub(payload + at, beta + at, values + at);
    field255.add(payload + at, payload + at, values + LEAF_SIZE + at);
    field255.negateIf(payload + at, u64(next >> 1));
  }
}

const generated: usize = memory.data(32, 16);

/**
 * Key generation.
 *
 * @param prefixes - the two sponges of {@link leafValues}
 * @param alpha - the index: `bits` bits, the first one is the highest of the first byte; secret
 * @param beta - two elements of Field64 for each inner level, then two of Field255
 * @param rand - 32 bytes, which are also the two keys
 * @param share - the encoded public share to write, zero before
 */
export function generate(
  bits: usize,
  keys: usize,
  prefixes: usize,
  nonce: usize,
  alpha: usize,
  beta: usize,
  rand: usize,
  share: usize,
): void {
  memory.copy(generated, rand, 32);
  let controls: u32 = 2;
  for (let level: usize = 0; level < bits; level++) {
    const bit = <u32>(load<u8>(alpha + (level >> 3)) >> u8(7 - (level & 7))) & 1;
    const at = beta + level * 16;
    if (level < bits - 1) controls = generateInner(keys, share, bits, level, bit, controls, at);
    else generateLeaf(prefixes, nonce, share, bits, bit, controls, at);
  }
}

/** Forgets what is left of the last computation. */
export function wipeTree(): void {
  memory.fill(sponge, 0, SPONGE_SIZE);
  memory.fill(extraBlock, 0, 16);
  memory.fill(expanded, 0, 32);
  memory.fill(leafSeed, 0, 16);
  memory.fill(pair, 0, 64);
  memory.fill(values, 0, 128);
  memory.fill(generated, 0, 32);
}
