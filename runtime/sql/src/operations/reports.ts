/** Reports at the leader. */
import type {
  Counters,
  NewLeaderJob,
  NewReport,
  PutOutcome,
  ReportCounts,
  ReportRow,
  SelectedBatchRow,
  WaitingQuery,
  WaitingReport,
} from '@privacy-edge/analytics-roles';
import { latin1 } from '@privacy-edge/bytes';
import type { OperationContext } from '../engine.ts';
import {
  abandon,
  type Operation,
  query,
  queryEach,
  type Row,
  type Statement,
  statement,
  statementEach,
} from '../operation.ts';
import { bytesOf, dateOf, integerOf, joinIds, maybeInteger, orNull, textOf } from './columns.ts';
import { countStatement, sumCounters } from './counters.ts';
import { type LockedTask, shareTask, TASK } from './lock.ts';

/** The reports of one call of `putReports`. */
export interface Upload {
  readonly reports: readonly NewReport[];
  readonly uploadedAt: Date;
  readonly counters: Counters;
}

/**
 * `putReports` of the port for many calls at once.
 *
 * @returns outcomes of each upload
 */
export function* putUploads(
  _context: OperationContext,
  taskId: Uint8Array,
  timesAreBuckets: boolean,
  uploads: readonly Upload[],
): Operation<readonly (readonly PutOutcome[])[]> {
  const all = uploads.flatMap(({ reports }) => reports);
  const locked = yield* shareTask(taskId, ...(timesAreBuckets ? [collectedTimes(taskId, all)] : []));
  if (locked === undefined) return uploads.map(({ reports }) => reports.map(() => 'forgotten'));
  const refuse = refusal(locked);
  const fresh = distinctReports(uploads).filter(({ report }) => refuse(report) === undefined);
  const refused = all.filter((report) => refuse(report) !== undefined);
  const [stored, known] = yield [
    statementEach(
      `INSERT INTO reports (task_key, report_id, time, uploaded_at, state, attempts, not_before, report)
        SELECT CAST(:task AS @integer), batch.report_id, batch.time, batch.uploaded_at, 'waiting', 0, 0, batch.report
        FROM @rows(report_id bytes, time integer, uploaded_at integer, report bytes) WHERE TRUE
        ON CONFLICT (task_key, report_id) DO NOTHING @returning(report_id)`,
      fresh.map(({ report, uploadedAt }) => ({
        report_id: report.reportId,
        time: report.time,
        uploaded_at: uploadedAt.getTime(),
        report: report.report,
      })),
      { task: locked.task },
    ),
    // A report that would be refused now may have been taken before, and its client did not hear of it.
    statementEach(
      `SELECT reports.report_id FROM @rows(report_id bytes) JOIN reports
        ON reports.task_key = :task AND reports.report_id = batch.report_id`,
      refused.map(({ reportId }) => ({ report_id: reportId })),
      { task: locked.task },
    ),
  ];
  const isNew = idSet(stored);
  const isKnown = idSet(known);
  const outcomes = uploads.map(({ reports }) =>
    reports.map((report): PutOutcome => {
      const key = latin1(report.reportId);
      const reason = refuse(report);
      if (reason !== undefined) return isKnown.has(key) ? 'replayed' : reason;
      // The second one of the same call is a replay.
      return isNew.delete(key) ? 'stored' : 'replayed';
    }),
  );
  yield [
    countStatement(locked.task, sumCounters([...uploads.map(({ counters }) => counters), counted(outcomes.flat())])),
  ];
  return outcomes;
}

function counted(outcomes: readonly PutOutcome[]): Counters {
  const stored = outcomes.filter((outcome) => outcome === 'stored').length;
  return { uploaded: stored, upload_duplicate: outcomes.filter((outcome) => outcome === 'replayed').length };
}

function collectedTimes(taskId: Uint8Array, reports: readonly NewReport[]): Statement {
  const times = reports.map(({ time }) => time);
  return statement(
    `SELECT first_time, last_time FROM collected_batches
      WHERE task_key = ${TASK} AND last_time >= :first AND first_time <= :last`,
    {
      task_id: taskId,
      first: times.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER),
      last: times.reduce((a, b) => Math.max(a, b), 0),
    },
  );
}

