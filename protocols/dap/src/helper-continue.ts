/** The helper in the later steps of an aggregation job. DAP §4.5.4.2 and §4.5.4.4. */
import { equalBytes } from '@privacy-edge/bytes';
import { AggregationJobContinueReq, type VerifyContinue } from './aggregation-job.ts';
import { verifyContext } from './aggregation-parameter.ts';
import { DapError, decodeRequest } from './dap-error.ts';
import { checkDistinct, type HelperJob, type HelperPending, jobInvalid } from './helper-job.ts';
import { requestDigest } from './resource-id.ts';
import type { AggregatorTask } from './task.ts';
import { type VerifiedReport, verified } from './verification.ts';

/** What a continuation asks for. */
export type HelperContinue =
  /** The last request again: it gets the stored answer again. */
  | { readonly kind: 'replay' }
  /** The next step, for the reports that the leader still has, in their order. */
  | {
      readonly kind: 'advance';
      readonly step: number;
      readonly running: readonly { readonly report: HelperPending; readonly payload: Uint8Array }[];
      /** Reports that the leader has given up. */
      readonly dropped: readonly HelperPending[];
    };

/**
 * Reads a continuation.
 *
 * @param job - as it was stored after the last step
 * @param body - controlled by the leader; what is returned shares memory with it
 * @throws {@link DapError} `INVALID_MESSAGE` when it is malformed, is for step 0, names a report that is not waiting or is
 *   there twice or out of order, or names none; `STEP_MISMATCH` for any step but the next one, and for the last one with
 *   another content
 * @see DAP §4.5.4.2 and §4.5.4.4
 */
export function receiveContinue(job: HelperJob, body: Uint8Array): HelperContinue {
  const { step, verifyContinues } = decodeRequest(AggregationJobContinueReq, body, 'continue aggregation job');
  if (step === 0) throw jobInvalid('step 0 is its start');
  if (verifyContinues.length === 0) throw jobInvalid('it has no reports');
  checkDistinct(verifyContinues.map(({ reportId }) => reportId));
  if (step === job.step && equalBytes(requestDigest(body), job.requestDigest)) return { kind: 'replay' };
  if (step !== job.step + 1) {
    throw new DapError(
      'STEP_MISMATCH',
      `Cannot continue aggregation job: it is at step ${job.step}, not before ${step}`,
    );
  }
  return { kind: 'advance', step, ...matchPending(job.pending, verifyContinues) };
}

function matchPending(
  pending: readonly HelperPending[],
  continues: readonly VerifyContinue[],
): Pick<Extract<HelperContinue, { readonly kind: 'advance' }>, 'running' | 'dropped'> {
  const running: { readonly report: HelperPending; readonly payload: Uint8Array }[] = [];
  const dropped: HelperPending[] = [];
  for (const report of pending) {
    const next = continues[running.length];
    if (next !== undefined && equalBytes(next.reportId, report.reportId)) {
      running.push({ report, payload: next.payload });
    } else {
      dropped.push(report);
    }
  }
  // Whoever is left over is unknown, is not waiting any more, or came out of order.
  if (running.length !== continues.length) throw jobInvalid('a report is not waiting for this message');
  return { running, dropped };
}

/**
 * Takes the next step for the reports of a job.
 *
 * @param request - from {@link receiveContinue}
 * @returns one entry for each report of the request, in order; those that are `finished` must be committed to before the
 *   answer is given, see `refuseReports`
 * @see DAP §4.5.4.2
 */
export function advanceHelperJob(
  task: AggregatorTask,
  { aggregationParameter }: HelperJob,
  { running }: Extract<HelperContinue, { readonly kind: 'advance' }>,
): VerifiedReport[] {
  const transitions = task.vdaf.resume(
    verifyContext(task, aggregationParameter),
    1,
    running.map(({ report, payload }) => ({ state: report.state, inbound: payload })),
  );
  return running.flatMap(({ report }, i) => {
    const transition = transitions[i];
    return transition === undefined ? [] : [verified(report, transition)];
  });
}
