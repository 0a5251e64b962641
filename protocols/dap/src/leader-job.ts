/** The leader's side of an aggregation job. DAP §4.5.3.1 and §4.5.4.1. */
import { DecodeError, equalBytes } from '@privacy-edge/bytes';
import { AggregationJobContinueReq, AggregationJobInitReq, type VerifyInit } from './aggregation-job.ts';
import { checkParameter, verifyContext } from './aggregation-parameter.ts';
import { leaderSelectedBatch } from './batch.ts';
import { DapError } from './dap-error.ts';
import type { Extension } from './extension.ts';
import type { HpkeCiphertext } from './hpke-ciphertext.ts';
import type { OpenedReport } from './open-reports.ts';
import { BATCH_MODE_LEADER_SELECTED, JOB_EXTENSION_LEADER_SELECTED_BATCH_ID } from './registry.ts';
import { type Rejection, rejection } from './report-error.ts';
import { type AggregatorTask, VERIFICATION_KEY_ID } from './task.ts';
import { type ContinuedReport, type FinishedReport, reportKey, type VerifiedReport, verified } from './verification.ts';
import { AggregationJobResp, type VerifyResp } from './verify-resp.ts';

/** A report that the leader has opened, with the share that it passes on. */
export interface LeaderCandidate {
  readonly opened: OpenedReport;
  /** For the helper. */
  readonly helperEncryptedInputShare: HpkeCiphertext;
}

/**
 * A report that waits for the helper's answer. `finished` with a message is verified on this side already: the output share
 * may be committed to when the helper says that it has.
 */
export type PendingReport = ContinuedReport | (FinishedReport & { readonly outbound: Uint8Array });

/** A job between two requests: what a leader stores. */
export interface LeaderJob {
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** Step that the helper was asked to reach: 0 for the start. */
  readonly step: number;
  /** Body of the request that the helper has to answer. A retry must send the same bytes. */
  readonly request: Uint8Array;
  /** In the order of the request. */
  readonly pending: readonly PendingReport[];
}

/** What a step of the leader gives. */
export interface LeaderStep {
  /** To be committed to now. */
  readonly finished: readonly FinishedReport[];
  /** Not to be aggregated; see `isRetryable`. */
  readonly rejected: readonly Rejection[];
  /** The next request; undefined when no report is left to ask about, so that the job is over. */
  readonly job: LeaderJob | undefined;
}

/**
 * Starts a job.
 *
 * @param aggregationParameter - encoded
 * @param batchId - in the leader-selected mode, and only there: 32 bytes
 * @param candidates - no report twice; each may be committed to as far as is known
 * @throws {@link DapError} `INVALID_AGGREGATION_PARAMETER`
 * @throws {TypeError} for a batch identifier in the wrong mode
 * @see DAP §4.5.3.1
 */
export function startLeaderJob(
  task: AggregatorTask,
  aggregationParameter: Uint8Array,
  batchId: Uint8Array | undefined,
  candidates: readonly LeaderCandidate[],
): LeaderStep {
  checkParameter(task.vdaf, aggregationParameter);
  const extensions = jobExtensions(task, batchId);
  const shares = candidates.map(({ opened }) => ({
    nonce: opened.reportMetadata.reportId,
    publicShare: opened.publicShare,
    inputShare: opened.inputShare,
  }));
  const transitions = task.vdaf.leaderInit(verifyContext(task, aggregationParameter), shares);
  const verifyInits: VerifyInit[] = [];
  const sorted = sortReports();
  for (const [i, candidate] of candidates.entries()) {
    const transition = transitions[i];
    if (transition === undefined) continue;
    const report = sorted.add(verified(reportKey(candidate.opened), transition));
    if (report !== undefined) verifyInits.push(verifyInit(candidate, report.outbound));
  }
  const { finished, rejected, pending } = sorted;
  if (pending.length === 0) return { finished, rejected, job: undefined };
  const request = AggregationJobInitReq.encode({
    verificationKeyId: VERIFICATION_KEY_ID,
    aggParam: aggregationParameter,
    extensions,
    verifyInits,
  });
  return { finished, rejected, job: { aggregationParameter, step: 0, request, pending } };
}

function jobExtensions({ configuration }: AggregatorTask, batchId: Uint8Array | undefined): Extension[] {
  if ((configuration.batchMode === BATCH_MODE_LEADER_SELECTED) !== (batchId !== undefined)) {
    throw new TypeError('A batch identifier goes with the leader-selected mode, and with no other');
  }
  if (batchId === undefined) return [];
  leaderSelectedBatch(batchId);
  return [{ extensionType: JOB_EXTENSION_LEADER_SELECTED_BATCH_ID, extensionData: batchId }];
}

