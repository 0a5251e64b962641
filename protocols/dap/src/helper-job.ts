/** What the steps of a helper's aggregation job share, and what is stored between them. DAP §4.5.3.2 and §4.5.4.2. */
import { latin1 } from '@privacy-edge/bytes';
import { DapError } from './dap-error.ts';
import { type ReportError, rejection } from './report-error.ts';
import { requestDigest } from './resource-id.ts';
import type { ContinuedReport, FinishedReport, ReportKey, VerifiedReport } from './verification.ts';
import { AggregationJobResp, type VerifyResp } from './verify-resp.ts';

/**
 * Rejects verified reports that could not be committed to, because they were replayed or their batch was collected.
 *
 * @param reports - from a step
 * @param refusal - says why one that is `finished` was not committed to; undefined when it was
 */
export function refuseReports(
  reports: readonly VerifiedReport[],
  refusal: (report: FinishedReport) => ReportError | undefined,
): VerifiedReport[] {
  return reports.map((report) => {
    const error = report.kind === 'finished' ? refusal(report) : undefined;
    return error === undefined ? report : rejection(report.reportId, error);
  });
}

/**
 * The helper's answer to a step.
 *
 * @param reports - one for each of the request, in order, after commitment
 * @returns encoded `AggregationJobResp`
 * @see DAP §4.5.3.2 and §4.5.4.2
 */
export function answerReports(reports: readonly VerifiedReport[]): Uint8Array {
  return AggregationJobResp.encode(reports.map(answerReport));
}

function answerReport(report: VerifiedReport): VerifyResp {
  const { reportId } = report;
  if (report.kind === 'rejected') return { kind: 'reject', reportId, reportError: report.error };
  if (report.outbound === undefined) return { kind: 'finish', reportId };
  return { kind: 'continue', reportId, payload: report.outbound };
}

/** A job after its last step: what a helper stores. */
export interface HelperJob {
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** In the leader-selected mode only: 32 bytes. */
  readonly batchId: Uint8Array | undefined;
  /** Last step that was taken: 0 for the start. */
  readonly step: number;
  /** `requestDigest` of the last request. */
  readonly requestDigest: Uint8Array;
  /** The answer to it, for a repeated request. */
  readonly response: Uint8Array;
  /** Reports that wait for the leader's next message, in the order of the last request. */
  readonly pending: readonly HelperPending[];
}

/** A report that waits for the leader's next message. */
export interface HelperPending extends ReportKey {
  /** Encoded by the VDAF; secret to this aggregator. */
  readonly state: Uint8Array;
}

/** The job that is stored after a step. */
export function helperJobAfter(
  { aggregationParameter, batchId }: Pick<HelperJob, 'aggregationParameter' | 'batchId'>,
  step: number,
  body: Uint8Array,
  reports: readonly VerifiedReport[],
): HelperJob {
  return {
    aggregationParameter,
    batchId,
    step,
    requestDigest: requestDigest(body),
    response: answerReports(reports),
    pending: reports
      .filter((report): report is ContinuedReport => report.kind === 'continued')
      .map(({ reportId, time, state }) => ({ reportId, time, state })),
  };
}

/** @throws {@link DapError} `INVALID_MESSAGE` when a report is there twice: that fails the whole job */
export function checkDistinct(reportIds: readonly Uint8Array[]): void {
  if (new Set(reportIds.map((id) => latin1(id))).size !== reportIds.length) throw jobInvalid('a report is there twice');
}

/** The error of a request that fails a whole job. */
export function jobInvalid(state: string): DapError {
  return new DapError('INVALID_MESSAGE', `Cannot process aggregation job: ${state}`);
}
