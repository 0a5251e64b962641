/**
 * The kernel of Poplar1: sketches, correlated randomness and sums, above the IDPF. VDAF §8.2.
 *
 * Memory is laid out by the caller, from `arenaStart` on. Elements are kept as they are encoded.
 */

import { add, canonical64, multiply, subtract } from './field64';
import * as field255 from './field255';
import { convert, wipeTree } from './idpf';
import { LEAF_SIZE, paddingIsZero, payloadAt, SEED_SIZE } from './public-share';
import { absorb, finish, fork, SPONGE_SIZE, sampleField64, sampleField255 } from './sponge';

export { expandKey, hashBlocks } from './aes128';
export { canonical64 } from './field64';
export { arrive, correct, extend, fixedKeys, generate, innerValues, leafValues, plant, walk } from './idpf';
export { absorb, sampleField64, sampleField255, squeeze } from './sponge';

/** The first byte that the caller may use, a multiple of 16. */
export function arenaStart(): usize {
  return (__heap_base + 15) & ~15;
}

/** Ends the message of a sponge with the domain of an XOF: 1 for TurboSHAKE128, 2 for the key of fixed-key AES. */
export function finishSponge(sponge: usize, domain: u32): void {
  finish(sponge, u8(domain));
}

/** Converts the nodes that `arrive` or its phases have left before that, so that a next walk can start there. */
export function settle(keys: usize, children: usize): void {
  convert(keys, children);
}

/** Adds `length` bytes at `from` to those at `to`: a multiple of 16. */
export function xorInto(to: usize, from: usize, length: usize): void {
  for (const end = from + length; from < end; from += 16, to += 16) {
    v128.store(to, v128.xor(v128.load(to), v128.load(from)));
  }
}

/** Whether `count` elements of Field255 are canonical. */
export function canonical255(elements: usize, count: usize): bool {
  let inside: u32 = 1;
  for (const end = elements + count * field255.SIZE; elements < end; elements += field255.SIZE) {
    inside &= u32(field255.isCanonical(elements));
  }
  return inside === 1;
}

/** Whether an encoded public share of the right length is one. VDAF §8.2.6.1. */
export function isPublicShare(share: usize, bits: usize): bool {
  return (
    paddingIsZero(share, bits) &&
    canonical64(payloadAt(share, bits, 0), 2 * (bits - 1)) === 1 &&
    canonical255(payloadAt(share, bits, bits - 1), 2)
  );
}

/** Whether an encoded input share of the right length is one. VDAF §8.2.6.2. */
export function isInputShare(share: usize, bits: usize): bool {
  const inner = share + SEED_SIZE + 32;
  return canonical64(inner, 2 * (bits - 1)) === 1 && canonical255(inner + 16 * (bits - 1), 2);
}

const sponge: usize = memory.data(208, 16);
const who: usize = memory.data(16, 16);
const skipped: usize = memory.data(32, 16);

/** Starts the stream of correlated randomness of one aggregator. */
@inline
function startCorrelated(prefix: usize, seed: usize, aggregator: u32, nonce: usize): void {
  fork(prefix, sponge);
  absorb(sponge, seed, 32);
  store<u8>(who, u8(aggregator));
  absorb(sponge, who, 1);
  absorb(sponge, nonce, 16);
  finish(sponge, 1);
}

/**
 * The shares of a, b and c for an inner level.
 *
 * @param prefix - sponge that has absorbed what comes before the seed
 */
export function correlated64(
  prefix: usize,
  seed: usize,
  aggregator: u32,
  nonce: usize,
  level: usize,
  out: usize,
): void {
  startCorrelated(prefix, seed, aggregator, nonce);
  for (let left: usize = 3 * level; left > 0; left--) sampleField64(sponge, skipped, 1);
  sampleField64(sponge, out, 3);
}

/** The shares of a, b and c for the leaves. */
export function correlated255(prefix: usize, seed: usize, aggregator: u32, nonce: usize, out: usize): void {
  startCorrelated(prefix, seed, aggregator, nonce);
  sampleField255(sponge, out, 3);
}

