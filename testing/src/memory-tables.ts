/** What a {@link MemoryAggregatorStore} holds, and the questions that several of its methods ask. */

import type {
  AggregateShareRow,
  BatchKeys,
  BucketPart,
  CollectedRow,
  CollectionJobRow,
  Commit,
  CounterName,
  GiveBack,
  HelperJobRow,
  HpkeKeyRow,
  LeaderJobRow,
  Leased,
  LeaseRequest,
  NewReport,
  OutstandingQuery,
  ReportBucket,
  ReportFacts,
  SelectedBatchRow,
  TaskRow,
} from '@privacy-edge/analytics-roles';
import { compareKeys } from '@privacy-edge/dap';

export interface MemoryReport extends NewReport {
  uploadedAt: Date;
  state: 'waiting' | 'assigned' | 'aggregated' | 'rejected';
  hasBody: boolean;
  notBefore: Date;
  attempts: number;
}

/** A job with what drivers do to it. `available` is when it may be acquired, if nobody owns it. */
export interface MemoryJob<Row> {
  row: Row;
  isOpen: boolean;
  available: Date;
  lease: { token: string; until: Date } | undefined;
  attempts: number;
  changedAt: Date;
}

export interface Remembered {
  readonly parameter: Uint8Array;
  readonly time: number;
  readonly isClaim: boolean;
}

export interface MemoryTask {
  row: TaskRow;
  readonly counters: Map<CounterName, number>;
  readonly reports: Map<string, MemoryReport>;
  readonly remembered: Map<string, Remembered[]>;
  parts: BucketPart[];
  nextPart: number;
  collected: CollectedRow[];
  readonly batches: Map<string, SelectedBatchRow & { isCollected: boolean }>;
  readonly leaderJobs: Map<string, MemoryJob<LeaderJobRow>>;
  readonly helperJobs: Map<string, MemoryJob<HelperJobRow>>;
  readonly collectionJobs: Map<string, MemoryJob<CollectionJobRow>>;
  readonly shares: Map<string, { row: AggregateShareRow; changedAt: Date }>;
}

/** The data; any number of stores may be over the same. */
export class MemoryTables {
  readonly tasks: Map<string, MemoryTask> = new Map();
  readonly keys: Map<number, HpkeKeyRow> = new Map();
}

export function memoryTask(row: TaskRow): MemoryTask {
  return {
    row,
    counters: new Map(),
    reports: new Map(),
    remembered: new Map(),
    parts: [],
    nextPart: 1,
    collected: [],
    batches: new Map(),
    leaderJobs: new Map(),
    helperJobs: new Map(),
    collectionJobs: new Map(),
    shares: new Map(),
  };
}

/** A key of a map for bytes. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A deep copy, in which bytes share no memory with the original. */
export function copy<T>(value: T): T {
  if (value instanceof Uint8Array) return value.slice() as T;
  if (value instanceof Date) return new Date(value) as T;
  if (Array.isArray(value)) return value.map(copy) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copy(member)])) as T;
}

function contains({ first, last }: { first: Uint8Array; last: Uint8Array }, key: Uint8Array): boolean {
  return compareKeys(first, key) <= 0 && compareKeys(key, last) <= 0;
}

export function rememberedWith(task: MemoryTask, reportId: Uint8Array, parameter: Uint8Array): boolean {
  return (task.remembered.get(hex(reportId)) ?? []).some((entry) => compareKeys(entry.parameter, parameter) === 0);
}

function parametersOf(task: MemoryTask, reportId: Uint8Array): Uint8Array[] {
  return (task.remembered.get(hex(reportId)) ?? []).map(({ parameter }) => parameter);
}

export function collectionsOf(task: MemoryTask, bucket: Uint8Array): Uint8Array[] {
  return task.collected.filter((row) => contains(row, bucket)).map((row) => row.aggregationParameter);
}

/** Whether what was known about the reports is all that is known. */
export function isCurrent(task: MemoryTask, { reports, rememberedAs }: Commit): boolean {
  return reports.every(
    ({ reportId, bucket, time, aggregated, collected, claim }) =>
      time >= task.row.rememberedSince &&
      (claim === 'use'
        ? isClaimed(task, reportId, aggregated, rememberedAs)
        : parametersOf(task, reportId).length === aggregated) &&
      collectionsOf(task, bucket).length === collected,
  );
}

