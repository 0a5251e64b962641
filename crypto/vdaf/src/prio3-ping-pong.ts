/**
 * Prio3 in the ping-pong topology: the leader's verifier share there, the verifier message back. VDAF §5.7.1.
 */
import { equalBytes } from '@privacy-edge/bytes';
import { decodePingPong, encodePingPong } from './ping-pong.ts';
import type { Arena } from './prio3-arena.ts';
import { Decision } from './prio3-decide.ts';
import type { Prio3Instance } from './prio3-instance.ts';
import { LANES, Verification } from './prio3-verify.ts';
import type { ReportShare, Transition, VerifyContext } from './vdaf.ts';
import { SEED_SIZE } from './xof-turboshake128.ts';

type Prio3 = Prio3Instance<never, unknown>;

/** A report and what the leader has sent about it. */
type ReceivedReport = ReportShare & { readonly inbound: Uint8Array };

const REJECTED: Transition = { kind: 'rejected' };
const MALFORMED: Transition = { kind: 'rejected', malformed: true };

/** Type and length before the bytes of a message. */
const HEADER_SIZE = 5;

/** The leader's step. The state is the output share, then the seed of the joint randomness. */
export function leaderInit(prio3: Prio3, context: VerifyContext, reports: readonly ReportShare[]): Transition[] {
  return inLanes(prio3, context, 0, reports, (verification, _arena) => (lane) => {
    const outbound = new Uint8Array(HEADER_SIZE + prio3.verifierShareSize);
    writeLength(outbound, prio3.verifierShareSize);
    verification.readVerifierShare(lane, outbound);
    return { kind: 'continued', state: verification.readState(lane), outbound };
  });
}

/** The helper's step, which decides. */
export function helperInit(prio3: Prio3, context: VerifyContext, reports: readonly ReceivedReport[]): Transition[] {
  return inLanes(prio3, context, 1, reports, (verification, arena) => {
    const decision = new Decision(prio3, arena, context.ctx);
    return (lane, { inbound }) => {
      const message = decodePingPong(inbound);
      if (message?.type !== 'initialize' || message.verifierShare.length !== prio3.verifierShareSize) return REJECTED;
      decision.start(verification.verifiersAt(lane));
      if (!decision.add(message.verifierShare) || !decision.decide()) return REJECTED;
      const verifierMessage = verification.readJointSeed(lane);
      if (prio3.joint) {
        const parts = [message.verifierShare.subarray(-SEED_SIZE), verification.partView(lane, 1)];
        if (!equalBytes(decision.jointSeed(parts), verifierMessage)) return REJECTED;
      }
      const outbound = encodePingPong({ type: 'finish', verifierMessage });
      return { kind: 'finished', outShare: verification.readOutput(lane), outbound };
    };
  });
}

/** The leader's last step: the helper must have come to the same joint randomness. */
export function leaderResume(prio3: Prio3, state: Uint8Array, inbound: Uint8Array): Transition {
  const message = decodePingPong(inbound);
  if (state.length !== prio3.outputSize + prio3.verifierMessageSize || message?.type !== 'finish') return REJECTED;
  if (!equalBytes(message.verifierMessage, state.subarray(prio3.outputSize))) return REJECTED;
  return { kind: 'finished', outShare: state.slice(0, prio3.outputSize) };
}

/** Runs reports through the lanes; `finish` is called for each that has passed the query. */
function inLanes<Report extends ReportShare>(
  prio3: Prio3,
  { verifyKey, ctx }: VerifyContext,
  aggregatorId: number,
  reports: readonly Report[],
  begin: (verification: Verification, arena: Arena) => (lane: number, report: Report) => Transition,
): Transition[] {
  if (verifyKey.length !== SEED_SIZE) throw new RangeError('Cannot verify: the key does not have 32 bytes');
  if (reports.length === 0) return [];
  return prio3.use((arena) => {
    const lanes = Math.min(LANES, reports.length);
    const verification = new Verification(prio3, arena, { verifyKey, ctx, aggregatorId }, lanes);
    const finish = begin(verification, arena);
    const transitions: Transition[] = [];
    for (let i = 0; i < reports.length; i += LANES) {
      const batch = reports.slice(i, i + LANES);
      batch.forEach((report, lane) => {
        verification.load(lane, report);
      });
      verification.query(batch.length);
      batch.forEach((report, lane) => {
        if (verification.isValid(lane)) transitions.push(finish(lane, report));
        else transitions.push(verification.isDecoded(lane) ? REJECTED : MALFORMED);
      });
    }
    return transitions;
  });
}

/** Writes the header of `initialize`, whose type is zero. */
function writeLength(message: Uint8Array, length: number): void {
  for (let i = 0; i < 4; i++) message[1 + i] = length >>> (24 - 8 * i);
}
