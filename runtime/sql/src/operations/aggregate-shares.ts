/** Aggregate shares of the helper. */
import type { AggregateShareRow, CollectedCommit, CommitOutcome, Counters } from '@privacy-edge/analytics-roles';
import type { OperationContext } from '../engine.ts';
import { type Operation, query, statement, touches } from '../operation.ts';
import { bytesOf, maybeBytes, orNull } from './columns.ts';
import { markCollected } from './commitment.ts';
import { countStatement } from './counters.ts';
import { ownTask, TASK } from './lock.ts';

const THE_SHARE = `task_key = ${TASK} AND share_id = :share_id`;

/** See the port. */
export function* readAggregateShare(
  _context: OperationContext,
  taskId: Uint8Array,
  shareId: Uint8Array,
): Operation<AggregateShareRow | undefined> {
  const [row] = yield* query(`SELECT * FROM aggregate_shares WHERE ${THE_SHARE}`, {
    task_id: taskId,
    share_id: shareId,
  });
  if (row === undefined) return undefined;
  return {
    taskId,
    shareId: bytesOf(row, 'share_id'),
    requestDigest: bytesOf(row, 'request_digest'),
    response: maybeBytes(row, 'response'),
  };
}

/** See the port. */
export function* commitAggregateShare(
  _context: OperationContext,
  row: AggregateShareRow,
  batch: CollectedCommit,
  now: Date,
  counters: Counters,
): Operation<CommitOutcome> {
  const locked = yield* ownTask(
    row.taskId,
    statement(`SELECT share_id FROM aggregate_shares WHERE ${THE_SHARE}`, {
      task_id: row.taskId,
      share_id: row.shareId,
    }),
  );
  if (locked === undefined || locked.rows[0]?.length !== 0) return 'stale';
  if (!(yield* markCollected(row.taskId, locked, batch))) return 'conflict';
  const { task } = locked;
  yield [
    statement(
      `INSERT INTO aggregate_shares (task_key, share_id, request_digest, response, changed_at)
        VALUES (:task, :share_id, :request_digest, :response, :now)`,
      {
        task,
        share_id: row.shareId,
        request_digest: row.requestDigest,
        response: orNull(row.response),
        now: now.getTime(),
      },
    ),
    countStatement(task, counters),
  ];
  return 'committed';
}

/** See the port. */
export function* deleteAggregateShare(
  _context: OperationContext,
  taskId: Uint8Array,
  shareId: Uint8Array,
  now: Date,
): Operation<boolean> {
  return yield* touches(
    `UPDATE aggregate_shares SET response = NULL, changed_at = :now WHERE ${THE_SHARE} AND response IS NOT NULL
      @returning(share_id)`,
    { task_id: taskId, share_id: shareId, now: now.getTime() },
  );
}