function verifyInit({ opened, helperEncryptedInputShare }: LeaderCandidate, payload: Uint8Array): VerifyInit {
  const { reportMetadata, publicShare } = opened;
  return { reportShare: { reportMetadata, publicShare, encryptedInputShare: helperEncryptedInputShare }, payload };
}

/**
 * Processes the helper's answer.
 *
 * @param job - as it was stored with the request
 * @param response - body; controlled by the helper; not empty, because an empty one says "not yet"
 * @throws {@link DapError} `JOB_ABANDONED` when the answer is malformed, is not about the reports asked about in their
 *   order, or does not fit their states: none of them is aggregated, and all may go into other jobs
 * @see DAP §4.5.3.1 and §4.5.4.1
 */
export function advanceLeaderJob(task: AggregatorTask, job: LeaderJob, response: Uint8Array): LeaderStep {
  const answers = matchAnswers(job.pending, response);
  const resumed = task.vdaf.resume(
    verifyContext(task, job.aggregationParameter),
    0,
    answers.filter(isResumed).map(({ report, answer }) => ({ state: report.state, inbound: answer.payload })),
  );
  let at = 0;
  const sorted = sortReports();
  for (const pair of answers) {
    // One transition for each of those that were resumed, in order.
    const transition = isResumed(pair) ? resumed[at++] : undefined;
    if (transition !== undefined) sorted.add(verified(pair.report, transition));
    else if (pair.answer.kind === 'reject') sorted.add(rejection(pair.report.reportId, pair.answer.reportError));
    else if (pair.report.kind === 'finished') sorted.finish(pair.report);
  }
  const { finished, rejected, pending } = sorted;
  return { finished, rejected, job: pending.length === 0 ? undefined : nextJob(job, pending) };
}

function nextJob({ aggregationParameter, step }: LeaderJob, pending: readonly PendingReport[]): LeaderJob {
  const verifyContinues = pending.map(({ reportId, outbound }) => ({ reportId, payload: outbound }));
  const request = AggregationJobContinueReq.encode({ step: step + 1, verifyContinues });
  return { aggregationParameter, step: step + 1, request, pending };
}

/** A report and the helper's answer about it, which fits its state. */
interface Answered {
  readonly report: PendingReport;
  readonly answer: VerifyResp;
}

interface Resumed extends Answered {
  readonly report: ContinuedReport;
  readonly answer: Extract<VerifyResp, { readonly kind: 'continue' }>;
}

function isResumed(pair: Answered): pair is Resumed {
  return pair.report.kind === 'continued' && pair.answer.kind === 'continue';
}

function matchAnswers(pending: readonly PendingReport[], response: Uint8Array): Answered[] {
  const answers = decodeAnswers(response);
  if (answers.length !== pending.length) throw abandoned('it is not about the reports that were asked about');
  return answers.map((answer, i) => {
    const report = pending[i];
    if (report === undefined || !equalBytes(report.reportId, answer.reportId)) {
      throw abandoned('it is not about the reports that were asked about');
    }
    if (answer.kind !== 'reject' && answer.kind !== EXPECTED[report.kind]) {
      throw abandoned('it does not fit the state of a report');
    }
    return { report, answer };
  });
}

/** Which answer lets a report go on. */
const EXPECTED = { continued: 'continue', finished: 'finish' } as const;

function decodeAnswers(response: Uint8Array): readonly VerifyResp[] {
  try {
    return AggregationJobResp.decode(response);
  } catch (error) {
    throw error instanceof DecodeError ? abandoned('it is malformed', error) : error;
  }
}

function abandoned(state: string, cause?: unknown): DapError {
  return new DapError('JOB_ABANDONED', `Cannot use the helper's answer: ${state}`, { cause });
}

/** Reports by what becomes of them. */
interface SortedReports {
  readonly finished: FinishedReport[];
  readonly rejected: Rejection[];
  readonly pending: PendingReport[];
  /** Returns the report when it waits for the helper. */
  add(report: VerifiedReport): PendingReport | undefined;
  /** Adds a report that the helper has committed to as well. */
  finish(report: FinishedReport): void;
}

function sortReports(): SortedReports {
  const finished: FinishedReport[] = [];
  const rejected: Rejection[] = [];
  const pending: PendingReport[] = [];
  const wait = (report: PendingReport): PendingReport => {
    pending.push(report);
    return report;
  };
  return {
    finished,
    rejected,
    pending,
    finish: (report) => void finished.push(report),
    add(report) {
      if (report.kind === 'continued') return wait(report);
      if (report.kind === 'rejected') rejected.push(report);
      else if (report.outbound === undefined) finished.push(report);
      else return wait({ ...report, outbound: report.outbound });
      return undefined;
    },
  };
}