/** Starts the verification randomness of a report; samplers then take `sponge`. */
@inline
function startVerify(prefix: usize, nonce: usize, level: usize): void {
  fork(prefix, sponge);
  absorb(sponge, nonce, 16);
  store<u8>(who, u8(level >> 8));
  store<u8>(who, u8(level), 1);
  absorb(sponge, who, 2);
  finish(sponge, 1);
}

/**
 * Adds an aggregator's share of the sketch of an inner level to its shares of a, b and c.
 *
 * @param values - data and authenticator share of each prefix
 * @param out - data shares to write, one for each prefix
 * @param sketch - shares of a, b and c on entry, the verifier share on return
 */
export function sketch64(
  prefix: usize,
  nonce: usize,
  level: usize,
  values: usize,
  count: usize,
  out: usize,
  sketch: usize,
): void {
  startVerify(prefix, nonce, level);
  // The randomness lies where the output shares will be.
  sampleField64(sponge, out, count);
  let first = load<u64>(sketch);
  let second = load<u64>(sketch, 8);
  let third = load<u64>(sketch, 16);
  for (let at: usize = 0; at < count; at++) {
    const r = load<u64>(out + at * 8);
    const data = load<u64>(values + at * 16);
    const product = multiply(data, r);
    first = add(first, product);
    second = add(second, multiply(product, r));
    third = add(third, multiply(load<u64>(values + at * 16, 8), r));
    store<u64>(out + at * 8, data);
  }
  store<u64>(sketch, first);
  store<u64>(sketch, second, 8);
  store<u64>(sketch, third, 16);
}

const randomness: usize = memory.data(32, 16);
const product: usize = memory.data(32, 16);
const difference: usize = memory.data(32, 16);

/** {@link sketch64} for the leaves. */
export function sketch255(
  prefix: usize,
  nonce: usize,
  level: usize,
  values: usize,
  count: usize,
  out: usize,
  sketch: usize,
): void {
  startVerify(prefix, nonce, level);
  for (const end = values + count * LEAF_SIZE; values < end; values += LEAF_SIZE) {
    sampleField255(sponge, randomness, 1);
    field255.mul(product, values, randomness);
    field255.add(sketch, sketch, product);
    field255.mul(product, product, randomness);
    field255.add(sketch + 32, sketch + 32, product);
    field255.mul(product, values + 32, randomness);
    field255.add(sketch + 64, sketch + 64, product);
    memory.copy(out, values, field255.SIZE);
    out += field255.SIZE;
  }
}

/**
 * The verifier share of the second round: agg_id·(x² − y − z) + A·x + B.
 *
 * @param sketch - x, y and z
 * @param shares - the shares of A and B
 */
export function reveal64(aggregator: u64, sketch: usize, shares: usize, out: usize): void {
  const x = load<u64>(sketch);
  const quadratic = subtract(subtract(multiply(x, x), load<u64>(sketch, 8)), load<u64>(sketch, 16)) & -aggregator;
  store<u64>(out, add(add(quadratic, multiply(load<u64>(shares), x)), load<u64>(shares, 8)));
}

/** {@link reveal64} for the leaves. */
export function reveal255(aggregator: u64, sketch: usize, shares: usize, out: usize): void {
  field255.mul(difference, sketch, sketch);
  field255.sub(difference, difference, sketch + 32);
  field255.sub(difference, difference, sketch + 64);
  field255.mul(product, shares, sketch);
  field255.addIf(product, difference, aggregator);
  field255.add(out, product, shares + 32);
}

/** Adds `count` elements of Field64 to those at `to`. */
export function sum64(to: usize, from: usize, count: usize): void {
  for (const end = to + count * 8; to < end; to += 8, from += 8) store<u64>(to, add(load<u64>(to), load<u64>(from)));
}

/** Adds `count` elements of Field255 to those at `to`. */
export function sum255(to: usize, from: usize, count: usize): void {
  for (const end = to + count * field255.SIZE; to < end; to += field255.SIZE, from += field255.SIZE) {
    field255.add(to, to, from);
  }
}

