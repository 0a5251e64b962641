/** Aggregation jobs of the leader. */
import type {
  CommitOutcome,
  GiveBack,
  LeaderJobRow,
  LeaderStepCommit,
  Leased,
  LeasedKey,
  LeaseRequest,
  ReportOutcome,
} from '@privacy-edge/analytics-roles';
import type { OperationContext } from '../engine.ts';
import { type Operation, type Row, type Statement, statement, statementEach } from '../operation.ts';
import { bytesOf, integerOf, maybeBytes, maybeText, orNull, splitIds } from './columns.ts';
import { checkRemembered, commitStatements, isCurrent } from './commitment.ts';
import { countStatement } from './counters.ts';
import { acquire, GIVE_BACK, giveBack, giveBackValues, owned } from './lease.ts';
import { shareTask } from './lock.ts';
import { placeOf } from './place.ts';

const TABLE = 'leader_aggregation_jobs';
const REPORT_ID_BYTES = 16;

/** See the port. */
export function* acquireLeaderJobs(
  context: OperationContext,
  request: LeaseRequest,
): Operation<readonly Leased<LeaderJobRow>[]> {
  const leased = yield* acquire(TABLE, request);
  return leased.map(({ row, taskId, attempts }) => ({ job: jobOf(context, row, taskId), attempts }));
}

/** See the port. */
export function* giveBackLeaderJob(_context: OperationContext, key: LeasedKey, how: GiveBack): Operation<boolean> {
  return yield* giveBack(TABLE, key, how);
}

/** See the port. */
export function* commitLeaderStep(context: OperationContext, step: LeaderStepCommit): Operation<CommitOutcome> {
  const { key, commit, reports, counters } = step;
  const { where, parameters } = owned(TABLE, key);
  const locked = yield* shareTask(
    key.taskId,
    statement(`SELECT job_key, batch_id FROM ${TABLE} WHERE ${where} @lock`, parameters),
  );
  const job = locked?.rows[0]?.[0];
  if (locked === undefined || job === undefined) return 'stale';
  if (!(yield* isCurrent(locked, commit))) return 'conflict';
  const { task } = locked;
  const [remember, use, add] = commitStatements(context, key.taskId, task, commit);
  const [remembered, used, , moved = []] = yield [
    remember,
    use,
    add,
    moveStatement(task, reports),
    jobStatement(context, step, integerOf(job, 'job_key')),
    countStatement(task, counters),
  ];
  checkRemembered(commit, remembered, used);
  yield [
    statement(`UPDATE ${TABLE} SET assigned = assigned - :moved WHERE job_key = :job_key`, {
      job_key: integerOf(job, 'job_key'),
      moved: moved.length,
    }),
    statement(
      'UPDATE selected_batches SET assigned = assigned - :lost WHERE task_key = :task AND batch_id = :batch_id',
      {
        task,
        batch_id: orNull(maybeBytes(job, 'batch_id')),
        lost: reports.filter(({ state }) => state !== 'aggregated').length,
      },
    ),
  ];
  return 'committed';
}

function moveStatement(task: number, outcomes: readonly ReportOutcome[]): Statement {
  return statementEach(
    `UPDATE reports SET state = batch.state, report_error = batch.report_error,
        not_before = COALESCE(batch.not_before, reports.not_before), attempts = COALESCE(batch.attempts, reports.attempts),
        report = CASE WHEN batch.state = 'waiting' THEN reports.report ELSE NULL END
      FROM @rows(report_id bytes, state text, report_error integer, not_before integer, attempts integer)
      WHERE reports.task_key = :task AND reports.report_id = batch.report_id AND reports.state = 'assigned'
      @returning(batch.report_id)`,
    outcomes.map((outcome) => ({
      report_id: outcome.reportId,
      state: outcome.state,
      report_error: outcome.state === 'rejected' ? outcome.error : null,
      not_before: outcome.state === 'waiting' ? outcome.notBefore.getTime() : null,
      attempts: outcome.state === 'waiting' ? outcome.attempts : null,
    })),
    { task },
  );
}

function jobStatement({ secrets }: OperationContext, { key, next }: LeaderStepCommit, jobKey: number): Statement {
  if (next.state === 'active') {
    const progress = secrets.seal(next.progress, progressPlace(key.taskId, key.jobId));
    const kept = { job_key: jobKey, progress, location: orNull(next.location) };
    const { giveBack: how } = next;
    if (how === undefined) {
      return statement(`UPDATE ${TABLE} SET progress = :progress, location = :location WHERE job_key = :job_key`, kept);
    }
    return statement(
      `UPDATE ${TABLE} SET progress = :progress, location = :location, ${GIVE_BACK} WHERE job_key = :job_key`,
      { ...kept, ...giveBackValues(how) },
    );
  }
  return statement(
    `UPDATE ${TABLE} SET state = :state, progress = NULL, report_ids = :none, token = NULL, changed_at = :at
      WHERE job_key = :job_key`,
    { job_key: jobKey, state: next.state, none: new Uint8Array(), at: next.at.getTime() },
  );
}

function jobOf({ secrets }: OperationContext, row: Row, taskId: Uint8Array): LeaderJobRow {
  const jobId = bytesOf(row, 'job_id');
  const progress = maybeBytes(row, 'progress');
  return {
    taskId,
    jobId,
    aggregationParameter: bytesOf(row, 'agg_param'),
    batchId: maybeBytes(row, 'batch_id'),
    reportIds: splitIds(bytesOf(row, 'report_ids'), REPORT_ID_BYTES),
    progress: progress === undefined ? undefined : secrets.open(progress, progressPlace(taskId, jobId)),
    location: maybeText(row, 'location'),
  };
}

function progressPlace(taskId: Uint8Array, jobId: Uint8Array): Uint8Array {
  return placeOf(TABLE, 'progress', taskId, jobId);
}
