/** Aggregation jobs as the helper serves them. DAP §4.5.3.2, §4.5.4.2, §4.5.4.4 and §4.5.5. */
import { equalBytes } from '@privacy-edge/bytes';
import {
  DapError,
  receiveContinue,
  receiveInit,
  requestDigest,
  resourceId,
  resourcePath,
  resourceUrl,
} from '@privacy-edge/dap';
import type { RoleResponse } from '@privacy-edge/http-exchange';
import { type AggregatorContext, nowOf } from './aggregator-context.ts';
import { deferredAnswer, emptyAnswer, messageAnswer } from './answer.ts';
import { NO_COMMIT } from './commitment.ts';
import { continueJob, type HelperStep, helperJobOf, startJob } from './helper-step.ts';
import type { HelperJobAt } from './store.ts';
import type { HelperJobRow } from './store-rows.ts';
import { StoredPending } from './stored-job.ts';
import type { TaskContext } from './task-context.ts';
import { readMessage, stepOf, type TaskRequest } from './task-request.ts';

/**
 * Starts a job, or finds the one that the same request started.
 *
 * @throws {@link DapError} for the whole job
 */
export async function postJob(taskRequest: TaskRequest): Promise<RoleResponse> {
  const { context, taskContext } = taskRequest;
  const body = await readMessage(taskRequest, 'aggregation-job-init-req');
  const init = receiveInit(taskContext.task, body);
  const { jobId, existing } = await findJob(context, taskContext, body);
  if (existing !== undefined) return currentAnswer(context, taskContext, existing, 201);
  if (init.verifyInits.length > context.settings.maxReportsPerJob) {
    throw new DapError('INVALID_MESSAGE', 'Cannot start aggregation job: it has too many reports');
  }
  const step: HelperStep = { jobId, at: undefined, step: 0, body };
  if (taskContext.row.processing === 'asynchronous') {
    return queue(context, taskContext, step, { ...init, pending: NO_PENDING }, 201);
  }
  const result = await startJob(context, taskContext, step, init);
  // The same request came in twice at the same time: what the other one has stored is the answer.
  if (result === 'stale') return readAnswer(context, taskContext, jobId, 201);
  return currentAnswer(context, taskContext, result, 201);
}

const NO_PENDING = StoredPending.encode([]);

/**
 * The job that a request has started, or the identifier of a new one. A leader that has deleted a job may put its reports
 * into another, and the request for that can have the very same bytes: those that were not committed to get their chance.
 */
async function findJob(
  { store, settings }: AggregatorContext,
  { task: { taskId } }: TaskContext,
  body: Uint8Array,
): Promise<{ readonly jobId: Uint8Array; readonly existing: HelperJobRow | undefined }> {
  for (let generation = 0; generation < MAX_GENERATIONS; generation++) {
    const jobId = resourceId(settings.resourceKey, 'aggregation_jobs', taskId, body, generation);
    const existing = await store.readHelperJob(taskId, jobId);
    if (existing?.state !== 'deleted') return { jobId, existing };
  }
  throw unrecognized();
}

/** Far more than any leader has reason for. */
const MAX_GENERATIONS = 16;

/** Takes a job one step further, or repeats the answer to the same request. */
export async function continueHelperJob(taskRequest: TaskRequest, jobId: Uint8Array): Promise<RoleResponse> {
  const { context, taskContext } = taskRequest;
  const body = await readMessage(taskRequest, 'aggregation-job-continue-req');
  const row = await readJob(context, taskContext, jobId);
  if (row.state === 'processing') {
    // The step in progress again, or one that comes too soon.
    if (row.step > 0 && equalBytes(row.requestDigest, requestDigest(body)))
      return currentAnswer(context, taskContext, row);
    throw new DapError('STEP_MISMATCH', 'Cannot continue aggregation job: its last step is still in progress');
  }
  const job = helperJobOf(row);
  const request = receiveContinue(job, body);
  if (request.kind === 'replay') return currentAnswer(context, taskContext, row);
  const at: HelperJobAt = { step: row.step, state: 'ready' };
  const step: HelperStep = { jobId, at, step: request.step, body };
  if (taskContext.row.processing === 'asynchronous') return queue(context, taskContext, step, row);
  const result = await continueJob(context, taskContext, step, job, request);
  if (result === 'stale') return repeated(context, taskContext, jobId, body);
  return currentAnswer(context, taskContext, result);
}

