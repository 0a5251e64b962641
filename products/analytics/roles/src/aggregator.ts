/**
 * An aggregator: the leader of some tasks and the helper of others, over one storage.
 *
 * Handlers answer requests; steps do the rest, a little each time they are called. All of them share nothing but the store,
 * so any number of processes may run any of them at once, and every one may stop anywhere.
 */
import { DapError, HpkeConfigList, ROLE_HELPER, ROLE_LEADER } from '@privacy-edge/dap';
import type { RoleRequest, RoleResponse } from '@privacy-edge/http-exchange';
import { advertisedTask } from './advertised-task.ts';
import { deleteShare, getShare, postShare } from './aggregate-shares.ts';
import { type AggregatorContext, createAggregatorContext, nowOf } from './aggregator-context.ts';
import { messageAnswer, refusalOf } from './answer.ts';
import { type AuthenticatedPeer, isAuthorized, type Requester } from './authorization.ts';
import { driveCollectionJobs } from './collection-driver.ts';
import { deleteCollection, getCollection, postCollection } from './collection-jobs.ts';
import type { AggregatorConfig } from './config.ts';
import { corsFields, preflight } from './cors.ts';
import type { DriveResult } from './drive.ts';
import { collectGarbage } from './garbage.ts';
import { driveHelperJobs } from './helper-driver.ts';
import { continueHelperJob, deleteHelperJob, getHelperJob, postJob } from './helper-jobs.ts';
import { createJobs } from './job-creator.ts';
import { rotateKeys } from './key-rotation.ts';
import { driveLeaderJobs } from './leader-driver.ts';
import { mergeBuckets } from './merge-buckets.ts';
import type { RequestOutcome, ResourceName, StepName } from './observation.ts';
import type { AggregatorPorts } from './ports.ts';
import { RequestError } from './request-error.ts';
import { type Route, routeOf } from './route.ts';
import type { TaskRow } from './store-rows.ts';
import type { TaskContext } from './task-context.ts';
import type { TaskRequest } from './task-request.ts';
import { postReports } from './upload.ts';

/**
 * Answers one request.
 *
 * @param peer - what the adapter knows for certain about who asks; absent without TLS client certificates
 */
export type AggregatorHandler = (request: RoleRequest, peer?: AuthenticatedPeer) => Promise<RoleResponse>;

/** An aggregator. Steps reject only when the store is out of reach or something is defect. */
export interface Aggregator {
  /** Rejects for nothing that a peer can cause. */
  readonly handle: AggregatorHandler;
  /** Leader: puts waiting reports into jobs. Gives how many jobs. */
  createJobs(): Promise<number>;
  /** Leader: works on aggregation jobs. */
  driveLeaderJobs(): Promise<DriveResult>;
  /** Helper: works on aggregation jobs that were put off. */
  driveHelperJobs(): Promise<DriveResult>;
  /** Leader: works on collection jobs. */
  driveCollectionJobs(): Promise<DriveResult>;
  /** Merges parts of buckets. Gives how many buckets. */
  mergeBuckets(): Promise<number>;
  /** Moves HPKE keys on; makes the first one. Gives how many changed. */
  rotateKeys(): Promise<number>;
  /** Deletes what is not needed any more. Gives whether anything is left for another call. */
  collectGarbage(): Promise<boolean>;
}

/**
 * Makes an aggregator. Clients find no key before `rotateKeys` has run once.
 *
 * @param ports - owned by the caller
 * @throws {RangeError} for a configuration that cannot work
 */
export function createAggregator(ports: AggregatorPorts, config: AggregatorConfig): Aggregator {
  const context = createAggregatorContext(ports, config);
  return {
    handle: (request, peer) => handle(context, request, peer),
    createJobs: () => observed(context, 'create_jobs', () => createJobs(context), Boolean),
    driveLeaderJobs: () => driveLeaderJobs(context),
    driveHelperJobs: () => driveHelperJobs(context),
    driveCollectionJobs: () => driveCollectionJobs(context),
    mergeBuckets: () => observed(context, 'merge_buckets', () => mergeBuckets(context), Boolean),
    rotateKeys: () => observed(context, 'rotate_keys', () => rotateKeys(context), Boolean),
    collectGarbage: () =>
      observed(
        context,
        'collect_garbage',
        () => collectGarbage(context),
        (isMore) => isMore,
      ),
  };
}

async function observed<T>(
  { observe, clock }: AggregatorContext,
  step: StepName,
  run: () => Promise<T>,
  isProgress: (result: T) => boolean,
): Promise<T> {
  const startedMs = clock();
  const end = (outcome: 'progress' | 'waiting' | 'fault'): void =>
    observe({ kind: 'step', step, outcome, milliseconds: clock() - startedMs });
  try {
    const result = await run();
    end(isProgress(result) ? 'progress' : 'waiting');
    return result;
  } catch (error) {
    end('fault');
    throw error;
  }
}

async function handle(
  context: AggregatorContext,
  request: RoleRequest,
  peer: AuthenticatedPeer | undefined,
): Promise<RoleResponse> {
  const route = routeOf(request.path, context.settings.basePath);
  const resource: ResourceName = route?.resource ?? 'none';
  const observe = (outcome: RequestOutcome): void => context.observe({ kind: 'request', resource, outcome });
  let response: RoleResponse;
  try {
    response = await answer(context, request, route, peer);
    observe(outcomeOf(request, response));
  } catch (error) {
    const taskId = route === undefined || route.resource === 'hpke_config' ? undefined : route.taskId;
    const refusal = refusalOf(error, taskId);
    observe(refusal?.outcome ?? 'fault');
    if (refusal === undefined) throw error;
    response = refusal.response;
  }
  if (resource !== 'hpke_config' && resource !== 'reports') return response;
  const fields = [...response.fields, ...corsFields(context.settings.corsOrigins, request)];
  return { ...response, fields };
}

