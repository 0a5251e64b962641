/** What is never forgotten: reports that were aggregated, buckets, and batches that were collected. */
import type {
  BatchFacts,
  BatchKeys,
  BucketPart,
  CollectedCommit,
  CollectedRow,
  Commit,
  Commitment,
  OutstandingQuery,
  ReportBucket,
  ReportFacts,
} from '@privacy-edge/analytics-roles';
import { latin1 } from '@privacy-edge/bytes';
import type { Bucket } from '@privacy-edge/dap';
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
import type { SecretColumns } from '../secret-columns.ts';
import { bytesOf, integerOf, orNull } from './columns.ts';
import { type LockedTask, shareTask, TASK } from './lock.ts';
import { placeOf } from './place.ts';
import { NOT_REMEMBERED } from './reports.ts';

/** Bytes of a bucket that is a time; all others are batches of the leader's choice. */
export const TIME_BUCKET_BYTES = 8;

/** See the port. */
export function* readCommitmentFacts(
  _context: OperationContext,
  taskId: Uint8Array,
  reports: readonly ReportBucket[],
): Operation<readonly ReportFacts[]> {
  const [aggregated = [], ...collected] = yield [
    statementEach(
      `SELECT batch.report_id, position, agg_param, is_claim FROM @rows(report_id bytes)
        JOIN aggregated_reports ON aggregated_reports.task_key = ${TASK}
          AND aggregated_reports.report_id = batch.report_id`,
      reports.map(({ reportId }) => ({ report_id: reportId })),
      { task_id: taskId },
    ),
    ...collectionsOfBuckets(
      reports,
      (join) => `SELECT batch.bucket, collected_key AS position, agg_param FROM @rows(bucket bytes) ${join}`,
      TASK,
      { task_id: taskId },
    ),
  ];
  const ofReport = parametersBy(aggregated, 'report_id');
  const claims = parametersBy(
    aggregated.filter((row) => integerOf(row, 'is_claim') === 1),
    'report_id',
  );
  const ofBucket = parametersBy(collected.flat(), 'bucket');
  return reports.map(({ reportId, bucket }) => ({
    aggregated: ofReport.get(latin1(reportId)) ?? [],
    collected: ofBucket.get(latin1(bucket)) ?? [],
    claimed: claims.get(latin1(reportId)) ?? [],
  }));
}

/** Parameters by an identifier, in the order of their positions. */
function parametersBy(rows: readonly Row[], column: string): ReadonlyMap<string, Uint8Array[]> {
  const ordered = rows.toSorted((a, b) => integerOf(a, 'position') - integerOf(b, 'position'));
  const groups = Map.groupBy(ordered, (row) => latin1(bytesOf(row, column)));
  return new Map([...groups].map(([key, group]) => [key, group.map((row) => bytesOf(row, 'agg_param'))]));
}

/** Statements about the collections that contain the buckets of reports; each bucket is asked about once. */
function collectionsOfBuckets(
  reports: readonly ReportBucket[],
  sql: (join: string) => string,
  task: string,
  parameters: Statement['parameters'],
): Statement[] {
  const buckets = [...new Map(reports.map(({ bucket }) => [latin1(bucket), { bucket }])).values()];
  const times = buckets.filter(({ bucket }) => bucket.length === TIME_BUCKET_BYTES);
  const chosen = buckets.filter(({ bucket }) => bucket.length !== TIME_BUCKET_BYTES);
  const join = (condition: string): string =>
    `JOIN collected_batches ON collected_batches.task_key = ${task} AND ${condition}`;
  return [
    statementEach(sql(join('last_bucket >= batch.bucket AND first_bucket <= batch.bucket')), times, parameters),
    // A batch of the leader's choice is one bucket.
    statementEach(sql(join('last_bucket = batch.bucket')), chosen, parameters),
  ];
}

/**
 * Whether exactly as much is known about the reports of a commit as its maker knew. That no report was aggregated meanwhile,
 * and that claims are there, is found out when they are remembered.
 */
