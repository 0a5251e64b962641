/** Forgetting. */
import { bucketOf } from '@privacy-edge/dap';
import type { OperationContext } from '../engine.ts';
import { type Operation, query, queryEach, type Row, type Statement, statement } from '../operation.ts';
import { bytesOf } from './columns.ts';
import { TIME_BUCKET_BYTES } from './commitment.ts';
import { ownTask } from './lock.ts';

/** See the port. */
export function* forgetBefore(
  _context: OperationContext,
  taskId: Uint8Array,
  time: number,
  limit: number,
): Operation<boolean> {
  const locked = yield* ownTask(taskId);
  if (locked === undefined) return true;
  const { task } = locked;
  const before = Math.max(locked.rememberedSince, time);
  const deleted = yield [
    statement('UPDATE tasks SET remembered_since = :before WHERE task_key = :task', { task, before }),
    ...oldReports(task, before, limit),
    deleteSome('aggregated_reports', 'task_key, report_id, position', 'time < :before', { task, before, limit }),
    deleteSome(
      'batch_buckets',
      'part',
      `LENGTH(bucket) = ${TIME_BUCKET_BYTES} AND bucket < :bucket AND NOT EXISTS (SELECT 1 FROM collected_batches
        WHERE collected_batches.task_key = :task AND last_bucket >= bucket AND first_bucket <= bucket
          AND last_time >= :before)`,
      { task, limit, before, bucket: bucketOf(before, undefined) },
    ),
    // After its buckets: none of them is ever there without what says that it was collected.
    deleteSome(
      'collected_batches',
      'collected_key',
      `last_time < :before AND NOT EXISTS (SELECT 1 FROM batch_buckets
        WHERE batch_buckets.task_key = :task AND bucket >= first_bucket AND bucket <= last_bucket)`,
      { task, before, limit },
    ),
  ];
  const batches = yield* forgetBatches(task, before, limit);
  return batches < limit && deleted.every((rows) => rows.length < limit);
}

/** Those that a job has stay with it. */
function oldReports(task: number, before: number, limit: number): Statement[] {
  return ['waiting', 'aggregated', 'rejected'].map((state) =>
    deleteSome('reports', 'report_key', `state = '${state}' AND time < :before`, { task, before, limit }),
  );
}

/** Batches of the leader's choice with nothing new in them, and all of each. */
function* forgetBatches(task: number, before: number, limit: number): Operation<number> {
  const rows = yield* query(
    `SELECT bucket FROM batch_buckets WHERE task_key = :task AND LENGTH(bucket) <> ${TIME_BUCKET_BYTES}
      GROUP BY bucket HAVING MAX(interval_start + interval_duration) <= :before LIMIT :limit`,
    { task, before, limit },
  );
  const batches = rows.map((row) => ({ batch_id: bytesOf(row, 'bucket') }));
  const ids = '(SELECT batch_id FROM @rows(batch_id bytes))';
  yield* queryEach(`DELETE FROM batch_buckets WHERE task_key = :task AND bucket IN ${ids}`, batches, { task });
  yield* queryEach(`DELETE FROM collected_batches WHERE task_key = :task AND last_bucket IN ${ids}`, batches, { task });
  yield* queryEach(`DELETE FROM selected_batches WHERE task_key = :task AND batch_id IN ${ids}`, batches, { task });
  return batches.length;
}

/** See the port. */
export function* deleteEnded(
  _context: OperationContext,
  taskId: Uint8Array,
  endedBefore: Date,
  limit: number,
): Operation<boolean> {
  const locked = yield* ownTask(taskId);
  if (locked === undefined) return true;
  const parameters = { task: locked.task, ended_before: endedBefore.getTime(), limit };
  const deleted: readonly (readonly Row[])[] = yield [
    deleteSome('leader_aggregation_jobs', 'job_key', "state <> 'active' AND changed_at < :ended_before", parameters),
    deleteSome(
      'helper_aggregation_jobs',
      'job_key',
      "state <> 'processing' AND changed_at < :ended_before",
      parameters,
    ),
    deleteSome('collection_jobs', 'job_key', "state <> 'waiting' AND changed_at < :ended_before", parameters),
    deleteSome('aggregate_shares', 'task_key, share_id', 'changed_at < :ended_before', parameters),
  ];
  return deleted.every((rows) => rows.length < limit);
}

/** Deletes at most `:limit` rows of the task `:task`, and gives as many. */
function deleteSome(table: string, key: string, condition: string, parameters: Statement['parameters']): Statement {
  return statement(
    `DELETE FROM ${table} WHERE (${key}) IN
      (SELECT ${key} FROM ${table} WHERE task_key = :task AND ${condition} LIMIT :limit) RETURNING task_key`,
    parameters,
  );
}