function refusal({ rememberedSince, rows }: LockedTask): (report: NewReport) => PutOutcome | undefined {
  const collected = (rows[0] ?? []).map((row) => ({
    first: integerOf(row, 'first_time'),
    last: integerOf(row, 'last_time'),
  }));
  return ({ time }) => {
    if (time < rememberedSince) return 'forgotten';
    return collected.some(({ first, last }) => first <= time && time <= last) ? 'collected' : undefined;
  };
}

function distinctReports(uploads: readonly Upload[]): { readonly report: NewReport; readonly uploadedAt: Date }[] {
  const distinct = new Map<string, { readonly report: NewReport; readonly uploadedAt: Date }>();
  for (const { reports, uploadedAt } of uploads) {
    for (const report of reports) {
      const key = latin1(report.reportId);
      if (!distinct.has(key)) distinct.set(key, { report, uploadedAt });
    }
  }
  return [...distinct.values()];
}

function idSet(rows: readonly Row[] = []): Set<string> {
  return new Set(rows.map((row) => latin1(bytesOf(row, 'report_id'))));
}

/** See the port. */
export function* waitingReports(
  _context: OperationContext,
  { taskId, times, rememberedAs, now, limit }: WaitingQuery,
): Operation<readonly WaitingReport[]> {
  const rows = yield* query(
    `SELECT report_id, time, uploaded_at FROM reports
      WHERE task_key = ${TASK} AND state = 'waiting' AND not_before <= :now
        ${times === undefined ? '' : 'AND time BETWEEN :first AND :last'}
        AND ${NOT_REMEMBERED}
      ORDER BY uploaded_at, report_key LIMIT :limit`,
    { task_id: taskId, now: now.getTime(), remembered_as: rememberedAs, limit, ...times },
  );
  return rows.map((row) => ({
    reportId: bytesOf(row, 'report_id'),
    time: integerOf(row, 'time'),
    uploadedAt: dateOf(row, 'uploaded_at'),
  }));
}

/** Condition on `reports`. */
export const NOT_REMEMBERED: string = `NOT EXISTS (SELECT 1 FROM aggregated_reports
  WHERE aggregated_reports.task_key = reports.task_key AND aggregated_reports.report_id = reports.report_id
    AND aggregated_reports.agg_param = :remembered_as)`;

/** See the port. */
export function* createLeaderJobs(
  _context: OperationContext,
  taskId: Uint8Array,
  jobs: readonly NewLeaderJob[],
  now: Date,
): Operation<'created' | 'conflict'> {
  const locked = yield* shareTask(taskId);
  if (locked === undefined) return 'conflict';
  const { task } = locked;
  const reports = jobs.flatMap(({ reportIds }) => reportIds);
  const batches = selectedBy(jobs);
  const [assigned, created, selected] = yield [
    statementEach(
      `UPDATE reports SET state = 'assigned' FROM @rows(report_id bytes)
        WHERE reports.task_key = :task AND reports.report_id = batch.report_id AND reports.state = 'waiting'
        @returning(batch.report_id)`,
      reports.map((report_id) => ({ report_id })),
      { task },
    ),
    statementEach(
      `INSERT INTO leader_aggregation_jobs
          (task_key, job_id, agg_param, batch_id, report_ids, assigned, state, available_at, attempts, changed_at)
        SELECT CAST(:task AS @integer), batch.job_id, batch.agg_param, batch.batch_id, batch.report_ids, batch.assigned,
          'active', CAST(:now AS @integer), 0, CAST(:now AS @integer)
        FROM @rows(job_id bytes, agg_param bytes, batch_id bytes, report_ids bytes, assigned integer) WHERE TRUE
        ON CONFLICT (task_key, job_id) DO NOTHING @returning(job_id)`,
      jobs.map(({ jobId, aggregationParameter, batchId, reportIds }) => ({
        job_id: jobId,
        agg_param: aggregationParameter,
        batch_id: orNull(batchId),
        report_ids: joinIds(reportIds),
        assigned: reportIds.length,
      })),
      { task, now: now.getTime() },
    ),
    statementEach(
      `INSERT INTO selected_batches (task_key, batch_id, agg_param, assigned, is_collected)
        SELECT CAST(:task AS @integer), batch.batch_id, batch.agg_param, batch.assigned, 0
        FROM @rows(batch_id bytes, agg_param bytes, assigned integer) WHERE TRUE
        ON CONFLICT (task_key, batch_id) DO UPDATE SET assigned = selected_batches.assigned + excluded.assigned
        RETURNING is_collected`,
      batches,
      { task },
    ),
  ];
  const isWhole =
    assigned?.length === reports.length &&
    created?.length === jobs.length &&
    selected?.every((row) => integerOf(row, 'is_collected') === 0) === true;
  return isWhole ? 'created' : abandon('conflict');
}

