/**
 * What an aggregator keeps of a report between two messages, in bytes. The draft leaves its encoding open.
 *
 * struct {
 *   uint8 version = 1;
 *   uint8 aggregator;                      // 0 waits for the first verifier message, 1 for the last
 *   opaque parameter[16];                  // digest of the aggregation parameter
 *   Element corrections[2];                // the leader's shares of A and B; absent for the helper
 *   Element out_share[prefixes];
 * } VerifyState;
 */
import { concatBytes, equalBytes } from '@privacy-edge/bytes';
import { spongeOf } from './poplar1-sponges.ts';
import type { AggregatorId } from './vdaf.ts';
import { Workspace } from './workspace.ts';

const VERSION = 1;

/** Bytes of a digest. */
const DIGEST_SIZE = 16;

/** Domain of TurboSHAKE128 that no XOF of the draft uses. */
const DOMAIN_DIGEST = 0x50;

/** Tells aggregation parameters apart, so that a state cannot be continued under another one. */
export function parameterDigest(parameter: Uint8Array): Uint8Array {
  return Workspace.use((space) => {
    const sponge = spongeOf(space, parameter);
    const { kernel } = space;
    kernel.finishSponge(sponge, DOMAIN_DIGEST);
    const out = space.reserve(DIGEST_SIZE);
    kernel.squeeze(sponge, out, DIGEST_SIZE);
    return space.read(out, DIGEST_SIZE);
  });
}

/** A state that has been read. */
export interface VerifyState {
  /** Shares of A and B; empty for the helper, who has used them. */
  readonly corrections: Uint8Array;
  readonly outShare: Uint8Array;
}

/** Encodes a state. */
export function encodeState(aggregator: AggregatorId, digest: Uint8Array, state: VerifyState): Uint8Array {
  return concatBytes(Uint8Array.of(VERSION, aggregator), digest, state.corrections, state.outShare);
}

/**
 * Reads a state.
 *
 * @param elementSize - bytes of an element at the parameter's level
 * @param prefixes - how many the parameter has
 * @returns views, or `undefined` when the state belongs to another role, parameter or version
 */
export function decodeState(
  bytes: Uint8Array,
  aggregator: AggregatorId,
  digest: Uint8Array,
  elementSize: number,
  prefixes: number,
): VerifyState | undefined {
  const corrections = 2 + DIGEST_SIZE;
  const outShare = corrections + (aggregator === 0 ? 2 * elementSize : 0);
  if (bytes.length !== outShare + prefixes * elementSize) return undefined;
  if (bytes[0] !== VERSION || bytes[1] !== aggregator) return undefined;
  if (!equalBytes(bytes.subarray(2, corrections), digest)) return undefined;
  return { corrections: bytes.subarray(corrections, outShare), outShare: bytes.subarray(outShare) };
}
