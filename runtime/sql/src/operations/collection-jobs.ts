/** Collection jobs of the leader. */
import type {
  BatchKeys,
  CollectedCommit,
  CollectionJobRow,
  CommitOutcome,
  Counters,
  GiveBack,
  LeaderShare,
  Leased,
  LeasedKey,
  LeaseRequest,
  OutstandingQuery,
} from '@privacy-edge/analytics-roles';
import { isProblemCode, type ProblemCode } from '@privacy-edge/dap';
import type { OperationContext } from '../engine.ts';
import { type Operation, query, type Row, statement, touches } from '../operation.ts';
import { SqlError } from '../sql-error.ts';
import { bytesOf, dateOf, integerOf, maybeBytes, maybeInteger, maybeText, orNull, wordOf } from './columns.ts';
import { markCollected, outstandingOf, outstandingStatement } from './commitment.ts';
import { countStatement } from './counters.ts';
import { acquire, giveBack, owned } from './lease.ts';
import { ownTask, shareTask, TASK } from './lock.ts';

const TABLE = 'collection_jobs';
const THE_JOB = `task_key = ${TASK} AND job_id = :job_id`;

/** See the port. */
export function* findCollectionJob(
  _context: OperationContext,
  taskId: Uint8Array,
  requestDigest: Uint8Array,
): Operation<{ readonly job: CollectionJobRow | undefined; readonly nextGeneration: number }> {
  const rows = yield* query(
    `SELECT * FROM ${TABLE} WHERE task_key = ${TASK} AND request_digest = :request_digest ORDER BY generation, job_key`,
    { task_id: taskId, request_digest: requestDigest },
  );
  const jobs = rows.map((row) => jobOf(row, taskId));
  return {
    job: jobs.find(({ state }) => state !== 'deleted'),
    nextGeneration: jobs.reduce((highest, { generation }) => Math.max(highest, generation), -1) + 1,
  };
}

/** See the port. */
export function* createCollectionJob(_context: OperationContext, row: CollectionJobRow): Operation<boolean> {
  const locked = yield* shareTask(row.taskId);
  if (locked === undefined) return false;
  const columns = { task_key: locked.task, ...jobColumns(row) };
  const names = Object.keys(columns);
  return yield* touches(
    `INSERT INTO ${TABLE} (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})
      ON CONFLICT (task_key, job_id) DO NOTHING @returning(job_id)`,
    columns,
  );
}

function jobColumns({ keys, share, ...row }: CollectionJobRow) {
  const createdAt = row.createdAt.getTime();
  return {
    job_id: row.jobId,
    request_digest: row.requestDigest,
    generation: row.generation,
    request: row.request,
    agg_param: row.aggregationParameter,
    ...keyColumns(keys),
    ...shareColumns(share),
    location: orNull(row.location),
    response: orNull(row.response),
    problem: orNull(row.problem),
    state: row.state,
    created_at: createdAt,
    available_at: createdAt,
    attempts: 0,
    changed_at: createdAt,
  };
}

function keyColumns(keys: BatchKeys | undefined) {
  return {
    first_bucket: orNull(keys?.first),
    last_bucket: orNull(keys?.last),
    first_time: orNull(keys?.times?.first),
    last_time: orNull(keys?.times?.last),
  };
}

function shareColumns(share: LeaderShare | undefined) {
  return {
    aggregate_share_req: orNull(share?.aggregateShareReq),
    encrypted_agg_share: orNull(share?.sealedShare),
    report_count: orNull(share?.reportCount),
    interval_start: orNull(share?.interval.start),
    interval_duration: orNull(share?.interval.duration),
  };
}

/** See the port. */
export function* readCollectionJob(
  _context: OperationContext,
  taskId: Uint8Array,
  jobId: Uint8Array,
): Operation<CollectionJobRow | undefined> {
  const [row] = yield* query(`SELECT * FROM ${TABLE} WHERE ${THE_JOB}`, { task_id: taskId, job_id: jobId });
  return row === undefined ? undefined : jobOf(row, taskId);
}

/** See the port. */
export function* waitingCollectionJobs(
  _context: OperationContext,
  taskId: Uint8Array,
): Operation<readonly CollectionJobRow[]> {
  const rows = yield* query(
    `SELECT * FROM ${TABLE} WHERE task_key = ${TASK} AND state = 'waiting' AND encrypted_agg_share IS NULL
      ORDER BY created_at, job_key`,
    { task_id: taskId },
  );
  return rows.map((row) => jobOf(row, taskId));
}

/** See the port. */
export function* acquireCollectionJobs(
  _context: OperationContext,
  request: LeaseRequest,
): Operation<readonly Leased<CollectionJobRow>[]> {
  const leased = yield* acquire(TABLE, request);
  return leased.map(({ row, taskId, attempts }) => ({ job: jobOf(row, taskId), attempts }));
}

