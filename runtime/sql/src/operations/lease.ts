/** Leases, for all three kinds of jobs. */
import type { GiveBack, LeasedKey, LeaseRequest } from '@privacy-edge/analytics-roles';
import { type Operation, query, queryEach, type Row, touches } from '../operation.ts';
import type { Parameters } from '../sql-text.ts';
import { bytesOf, integerOf } from './columns.ts';
import { TASK } from './lock.ts';

/** A table of jobs. */
export type JobTable = 'leader_aggregation_jobs' | 'helper_aggregation_jobs' | 'collection_jobs';

/** States in which a job can be acquired; the index of each table is for them. */
const OPEN: Readonly<Record<JobTable, string>> = {
  leader_aggregation_jobs: "state = 'active'",
  helper_aggregation_jobs: "state = 'processing'",
  collection_jobs: "state = 'waiting'",
};

/**
 * Acquires jobs.
 *
 * @returns those first that have been available for longest
 */
export function* acquire(table: JobTable, { now, until, token, limit }: LeaseRequest): Operation<readonly LeasedRow[]> {
  const rows = yield* query(
    `SELECT ${table}.*, (SELECT task_id FROM tasks WHERE tasks.task_key = ${table}.task_key) AS task_id FROM ${table}
      WHERE ${OPEN[table]} AND available_at <= :now ORDER BY available_at, job_key LIMIT :limit @skip_locked`,
    { now: now.getTime(), limit },
  );
  yield* queryEach(
    `UPDATE ${table} SET token = :token, available_at = :until, attempts = attempts + 1
      FROM @rows(found integer) WHERE job_key = batch.found`,
    rows.map((row) => ({ found: integerOf(row, 'job_key') })),
    { token, until: until.getTime() },
  );
  return rows.map((row) => ({ row, taskId: bytesOf(row, 'task_id'), attempts: integerOf(row, 'attempts') + 1 }));
}

/** A job that was acquired, as it was before. */
export interface LeasedRow {
  readonly row: Row;
  readonly taskId: Uint8Array;
  /** This one included. */
  readonly attempts: number;
}

/** How a job is found that the caller owns. */
export interface OwnedJob {
  /** SQL. */
  readonly where: string;
  readonly parameters: Parameters;
}

/** SQL and parameters that find a job which the caller owns. */
export function owned(table: JobTable, { taskId, jobId, token }: LeasedKey): OwnedJob {
  return {
    where: `task_key = ${TASK} AND job_id = :job_id AND token = :token AND ${OPEN[table]}`,
    parameters: { task_id: taskId, job_id: jobId, token },
  };
}

/** Assignments that end a lease; see {@link giveBackValues}. */
export const GIVE_BACK =
  'token = NULL, available_at = :not_before, attempts = CASE WHEN :is_progress = 1 THEN 0 ELSE attempts END';

/** Parameters of {@link GIVE_BACK}. */
export function giveBackValues({ notBefore, isProgress }: GiveBack): Parameters {
  return { not_before: notBefore.getTime(), is_progress: isProgress ? 1 : 0 };
}

/**
 * Gives a job back.
 *
 * @param assignments - SQL of further ones, with a comma before
 * @returns false when it is not the caller's
 */
export function* giveBack(
  table: JobTable,
  key: LeasedKey,
  how: GiveBack,
  assignments = '',
  values: Parameters = {},
): Operation<boolean> {
  const { where, parameters } = owned(table, key);
  return yield* touches(`UPDATE ${table} SET ${GIVE_BACK} ${assignments} WHERE ${where} @returning(job_id)`, {
    ...parameters,
    ...values,
    ...giveBackValues(how),
  });
}
