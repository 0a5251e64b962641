/** Committing to verified reports, in a transaction that was decided on outside of it. DAP §4.5.4.3. */
import { equalBytes, latin1 } from '@privacy-edge/bytes';
import {
  accumulate,
  bucketOf,
  commitRefusal,
  type FinishedReport,
  REPORT_ERROR,
  type ReportError,
  type ReportKey,
} from '@privacy-edge/dap';
import type { AggregatorContext } from './aggregator-context.ts';
import { readTaskContext } from './aggregator-context.ts';
import type { Commit, Commitment, CommitOutcome, OutstandingQuery, ReportFacts } from './store.ts';
import { rememberedAs, type TaskContext } from './task-context.ts';

/** What the reports of one step have in common. */
export interface CommitTarget {
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** In the leader-selected mode only. */
  readonly batchId: Uint8Array | undefined;
}

/** The reports of one step; none twice. */
export interface CommitReports {
  /** Verified. */
  readonly finished: readonly FinishedReport[];
  /** Verification of these has begun in this step, and takes further ones: nobody else may begin it from now on. */
  readonly begun: readonly ReportKey[];
  /** Whether an earlier step of the same job has claimed those that are finished. */
  readonly isClaimed: boolean;
}

/** What would be committed to, and what would not. */
export interface CommitPlan {
  readonly commit: Commit;
  /** Why a report is not committed to; undefined when it is. */
  refusal(reportId: Uint8Array): ReportError | undefined;
  /** How many are, of those that are finished. */
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
  const { refused } = await judge(context, taskContext, target, reports, false);
  return refused;
}

/**
 * Commits, and decides again for as long as something changes in between.
 *
 * @param attempt - the transaction; must leave nothing behind unless it is `committed`
 * @returns what the last attempt gave: never `conflict`
 * @throws {@link RangeError} when it changes again and again, which no peer can cause for ever
 */
export async function commitReports(
  context: AggregatorContext,
  taskContext: TaskContext,
  target: CommitTarget,
  reports: CommitReports,
  attempt: (plan: CommitPlan) => Promise<CommitOutcome>,
): Promise<Exclude<CommitOutcome, 'conflict'>> {
  let current = taskContext;
  for (let i = 0; i < MAX_CONFLICTS; i++) {
    const outcome = await attempt(await planCommit(context, current, target, reports));
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
  { finished, begun, isClaimed }: CommitReports,
): Promise<CommitPlan> {
  const { facts, refused } = await judge(context, taskContext, target, [...finished, ...begun], isClaimed);
  const { task } = taskContext;
  const { aggregationParameter, batchId } = target;
  const isAccepted = ({ reportId }: ReportKey): boolean => !refused.has(latin1(reportId));
  const accepted = finished.filter(isAccepted);
  const commitment = ({ reportId, time }: ReportKey): Commitment => {
    const known = facts.get(latin1(reportId));
    return {
      reportId,
      time,
      bucket: bucketOf(time, batchId),
      aggregated: known?.aggregated.length ?? 0,
      collected: known?.collected.length ?? 0,
    };
  };
  const done = accepted.map(commitment);
  return {
    commit: {
      rememberedAs: rememberedAs(task, aggregationParameter),
      reports: [
        ...(isClaimed ? done.map((one) => ({ ...one, claim: 'use' as const })) : done),
        ...begun.filter(isAccepted).map((one) => ({ ...commitment(one), claim: 'make' as const })),
      ],
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
  isClaimed: boolean,
): Promise<{ facts: ReadonlyMap<string, ReportFacts>; refused: ReadonlyMap<string, ReportError> }> {
  const facts = new Map<string, ReportFacts>();
  const refused = new Map<string, ReportError>();
  if (reports.length === 0) return { facts, refused };
  const buckets = reports.map(({ reportId, time }) => ({ reportId, time, bucket: bucketOf(time, batchId) }));
  const known = await store.readCommitmentFacts(task.taskId, buckets);
  for (const [i, { reportId, time }] of reports.entries()) {
    const name = latin1(reportId);
    const all = known[i] ?? NO_FACTS;
    const about = isClaimed ? beforeClaim(all, rememberedAs(task, aggregationParameter)) : all;
    if (about === undefined || time < (task.rememberedSince ?? 0)) {
      refused.set(name, REPORT_ERROR.REPORT_DROPPED);
      continue;
    }
    facts.set(name, about);
    // A claim that came to nothing is no aggregation: the batch that was collected with its parameter lacks the report.
    const isLeftOut = about.claimed.some((parameter) => hasBytes(about.collected, parameter));
    const error = isLeftOut ? REPORT_ERROR.BATCH_COLLECTED : commitRefusal(task, aggregationParameter, about);
    if (error !== undefined) refused.set(name, error);
  }
  return { facts, refused };
}

const NO_FACTS: ReportFacts = { aggregated: [], collected: [], claimed: [] };

/** What was known when a job claimed a report, but for collections; undefined when the claim is not there any more. */
function beforeClaim(facts: ReportFacts, parameter: Uint8Array): ReportFacts | undefined {
  // No report is claimed or aggregated twice with one parameter, so that the claim is this job's.
  const position = facts.aggregated.findIndex((other) => equalBytes(other, parameter));
  if (position < 0 || !hasBytes(facts.claimed, parameter)) return undefined;
  return { ...facts, aggregated: facts.aggregated.slice(0, position) };
}

function hasBytes(all: readonly Uint8Array[], one: Uint8Array): boolean {
  return all.some((other) => equalBytes(other, one));
}

/** A commitment to nothing. */
export const NO_COMMIT: Commit = { rememberedAs: new Uint8Array(0), reports: [], buckets: [] };

/** A helper waits for no reports. */
export const NO_OUTSTANDING: OutstandingQuery = { rememberedAs: new Uint8Array(0), uploadedBefore: undefined };