/** The answer to the step that a leader waits for. */
export async function getHelperJob(taskRequest: TaskRequest, jobId: Uint8Array): Promise<RoleResponse> {
  const { context, taskContext } = taskRequest;
  const step = stepOf(taskRequest);
  const row = await readJob(context, taskContext, jobId);
  if (row.step !== step) {
    throw new DapError('STEP_MISMATCH', `Cannot find answer: the aggregation job is at step ${row.step}`);
  }
  return currentAnswer(context, taskContext, row);
}

/** Forgets a job, but none of its reports. */
export async function deleteHelperJob({ context, taskContext }: TaskRequest, jobId: Uint8Array): Promise<RoleResponse> {
  const { taskId } = taskContext.task;
  const isDeleted = await context.store.deleteHelperJob(taskId, jobId, nowOf(context));
  // A repeated DELETE finds what the first one left.
  if (!isDeleted && (await context.store.readHelperJob(taskId, jobId)) === undefined) throw unrecognized();
  return emptyAnswer(200);
}

async function queue(
  context: AggregatorContext,
  taskContext: TaskContext,
  { jobId, at, step, body }: HelperStep,
  { aggregationParameter, batchId, pending }: Pick<HelperJobRow, 'aggregationParameter' | 'batchId' | 'pending'>,
  status = 200,
): Promise<RoleResponse> {
  const { taskId } = taskContext.task;
  const job: HelperJobRow = {
    taskId,
    jobId,
    aggregationParameter,
    batchId,
    step,
    requestDigest: requestDigest(body),
    request: body,
    response: undefined,
    pending,
    state: 'processing',
  };
  const outcome = await context.store.commitHelperStep({
    at,
    job,
    commit: NO_COMMIT,
    counters: {},
    now: nowOf(context),
  });
  if (outcome !== 'committed') return repeated(context, taskContext, jobId, body, status);
  return currentAnswer(context, taskContext, job, status);
}

/** Somebody else has moved the job: by the same request, or by another. */
async function repeated(
  context: AggregatorContext,
  taskContext: TaskContext,
  jobId: Uint8Array,
  body: Uint8Array,
  status = 200,
): Promise<RoleResponse> {
  const row = await readJob(context, taskContext, jobId);
  if (!equalBytes(row.requestDigest, requestDigest(body))) {
    throw new DapError('STEP_MISMATCH', `Cannot continue aggregation job: it is at step ${row.step}`);
  }
  return currentAnswer(context, taskContext, row, status);
}

async function readAnswer(
  context: AggregatorContext,
  taskContext: TaskContext,
  jobId: Uint8Array,
  status: number,
): Promise<RoleResponse> {
  return currentAnswer(context, taskContext, await readJob(context, taskContext, jobId), status);
}

async function readJob({ store }: AggregatorContext, { task }: TaskContext, jobId: Uint8Array): Promise<HelperJobRow> {
  const row = await store.readHelperJob(task.taskId, jobId);
  if (row === undefined || row.state === 'deleted') throw unrecognized();
  return row;
}

/** Where the job is and what it has come to. */
function currentAnswer(
  { settings }: AggregatorContext,
  { task }: TaskContext,
  { jobId, step, state, response }: HelperJobRow,
  status = 200,
): RoleResponse {
  if (state === 'deleted') throw unrecognized();
  const url = resourceUrl(
    task.configuration.helperAggregatorEndpoint,
    resourcePath(task.taskId, 'aggregation_jobs', jobId),
  );
  if (state === 'processing' || response === undefined) {
    return deferredAnswer(`${url}?step=${step}`, settings.retryAfterMs, status);
  }
  return messageAnswer('aggregation-job-resp', response, [['location', url]], status);
}

function unrecognized(): DapError {
  return new DapError('UNRECOGNIZED_AGGREGATION_JOB', 'Cannot find aggregation job: it does not exist');
}
