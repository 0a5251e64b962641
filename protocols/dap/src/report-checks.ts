/** What both aggregators check about a report. DAP §4.4.2.2 and §4.5.3.4. */
import { type Extension, isSorted, unknownTypes } from './extension.ts';
import { intervalEnd } from './interval.ts';
import type { Report } from './report.ts';
import { REPORT_ERROR, type ReportError } from './report-error.ts';
import type { AggregatorTask } from './task.ts';

/**
 * Whether the time of a report is acceptable.
 *
 * @param time - of the report, in units of the task's time precision; attacker-controlled
 * @param now - of this aggregator
 * @returns `REPORT_TOO_EARLY`, `TASK_NOT_STARTED`, `TASK_EXPIRED`, or `REPORT_DROPPED` for one that can no longer be judged
 * @see DAP §4.5.3.4
 */
export function checkTime(task: AggregatorTask, time: number, now: Date): ReportError | undefined {
  const { taskInterval } = task.extensions;
  if (taskInterval !== undefined && time < taskInterval.start) return REPORT_ERROR.TASK_NOT_STARTED;
  if (taskInterval !== undefined && time >= intervalEnd(taskInterval)) return REPORT_ERROR.TASK_EXPIRED;
  if (time < (task.rememberedSince ?? 0)) return REPORT_ERROR.REPORT_DROPPED;
  const latest = (now.getTime() / 1000 + task.clockToleranceSeconds) / task.configuration.timePrecision;
  return time > latest ? REPORT_ERROR.REPORT_TOO_EARLY : undefined;
}

/**
 * Whether the extensions of a report are all known, none is there twice, and each list is in order.
 *
 * @param publicExtensions - attacker-controlled
 * @param privateExtensions - of this aggregator; attacker-controlled
 * @returns `INVALID_MESSAGE`
 * @see DAP §4.5.3.4
 */
export function checkExtensions(
  { reportExtensions }: AggregatorTask,
  publicExtensions: readonly Extension[],
  privateExtensions: readonly Extension[],
): ReportError | undefined {
  const all = [...publicExtensions, ...privateExtensions];
  const isValid =
    unknownTypes(all, reportExtensions).length === 0 &&
    new Set(all.map(({ extensionType }) => extensionType)).size === all.length &&
    isSorted(publicExtensions) &&
    isSorted(privateExtensions);
  return isValid ? undefined : REPORT_ERROR.INVALID_MESSAGE;
}

/**
 * What a leader can tell about a report while it is uploaded, without opening it. Whether it was uploaded before and
 * whether its batch was collected is for its storage to say.
 *
 * @param report - attacker-controlled
 * @param isKnownConfig - whether the leader has the key of an HPKE configuration, also an older one
 * @param now - of the leader
 * @returns what goes into `UploadErrors`
 * @see DAP §4.4.2.2
 */
export function checkUpload(
  task: AggregatorTask,
  report: Report,
  isKnownConfig: (configId: number) => boolean,
  now: Date,
): ReportError | undefined {
  const { reportMetadata, leaderEncryptedInputShare } = report;
  const error = checkTime(task, reportMetadata.time, now);
  // The one error that the client may wait out; DAP §4.4.2.2 has another for being outside of the task's interval.
  if (error === REPORT_ERROR.REPORT_TOO_EARLY) return error;
  if (error !== undefined) return REPORT_ERROR.REPORT_DROPPED;
  if (!isKnownConfig(leaderEncryptedInputShare.configId)) return REPORT_ERROR.OUTDATED_CONFIG;
  return checkExtensions(task, reportMetadata.publicExtensions, []);
}

/**
 * Public extensions of uploaded reports that this leader does not know: with any, it may refuse the whole upload with
 * `UNSUPPORTED_EXTENSION`, so that the client learns which.
 *
 * @returns each type once, in increasing order
 * @see DAP §4.4.2.2
 */
export function unsupportedExtensions({ reportExtensions }: AggregatorTask, reports: readonly Report[]): number[] {
  const types = reports.flatMap((report) => unknownTypes(report.reportMetadata.publicExtensions, reportExtensions));
  return [...new Set(types)].sort((a, b) => a - b);
}
