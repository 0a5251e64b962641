/** One step of an aggregation job at the leader. DAP §4.5.3.1 and §4.5.4.1. */
import { latin1 } from '@privacy-edge/bytes';
import {
  BATCH_MODE_TIME_INTERVAL,
  type FinishedReport,
  isRetryable,
  type LeaderCandidate,
  type LeaderStep,
  leaderShareOf,
  openReports,
  REPORT_ERROR,
  type Rejection,
  Report,
  rejection,
  startLeaderJob,
} from '@privacy-edge/dap';
import { type AggregatorContext, nowOf, openersOf } from './aggregator-context.ts';
import { type CommitPlan, commitReports, findRefusals, NO_COMMIT } from './commitment.ts';
import { Tally } from './counting.ts';
import type { CommitOutcome, LeaderStepCommit, LeasedKey, ReportOutcome } from './store.ts';
import type { LeaderJobRow, ReportRow } from './store-rows.ts';
import type { TaskContext } from './task-context.ts';

/** Opens the reports of a new job and takes the first step with those that may be aggregated. */
export async function startLeaderStep(
  context: AggregatorContext,
  taskContext: TaskContext,
  row: LeaderJobRow,
): Promise<LeaderStep> {
  const { task } = taskContext;
  const stored = await context.store.readReports(task.taskId, row.reportIds);
  const reports = stored
    .filter((report): report is ReportRow => report !== undefined)
    .map(({ report }) => Report.decode(report));
  const opened = await openReports(
    task,
    reports.map(leaderShareOf),
    await openersOf(context, taskContext),
    nowOf(context),
  );
  const keys = reports.map(({ reportMetadata: { reportId, time } }) => ({ reportId, time }));
  const refused = await findRefusals(context, taskContext, row, keys);
  const candidates: LeaderCandidate[] = [];
  const rejected: Rejection[] = missing(row, stored);
  for (const [i, entry] of opened.entries()) {
    const report = reports[i];
    if (report === undefined) continue;
    const { reportId } = report.reportMetadata;
    const refusal = refused.get(latin1(reportId));
    if (entry.kind === 'rejected') rejected.push(entry);
    else if (refusal !== undefined) rejected.push(rejection(reportId, refusal));
    else candidates.push({ opened: entry, helperEncryptedInputShare: report.helperEncryptedInputShare });
  }
  const step = startLeaderJob(task, row.aggregationParameter, row.batchId, candidates);
  return { ...step, rejected: [...rejected, ...step.rejected] };
}

/** Reports whose body is gone: what is needed to judge them is not there any more. */
function missing({ reportIds }: LeaderJobRow, stored: readonly (ReportRow | undefined)[]): Rejection[] {
  return reportIds
    .filter((_, i) => stored[i] === undefined)
    .map((reportId) => rejection(reportId, REPORT_ERROR.REPORT_DROPPED));
}

/** The outcome of a step; `overtaken` when reports that it would ask about may not be verified any more. */
type StepCommitOutcome = Exclude<CommitOutcome, 'conflict'> | 'overtaken';

/**
 * Commits to what a step has finished, and stores the job as it is then. The first request of a job whose verification takes
 * several rounds is stored together with a claim to each of its reports, so that nothing leaves that could leave again.
 *
 * @param step - `job` is what is asked next; `isStart` when nothing was asked before
 * @param next - the job from now on
 */