function outcomeOf({ method }: RoleRequest, { status, fields }: RoleResponse): RequestOutcome {
  if (method === 'OPTIONS') return 'preflight';
  return status < 300 && fields.some(([name]) => name === 'retry-after') ? 'deferred' : 'answered';
}

async function answer(
  context: AggregatorContext,
  request: RoleRequest,
  route: Route | undefined,
  peer: AuthenticatedPeer | undefined,
): Promise<RoleResponse> {
  if (route === undefined) throw new RequestError('NOT_FOUND', 'Cannot answer: no resource has this path');
  const { method } = request;
  if (route.resource === 'hpke_config') {
    if (method === 'OPTIONS') return preflight(['GET']);
    requireMethod(method, ['GET', 'HEAD']);
    return hpkeConfigs(context);
  }
  if (route.resource === 'reports') {
    if (method === 'OPTIONS') return preflight(['POST']);
    requireMethod(method, ['POST']);
    const row = await findTask(context, request, route.taskId);
    if (row === undefined) throw new DapError('UNRECOGNIZED_TASK', 'Cannot upload: the task does not exist');
    const taskContext = await context.tasks.of(row);
    return postReports({ context, taskContext, request, resource: undefined, query: NO_QUERY });
  }
  const taskContext = await authorize(context, request, route, peer);
  const { id, query } = route;
  return serve(route, { context, taskContext, request, resource: id, query });
}

const NO_QUERY = new URLSearchParams();

/** DAP §4.4.1: a client that keeps a list for as long as it may still finds its key here, see `keyOverlapMs`. */
async function hpkeConfigs({ keys, clock, settings }: AggregatorContext): Promise<RoleResponse> {
  const configs = await keys.published(clock());
  if (configs.length === 0) throw new RequestError('NOT_FOUND', 'Cannot answer: there is no HPKE key yet');
  const maxAge = Math.floor(settings.keyCacheMs / 1000);
  return messageAnswer('hpke-config-list', HpkeConfigList.encode(configs), [
    ['cache-control', `public, max-age=${maxAge}`],
  ]);
}

/** The task of a request; one that it advertises is taken part in from now on. Taskprov §3.5. */
async function findTask(
  context: AggregatorContext,
  request: RoleRequest,
  taskId: Uint8Array,
): Promise<TaskRow | undefined> {
  const row = await context.store.readTask(taskId);
  const { advertised } = context.settings;
  if (row !== undefined || advertised === undefined) return row;
  const found = advertisedTask(advertised, taskId, request.header('dap-taskprov'), nowOf(context));
  if (found === undefined) return undefined;
  await context.store.putTask(found);
  return found;
}

type TaskRoute = Extract<Route, { readonly id: Uint8Array | undefined }>;

/** The task, if whoever asks may ask. Nobody else learns whether it exists. DAP §8.6.1. */
async function authorize(
  context: AggregatorContext,
  request: RoleRequest,
  { resource, taskId }: TaskRoute,
  peer: AuthenticatedPeer | undefined,
): Promise<TaskContext> {
  const { advertised } = context.settings;
  const requester: Requester = resource === 'collection_jobs' ? 'collector' : 'peer';
  const authorization = request.header('authorization');
  const row = await context.store.readTask(taskId);
  const role = requester === 'collector' ? ROLE_LEADER : ROLE_HELPER;
  const access = row === undefined ? advertised?.access : row.access;
  const isRole = (row?.task.role ?? advertised?.role) === role;
  if (!isAuthorized(access, requester, authorization, peer) || !isRole) throw unauthorized();
  const found = row ?? (await findTask(context, request, taskId));
  if (found === undefined) throw unauthorized();
  return context.tasks.of(found);
}

function unauthorized(): RequestError {
  return new RequestError('UNAUTHORIZED', 'Cannot answer: the task does not exist, or not for this client');
}

interface ResourceHandlers {
  readonly create: (request: TaskRequest) => Promise<RoleResponse>;
  readonly members: Readonly<Record<string, (request: TaskRequest, id: Uint8Array) => Promise<RoleResponse>>>;
}

const HANDLERS: Readonly<Record<TaskRoute['resource'], ResourceHandlers>> = {
  aggregation_jobs: {
    create: postJob,
    members: { POST: continueHelperJob, GET: getHelperJob, DELETE: deleteHelperJob },
  },
  collection_jobs: { create: postCollection, members: { GET: getCollection, DELETE: deleteCollection } },
  aggregate_shares: { create: postShare, members: { GET: getShare, DELETE: deleteShare } },
};

function serve({ resource, id }: TaskRoute, request: TaskRequest): Promise<RoleResponse> {
  const { create, members } = HANDLERS[resource];
  const { method } = request.request;
  if (id === undefined) {
    requireMethod(method, ['POST']);
    return create(request);
  }
  requireMethod(method, Object.keys(members));
  const member = members[method];
  if (member === undefined) throw new RequestError('METHOD_NOT_ALLOWED', 'Cannot answer: wrong method');
  return member(request, id);
}

function requireMethod(method: string, allowed: readonly string[]): void {
  if (!allowed.includes(method))
    throw new RequestError('METHOD_NOT_ALLOWED', 'Cannot answer: wrong method', { allow: allowed });
}
