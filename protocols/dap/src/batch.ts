/** Batches, and the buckets they are made of. DAP §5. */
import { DecodeError } from '@privacy-edge/bytes';
import { DapError } from './dap-error.ts';
import { BATCH_ID_BYTES, checkLength } from './field.ts';
import { containsInterval, Interval, intervalEnd } from './interval.ts';
import { type BatchSelector, leaderSelectedSelector, type Query, timeIntervalSelector } from './query.ts';
import { BATCH_MODE_TIME_INTERVAL } from './registry.ts';
import type { Task } from './task.ts';
import { uint64 } from './uint64.ts';

/** A set of reports that is collected together. */
export type Batch =
  | { readonly kind: 'timeInterval'; readonly interval: Interval }
  | {
      readonly kind: 'leaderSelected';
      /** 32 bytes. */
      readonly batchId: Uint8Array;
    };

/** What a collector asks for: a batch, or whichever batch is next. */
export type QueriedBatch = Extract<Batch, { readonly kind: 'timeInterval' }> | { readonly kind: 'next' };

/** The buckets of a batch: all whose keys are between these two, both included, compared byte by byte. */
export interface BucketRange {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/**
 * The key of the bucket that a report belongs to: 8 bytes of time, which sort like the times, or the batch identifier.
 *
 * @param time - of the report, in units of the task's time precision
 * @param batchId - of the aggregation job, in the leader-selected mode only
 * @see DAP §5.1.3 and §5.2.4
 */
export function bucketOf(time: number, batchId: Uint8Array | undefined): Uint8Array {
  return batchId ?? uint64(time);
}

/** The buckets of a batch. DAP §5.1.3 and §5.2.4. */
export function bucketRange(batch: Batch): BucketRange {
  if (batch.kind === 'leaderSelected') return { first: batch.batchId, last: batch.batchId };
  return { first: uint64(batch.interval.start), last: uint64(intervalEnd(batch.interval) - 1) };
}

/** The selector that names a batch. DAP §5.1.2 and §5.2.3. */
export function selectorOf(batch: Batch): BatchSelector {
  return batch.kind === 'timeInterval' ? timeIntervalSelector(batch.interval) : leaderSelectedSelector(batch.batchId);
}

/** Whether two batches have a bucket in common. */
export function overlaps(a: Batch, b: Batch): boolean {
  const [x, y] = [bucketRange(a), bucketRange(b)];
  return compareKeys(x.first, y.last) <= 0 && compareKeys(y.first, x.last) <= 0;
}

/** Whether two batches are the same set of buckets. */
export function isSameBatch(a: Batch, b: Batch): boolean {
  const [x, y] = [bucketRange(a), bucketRange(b)];
  return compareKeys(x.first, y.first) === 0 && compareKeys(x.last, y.last) === 0;
}

/** Order of bucket keys: negative, zero or positive. They are public. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * The batch that a query asks for.
 *
 * @param query - from the collector
 * @throws {@link DapError} `INVALID_MESSAGE` for the wrong mode or a malformed query, `BATCH_INVALID` for one that names no
 *   buckets
 * @see DAP §4.6.1
 */
export function queriedBatch({ configuration }: Task, query: Query): QueriedBatch {
  checkMode(configuration.batchMode, query);
  if (query.batchMode === BATCH_MODE_TIME_INTERVAL) return intervalBatch(query);
  if (query.config.length > 0) throw malformed();
  return { kind: 'next' };
}

/**
 * The batch that the leader selected, which must be inside of what the collector asked for.
 *
 * @param query - of the collector, as the leader tells it
 * @param selector - from the leader
 * @throws {@link DapError} `INVALID_MESSAGE` for the wrong mode or a malformed selector, `BATCH_INVALID` for one that names
 *   no buckets or others than those asked for
 * @see DAP §4.6.4
 */
export function selectedBatch(task: Task, query: Query, selector: BatchSelector): Batch {
  const queried = queriedBatch(task, query);
  checkMode(task.configuration.batchMode, selector);
  if (queried.kind === 'next') {
    if (selector.config.length !== BATCH_ID_BYTES) throw malformed();
    return { kind: 'leaderSelected', batchId: selector.config };
  }
  const selected = intervalBatch(selector);
  if (!containsInterval(queried.interval, selected.interval)) {
    throw new DapError('BATCH_INVALID', 'Cannot collect: the selected batch is not inside of the queried one');
  }
  return selected;
}

/** Makes a batch of the leader's choice. */
export function leaderSelectedBatch(batchId: Uint8Array): Batch {
  checkLength(batchId, BATCH_ID_BYTES, 'batch identifier');
  return { kind: 'leaderSelected', batchId };
}

function intervalBatch({ config }: Query): Extract<Batch, { readonly kind: 'timeInterval' }> {
  const interval = decodeInterval(config);
  // An interval that ends beyond exact numbers has buckets that nothing can be in.
  if (interval.duration === 0 || !Number.isSafeInteger(intervalEnd(interval))) {
    throw new DapError('BATCH_INVALID', 'Cannot collect: the interval has no buckets');
  }
  return { kind: 'timeInterval', interval };
}

function decodeInterval(config: Uint8Array): Interval {
  try {
    return Interval.decode(config);
  } catch (error) {
    throw error instanceof DecodeError ? malformed() : error;
  }
}

function checkMode(batchMode: number, received: Query): void {
  if (received.batchMode !== batchMode) {
    throw new DapError('INVALID_MESSAGE', `Cannot collect: batch mode ${received.batchMode} is not that of the task`);
  }
}

function malformed(): DapError {
  return new DapError('INVALID_MESSAGE', 'Cannot collect: the query or selector is malformed');
}
