/** Poplar1: how many of the clients' strings begin with each of some prefixes. VDAF §8. */
import { platformAes } from '#aes';
import type { PlatformAes } from './aes.ts';
import { INITIALIZE_SIZE } from './ping-pong.ts';
import { decodeSum, sumShares, zeroShare } from './poplar1-aggregate.ts';
import { inputShareSize, LEAF_SIZE, MAX_BITS, publicShareSize, SEED_SIZE } from './poplar1-layout.ts';
import { ancestors, decodePrefixes } from './poplar1-parameter.ts';
import { helperInit, leaderInit, resume } from './poplar1-ping-pong.ts';
import { RAND_SIZE, shardString } from './poplar1-shard.ts';
import { POPLAR1 } from './poplar1-sponges.ts';
import type { Poplar1 } from './poplar1-types.ts';
import type { ShareSizes } from './vdaf.ts';
import { invalidConfiguration } from './vdaf-error.ts';

/**
 * Poplar1.
 *
 * @param bits - length of the clients' strings, 1 to 65535
 * @throws {@link VdafError} `CONFIGURATION_INVALID` for another length
 * @see VDAF §8.2
 */
export function poplar1(bits: number): Poplar1 {
  return poplar1Over(platformAes, bits);
}

/** {@link poplar1} with a certain AES for batches, or with the kernel's alone. */
export function poplar1Over(aes: PlatformAes | undefined, bits: number): Poplar1 {
  if (!Number.isInteger(bits) || bits < 1 || bits > MAX_BITS) {
    throw invalidConfiguration(`strings have 1 to ${MAX_BITS} bits`);
  }
  return {
    id: POPLAR1,
    bits,
    verifyKeySize: SEED_SIZE,
    randSize: RAND_SIZE,
    rounds: 2,
    sizes: sizesOf(bits),
    shard: (ctx, measurement, nonce, rand) => shardString(bits, ctx, measurement, nonce, rand),
    leaderInit: (context, reports) => leaderInit(aes, bits, context, reports),
    helperInit: (context, reports) => helperInit(aes, bits, context, reports),
    resume: (context, role, reports) => resume(bits, context, role, reports),
    isValidParameter: (parameter, previous) => isValidAfter(bits, parameter, previous),
    emptyAggregate: (parameter) => zeroShare(bits, parameter),
    aggregate: (parameter, share, outShares) => sumShares(bits, parameter, [share, ...outShares]),
    merge: (parameter, shares) => sumShares(bits, parameter, shares),
    unshard: (parameter, shares) => decodeSum(bits, parameter, sumShares(bits, parameter, shares)),
  };
}

function sizesOf(bits: number): ShareSizes {
  const share = inputShareSize(bits);
  // Three elements of the sketch: no level has longer ones than the leaves.
  return {
    publicShare: publicShareSize(bits),
    inputShares: [share, share],
    firstMessage: INITIALIZE_SIZE + 3 * LEAF_SIZE,
  };
}

/** Whether the parameter decodes, is deeper than the last one, and all its prefixes descend from that one's. VDAF §8.2.3. */
function isValidAfter(bits: number, parameter: Uint8Array, previous: readonly Uint8Array[]): boolean {
  try {
    const set = decodePrefixes(parameter, bits);
    const last = previous.at(-1);
    return last === undefined || ancestors(set, decodePrefixes(last, bits)) !== undefined;
  } catch {
    return false;
  }
}
