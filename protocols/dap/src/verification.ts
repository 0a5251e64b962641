/** What verification says about a report, for both aggregators. VDAF §5.7. */
import type { Transition } from '@privacy-edge/vdaf';
import type { OpenedReport } from './open-reports.ts';
import { REPORT_ERROR, type Rejection, rejection } from './report-error.ts';

/** What identifies a report through an aggregation job. */
export interface ReportKey {
  /** 16 bytes. */
  readonly reportId: Uint8Array;
  /** In units of the task's time precision. */
  readonly time: number;
}

/** Verification is not over: this aggregator waits for its peer's next message. */
export interface ContinuedReport extends ReportKey {
  readonly kind: 'continued';
  /** Encoded by the VDAF; secret to this aggregator. */
  readonly state: Uint8Array;
  /** Message for the peer. */
  readonly outbound: Uint8Array;
}

/** Verified: the output share may be committed to. */
export interface FinishedReport extends ReportKey {
  readonly kind: 'finished';
  /** Encoded by the VDAF; secret to this aggregator. */
  readonly outShare: Uint8Array;
  /** Message that the peer still needs. */
  readonly outbound?: Uint8Array;
}

/** Where verification of a report stands after a step. */
export type VerifiedReport = ContinuedReport | FinishedReport | Rejection;

/** Joins what a VDAF says about a report with the report it says it about. */
export function verified({ reportId, time }: ReportKey, transition: Transition): VerifiedReport {
  if (transition.kind === 'continued') return { ...transition, reportId, time };
  if (transition.kind === 'finished') return { ...transition, reportId, time };
  // DAP §4.5.3.4: a share that does not decode was never up for verification.
  return rejection(
    reportId,
    transition.malformed === true ? REPORT_ERROR.INVALID_MESSAGE : REPORT_ERROR.VDAF_VERIFY_ERROR,
  );
}

/** {@link ReportKey} of an opened report. */
export function reportKey({ reportMetadata }: OpenedReport): ReportKey {
  return { reportId: reportMetadata.reportId, time: reportMetadata.time };
}

/**
 * Takes one step for the entries that are still in the race and leaves the others where they are.
 *
 * @param isRunning - which entries take part
 * @param step - gets those, in order; answers in the same order
 */
export function stepRunning<T, R extends T, U>(
  entries: readonly T[],
  isRunning: (entry: T) => entry is R,
  step: (running: readonly R[]) => readonly U[],
): (U | Exclude<T, R>)[] {
  const results = step(entries.filter(isRunning));
  let at = 0;
  // The step answers as many times as there are running entries; the others are excluded by the test.
  return entries.map((entry) => (isRunning(entry) ? (results[at++] as U) : (entry as Exclude<T, R>)));
}
