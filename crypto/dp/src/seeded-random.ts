/** Noise that can be drawn again: a random source from a secret seed. */
import { turboshake128 } from '@noble/hashes/sha3-addons.js';
import type { RandomSource } from './random-bits.ts';

/** Length of a seed, bytes. */
export const SEED_SIZE = 32;

/** Tells this use of TurboSHAKE128 from all others. */
const DOMAIN = 0x50;

/**
 * A random source that gives the same bytes for the same seed and context, in order, however they are asked for.
 *
 * Noise protects only while it is unknown and used once. A seed belongs to one aggregate share: a second share under
 * the same seed differs from the first by the exact difference of the data, and a second seed for the same share lets a
 * collector average the noise away. An aggregator therefore draws a fresh seed, stores it with the aggregate share that
 * it belongs to in one transaction, and never tells it.
 *
 * @param seed - 32 secret bytes
 * @param context - which share this is, for instance task, batch, aggregation parameter and role; any length
 * @throws RangeError when the seed has another length
 */
export function seededRandom(seed: Uint8Array, context: Uint8Array): RandomSource {
  if (seed.length !== SEED_SIZE)
    throw new RangeError(`Cannot expand seed: ${seed.length} bytes instead of ${SEED_SIZE}`);
  // The seed has a fixed length, so the boundary to the context needs no mark.
  const stream = turboshake128.create({ D: DOMAIN }).update(seed).update(context);
  return (length) => stream.xof(length);
}