export function* isCurrent({ task, rememberedSince }: LockedTask, { reports }: Commit): Operation<boolean> {
  if (reports.length === 0) return true;
  if (reports.some(({ time }) => time < rememberedSince)) return false;
  const again = reports.filter(({ aggregated, claim }) => aggregated > 0 && claim !== 'use');
  const [earlier, ...collected] = yield [
    statementEach(
      `SELECT batch.report_id FROM @rows(report_id bytes, position integer)
        JOIN aggregated_reports ON aggregated_reports.task_key = :task
          AND aggregated_reports.report_id = batch.report_id AND aggregated_reports.position = batch.position`,
      again.map(({ reportId, aggregated }) => ({ report_id: reportId, position: aggregated - 1 })),
      { task },
    ),
    ...collectionsOfBuckets(reports, (join) => `SELECT batch.bucket FROM @rows(bucket bytes) ${join}`, ':task', {
      task,
    }),
  ];
  if (earlier?.length !== again.length) return false;
  const collections = Map.groupBy(collected.flat(), (row) => latin1(bytesOf(row, 'bucket')));
  return reports.every(({ bucket, collected: known }) => (collections.get(latin1(bucket))?.length ?? 0) === known);
}

/** Statements that remember reports and add parts; {@link checkRemembered} looks at what they gave. */
export function commitStatements(
  { secrets }: OperationContext,
  taskId: Uint8Array,
  task: number,
  { rememberedAs, reports, buckets }: Commit,
): readonly [remember: Statement, use: Statement, add: Statement] {
  const fresh = reports.filter(({ claim }) => claim !== 'use');
  return [
    rememberStatement(task, rememberedAs, fresh),
    useStatement(
      task,
      rememberedAs,
      reports.filter(({ claim }) => claim === 'use'),
    ),
    addParts(secrets, taskId, task, buckets),
  ];
}

/** Ends the operation with `conflict` when a report was aggregated by another transaction in between, or a claim is not there. */
export function checkRemembered(
  { reports }: Commit,
  remembered: readonly Row[] | undefined,
  used: readonly Row[] | undefined,
): void {
  if ((remembered?.length ?? 0) + (used?.length ?? 0) !== reports.length) abandon('conflict');
}

function rememberStatement(task: number, rememberedAs: Uint8Array, reports: readonly Commitment[]): Statement {
  return statementEach(
    `INSERT INTO aggregated_reports (task_key, report_id, position, agg_param, time, is_claim)
      SELECT CAST(:task AS @integer), batch.report_id, batch.position, CAST(:agg_param AS @bytes), batch.time, batch.is_claim
      FROM @rows(report_id bytes, position integer, time integer, is_claim integer) WHERE TRUE
      ON CONFLICT (task_key, report_id, position) DO NOTHING @returning(position)`,
    reports.map(({ reportId, aggregated, time, claim }) => ({
      report_id: reportId,
      position: aggregated,
      time,
      is_claim: claim === 'make' ? 1 : 0,
    })),
    { task, agg_param: rememberedAs },
  );
}

function useStatement(task: number, rememberedAs: Uint8Array, reports: readonly Commitment[]): Statement {
  return statementEach(
    `UPDATE aggregated_reports SET is_claim = 0 FROM @rows(report_id bytes, position integer)
      WHERE aggregated_reports.task_key = :task AND aggregated_reports.report_id = batch.report_id
        AND aggregated_reports.position = batch.position AND aggregated_reports.agg_param = :agg_param AND is_claim = 1
      @returning(batch.report_id)`,
    reports.map(({ reportId, aggregated }) => ({ report_id: reportId, position: aggregated })),
    { task, agg_param: rememberedAs },
  );
}

