/**
 * The single steps of Poplar1 and of its IDPF, in bytes, for comparison with test vectors. Running Poplar1 takes none of
 * them, and they check their arguments less than it does.
 */

import { isAllZero } from '@privacy-edge/bytes';
import { platformAes } from '#aes';
import { FIXED_KEYS_SIZE, RAW_KEYS_SIZE } from './idpf-walk.ts';
import { elementSize, KEY_SIZE, publicShareSize } from './poplar1-layout.ts';
import { decodePrefixes, parameterInvalid } from './poplar1-parameter.ts';
import { makeSponges } from './poplar1-sponges.ts';
import { addShares, type FirstStep, FirstSteps, revealShare } from './poplar1-verify.ts';
import { planWalk } from './prefix-tree.ts';
import type { AggregatorId, ReportShare, VerifyContext } from './vdaf.ts';
import { Workspace } from './workspace.ts';

export { xofFixedKeyAes128 } from './xof-fixed-key-aes128.ts';

/** Public share and keys of an IDPF. */
export interface IdpfKeys {
  readonly publicShare: Uint8Array;
  /** One of 16 bytes for each aggregator, secret. */
  readonly keys: readonly [Uint8Array, Uint8Array];
}

/**
 * Key generation of the IDPF with two elements at each node.
 *
 * @param bits - length of the index
 * @param alpha - the index, packed like a measurement
 * @param beta - the values in their encoding: of the inner levels, then of the leaf
 * @param rand - 32 bytes
 * @see VDAF §8.3.2
 */
export function idpfGenerate(
  bits: number,
  alpha: Uint8Array,
  beta: Uint8Array,
  ctx: Uint8Array,
  nonce: Uint8Array,
  rand: Uint8Array,
): IdpfKeys {
  return Workspace.use((space) => {
    const { kernel } = space;
    const sponges = makeSponges(space, ctx);
    const nonceAt = space.put(nonce);
    const keys = space.reserve(FIXED_KEYS_SIZE);
    kernel.fixedKeys(sponges.fixedKeys, nonceAt, keys, space.reserve(RAW_KEYS_SIZE));
    const share = space.reserve(publicShareSize(bits));
    kernel.generate(bits, keys, sponges.leaf, nonceAt, space.put(alpha), space.put(beta), space.put(rand), share);
    const publicShare = space.read(share, publicShareSize(bits));
    return { publicShare, keys: [rand.slice(0, KEY_SIZE), rand.slice(KEY_SIZE)] };
  });
}

function firstSteps(
  space: Workspace,
  bits: number,
  aggregator: AggregatorId,
  { verifyKey, ctx, aggregationParameter }: VerifyContext,
): FirstSteps {
  const set = decodePrefixes(aggregationParameter, bits);
  const plan = planWalk(set);
  if (plan === undefined) throw parameterInvalid();
  return new FirstSteps(space, { bits, aggregator, verifyKey, ctx, set, plan, aes: platformAes, settle: false });
}

/**
 * Evaluation of the IDPF with two elements at each node.
 *
 * @param key - 16 bytes
 * @param aggregationParameter - level and prefixes
 * @returns two elements for each prefix, in their encoding
 * @see VDAF §8.3.3
 */
export function idpfEvaluate(
  bits: number,
  aggregator: AggregatorId,
  publicShare: Uint8Array,
  key: Uint8Array,
  aggregationParameter: Uint8Array,
  ctx: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  const verifyKey = new Uint8Array(32);
  return Workspace.use((space) =>
    firstSteps(space, bits, aggregator, { verifyKey, ctx, aggregationParameter }).evaluate({ nonce, publicShare }, key),
  );
}

/**
 * verify_init.
 *
 * @returns `undefined` when a part of the report does not decode
 * @see VDAF §8.2.2
 */
export function poplar1VerifyInit(
  bits: number,
  aggregator: AggregatorId,
  context: VerifyContext,
  report: ReportShare,
): FirstStep | undefined {
  return Workspace.use((space) => firstSteps(space, bits, aggregator, context).run(report, undefined));
}

/**
 * verifier_shares_to_message, of the first round for shares of three elements, of the second for shares of one.
 *
 * @returns `undefined` when a share does not decode or the sketch is not zero
 * @see VDAF §8.2.2
 */
export function poplar1SharesToMessage(
  bits: number,
  aggregationParameter: Uint8Array,
  shares: readonly [Uint8Array, Uint8Array],
): Uint8Array | undefined {
  const { level } = decodePrefixes(aggregationParameter, bits);
  const size = elementSize(bits, level);
  const count = shares[0].length === size ? 1 : 3;
  const sum = Workspace.use((space) => addShares(space, size, count, ...shares));
  if (sum === undefined || count === 3) return sum;
  return isAllZero(sum) ? new Uint8Array(0) : undefined;
}

/**
 * verify_next of the first round.
 *
 * @param corrections - from {@link poplar1VerifyInit}
 * @returns the verifier share of the second round, or `undefined` when the message does not decode
 * @see VDAF §8.2.2
 */
export function poplar1VerifyNext(
  bits: number,
  aggregator: AggregatorId,
  aggregationParameter: Uint8Array,
  message: Uint8Array,
  corrections: Uint8Array,
): Uint8Array | undefined {
  const { level } = decodePrefixes(aggregationParameter, bits);
  return Workspace.use((space) => revealShare(space, elementSize(bits, level), aggregator, message, corrections));
}
