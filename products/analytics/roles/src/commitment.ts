/** Committing to verified reports, in a transaction that was decided on outside of it. DAP §4.5.4.3. */
import { latin1 } from '@privacy-edge/bytes';
import {
  accumulate,
  bucketOf,
  type CommitmentFacts,
  commitRefusal,
  type FinishedReport,
  REPORT_ERROR,
  type ReportError,
  type ReportKey,
} from '@privacy-edge/dap';
import type { AggregatorContext } from './aggregator-context.ts';
import { readTaskContext } from './aggregator-context.ts';
import type { Commit, CommitOutcome, OutstandingQuery } from './store.ts';
import { rememberedAs, type TaskContext } from './task-context.ts';

/** What the reports of one step have in common. */
export interface CommitTarget {
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** In the leader-selected mode only. */
  readonly batchId: Uint8Array | undefined;
}

/** What would be committed to, and what would not. */
export interface CommitPlan {
  readonly commit: Commit;
  /** Why a report is not committed to; undefined when it is. */
  refusal(reportId: Uint8Array): ReportError | undefined;
  /** How many are. */
  readonly count: number;
}

/**
 * Why reports may not be aggregated, as far as is known now.
 *
 * @returns by identifier in Latin-1; those that may be are not in it
 */
export async function findRefusals(
  context: AggregatorContext,
  taskContext: TaskContext,
  target: CommitTarget,
  reports: readonly ReportKey[],
): Promise<ReadonlyMap<string, ReportError>> {
  const { refused } = await judge(context, taskContext, target, reports);
  return refused;
}

/**
 * Commits, and decides again for as long as something changes in between.
 *
 * @param finished - verified; no report twice
 * @param attempt - the transaction; must leave nothing behind unless it is `committed`
 * @returns what the last attempt gave: never `conflict`
 * @throws {@link RangeError} when it changes again and again, which no peer can cause for ever
 */
export async function commitReports(
  context: AggregatorContext,
  taskContext: TaskContext,
  target: CommitTarget,
  finished: readonly FinishedReport[],
  attempt: (plan: CommitPlan) => Promise<CommitOutcome>,
): Promise<Exclude<CommitOutcome, 'conflict'>> {
  let current = taskContext;
  for (let i = 0; i < MAX_CONFLICTS; i++) {
    const outcome = await attempt(await planCommit(context, current, target, finished));
    if (outcome !== 'conflict') return outcome;
    // What the task remembers may be less by now.
    current = await readTaskContext(context, taskContext.task.taskId);
  }
  throw new RangeError('A commitment was overtaken too many times');
}

const MAX_CONFLICTS = 50;

async function planCommit(
  context: AggregatorContext,
  taskContext: TaskContext,
  target: CommitTarget,
  finished: readonly FinishedReport[],
): Promise<CommitPlan> {
  const { facts, refused } = await judge(context, taskContext, target, finished);
  const { task } = taskContext;
  const { aggregationParameter, batchId } = target;
  const accepted = finished.filter(({ reportId }) => !refused.has(latin1(reportId)));
  const reports = accepted.map(({ reportId, time }) => {
    const known = facts.get(latin1(reportId));
    return {
      reportId,
      time,
      bucket: bucketOf(time, batchId),
      aggregated: known?.aggregated.length ?? 0,
      collected: known?.collected.length ?? 0,
    };
  });
  return {
    commit: {
      rememberedAs: rememberedAs(task, aggregationParameter),
      reports,
      buckets: accepted.length === 0 ? [] : accumulate(task.vdaf, aggregationParameter, batchId, accepted),
    },
    refusal: (reportId) => refused.get(latin1(reportId)),
    count: accepted.length,
  };
}

async function judge(
  { store }: AggregatorContext,
  { task }: TaskContext,
  { aggregationParameter, batchId }: CommitTarget,
  reports: readonly ReportKey[],
): Promise<{ facts: ReadonlyMap<string, CommitmentFacts>; refused: ReadonlyMap<string, ReportError> }> {
  const facts = new Map<string, CommitmentFacts>();
  const refused = new Map<string, ReportError>();
  if (reports.length === 0) return { facts, refused };
  const buckets = reports.map(({ reportId, time }) => ({ reportId, time, bucket: bucketOf(time, batchId) }));
  const known = await store.readCommitmentFacts(task.taskId, buckets);
  for (const [i, { reportId, time }] of reports.entries()) {
    const name = latin1(reportId);
    const about = known[i] ?? { aggregated: [], collected: [] };
    facts.set(name, about);
    const error =
      time < (task.rememberedSince ?? 0)
        ? REPORT_ERROR.REPORT_DROPPED
        : commitRefusal(task, aggregationParameter, about);
    if (error !== undefined) refused.set(name, error);
  }
  return { facts, refused };
}

/** A commitment to nothing. */
export const NO_COMMIT: Commit = { rememberedAs: new Uint8Array(0), reports: [], buckets: [] };

/** A helper waits for no reports. */
export const NO_OUTSTANDING: OutstandingQuery = { rememberedAs: new Uint8Array(0), uploadedBefore: undefined };