function addParts(secrets: SecretColumns, taskId: Uint8Array, task: number, buckets: readonly Bucket[]): Statement {
  return statementEach(
    `INSERT INTO batch_buckets
        (task_key, bucket, agg_param, agg_share, report_count, checksum, interval_start, interval_duration)
      SELECT CAST(:task AS @integer), batch.bucket, batch.agg_param, batch.agg_share, batch.report_count, batch.checksum,
        batch.interval_start, batch.interval_duration
      FROM @rows(bucket bytes, agg_param bytes, agg_share bytes, report_count integer, checksum bytes,
        interval_start integer, interval_duration integer) WHERE TRUE`,
    buckets.map(({ bucket, aggregationParameter, aggregateShare, reportCount, checksum, interval }) => ({
      bucket,
      agg_param: aggregationParameter,
      agg_share: secrets.seal(aggregateShare, sharePlace(taskId, bucket)),
      report_count: reportCount,
      checksum,
      interval_start: interval.start,
      interval_duration: interval.duration,
    })),
    { task },
  );
}

function sharePlace(taskId: Uint8Array, bucket: Uint8Array): Uint8Array {
  return placeOf('batch_buckets', 'agg_share', taskId, bucket);
}

function partOf({ secrets }: OperationContext, taskId: Uint8Array, row: Row): BucketPart {
  const bucket = bytesOf(row, 'bucket');
  return {
    part: integerOf(row, 'part'),
    bucket,
    aggregationParameter: bytesOf(row, 'agg_param'),
    aggregateShare: secrets.open(bytesOf(row, 'agg_share'), sharePlace(taskId, bucket)),
    reportCount: integerOf(row, 'report_count'),
    checksum: bytesOf(row, 'checksum'),
    interval: { start: integerOf(row, 'interval_start'), duration: integerOf(row, 'interval_duration') },
  };
}

const IN_BATCH = `task_key = ${TASK} AND bucket >= :first AND bucket <= :last`;
const OVERLAPS = `task_key = ${TASK} AND last_bucket >= :first AND first_bucket <= :last`;

/** See the port. */
export function* readBatchFacts(
  context: OperationContext,
  taskId: Uint8Array,
  keys: BatchKeys,
  outstanding: OutstandingQuery,
): Operation<BatchFacts> {
  const range = { task_id: taskId, first: keys.first, last: keys.last };
  const [parts = [], collected = [], waiting = [], task = []] = yield [
    statement(`SELECT * FROM batch_buckets WHERE ${IN_BATCH} ORDER BY part`, range),
    statement(
      `SELECT first_bucket, last_bucket, agg_param FROM collected_batches WHERE ${OVERLAPS} ORDER BY collected_key`,
      range,
    ),
    outstandingStatement(taskId, keys, outstanding),
    statement('SELECT remembered_since FROM tasks WHERE task_id = :task_id', { task_id: taskId }),
  ];
  return {
    parts: parts.map((row) => partOf(context, taskId, row)),
    collected: collected.map(collectedOf),
    outstanding: outstandingOf(waiting),
    rememberedSince: task[0] === undefined ? 0 : integerOf(task[0], 'remembered_since'),
  };
}

function collectedOf(row: Row): CollectedRow {
  return {
    first: bytesOf(row, 'first_bucket'),
    last: bytesOf(row, 'last_bucket'),
    aggregationParameter: bytesOf(row, 'agg_param'),
  };
}

/** Counts what a collection has to wait for; read it with {@link outstandingOf}. */
export function outstandingStatement(taskId: Uint8Array, keys: BatchKeys, query: OutstandingQuery): Statement {
  const { times } = keys;
  if (times === undefined) {
    return statement(
      `SELECT CAST(COALESCE(SUM(assigned), 0) AS @integer) AS outstanding FROM leader_aggregation_jobs
        WHERE task_key = ${TASK} AND batch_id = :batch_id AND state = 'active'`,
      { task_id: taskId, batch_id: keys.first },
    );
  }
  const inTime = `FROM reports WHERE task_key = ${TASK} AND time BETWEEN :first AND :last`;
  return statement(
    `SELECT (SELECT COUNT(*) ${inTime} AND state = 'assigned') +
      (SELECT COUNT(*) ${inTime} AND state = 'waiting' AND uploaded_at < :before AND ${NOT_REMEMBERED}) AS outstanding`,
    {
      task_id: taskId,
      ...times,
      before: query.uploadedBefore?.getTime() ?? Number.MAX_SAFE_INTEGER,
      remembered_as: query.rememberedAs,
    },
  );
}

