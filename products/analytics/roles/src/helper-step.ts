/** One step of an aggregation job at the helper, from the request to the stored answer. DAP §4.5.3.2 and §4.5.4.2. */
import { latin1 } from '@privacy-edge/bytes';

import {
  advanceHelperJob,
  type ContinuedReport,
  type FinishedReport,
  type HelperContinue,
  type HelperInit,
  type HelperJob,
  helperJobAfter,
  type OpenedReport,
  openReports,
  type Rejection,
  rejection,
  startHelperJob,
  type VerifiedReport,
} from '@privacy-edge/dap';
import { type AggregatorContext, nowOf, openersOf } from './aggregator-context.ts';
import { type CommitPlan, type CommitTarget, commitReports, findRefusals } from './commitment.ts';
import { Tally } from './counting.ts';
import type { CommitOutcome, HelperJobAt } from './store.ts';
import type { HelperJobRow } from './store-rows.ts';
import { StoredPending } from './stored-job.ts';
import type { TaskContext } from './task-context.ts';

/** Which step of which job. */
export interface HelperStep {
  readonly jobId: Uint8Array;
  /** Where the job must be for the step to be taken. */
  readonly at: HelperJobAt;
  readonly step: number;
  /** The request. */
  readonly body: Uint8Array;
}

/** The job after a step, or `stale` when it was not where it was expected to be. */
export type HelperStepResult = HelperJobRow | 'stale';

/**
 * Takes the first step of a job.
 *
 * @param init - from `receiveInit` for the body
 */
export async function startJob(
  context: AggregatorContext,
  taskContext: TaskContext,
  step: HelperStep,
  init: HelperInit,
): Promise<HelperStepResult> {
  const { task } = taskContext;
  const shares = init.verifyInits.map(({ reportShare }) => reportShare);
  const opened = await openReports(task, shares, await openersOf(context, taskContext), nowOf(context));
  const fresh = task.vdaf.rounds === 1 ? opened : await withoutBegun(context, taskContext, init, opened);
  return takeStep(context, taskContext, step, init, startHelperJob(task, init, fresh));
}

/** Where verification takes several rounds it must not begin twice, with whatever outcome: such reports go no further. */
async function withoutBegun(
  context: AggregatorContext,
  taskContext: TaskContext,
  target: CommitTarget,
  reports: readonly (OpenedReport | Rejection)[],
): Promise<(OpenedReport | Rejection)[]> {
  const keys = reports.flatMap((report) => (report.kind === 'opened' ? [report.reportMetadata] : []));
  const refused = await findRefusals(context, taskContext, target, keys);
  return reports.map((report) => {
    if (report.kind === 'rejected') return report;
    const { reportId } = report.reportMetadata;
    const error = refused.get(latin1(reportId));
    return error === undefined ? report : rejection(reportId, error);
  });
}

/**
 * Takes a later step of a job.
 *
 * @param request - from `receiveContinue` for the body
 */
export function continueJob(
  context: AggregatorContext,
  taskContext: TaskContext,
  step: HelperStep,
  job: HelperJob,
  request: Extract<HelperContinue, { readonly kind: 'advance' }>,
): Promise<HelperStepResult> {
  return takeStep(context, taskContext, step, job, advanceHelperJob(taskContext.task, job, request));
}

async function takeStep(
  context: AggregatorContext,
  taskContext: TaskContext,
  { jobId, at, step, body }: HelperStep,
  target: Pick<HelperJob, 'aggregationParameter' | 'batchId'>,
  verified: readonly VerifiedReport[],
): Promise<HelperStepResult> {
  const { taskId } = taskContext.task;
  const isStart = step === 0;
  const committed = {
    finished: verified.filter((report): report is FinishedReport => report.kind === 'finished'),
    begun: isStart ? verified.filter((report): report is ContinuedReport => report.kind === 'continued') : [],
    // What waits after the first step of a job was claimed in it.
    isClaimed: !isStart,
  };
  let row: HelperJobRow | undefined;
  let tally = new Tally('aggregation');
  const outcome = await commitReports(context, taskContext, target, committed, (plan): Promise<CommitOutcome> => {
    const reports = verified.map((report) => refuse(report, plan));
    tally = tallyOf(reports, plan.count);
    row = storedJob(taskId, jobId, helperJobAfter(target, step, body, reports));
    const counters = { ...tally.rejections(), aggregated: plan.count };
    return context.store.commitHelperStep({ at, job: row, commit: plan.commit, counters, now: nowOf(context) });
  });
  if (outcome === 'stale' || row === undefined) return 'stale';
  tally.report(context.observe);
  return row;
}

/** Also one that waits: what the peer is sent about a report that somebody else has claimed would verify it once more. */
function refuse(report: VerifiedReport, plan: CommitPlan): VerifiedReport {
  const error = report.kind === 'rejected' ? undefined : plan.refusal(report.reportId);
  return error === undefined ? report : rejection(report.reportId, error);
}

function tallyOf(reports: readonly VerifiedReport[], accepted: number): Tally {
  const tally = new Tally('aggregation');
  tally.accepted = accepted;
  for (const report of reports) if (report.kind === 'rejected') tally.reject(report.error);
  return tally;
}

function storedJob(taskId: Uint8Array, jobId: Uint8Array, job: HelperJob): HelperJobRow {
  const { pending, ...rest } = job;
  return { taskId, jobId, ...rest, request: undefined, pending: StoredPending.encode(pending), state: 'ready' };
}

/** A stored job as the protocol sees it. Its answer is absent while it is processed. */
export function helperJobOf(row: HelperJobRow): HelperJob {
  const { aggregationParameter, batchId, step, requestDigest, response } = row;
  const pending = StoredPending.decode(row.pending);
  return { aggregationParameter, batchId, step, requestDigest, response: response ?? new Uint8Array(0), pending };
}
