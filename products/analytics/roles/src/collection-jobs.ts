/** Collection jobs as the leader serves them. DAP §4.6.1 and §4.6.3. */
import {
  type Collection,
  checkCollectable,
  receiveCollection,
  requestDigest,
  resourceId,
  resourcePath,
  resourceUrl,
} from '@privacy-edge/dap';
import type { RoleResponse } from '@privacy-edge/http-exchange';
import { type AggregatorContext, nowOf } from './aggregator-context.ts';
import { deferredAnswer, emptyAnswer, messageAnswer, problemAnswer } from './answer.ts';
import { batchKeys, collectedBatches } from './batch-keys.ts';
import { NO_OUTSTANDING } from './commitment.ts';
import { RequestError } from './request-error.ts';
import type { BatchKeys, CollectionJobRow } from './store-rows.ts';
import type { TaskContext } from './task-context.ts';
import { readMessage, type TaskRequest } from './task-request.ts';

/**
 * Starts a collection, or finds the one that the same request started.
 *
 * All queries for the next batch of the leader's choice have the same bytes. DAP §3.2 ties them to the existing resource, so
 * a collector deletes a job when it has the result, and the next request gets the next generation of the resource. A job
 * that failed before anything was collected makes room by itself: DAP §4.6.1 lets the collector try again.
 *
 * @throws {@link DapError} as DAP §4.6.1 names them
 * @throws {@link RequestError} `TOO_MANY`
 */
export async function postCollection(taskRequest: TaskRequest): Promise<RoleResponse> {
  const { context, taskContext } = taskRequest;
  const body = await readMessage(taskRequest, 'collection-job-req');
  const collection = receiveCollection(taskContext.task, body);
  const { taskId } = taskContext.task;
  const digest = requestDigest(body);
  for (let i = 0; i < MAX_CONFLICTS; i++) {
    const { job, nextGeneration } = await context.store.findCollectionJob(taskId, digest);
    if (job !== undefined && (job.state !== 'failed' || job.share !== undefined)) {
      return currentAnswer(context, taskContext, job, 201);
    }
    const keys = collection.batch.kind === 'next' ? undefined : batchKeys(collection.batch);
    try {
      if (keys !== undefined) await checkNotCollected(context, taskContext, collection, keys);
    } catch (error) {
      // The same request at the same time may have been collected in between.
      const other = await context.store.findCollectionJob(taskId, digest);
      if (other.job === undefined || other.job.state === 'failed') throw error;
      continue;
    }
    if (job !== undefined) {
      await context.store.deleteCollectionJob(taskId, job.jobId, nowOf(context));
      continue;
    }
    if (await isFull(context, taskId)) {
      const seconds = Math.ceil(context.settings.retryAfterMs / 1000);
      throw new RequestError('TOO_MANY', 'Cannot collect: too many collection jobs wait already', {
        retryAfter: seconds,
      });
    }
    const row = newJob(context, taskContext, body, digest, nextGeneration, collection, keys);
    if (await context.store.createCollectionJob(row)) return currentAnswer(context, taskContext, row, 201);
  }
  throw new RangeError('A collection was overtaken too many times');
}

const MAX_CONFLICTS = 20;

/** Requests at the same time may all pass: a limit for what can pile up, not a promise. */
async function isFull({ store, settings }: AggregatorContext, taskId: Uint8Array): Promise<boolean> {
  return (await store.waitingCollectionJobs(taskId)).length >= settings.maxWaitingCollections;
}

/** Early: the driver checks again, in the transaction that counts. */
async function checkNotCollected(
  { store }: AggregatorContext,
  { task }: TaskContext,
  { batch, request }: Collection,
  keys: BatchKeys,
): Promise<void> {
  if (batch.kind === 'next') return;
  const { collected } = await store.readBatchFacts(task.taskId, keys, NO_OUTSTANDING);
  checkCollectable(task, batch, request.aggParam, collectedBatches(collected, keys));
}

function newJob(
  context: AggregatorContext,
  { task }: TaskContext,
  body: Uint8Array,
  digest: Uint8Array,
  generation: number,
  { request }: Collection,
  keys: BatchKeys | undefined,
): CollectionJobRow {
  const { taskId } = task;
  return {
    taskId,
    jobId: resourceId(context.settings.resourceKey, 'collection_jobs', taskId, body, generation),
    requestDigest: digest,
    generation,
    request: body,
    aggregationParameter: request.aggParam,
    keys,
    share: undefined,
    location: undefined,
    response: undefined,
    problem: undefined,
    state: 'waiting',
    createdAt: nowOf(context),
  };
}

/** What a collection has come to. */
export async function getCollection({ context, taskContext }: TaskRequest, jobId: Uint8Array): Promise<RoleResponse> {
  const row = await context.store.readCollectionJob(taskContext.task.taskId, jobId);
  if (row === undefined) throw notFound();
  return currentAnswer(context, taskContext, row);
}

/** Forgets a collection; its batch, if it came so far, stays collected. */
export async function deleteCollection(
  { context, taskContext }: TaskRequest,
  jobId: Uint8Array,
): Promise<RoleResponse> {
  const { taskId } = taskContext.task;
  const isDeleted = await context.store.deleteCollectionJob(taskId, jobId, nowOf(context));
  if (!isDeleted && (await context.store.readCollectionJob(taskId, jobId)) === undefined) throw notFound();
  return emptyAnswer(200);
}

function currentAnswer(
  { settings }: AggregatorContext,
  { task }: TaskContext,
  { jobId, state, response, problem }: CollectionJobRow,
  status = 200,
): RoleResponse {
  const path = resourcePath(task.taskId, 'collection_jobs', jobId);
  const location = resourceUrl(task.configuration.leaderAggregatorEndpoint, path);
  if (state === 'deleted') throw notFound();
  if (state === 'failed') {
    return problemAnswer(problem ?? 'INVALID_MESSAGE', 'Cannot collect: the collection job has failed', task.taskId);
  }
  if (response === undefined) return deferredAnswer(location, settings.retryAfterMs, status);
  return messageAnswer('collection-job-resp', response, [['location', location]], status);
}

function notFound(): RequestError {
  return new RequestError('NOT_FOUND', 'Cannot find collection job: it does not exist');
}