/** See the port. */
export function* collectBatch(
  _context: OperationContext,
  key: LeasedKey,
  batch: CollectedCommit,
  outstanding: OutstandingQuery,
  share: LeaderShare,
): Operation<CommitOutcome | 'outstanding'> {
  const { where, parameters } = owned(TABLE, key);
  const locked = yield* ownTask(
    key.taskId,
    statement(`SELECT job_key FROM ${TABLE} WHERE ${where} AND encrypted_agg_share IS NULL @lock`, parameters),
    outstandingStatement(key.taskId, batch.keys, outstanding),
  );
  const job = locked?.rows[0]?.[0];
  if (locked === undefined || job === undefined) return 'stale';
  if (outstandingOf(locked.rows[1]) > 0) return 'outstanding';
  if (!(yield* markCollected(key.taskId, locked, batch))) return 'conflict';
  const columns = { ...keyColumns(batch.keys), ...shareColumns(share) };
  const assignments = Object.keys(columns).map((name) => `${name} = :${name}`);
  yield* query(`UPDATE ${TABLE} SET ${assignments.join(', ')} WHERE job_key = :job_key`, {
    ...columns,
    job_key: integerOf(job, 'job_key'),
  });
  return 'committed';
}

/** See the port. */
export function* giveBackCollectionJob(
  _context: OperationContext,
  key: LeasedKey,
  location: string | undefined,
  how: GiveBack,
): Operation<boolean> {
  return yield* giveBack(TABLE, key, how, ', location = :location', { location: orNull(location) });
}

/** See the port. */
export function* endCollectionJob(
  _context: OperationContext,
  key: LeasedKey,
  end: { readonly response: Uint8Array } | { readonly problem: ProblemCode },
  now: Date,
  counters: Counters,
): Operation<boolean> {
  const { where, parameters } = owned(TABLE, key);
  const [ended] = yield* query(
    `UPDATE ${TABLE} SET state = :state, response = :response, problem = :problem, token = NULL, changed_at = :now
      WHERE ${where} RETURNING task_key`,
    {
      ...parameters,
      state: 'response' in end ? 'ready' : 'failed',
      response: 'response' in end ? end.response : null,
      problem: 'problem' in end ? end.problem : null,
      now: now.getTime(),
    },
  );
  if (ended === undefined) return false;
  yield [countStatement(integerOf(ended, 'task_key'), counters)];
  return true;
}

/** See the port. */
export function* deleteCollectionJob(
  _context: OperationContext,
  taskId: Uint8Array,
  jobId: Uint8Array,
  now: Date,
): Operation<boolean> {
  return yield* touches(
    `UPDATE ${TABLE} SET state = 'deleted', aggregate_share_req = NULL, encrypted_agg_share = NULL, report_count = NULL,
        interval_start = NULL, interval_duration = NULL, response = NULL, token = NULL, changed_at = :now
      WHERE ${THE_JOB} AND state <> 'deleted' @returning(job_id)`,
    { task_id: taskId, job_id: jobId, now: now.getTime() },
  );
}

function jobOf(row: Row, taskId: Uint8Array): CollectionJobRow {
  const problem = maybeText(row, 'problem');
  if (problem !== undefined && !isProblemCode(problem)) {
    throw new SqlError('CORRUPT', 'Cannot read a collection job: its problem is unknown');
  }
  return {
    taskId,
    jobId: bytesOf(row, 'job_id'),
    requestDigest: bytesOf(row, 'request_digest'),
    generation: integerOf(row, 'generation'),
    request: bytesOf(row, 'request'),
    aggregationParameter: bytesOf(row, 'agg_param'),
    keys: keysOf(row),
    share: shareOf(row),
    location: maybeText(row, 'location'),
    response: maybeBytes(row, 'response'),
    problem,
    state: wordOf(row, 'state', ['waiting', 'ready', 'failed', 'deleted']),
    createdAt: dateOf(row, 'created_at'),
  };
}

function keysOf(row: Row): BatchKeys | undefined {
  const first = maybeBytes(row, 'first_bucket');
  if (first === undefined) return undefined;
  const firstTime = maybeInteger(row, 'first_time');
  const times = firstTime === undefined ? undefined : { first: firstTime, last: integerOf(row, 'last_time') };
  return { first, last: bytesOf(row, 'last_bucket'), times };
}

function shareOf(row: Row): LeaderShare | undefined {
  const sealedShare = maybeBytes(row, 'encrypted_agg_share');
  if (sealedShare === undefined) return undefined;
  return {
    aggregateShareReq: bytesOf(row, 'aggregate_share_req'),
    sealedShare,
    reportCount: integerOf(row, 'report_count'),
    interval: { start: integerOf(row, 'interval_start'), duration: integerOf(row, 'interval_duration') },
  };
}