interface SelectedColumns extends Readonly<Record<string, Uint8Array | number>> {
  readonly batch_id: Uint8Array;
  readonly agg_param: Uint8Array;
  readonly assigned: number;
}

/** Batches that jobs name, each once. */
function selectedBy(jobs: readonly NewLeaderJob[]): SelectedColumns[] {
  const batches = new Map<string, SelectedColumns>();
  for (const { batchId, aggregationParameter, reportIds } of jobs) {
    if (batchId === undefined) continue;
    const key = latin1(batchId);
    const assigned = (batches.get(key)?.assigned ?? 0) + reportIds.length;
    batches.set(key, { batch_id: batchId, agg_param: aggregationParameter, assigned });
  }
  return [...batches.values()];
}

/** See the port. */
export function* readReports(
  _context: OperationContext,
  taskId: Uint8Array,
  reportIds: readonly Uint8Array[],
): Operation<readonly (ReportRow | undefined)[]> {
  const rows = yield* queryEach(
    `SELECT reports.report_id, reports.time, reports.report, reports.attempts
      FROM @rows(report_id bytes) JOIN reports ON reports.task_key = ${TASK} AND reports.report_id = batch.report_id
      WHERE reports.report IS NOT NULL`,
    reportIds.map((report_id) => ({ report_id })),
    { task_id: taskId },
  );
  const byId = new Map(rows.map((row) => [latin1(bytesOf(row, 'report_id')), row]));
  return reportIds.map((reportId) => {
    const row = byId.get(latin1(reportId));
    if (row === undefined) return undefined;
    return {
      reportId: bytesOf(row, 'report_id'),
      time: integerOf(row, 'time'),
      report: bytesOf(row, 'report'),
      attempts: integerOf(row, 'attempts'),
    };
  });
}

/** See the port. */
export function* selectedBatches(
  _context: OperationContext,
  taskId: Uint8Array,
  aggregationParameter: Uint8Array,
): Operation<readonly SelectedBatchRow[]> {
  const rows = yield* query(
    `SELECT batch_id, agg_param, assigned FROM selected_batches
      WHERE task_key = ${TASK} AND agg_param = :agg_param AND is_collected = 0 ORDER BY selected_key`,
    { task_id: taskId, agg_param: aggregationParameter },
  );
  return rows.map((row) => ({
    batchId: bytesOf(row, 'batch_id'),
    aggregationParameter: bytesOf(row, 'agg_param'),
    assigned: integerOf(row, 'assigned'),
  }));
}

/** See the port. */
export function* countReports(_context: OperationContext, taskId: Uint8Array): Operation<ReportCounts> {
  const rows = yield* query(`SELECT state, COUNT(*) AS reports FROM reports WHERE task_key = ${TASK} GROUP BY state`, {
    task_id: taskId,
  });
  const counts = new Map(rows.map((row) => [textOf(row, 'state'), maybeInteger(row, 'reports') ?? 0]));
  const of = (state: keyof ReportCounts): number => counts.get(state) ?? 0;
  return { waiting: of('waiting'), assigned: of('assigned'), aggregated: of('aggregated'), rejected: of('rejected') };
}
