/** Which reports and batches may still be used. DAP §4.5.4.3, §4.6.1, and the private multi-collection extension. */

import { hasParameter } from './aggregation-parameter.ts';
import { type Batch, isSameBatch, overlaps } from './batch.ts';
import type { Aggregate } from './bucket.ts';
import { DapError } from './dap-error.ts';
import { REPORT_ERROR, type ReportError } from './report-error.ts';
import type { AggregatorTask } from './task.ts';

/** A collection that took place: never forgotten, or its reports could be collected again. */
export interface CollectedBatch {
  readonly batch: Batch;
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
}

/** What an aggregator remembers that bears on one report. Parameters are in the order in which they were used. */
export interface CommitmentFacts {
  /** Parameters with which this report was aggregated before; one entry is enough where a task allows only one. */
  readonly aggregated: readonly Uint8Array[];
  /** Parameters with which a batch that its bucket belongs to was collected. */
  readonly collected: readonly Uint8Array[];
}

/**
 * Whether an aggregator may commit to a report. It must be asked in the transaction that commits; a leader asks before it
 * puts the report into a job as well.
 *
 * With multi-collection a report may be aggregated again, with a parameter that the VDAF allows after those before; but a
 * batch that was collected once takes no reports that were not in it then.
 *
 * @returns `BATCH_COLLECTED` or `REPORT_REPLAYED`
 * @see DAP §4.5.4.3
 */
export function commitRefusal(
  { vdaf, extensions: { multiCollection } }: AggregatorTask,
  aggregationParameter: Uint8Array,
  { aggregated, collected }: CommitmentFacts,
): ReportError | undefined {
  if (multiCollection === undefined) {
    if (collected.length > 0) return REPORT_ERROR.BATCH_COLLECTED;
    return aggregated.length > 0 ? REPORT_ERROR.REPORT_REPLAYED : undefined;
  }
  if (hasParameter(collected, aggregationParameter)) return REPORT_ERROR.BATCH_COLLECTED;
  if (!collected.every((parameter) => hasParameter(aggregated, parameter))) return REPORT_ERROR.BATCH_COLLECTED;
  const isUsedUp = aggregated.length >= multiCollection.maxCollections;
  if (isUsedUp || hasParameter(aggregated, aggregationParameter)) return REPORT_ERROR.REPORT_REPLAYED;
  return vdaf.isValidParameter(aggregationParameter, aggregated) ? undefined : REPORT_ERROR.REPORT_REPLAYED;
}

/**
 * Checks that a batch may be collected with a parameter.
 *
 * With multi-collection the very same batch may be collected again, with a parameter that the VDAF allows after those
 * before: another batch that shares some of its reports would tell about the rest.
 *
 * @param collected - the collections of the task that overlap with the batch, in the order in which they took place
 * @throws {@link DapError} `BATCH_OVERLAP`; `INVALID_AGGREGATION_PARAMETER` for a parameter that does not follow
 * @see DAP §4.6.1 and §4.6.4
 */
export function checkCollectable(
  { vdaf, extensions: { multiCollection } }: AggregatorTask,
  batch: Batch,
  aggregationParameter: Uint8Array,
  collected: readonly CollectedBatch[],
): void {
  const earlier = collected.filter((other) => overlaps(other.batch, batch));
  if (earlier.length === 0) return;
  const previous = earlier.map((other) => other.aggregationParameter);
  const isAgain =
    multiCollection !== undefined &&
    earlier.length < multiCollection.maxCollections &&
    earlier.every((other) => isSameBatch(other.batch, batch)) &&
    !hasParameter(previous, aggregationParameter);
  if (!isAgain) {
    throw new DapError('BATCH_OVERLAP', 'Cannot collect: reports of the batch were collected before');
  }
  if (!vdaf.isValidParameter(aggregationParameter, previous)) {
    throw new DapError('INVALID_AGGREGATION_PARAMETER', 'Cannot collect: the parameter does not follow those before');
  }
}

/**
 * Checks that a batch is large enough.
 *
 * @throws {@link DapError} `INVALID_BATCH_SIZE`
 * @see DAP §4.6.1 and §4.6.4
 */
export function checkBatchSize({ configuration }: AggregatorTask, { reportCount }: Aggregate): void {
  if (reportCount < configuration.minBatchSize) {
    throw new DapError(
      'INVALID_BATCH_SIZE',
      `Cannot collect: the batch has ${reportCount} of at least ${configuration.minBatchSize} reports`,
    );
  }
}
