/** An aggregation job that the helper does not take as a whole, at the leader: it is tried again in two parts. */
import { type AggregatorContext, nowOf } from './aggregator-context.ts';
import { NO_COMMIT } from './commitment.ts';
import type { LeasedKey, NewLeaderJob } from './store.ts';
import type { LeaderJobRow } from './store-rows.ts';
import type { TaskContext } from './task-context.ts';

/**
 * Puts the reports of a job that was not started anywhere into two new ones. None of them counts an attempt: what is wrong
 * may be wrong with one of them only, and it is alone in the end.
 *
 * @returns `single` and no change when there is nothing to divide, or a report may not be started twice, which VDAF §8.2.3
 *   forbids where verification takes several rounds; `lost` when the job is not the caller's any more
 */
export async function splitJob(
  context: AggregatorContext,
  { task }: TaskContext,
  row: LeaderJobRow,
  key: LeasedKey,
): Promise<'split' | 'single' | 'lost'> {
  if (task.vdaf.rounds > 1) return 'single';
  const { store, random } = context;
  // One without a body was done with when the job began.
  const left = (await store.readReports(task.taskId, row.reportIds)).filter((report) => report !== undefined);
  if (left.length < 2) return 'single';
  const now = nowOf(context);
  const reports = left.map(
    ({ reportId, attempts }) => ({ reportId, state: 'waiting', notBefore: now, attempts }) as const,
  );
  const next = { state: 'abandoned', at: now } as const;
  const outcome = await store.commitLeaderStep({ key, commit: NO_COMMIT, reports, next, counters: {} });
  if (outcome !== 'committed') return 'lost';
  const { aggregationParameter, batchId } = row;
  const half = Math.ceil(left.length / 2);
  const jobs = [left.slice(0, half), left.slice(half)].map(
    (part): NewLeaderJob => ({
      jobId: random(JOB_ID_BYTES).slice(),
      aggregationParameter,
      batchId,
      reportIds: part.map(({ reportId }) => reportId),
    }),
  );
  // On a conflict somebody has put them into another job meanwhile, which is divided like this one.
  await store.createLeaderJobs(task.taskId, jobs, now);
  return 'split';
}

const JOB_ID_BYTES = 16;