/** Reads what {@link outstandingStatement} gave. */
export function outstandingOf(rows: readonly Row[] | undefined): number {
  const row = rows?.[0];
  return row === undefined ? 0 : integerOf(row, 'outstanding');
}

/**
 * Marks a batch as collected if it has the parts and collections that were known; the caller owns the task.
 *
 * @returns false, and nothing is done, when it has not
 */
export function* markCollected(
  taskId: Uint8Array,
  { task, rememberedSince }: LockedTask,
  { keys, aggregationParameter, parts, collected }: CollectedCommit,
): Operation<boolean> {
  // What stood against it may be forgotten.
  if (keys.times !== undefined && keys.times.first < rememberedSince) return false;
  const range = { task_id: taskId, first: keys.first, last: keys.last };
  const [there = [], overlapping = []] = yield [
    statement(`SELECT part FROM batch_buckets WHERE ${IN_BATCH}`, range),
    statement(`SELECT collected_key FROM collected_batches WHERE ${OVERLAPS}`, range),
  ];
  const known = new Set(parts);
  const isSame = there.length === known.size && there.every((row) => known.has(integerOf(row, 'part')));
  if (!isSame || overlapping.length !== collected) return false;
  const isChosen = keys.times === undefined;
  yield [
    statement(
      `INSERT INTO collected_batches (task_key, first_bucket, last_bucket, first_time, last_time, agg_param)
        VALUES (:task, :first, :last, :first_time, :last_time, :agg_param)`,
      {
        task,
        first: keys.first,
        last: keys.last,
        first_time: orNull(keys.times?.first),
        last_time: orNull(keys.times?.last),
        agg_param: aggregationParameter,
      },
    ),
    ...(isChosen
      ? [
          statement('UPDATE selected_batches SET is_collected = 1 WHERE task_key = :task AND batch_id = :batch_id', {
            task,
            batch_id: keys.first,
          }),
        ]
      : []),
  ];
  return true;
}

/** See the port. */
export function* bucketsToMerge(
  context: OperationContext,
  taskId: Uint8Array,
  moreThan: number,
  limit: number,
): Operation<readonly (readonly BucketPart[])[]> {
  const rows = yield* query(
    `SELECT batch_buckets.* FROM batch_buckets JOIN
        (SELECT bucket, agg_param FROM batch_buckets WHERE task_key = ${TASK} GROUP BY bucket, agg_param
          HAVING COUNT(*) > :more_than ORDER BY bucket, agg_param LIMIT :limit) AS many
        ON batch_buckets.bucket = many.bucket AND batch_buckets.agg_param = many.agg_param
      WHERE batch_buckets.task_key = ${TASK} ORDER BY part`,
    { task_id: taskId, more_than: moreThan, limit },
  );
  const parts = rows.map((row) => partOf(context, taskId, row));
  return [...Map.groupBy(parts, (part) => `${latin1(part.bucket)} ${latin1(part.aggregationParameter)}`).values()];
}

/** See the port. */
export function* replaceParts(
  { secrets }: OperationContext,
  taskId: Uint8Array,
  parts: readonly number[],
  merged: Bucket,
): Operation<boolean> {
  const locked = yield* shareTask(taskId);
  if (locked === undefined) return false;
  const { task } = locked;
  const deleted = yield* queryEach(
    'DELETE FROM batch_buckets WHERE task_key = :task AND part IN (SELECT part FROM @rows(part integer)) @returning(part)',
    parts.map((part) => ({ part })),
    { task },
  );
  if (deleted.length !== parts.length) abandon(false);
  yield [addParts(secrets, taskId, task, [merged])];
  return true;
}