/**
 * The shares of A and B of one inner level: A = k − 2a and B = a² + b − k·a + c.
 *
 * @param offsets - a, b and c
 * @param authenticator - k
 * @param second - the helper's shares, which are random
 * @param first - the leader's shares to write
 */
@inline
function split64(offsets: usize, authenticator: u64, second: usize, first: usize): void {
  const a = load<u64>(offsets);
  const inSquare = subtract(a, authenticator);
  // a² − k·a = a·(a − k)
  const constant = add(add(multiply(a, inSquare), load<u64>(offsets, 8)), load<u64>(offsets, 16));
  store<u64>(first, subtract(subtract(0, add(inSquare, a)), load<u64>(second)));
  store<u64>(first, subtract(constant, load<u64>(second, 8)), 8);
}

/** {@link split64} for the leaves. */
@inline
function split255(offsets: usize, authenticator: usize, second: usize, first: usize): void {
  field255.sub(difference, offsets, authenticator);
  field255.mul(product, offsets, difference);
  field255.add(product, product, offsets + 32);
  field255.add(product, product, offsets + 64);
  field255.sub(first + 32, product, second + 32);
  field255.add(difference, difference, offsets);
  field255.negateIf(difference, 1);
  field255.sub(first, difference, second);
}

/**
 * The shares of A and B of all levels.
 *
 * @param bits - number of levels
 * @param stream - sponge of the sharding randomness, from which the authenticators are already taken
 * @param offsets - a, b and c of each inner level in Field64, then those of the leaves in Field255
 * @param beta - the programmed values, whose second elements are the authenticators
 * @param leader - where the leader's shares go: those of the inner levels, then those of the leaves
 * @param helper - where the helper's shares go
 */
export function correlate(bits: usize, stream: usize, offsets: usize, beta: usize, leader: usize, helper: usize): void {
  for (let level: usize = 0; level < bits - 1; level++) {
    sampleField64(stream, helper, 2);
    split64(offsets, load<u64>(beta, 8), helper, leader);
    offsets += 24;
    beta += 16;
    leader += 16;
    helper += 16;
  }
  sampleField255(stream, helper, 2);
  split255(offsets, beta + 32, helper, leader);
}

/**
 * The programmed values: one, and a random authenticator, on each level.
 *
 * @param stream - sponge of the sharding randomness
 * @param beta - two elements of Field64 for each inner level, then two of Field255; zero before
 */
export function program(stream: usize, bits: usize, beta: usize): void {
  for (let level: usize = 0; level < bits - 1; level++) {
    store<u64>(beta, 1);
    sampleField64(stream, beta + 8, 1);
    beta += 16;
  }
  store<u8>(beta, 1);
  sampleField255(stream, beta + 32, 1);
}

/** All of one aggregator's a, b and c, added to `offsets`: Field64 for the inner levels, then Field255. */
export function addCorrelated(
  bits: usize,
  innerPrefix: usize,
  leafPrefix: usize,
  seed: usize,
  aggregator: u32,
  nonce: usize,
  offsets: usize,
): void {
  startCorrelated(innerPrefix, seed, aggregator, nonce);
  for (let left: usize = 3 * (bits - 1); left > 0; left--) {
    sampleField64(sponge, skipped, 1);
    store<u64>(offsets, add(load<u64>(offsets), load<u64>(skipped)));
    offsets += 8;
  }
  startCorrelated(leafPrefix, seed, aggregator, nonce);
  for (let left: usize = 3; left > 0; left--) {
    sampleField255(sponge, skipped, 1);
    field255.add(offsets, offsets, skipped);
    offsets += field255.SIZE;
  }
}

/** Forgets what is left of the last call, but for the caller's own memory. */
export function wipe(): void {
  wipeTree();
  field255.wipe();
  memory.fill(sponge, 0, SPONGE_SIZE);
  memory.fill(skipped, 0, 32);
  memory.fill(randomness, 0, 32);
  memory.fill(product, 0, 32);
  memory.fill(difference, 0, 32);
}
