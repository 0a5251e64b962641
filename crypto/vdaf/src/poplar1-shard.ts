/** Sharding by the client. VDAF §8.2.1. */
import { FIXED_KEYS_SIZE, RAW_KEYS_SIZE } from './idpf-walk.ts';
import {
  INNER_SIZE,
  inputShareSize,
  isPadded,
  KEY_SIZE,
  LEAF_SIZE,
  NONCE_SIZE,
  packedSize,
  publicShareSize,
  SEED_SIZE,
} from './poplar1-layout.ts';
import { makeSponges, SPONGE_SIZE } from './poplar1-sponges.ts';
import type { Shards } from './vdaf.ts';
import { invalidMeasurement } from './vdaf-error.ts';
import { Workspace } from './workspace.ts';

/** Bytes of randomness: two IDPF keys and three seeds. */
export const RAND_SIZE: number = 2 * KEY_SIZE + 3 * SEED_SIZE;

function checkMeasurement(measurement: Uint8Array, bits: number): void {
  if (measurement.length === packedSize(bits) && isPadded(measurement, bits)) return;
  throw invalidMeasurement(`it is not a string of ${bits} bits`);
}

/**
 * Splits a string of bits.
 *
 * The time does not depend on the string, the randomness or the shares, but for candidates out of range, which say
 * nothing about the string.
 *
 * @param measurement - packed, highest bit first, zero bits after the last
 * @param nonce - 16 random bytes
 * @param rand - RAND_SIZE fresh bytes
 * @throws {@link VdafError} `MEASUREMENT_INVALID`
 */
export function shardString(
  bits: number,
  ctx: Uint8Array,
  measurement: Uint8Array,
  nonce: Uint8Array,
  rand: Uint8Array,
): Shards {
  checkMeasurement(measurement, bits);
  if (nonce.length !== NONCE_SIZE) throw new RangeError('Cannot shard: the nonce does not have 16 bytes');
  if (rand.length !== RAND_SIZE) throw new RangeError('Cannot shard: the randomness has the wrong length');
  return Workspace.use((space) => shardIn(space, bits, ctx, measurement, nonce, rand));
}

function shardIn(
  space: Workspace,
  bits: number,
  ctx: Uint8Array,
  measurement: Uint8Array,
  nonce: Uint8Array,
  rand: Uint8Array,
): Shards {
  const { kernel } = space;
  const sponges = makeSponges(space, ctx);
  const alpha = space.put(measurement);
  const nonceAt = space.put(nonce);
  const randAt = space.put(rand);
  const correlatedSeeds = randAt + 2 * KEY_SIZE;
  const shardSeed = correlatedSeeds + 2 * SEED_SIZE;

  const stream = space.reserve(SPONGE_SIZE);
  space.copy(stream, sponges.shard, SPONGE_SIZE);
  kernel.absorb(stream, shardSeed, SEED_SIZE);
  kernel.absorb(stream, nonceAt, NONCE_SIZE);
  kernel.finishSponge(stream, 1);
  const beta = space.reserve(2 * INNER_SIZE * (bits - 1) + 2 * LEAF_SIZE);
  kernel.program(stream, bits, beta);

  const keys = space.reserve(FIXED_KEYS_SIZE);
  kernel.fixedKeys(sponges.fixedKeys, nonceAt, keys, space.reserve(RAW_KEYS_SIZE));
  const publicShare = space.reserve(publicShareSize(bits));
  kernel.generate(bits, keys, sponges.leaf, nonceAt, alpha, beta, randAt, publicShare);

  const offsets = space.reserve(3 * INNER_SIZE * (bits - 1) + 3 * LEAF_SIZE);
  const shares = [0, 1].map((aggregator) => {
    const seed = correlatedSeeds + aggregator * SEED_SIZE;
    const { correlatedInner, correlatedLeaf } = sponges;
    kernel.addCorrelated(bits, correlatedInner, correlatedLeaf, seed, aggregator, nonceAt, offsets);
    const share = space.reserve(inputShareSize(bits));
    space.copy(share, randAt + aggregator * KEY_SIZE, KEY_SIZE);
    space.copy(share + KEY_SIZE, seed, SEED_SIZE);
    return share;
  });
  const [leader = 0, helper = 0] = shares;
  const correlated = KEY_SIZE + SEED_SIZE;
  kernel.correlate(bits, stream, offsets, beta, leader + correlated, helper + correlated);
  return {
    publicShare: space.read(publicShare, publicShareSize(bits)),
    inputShares: [space.read(leader, inputShareSize(bits)), space.read(helper, inputShareSize(bits))],
  };
}
