/**
 * Poplar1 in the ping-pong topology: leader's share; helper's message and second share; leader's last message. A report
 * that fails at any step is rejected, and why is not told. VDAF §5.7.1.
 */
import { isAllZero } from '@privacy-edge/bytes';
import type { PlatformAes } from './aes.ts';
import { decodePingPong, encodePingPong, type PingPongMessage } from './ping-pong.ts';
import { elementSize } from './poplar1-layout.ts';
import { decodePrefixes } from './poplar1-parameter.ts';
import { decodeState, encodeState, parameterDigest, type VerifyState } from './poplar1-state.ts';
import type { Poplar1Context, Poplar1Report, Poplar1Transition } from './poplar1-types.ts';
import { addShares, type FirstStep, revealShare } from './poplar1-verify.ts';
import { Walks } from './poplar1-walks.ts';
import type { AggregatorId, Transition, VerifyContext } from './vdaf.ts';
import { Workspace } from './workspace.ts';

const REJECTED: Transition = { kind: 'rejected' };

/** The leader's first step. */
export function leaderInit(
  aes: PlatformAes | undefined,
  bits: number,
  context: Poplar1Context,
  reports: readonly Poplar1Report[],
): Poplar1Transition[] {
  const walks = new Walks(aes, bits, context);
  return Workspace.use((space) => {
    const run = walks.steps(space, 0);
    return reports.map((report): Poplar1Transition => {
      const first = run(report);
      if (first === undefined) return REJECTED;
      return {
        kind: 'continued',
        state: encodeState(0, walks.digest, first),
        outbound: encodePingPong({ type: 'initialize', verifierShare: first.verifierShare }),
        ...walks.walkOf(0, report.nonce, first.settled),
      };
    });
  });
}

/** The helper's first step. */
export function helperInit(
  aes: PlatformAes | undefined,
  bits: number,
  context: Poplar1Context,
  reports: readonly (Poplar1Report & { readonly inbound: Uint8Array })[],
): Poplar1Transition[] {
  const walks = new Walks(aes, bits, context);
  const size = elementSize(bits, walks.set.level);
  return Workspace.use((space) => {
    const run = walks.steps(space, 1);
    return reports.map((report): Poplar1Transition => {
      const inbound = decodePingPong(report.inbound);
      const first = run(report);
      if (first === undefined || inbound?.type !== 'initialize') return REJECTED;
      const answer = space.release(() => answerOf(space, size, inbound.verifierShare, first));
      if (answer === undefined) return REJECTED;
      return {
        kind: 'continued',
        state: encodeState(1, walks.digest, { corrections: new Uint8Array(0), outShare: first.outShare }),
        outbound: encodePingPong({ type: 'continue', ...answer }),
        ...walks.walkOf(1, report.nonce, first.settled),
      };
    });
  });
}

/** The helper's verifier message and second share, if the leader's share decodes. */
function answerOf(
  space: Workspace,
  size: number,
  leaderShare: Uint8Array,
  { verifierShare, corrections }: FirstStep,
): { readonly verifierMessage: Uint8Array; readonly verifierShare: Uint8Array } | undefined {
  const verifierMessage = addShares(space, size, 3, leaderShare, verifierShare);
  if (verifierMessage === undefined) return undefined;
  const second = revealShare(space, size, 1, verifierMessage, corrections);
  return second === undefined ? undefined : { verifierMessage, verifierShare: second };
}

/** The last step of either. */
export function resume(
  bits: number,
  context: VerifyContext,
  role: AggregatorId,
  reports: readonly { readonly state: Uint8Array; readonly inbound: Uint8Array }[],
): Transition[] {
  const { level, count } = decodePrefixes(context.aggregationParameter, bits);
  const size = elementSize(bits, level);
  const digest = parameterDigest(context.aggregationParameter);
  return Workspace.use((space) =>
    reports.map(({ state: bytes, inbound }): Transition => {
      const state = decodeState(bytes, role, digest, size, count);
      const message = decodePingPong(inbound);
      if (state === undefined || message === undefined) return REJECTED;
      return role === 0 ? space.release(() => endLeader(space, size, state, message)) : endHelper(state, message);
    }),
  );
}

/** The leader adds both second shares, which must give zero. */
function endLeader(space: Workspace, size: number, state: VerifyState, message: PingPongMessage): Transition {
  if (message.type !== 'continue') return REJECTED;
  const own = revealShare(space, size, 0, message.verifierMessage, state.corrections);
  const sum = own === undefined ? undefined : addShares(space, size, 1, own, message.verifierShare);
  if (sum === undefined || !isAllZero(sum)) return REJECTED;
  const outbound = encodePingPong({ type: 'finish', verifierMessage: new Uint8Array(0) });
  return { kind: 'finished', outShare: state.outShare.slice(), outbound };
}

/** The last verifier message says nothing but that the sum is zero. */
function endHelper(state: VerifyState, message: PingPongMessage): Transition {
  if (message.type !== 'finish' || message.verifierMessage.length !== 0) return REJECTED;
  return { kind: 'finished', outShare: state.outShare.slice() };
}
