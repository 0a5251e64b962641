/** Aggregation jobs of the helper. */
import type {
  CommitOutcome,
  GiveBack,
  HelperJobAt,
  HelperJobRow,
  HelperStepCommit,
  Leased,
  LeasedKey,
  LeaseRequest,
} from '@privacy-edge/analytics-roles';
import type { OperationContext } from '../engine.ts';
import { abandon, type Operation, query, type Row, type Statement, statement, touches } from '../operation.ts';
import { bytesOf, integerOf, maybeBytes, orNull, wordOf } from './columns.ts';
import { checkRemembered, commitStatements, isCurrent } from './commitment.ts';
import { countStatement } from './counters.ts';
import { acquire, giveBack } from './lease.ts';
import { shareTask, TASK } from './lock.ts';
import { placeOf } from './place.ts';

const TABLE = 'helper_aggregation_jobs';
const THE_JOB = `task_key = ${TASK} AND job_id = :job_id`;

/** See the port. */
export function* readHelperJob(
  context: OperationContext,
  taskId: Uint8Array,
  jobId: Uint8Array,
): Operation<HelperJobRow | undefined> {
  const [row] = yield* query(`SELECT * FROM ${TABLE} WHERE ${THE_JOB}`, { task_id: taskId, job_id: jobId });
  return row === undefined ? undefined : jobOf(context, row, taskId);
}

/** See the port. */
export function* commitHelperStep(
  context: OperationContext,
  { at, job, commit, counters, now }: HelperStepCommit,
): Operation<CommitOutcome> {
  const { taskId } = job;
  const locked = yield* shareTask(
    taskId,
    statement(`SELECT step, state, token FROM ${TABLE} WHERE ${THE_JOB} @lock`, { task_id: taskId, job_id: job.jobId }),
  );
  if (locked === undefined || !isAt(locked.rows[0]?.[0], at)) return 'stale';
  if (!(yield* isCurrent(locked, commit))) return 'conflict';
  const { task } = locked;
  const [remember, use, add] = commitStatements(context, taskId, task, commit);
  const [stored, remembered, used] = yield [
    at === undefined ? insertJob(context, task, job, now) : updateJob(context, task, job, now),
    remember,
    use,
    add,
    countStatement(task, counters),
  ];
  // Another request has made the same job in between.
  if (stored?.length !== 1) return abandon('stale');
  checkRemembered(commit, remembered, used);
  return 'committed';
}

function isAt(row: Row | undefined, at: HelperJobAt): boolean {
  if (row === undefined || at === undefined) return row === undefined && at === undefined;
  if (integerOf(row, 'step') !== at.step || row['state'] !== at.state) return false;
  const token = maybeBytes(row, 'token');
  return at.state === 'ready' || (token !== undefined && Buffer.compare(token, at.token) === 0);
}

function insertJob(context: OperationContext, task: number, job: HelperJobRow, now: Date): Statement {
  return statement(
    `INSERT INTO ${TABLE} (task_key, job_id, agg_param, batch_id, step, request_digest, request, response, pending, state,
        available_at, attempts, changed_at)
      VALUES (:task, :job_id, :agg_param, :batch_id, :step, :request_digest, :request, :response, :pending, :state,
        :now, 0, :now)
      ON CONFLICT (task_key, job_id) DO NOTHING @returning(job_id)`,
    jobColumns(context, task, job, now),
  );
}

function updateJob(context: OperationContext, task: number, job: HelperJobRow, now: Date): Statement {
  return statement(
    `UPDATE ${TABLE} SET agg_param = :agg_param, batch_id = :batch_id, step = :step, request_digest = :request_digest,
        request = :request, response = :response, pending = :pending, state = :state, token = NULL, available_at = :now,
        attempts = 0, changed_at = :now
      WHERE task_key = :task AND job_id = :job_id @returning(job_id)`,
    jobColumns(context, task, job, now),
  );
}

function jobColumns({ secrets }: OperationContext, task: number, job: HelperJobRow, now: Date) {
  return {
    task,
    job_id: job.jobId,
    agg_param: job.aggregationParameter,
    batch_id: orNull(job.batchId),
    step: job.step,
    request_digest: job.requestDigest,
    request: orNull(job.request),
    response: orNull(job.response),
    pending: secrets.seal(job.pending, pendingPlace(job.taskId, job.jobId)),
    state: job.state,
    now: now.getTime(),
  };
}

/** See the port. */
export function* acquireHelperJobs(
  context: OperationContext,
  request: LeaseRequest,
): Operation<readonly Leased<HelperJobRow>[]> {
  const leased = yield* acquire(TABLE, request);
  return leased.map(({ row, taskId, attempts }) => ({ job: jobOf(context, row, taskId), attempts }));
}

/** See the port. */
export function* giveBackHelperJob(_context: OperationContext, key: LeasedKey, how: GiveBack): Operation<boolean> {
  return yield* giveBack(TABLE, key, how);
}

/** See the port. */
export function* deleteHelperJob(
  { secrets }: OperationContext,
  taskId: Uint8Array,
  jobId: Uint8Array,
  now: Date,
): Operation<boolean> {
  return yield* touches(
    `UPDATE ${TABLE} SET state = 'deleted', request = NULL, response = NULL, pending = :none, token = NULL, changed_at = :now
      WHERE ${THE_JOB} AND state <> 'deleted' @returning(job_id)`,
    {
      task_id: taskId,
      job_id: jobId,
      none: secrets.seal(new Uint8Array(), pendingPlace(taskId, jobId)),
      now: now.getTime(),
    },
  );
}

function jobOf({ secrets }: OperationContext, row: Row, taskId: Uint8Array): HelperJobRow {
  const jobId = bytesOf(row, 'job_id');
  return {
    taskId,
    jobId,
    aggregationParameter: bytesOf(row, 'agg_param'),
    batchId: maybeBytes(row, 'batch_id'),
    step: integerOf(row, 'step'),
    requestDigest: bytesOf(row, 'request_digest'),
    request: maybeBytes(row, 'request'),
    response: maybeBytes(row, 'response'),
    pending: secrets.open(bytesOf(row, 'pending'), pendingPlace(taskId, jobId)),
    state: wordOf(row, 'state', ['processing', 'ready', 'deleted']),
  };
}

function pendingPlace(taskId: Uint8Array, jobId: Uint8Array): Uint8Array {
  return placeOf(TABLE, 'pending', taskId, jobId);
}
