/** Collection, as both aggregators see it. DAP §4.6. */
import { type Awaitable, equalBytes } from '@privacy-edge/bytes';
import type { RandomSource } from '@privacy-edge/hpke';
import { aggregateShareAad } from './aad.ts';
import { AggregateShareReq } from './aggregate-share.ts';
import { checkParameter } from './aggregation-parameter.ts';
import { type Batch, type QueriedBatch, queriedBatch, selectedBatch, selectorOf } from './batch.ts';
import type { Aggregate } from './bucket.ts';
import { CollectionJobReq } from './collection-job.ts';
import { DapError, decodeRequest } from './dap-error.ts';
import { type Extension, isSorted } from './extension.ts';
import type { HpkeCiphertext } from './hpke-ciphertext.ts';
import type { HpkeConfig } from './hpke-config.ts';
import { prepareSealer, type ShareSealer } from './sealing.ts';
import { type AggregatorTask, requireKnown, type Task } from './task.ts';
import { aggregateShareInfo } from './version.ts';

/** No collection job extension is registered yet. */
const KNOWN_EXTENSIONS: ReadonlySet<number> = new Set();

/** What a collector asks for, checked as far as it can be without storage. */
export interface Collection {
  readonly request: CollectionJobReq;
  /** Encoded `CollectionJobReq`, as it came: both sealed shares are bound to it. */
  readonly encoded: Uint8Array;
  readonly batch: QueriedBatch;
}

/**
 * Reads a request of the collector. Next, the leader checks the batch with `checkCollectable`, waits for its jobs, and
 * sums it up with `combineBuckets` and `checkBatchSize`.
 *
 * @param body - controlled by the collector; what is returned shares memory with it
 * @throws {@link DapError} `INVALID_MESSAGE`, `INVALID_AGGREGATION_PARAMETER`, `BATCH_INVALID`, `UNSUPPORTED_EXTENSION`,
 *   `INVALID_EXTENSION`
 * @see DAP §4.6.1
 */
export function receiveCollection(task: AggregatorTask, body: Uint8Array): Collection {
  const request = decodeRequest(CollectionJobReq, body, 'collect');
  const batch = checkCollection(task, request, () => queriedBatch(task, request.query));
  return { request, encoded: body, batch };
}

/** The helper's part of a collection, checked as far as it can be without storage. */
export interface HelperCollection {
  readonly request: AggregateShareReq;
  /** Encoded `CollectionJobReq`, which the sealed share is bound to. */
  readonly encoded: Uint8Array;
  readonly batch: Batch;
}

/**
 * Reads a request of the leader for an aggregate share. Next, the helper checks the batch with `checkCollectable`, sums it
 * up with `combineBuckets` and `checkBatchSize`, and compares with {@link checkAgreement}.
 *
 * @param body - controlled by the leader; what is returned shares memory with it
 * @throws {@link DapError} as {@link receiveCollection}
 * @see DAP §4.6.4
 */
export function receiveAggregateShareReq(task: AggregatorTask, body: Uint8Array): HelperCollection {
  const request = decodeRequest(AggregateShareReq, body, 'release aggregate share');
  const { collectionJobReq, batchSelector } = request;
  const batch = checkCollection(task, collectionJobReq, () =>
    selectedBatch(task, collectionJobReq.query, batchSelector),
  );
  return { request, encoded: CollectionJobReq.encode(collectionJobReq), batch };
}

function checkCollection<B>(task: AggregatorTask, { aggParam, extensions }: CollectionJobReq, readBatch: () => B): B {
  const batch = readBatch();
  checkParameter(task.vdaf, aggParam);
  checkExtensions(extensions);
  return batch;
}

/** Order first: what is out of order is an error of its own, whether it is known or not. DAP §4.6.2. */
function checkExtensions(extensions: readonly Extension[]): void {
  if (!isSorted(extensions)) throw new DapError('INVALID_EXTENSION', 'Cannot collect: the extensions are out of order');
  requireKnown(extensions, KNOWN_EXTENSIONS, 'collect');
}

/**
 * The leader's request for the helper's share.
 *
 * @param collection - from {@link receiveCollection}
 * @param batch - the queried one, or the one that the leader chose
 * @param aggregate - the leader's own
 * @returns encoded `AggregateShareReq`; a retry must send the same bytes
 * @see DAP §4.6.4
 */
export function createAggregateShareReq(
  { request }: Pick<Collection, 'request'>,
  batch: Batch,
  { reportCount, checksum }: Aggregate,
): Uint8Array {
  const batchSelector = selectorOf(batch);
  return AggregateShareReq.encode({ collectionJobReq: request, batchSelector, reportCount, checksum });
}

/**
 * Checks that both aggregators have the same reports in a batch.
 *
 * @param aggregate - the helper's own
 * @throws {@link DapError} `BATCH_MISMATCH`
 * @see DAP §4.6.4
 */
export function checkAgreement({ request }: HelperCollection, { reportCount, checksum }: Aggregate): void {
  if (request.reportCount !== reportCount || !equalBytes(request.checksum, checksum)) {
    throw new DapError('BATCH_MISMATCH', 'Cannot release aggregate share: the aggregators have different reports');
  }
}

/**
 * Does once what all aggregate shares of a task have in common.
 *
 * @param collectorConfig - the collector's, which a task has one of
 * @throws {@link DapError} `CONFIG_UNUSABLE`
 */
export function prepareAggregateShareSealer(task: AggregatorTask, collectorConfig: HpkeConfig): Awaitable<ShareSealer> {
  return prepareSealer(collectorConfig, aggregateShareInfo(task.version, task.role));
}

/**
 * Seals an aggregate share to the collector. A repeated request must get the same share with the same noise, so the result
 * is stored and not made again.
 *
 * @param sealer - from {@link prepareAggregateShareSealer}
 * @param encodedRequest - the collector's `CollectionJobReq`
 * @param aggregateShare - encoded by the VDAF, noise included
 * @see DAP §4.6.7
 */
export function sealAggregateShare(
  task: Task,
  sealer: ShareSealer,
  encodedRequest: Uint8Array,
  aggregateShare: Uint8Array,
  random: RandomSource,
): Awaitable<HpkeCiphertext> {
  return sealer.seal(aggregateShareAad(task, encodedRequest), aggregateShare, random);
}
