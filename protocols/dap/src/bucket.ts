/** Batch buckets: what is left of reports after verification. DAP §4.5.4.3. */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes, latin1 } from '@privacy-edge/bytes';
import { bucketOf } from './batch.ts';
import { DapError } from './dap-error.ts';
import { CHECKSUM_BYTES } from './field.ts';
import { type Interval, spanIntervals } from './interval.ts';
import type { AggregatedVdaf, AggregatorTask } from './task.ts';
import type { FinishedReport } from './verification.ts';

/** A sum over reports. Any two for the same task and parameter can be merged. */
export interface Aggregate {
  /** Encoded by the VDAF; secret to this aggregator. */
  readonly aggregateShare: Uint8Array;
  readonly reportCount: number;
  /** 32 bytes: XOR of the SHA-256 hashes of the report identifiers. */
  readonly checksum: Uint8Array;
  /** The smallest interval that contains the times of all reports; without duration while there are none. */
  readonly interval: Interval;
}

/** The aggregate of a bucket, or of a part of one: buckets may be stored in parts and merged when they are read. */
export interface Bucket extends Aggregate {
  /** From `bucketOf`. */
  readonly bucket: Uint8Array;
  /** Encoded aggregation parameter. */
  readonly aggregationParameter: Uint8Array;
}

/** What {@link accumulate} sums up for one bucket. */
export interface BucketUpdate extends Bucket {
  /** Of the reports in it, 16 bytes each: to be remembered together with the update. */
  readonly reportIds: readonly Uint8Array[];
}

/**
 * Adds up verified reports by bucket. What it returns is merged into storage in the same transaction in which the report
 * identifiers are remembered and buckets are found not to be collected.
 *
 * @param batchId - of the aggregation job, in the leader-selected mode only
 * @param reports - only those that may be committed to; see `commitRefusal`
 * @returns one update for each bucket
 * @see DAP §4.5.4.3
 */
export function accumulate(
  vdaf: AggregatedVdaf,
  aggregationParameter: Uint8Array,
  batchId: Uint8Array | undefined,
  reports: readonly FinishedReport[],
): BucketUpdate[] {
  const groups = new Map<string, { readonly bucket: Uint8Array; readonly reports: FinishedReport[] }>();
  for (const report of reports) {
    const bucket = bucketOf(report.time, batchId);
    const key = latin1(bucket);
    const group = groups.get(key) ?? { bucket, reports: [] };
    groups.set(key, group);
    group.reports.push(report);
  }
  const empty = vdaf.emptyAggregate(aggregationParameter);
  return [...groups.values()].map((group) => ({
    bucket: group.bucket,
    aggregationParameter,
    aggregateShare: vdaf.aggregate(
      aggregationParameter,
      empty,
      group.reports.map(({ outShare }) => outShare),
    ),
    reportCount: group.reports.length,
    checksum: checksumOf(group.reports.map(({ reportId }) => reportId)),
    interval: group.reports.map(({ time }) => ({ start: time, duration: 1 })).reduce(spanIntervals, NO_INTERVAL),
    reportIds: group.reports.map(({ reportId }) => reportId),
  }));
}

const NO_INTERVAL: Interval = { start: 0, duration: 0 };

/**
 * XOR of the hashes of report identifiers.
 *
 * @param reportIds - 16 bytes each
 * @returns 32 bytes; zeros for no reports
 * @see DAP §4.5.4.3
 */
export function checksumOf(reportIds: readonly Uint8Array[]): Uint8Array {
  const checksum = new Uint8Array(CHECKSUM_BYTES);
  for (const reportId of reportIds) xorInto(checksum, sha256(reportId));
  return checksum;
}

function xorInto(into: Uint8Array, bytes: Uint8Array): void {
  for (let i = 0; i < CHECKSUM_BYTES; i++) into[i] = (into[i] as number) ^ (bytes[i] as number);
}

/** The aggregate of no reports. */
export function emptyAggregate(vdaf: AggregatedVdaf, aggregationParameter: Uint8Array): Aggregate {
  return {
    aggregateShare: vdaf.emptyAggregate(aggregationParameter),
    reportCount: 0,
    checksum: new Uint8Array(CHECKSUM_BYTES),
    interval: NO_INTERVAL,
  };
}

/**
 * Merges aggregates for the same aggregation parameter.
 *
 * @returns the aggregate of all their reports
 * @see DAP §4.5.4.3
 */
export function mergeAggregates(
  vdaf: AggregatedVdaf,
  aggregationParameter: Uint8Array,
  aggregates: readonly Aggregate[],
): Aggregate {
  const checksum = new Uint8Array(CHECKSUM_BYTES);
  for (const aggregate of aggregates) xorInto(checksum, aggregate.checksum);
  const shares = aggregates.map(({ aggregateShare }) => aggregateShare);
  return {
    aggregateShare:
      shares.length === 0 ? vdaf.emptyAggregate(aggregationParameter) : vdaf.merge(aggregationParameter, shares),
    reportCount: aggregates.reduce((sum, { reportCount }) => sum + reportCount, 0),
    checksum,
    interval: aggregates.map(({ interval }) => interval).reduce(spanIntervals, NO_INTERVAL),
  };
}

/** So many shares are held before they are merged, however many buckets a batch has. */
const MERGE_AT_ONCE = 64;

/**
 * The aggregate of a batch.
 *
 * @param aggregationParameter - of the collection
 * @param buckets - all of the batch's, with whatever parameter they were aggregated; may be read from storage one by one
 * @throws {@link DapError} `INVALID_MESSAGE` when reports were aggregated with another parameter than the one asked for,
 *   unless the task allows several
 * @see DAP §4.6.4
 */
export function combineBuckets(
  { vdaf, extensions }: AggregatorTask,
  aggregationParameter: Uint8Array,
  buckets: Iterable<Bucket>,
): Aggregate {
  let held: Aggregate[] = [];
  for (const bucket of buckets) {
    if (!equalBytes(bucket.aggregationParameter, aggregationParameter)) {
      if (extensions.multiCollection !== undefined) continue;
      throw new DapError('INVALID_MESSAGE', 'Cannot collect: the batch was aggregated with another parameter');
    }
    held.push(bucket);
    if (held.length === MERGE_AT_ONCE) held = [mergeAggregates(vdaf, aggregationParameter, held)];
  }
  return mergeAggregates(vdaf, aggregationParameter, held);
}