function isClaimed(task: MemoryTask, reportId: Uint8Array, position: number, parameter: Uint8Array): boolean {
  const there = task.remembered.get(hex(reportId))?.[position];
  return there?.isClaim === true && compareKeys(there.parameter, parameter) === 0;
}

export function apply(task: MemoryTask, { rememberedAs, reports, buckets }: Commit): void {
  for (const { reportId, time, aggregated, claim } of reports) {
    const before = task.remembered.get(hex(reportId)) ?? [];
    const entry = { parameter: copy(rememberedAs), time, isClaim: claim === 'make' };
    task.remembered.set(hex(reportId), claim === 'use' ? before.with(aggregated, entry) : [...before, entry]);
  }
  for (const bucket of buckets) addPart(task, bucket);
}

export function addPart(task: MemoryTask, bucket: Omit<BucketPart, 'part'>): void {
  const { aggregationParameter, aggregateShare, reportCount, checksum, interval } = bucket;
  task.parts.push(
    copy({
      bucket: bucket.bucket,
      aggregationParameter,
      aggregateShare,
      reportCount,
      checksum,
      interval,
      part: task.nextPart++,
    }),
  );
}

export function overlapping(task: MemoryTask, keys: Pick<BatchKeys, 'first' | 'last'>): CollectedRow[] {
  return task.collected.filter(
    ({ first, last }) => compareKeys(first, keys.last) <= 0 && compareKeys(keys.first, last) <= 0,
  );
}

export function outstanding(task: MemoryTask, keys: BatchKeys, query: OutstandingQuery): number {
  const { times } = keys;
  if (times === undefined) {
    return [...task.leaderJobs.values()]
      .filter(({ isOpen, row }) => isOpen && row.batchId !== undefined && contains(keys, row.batchId))
      .flatMap(({ row }) => row.reportIds)
      .filter((reportId) => task.reports.get(hex(reportId))?.state === 'assigned').length;
  }
  return [...task.reports.values()].filter(({ reportId, time, state, uploadedAt }) => {
    if (time < times.first || time > times.last) return false;
    if (state !== 'waiting') return state === 'assigned';
    if (query.uploadedBefore !== undefined && uploadedAt >= query.uploadedBefore) return false;
    return !rememberedWith(task, reportId, query.rememberedAs);
  }).length;
}

export function newJob<Row>(row: Row, now: Date, isOpen: boolean): MemoryJob<Row> {
  return { row: copy(row), isOpen, available: new Date(now), lease: undefined, attempts: 0, changedAt: new Date(now) };
}

export function owns<Row>(job: MemoryJob<Row> | undefined, token: Uint8Array): job is MemoryJob<Row> {
  return job?.isOpen === true && job.lease?.token === hex(token);
}

export function giveBack<Row>(job: MemoryJob<Row>, { notBefore, isProgress }: GiveBack): void {
  job.lease = undefined;
  job.available = new Date(notBefore);
  if (isProgress) job.attempts = 0;
}

export function end<Row>(job: MemoryJob<Row>, at: Date): void {
  job.isOpen = false;
  job.lease = undefined;
  job.changedAt = new Date(at);
}

export function acquire<Row>(jobs: Iterable<MemoryJob<Row>>, request: LeaseRequest): Leased<Row>[] {
  const since = ({ available, lease }: MemoryJob<Row>): number => (lease?.until ?? available).getTime();
  return [...jobs]
    .filter((job) => job.isOpen && since(job) <= request.now.getTime())
    .sort((a, b) => since(a) - since(b))
    .slice(0, request.limit)
    .map((job) => {
      job.lease = { token: hex(request.token), until: new Date(request.until) };
      job.attempts += 1;
      return { job: copy(job.row), attempts: job.attempts };
    });
}

export function factsOf(task: MemoryTask, { reportId, bucket }: ReportBucket): ReportFacts {
  const claims = (task.remembered.get(hex(reportId)) ?? []).filter(({ isClaim }) => isClaim);
  return copy({
    aggregated: parametersOf(task, reportId),
    collected: collectionsOf(task, bucket),
    claimed: claims.map(({ parameter }) => parameter),
  });
}
