/** Aggregate shares as the helper serves them. DAP §4.6.4 and §4.6.5. */
import {
  AggregateShare,
  checkAgreement,
  checkBatchSize,
  checkCollectable,
  combineBuckets,
  type HelperCollection,
  receiveAggregateShareReq,
  requestDigest,
  resourceId,
  resourcePath,
  resourceUrl,
} from '@privacy-edge/dap';
import type { RoleResponse } from '@privacy-edge/http-exchange';
import { type AggregatorContext, nowOf } from './aggregator-context.ts';
import { emptyAnswer, messageAnswer } from './answer.ts';
import { batchKeys, checkRemembered, collectedBatches } from './batch-keys.ts';
import { NO_OUTSTANDING } from './commitment.ts';
import { sealNoisyShare } from './noisy-share.ts';
import { RequestError } from './request-error.ts';
import type { CommitOutcome } from './store.ts';
import type { AggregateShareRow } from './store-rows.ts';
import type { TaskContext } from './task-context.ts';
import { readMessage, type TaskRequest } from './task-request.ts';

/**
 * Releases the share of a batch, once: the same request gets the same share.
 *
 * @throws {@link DapError} `INVALID_MESSAGE`, `BATCH_INVALID`, `BATCH_OVERLAP`, `INVALID_BATCH_SIZE`, `BATCH_MISMATCH` and
 *   what else DAP §4.6.4 names
 */
export async function postShare(taskRequest: TaskRequest): Promise<RoleResponse> {
  const { context, taskContext } = taskRequest;
  const body = await readMessage(taskRequest, 'aggregate-share-req');
  const collection = receiveAggregateShareReq(taskContext.task, body);
  const { taskId } = taskContext.task;
  const shareId = resourceId(context.settings.resourceKey, 'aggregate_shares', taskId, body);
  for (let i = 0; i < MAX_CONFLICTS; i++) {
    const released = await context.store.readAggregateShare(taskId, shareId);
    if (released?.response !== undefined) return shareAnswer(taskContext, released, released.response, 201);
    // A deleted share is not made again: its batch was collected, which the next step finds.
    const prepared = await makeShare(context, taskContext, collection).catch(async (error: unknown) => {
      // The same request at the same time may have released it in between, and only because of that it may be refused now.
      const other = await context.store.readAggregateShare(taskId, shareId);
      if (other?.response === undefined) throw error;
      return undefined;
    });
    if (prepared === undefined) continue;
    const row: AggregateShareRow = { taskId, shareId, requestDigest: requestDigest(body), response: prepared.encoded };
    const outcome = await prepared.commit(row);
    if (outcome === 'committed') return shareAnswer(taskContext, row, prepared.encoded, 201);
  }
  throw new RangeError('A release was overtaken too many times');
}

const MAX_CONFLICTS = 20;

/** A share that was not released yet. */
interface PreparedShare {
  readonly encoded: Uint8Array;
  commit(row: AggregateShareRow): Promise<CommitOutcome>;
}

async function makeShare(
  context: AggregatorContext,
  taskContext: TaskContext,
  collection: HelperCollection,
): Promise<PreparedShare> {
  const { task } = taskContext;
  const { aggParam } = collection.request.collectionJobReq;
  const keys = batchKeys(collection.batch);
  const facts = await context.store.readBatchFacts(task.taskId, keys, NO_OUTSTANDING);
  checkRemembered(keys, facts);
  checkCollectable(task, collection.batch, aggParam, collectedBatches(facts.collected, keys));
  const aggregate = combineBuckets(task, aggParam, facts.parts);
  checkBatchSize(task, aggregate);
  checkAgreement(collection, aggregate);
  const encryptedAggregateShare = await sealNoisyShare(context, taskContext, aggParam, collection.encoded, aggregate);
  const batch = {
    keys,
    aggregationParameter: aggParam,
    parts: facts.parts.map(({ part }) => part),
    collected: facts.collected.length,
  };
  return {
    encoded: AggregateShare.encode({ encryptedAggregateShare }),
    commit: (row) => context.store.commitAggregateShare(row, batch, nowOf(context), { collected: 1 }),
  };
}

/** The share again. */
export async function getShare({ context, taskContext }: TaskRequest, shareId: Uint8Array): Promise<RoleResponse> {
  const row = await context.store.readAggregateShare(taskContext.task.taskId, shareId);
  if (row?.response === undefined) throw notFound();
  return shareAnswer(taskContext, row, row.response, 200);
}

/** Forgets a share; its batch stays collected. */
export async function deleteShare({ context, taskContext }: TaskRequest, shareId: Uint8Array): Promise<RoleResponse> {
  const { taskId } = taskContext.task;
  const isDeleted = await context.store.deleteAggregateShare(taskId, shareId, nowOf(context));
  if (!isDeleted && (await context.store.readAggregateShare(taskId, shareId)) === undefined) throw notFound();
  return emptyAnswer(200);
}

function shareAnswer(
  { task }: TaskContext,
  { taskId, shareId }: AggregateShareRow,
  response: Uint8Array,
  status: number,
): RoleResponse {
  const path = resourcePath(taskId, 'aggregate_shares', shareId);
  const location = resourceUrl(task.configuration.helperAggregatorEndpoint, path);
  return messageAnswer('aggregate-share', response, [['location', location]], status);
}

function notFound(): RequestError {
  return new RequestError('NOT_FOUND', 'Cannot find aggregate share: it does not exist');
}
