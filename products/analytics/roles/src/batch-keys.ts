/** Batches as the store knows them. */
import { Reader } from '@privacy-edge/bytes';
import {
  type Batch,
  bucketRange,
  type CollectedBatch,
  DapError,
  intervalEnd,
  leaderSelectedBatch,
} from '@privacy-edge/dap';
import type { BatchFacts } from './store.ts';
import type { BatchKeys, CollectedRow } from './store-rows.ts';

/** The buckets of a batch. */
export function batchKeys(batch: Batch): BatchKeys {
  const times =
    batch.kind === 'timeInterval' ? { first: batch.interval.start, last: intervalEnd(batch.interval) - 1 } : undefined;
  return { ...bucketRange(batch), times };
}

/** The batch of some buckets. */
export function batchOf({ first, times }: BatchKeys): Batch {
  if (times === undefined) return leaderSelectedBatch(first);
  return { kind: 'timeInterval', interval: { start: times.first, duration: times.last - times.first + 1 } };
}

/** Collections as the protocol judges them. */
export function collectedBatches(rows: readonly CollectedRow[], like: BatchKeys): CollectedBatch[] {
  return rows.map(({ first, last, aggregationParameter }) => {
    const times = like.times === undefined ? undefined : { first: timeOf(first), last: timeOf(last) };
    return { batch: batchOf({ first, last, times }), aggregationParameter };
  });
}

/**
 * Checks that what is known about a batch is all there was: a part of it that was collected may be forgotten.
 *
 * @throws {@link DapError} `BATCH_OVERLAP`
 */
export function checkRemembered({ times }: BatchKeys, { rememberedSince }: Pick<BatchFacts, 'rememberedSince'>): void {
  if (times === undefined || times.first >= rememberedSince) return;
  throw new DapError('BATCH_OVERLAP', 'Cannot collect: the batch begins before what is remembered');
}

function timeOf(key: Uint8Array): number {
  return new Reader(key, 'bucket').u64();
}