export async function commitStep(
  context: AggregatorContext,
  taskContext: TaskContext,
  row: LeaderJobRow,
  key: LeasedKey,
  { finished, rejected, job, isStart }: LeaderStep & { readonly isStart: boolean },
  next: LeaderStepCommit['next'],
): Promise<StepCommitOutcome> {
  let tally = new Tally('aggregation');
  let isOvertaken = false;
  const isClaiming = needsClaims(taskContext);
  const committed = {
    finished,
    begun: isClaiming && isStart ? (job?.pending ?? []) : [],
    isClaimed: isClaiming && !isStart,
  };
  const outcome = await commitReports(context, taskContext, row, committed, async (plan) => {
    isOvertaken = committed.begun.some(({ reportId }) => plan.refusal(reportId) !== undefined);
    if (isOvertaken) return 'stale';
    const all = [...rejected, ...refusedOf(finished, plan)];
    tally = new Tally('aggregation');
    tally.accepted = plan.count;
    for (const { error } of all) tally.reject(error);
    const reports = [
      ...finished
        .filter(({ reportId }) => plan.refusal(reportId) === undefined)
        .map(({ reportId }) => aggregated(taskContext, reportId)),
      ...all.map((one) => outcomeOf(context, one, committed.isClaimed)),
    ];
    const counters = { ...tally.rejections(), aggregated: plan.count };
    return context.store.commitLeaderStep({ key, commit: plan.commit, reports, next, counters });
  });
  if (outcome === 'committed') tally.report(context.observe);
  return isOvertaken ? 'overtaken' : outcome;
}

/**
 * Whether the start of a job uses its reports up. With one round the leader sends nothing that depends on anything but the
 * report, and the helper commits before it answers.
 */
function needsClaims({ task }: TaskContext): boolean {
  return task.vdaf.rounds > 1;
}

function refusedOf(finished: readonly FinishedReport[], plan: CommitPlan): Rejection[] {
  return finished.flatMap(({ reportId }) => {
    const error = plan.refusal(reportId);
    return error === undefined ? [] : [rejection(reportId, error)];
  });
}

/** With multi-collection a report is needed again, for the next parameter. */
function aggregated({ task }: TaskContext, reportId: Uint8Array): ReportOutcome {
  const isNeeded =
    task.extensions.multiCollection !== undefined && task.configuration.batchMode === BATCH_MODE_TIME_INTERVAL;
  return isNeeded
    ? { reportId, state: 'waiting', notBefore: new Date(0), attempts: 0 }
    : { reportId, state: 'aggregated' };
}

/** DAP §4.5.3.1: a report that was rejected is not sent again, but for one that is too early and not claimed. */
function outcomeOf(context: AggregatorContext, { reportId, error }: Rejection, isClaimed: boolean): ReportOutcome {
  if (isClaimed || !isRetryable(error)) return { reportId, state: 'rejected', error };
  const notBefore = new Date(context.clock() + TOO_EARLY_MS);
  return { reportId, state: 'waiting', notBefore, attempts: 0 };
}

const TOO_EARLY_MS = 60_000;

/**
 * Gives a job up whose request was made. Its reports may go into other jobs, a few times: the helper may have committed to
 * them, and then it rejects them there. DAP §4.5.5. Not so claimed ones: VDAF §8.2.3 forbids to start them again.
 */
export async function abandonJob(
  { store, settings, observe, ...rest }: AggregatorContext,
  taskContext: TaskContext,
  row: LeaderJobRow,
  key: LeasedKey,
): Promise<boolean> {
  const { task } = taskContext;
  const maxAttempts = needsClaims(taskContext) ? 0 : settings.maxReportAttempts;
  const now = new Date(rest.clock());
  const stored = await store.readReports(task.taskId, row.reportIds);
  const tally = new Tally('aggregation');
  const reports = stored.flatMap((report, i): ReportOutcome[] => {
    const reportId = row.reportIds[i];
    // One without a body was done with in an earlier step.
    if (report === undefined || reportId === undefined) return [];
    const attempts = report.attempts + 1;
    if (attempts < maxAttempts) return [{ reportId, state: 'waiting', notBefore: now, attempts }];
    tally.reject(REPORT_ERROR.REPORT_DROPPED);
    return [{ reportId, state: 'rejected', error: REPORT_ERROR.REPORT_DROPPED }];
  });
  const counters = { ...tally.rejections(), job_abandoned: 1 };
  const next = { state: 'abandoned', at: now } as const;
  const outcome = await store.commitLeaderStep({ key, commit: NO_COMMIT, reports, next, counters });
  if (outcome === 'committed') tally.report(observe);
  return outcome === 'committed';
}
