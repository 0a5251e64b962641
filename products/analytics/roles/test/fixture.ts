/** A whole deployment in one process: leader, helper, clients and a collector, over storages in memory and a made-up clock. */
import assert from 'node:assert/strict';
import { toHex } from '@privacy-edge/bytes';
import {
  BATCH_MODE_TIME_INTERVAL,
  type CollectedResult,
  createCollectionJobReq,
  createTask,
  createTaskConfiguration,
  encodeVdafConfiguration,
  generateHpkeKey,
  HpkeConfig,
  HpkeConfigList,
  type HpkeKey,
  type MessageName,
  mediaTypeOf,
  prepareReports,
  prepareResults,
  type Query,
  type Report,
  type ReportExtensions,
  type ReportMaker,
  ROLE_HELPER,
  ROLE_LEADER,
  selectHpkeConfig,
  type Task,
  type TaskExtensions,
  type TaskParameters,
  timeIntervalQuery,
  UploadErrors,
  UploadRequest,
  type VdafConfiguration,
  writeTaskExtensions,
} from '@privacy-edge/dap';
import { type RandomSource, systemRandom } from '@privacy-edge/hpke';
import { BodyError, type BodySource, type RoleRequest, type RoleResponse } from '@privacy-edge/http-exchange';
import { decodeProblem } from '@privacy-edge/http-fields';
import { MemoryAggregatorStore, MemoryTables } from '@privacy-edge/testing';
import { createVdaf, type Vdaf } from '@privacy-edge/vdaf';
import {
  type Aggregator,
  type AggregatorConfig,
  type AggregatorEvent,
  type AuthenticatedPeer,
  createAggregator,
  hashToken,
  type PeerRequest,
  type PeerResponse,
  type PeerTransport,
  type TaskRow,
} from '../src/index.ts';

const TASK_ID: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => i);
export const NOTHING: Uint8Array = new Uint8Array(0);
const TIME_PRECISION = 60;
/** 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000;
/** The same, in units of the tasks here. */
export const START: number = START_MS / 1000 / TIME_PRECISION;

const TOKENS = { peer: 'leader-to-helper', collector: 'collector-to-leader' };

/** A clock that somebody has to move. */
export class FakeClock {
  nowMs: number = START_MS + 30_000;

  advance(ms: number): void {
    this.nowMs += ms;
  }
}

export interface Options {
  readonly vdaf?: VdafConfiguration;
  readonly parameters?: Partial<TaskParameters>;
  readonly extensions?: TaskExtensions;
  readonly processing?: TaskRow['processing'];
  readonly config?: Partial<AggregatorConfig>;
  readonly random?: RandomSource;
  /** Stands between leader and helper. */
  readonly wrap?: (send: PeerTransport) => PeerTransport;
}

/** One aggregator and what it has. */
export interface Party {
  aggregator: Aggregator;
  readonly store: MemoryAggregatorStore;
  readonly events: AggregatorEvent[];
  /** As after a restart: another instance over the same data. */
  restart(): void;
}

export interface Answer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

export interface Deployment {
  readonly clock: FakeClock;
  readonly task: Task;
  readonly leader: Party;
  readonly helper: Party;
  readonly collectorKey: HpkeKey;
  readonly vdaf: Vdaf<never, unknown>;
  readonly row: TaskRow;
  readonly helperRow: TaskRow;
  /** Everything that went from leader to helper. */
  readonly sent: PeerRequest[];
}

const RESOURCE_KEY = new Uint8Array(32).fill(5);

export async function deploy(options: Options = {}): Promise<Deployment> {
  const vdafConfiguration = options.vdaf ?? { kind: 'count' };
  const clock = new FakeClock();
  const random = options.random ?? systemRandom;
  const task = createTask(
    TASK_ID,
    createTaskConfiguration({
      taskInfo: Uint8Array.of(1),
      leaderAggregatorEndpoint: 'https://leader.example/dap/',
      helperAggregatorEndpoint: 'https://helper.example/api/v1',
      timePrecision: TIME_PRECISION,
      minBatchSize: 3,
      batchMode: BATCH_MODE_TIME_INTERVAL,
      batchConfig: NOTHING,
      ...encodeVdafConfiguration(vdafConfiguration),
      extensions: writeTaskExtensions(options.extensions ?? {}),
      ...options.parameters,
    }),
  );
  if (vdafConfiguration.kind === 'unknown') throw new TypeError('A test names its VDAF');
  const vdaf = createVdaf(vdafConfiguration) as Vdaf<never, unknown>;
  const collectorKey = await generateHpkeKey(200, random);
  const row = (role: TaskRow['task']['role']): TaskRow => ({
    task: {
      taskId: TASK_ID,
      version: task.version,
      role,
      configuration: task.configuration.encoded,
      verifyKey: new Uint8Array(vdaf.verifyKeySize).fill(9),
      collectorConfig: HpkeConfig.encode(collectorKey.config),
      clockToleranceSeconds: 300,
    },
    access: {
      peerAuthorization: `Bearer ${TOKENS.peer}`,
      peerTokenHashes: role === ROLE_HELPER ? [hashToken('old'), hashToken(TOKENS.peer)] : [],
      collectorTokenHashes: role === ROLE_LEADER ? [hashToken(TOKENS.collector)] : [],
      peerNames: ['leader.example'],
      collectorNames: ['collector.example'],
    },
    processing: options.processing ?? 'synchronous',
    isAdvertised: false,
    rememberedSince: 0,
    createdAt: new Date(clock.nowMs),
  });
  const sent: PeerRequest[] = [];
  const helper = party(clock, random, options, '/api/v1', () => assert.fail('a helper asks nobody'));
  const send: PeerTransport = async (request) => {
    sent.push(request);
    const { origin, pathname, search } = new URL(request.url);
    assert.equal(origin, 'https://helper.example');
    const answer = await call(helper.aggregator, {
      method: request.method,
      path: pathname + search,
      fields: Object.fromEntries(request.fields),
      ...(request.body === null ? {} : { body: request.body }),
    });
    return answer satisfies PeerResponse;
  };
  const leader = party(clock, random, options, '/dap', options.wrap?.(send) ?? send);
  for (const [one, role] of [
    [leader, ROLE_LEADER],
    [helper, ROLE_HELPER],
  ] as const) {
    assert.equal(await one.store.putTask(row(role)), 'created');
    await one.aggregator.rotateKeys();
  }
  const helperRow = row(ROLE_HELPER);
  return { clock, task, leader, helper, collectorKey, vdaf, row: row(ROLE_LEADER), helperRow, sent };
}

function party(
  clock: FakeClock,
  random: RandomSource,
  { config }: Options,
  basePath: string,
  transport: PeerTransport,
): Party {
  const store = new MemoryAggregatorStore(new MemoryTables());
  const events: AggregatorEvent[] = [];
  const start = (): Aggregator =>
    createAggregator(
      { store, clock: () => clock.nowMs, random, transport, observe: (event) => void events.push(event) },
      { resourceKey: RESOURCE_KEY, basePath, minJobSize: 1, ...config },
    );
  const restart = (): void => {
    made.aggregator = start();
  };
  const made: Party = { aggregator: start(), store, events, restart };
  return made;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly peer?: AuthenticatedPeer;
  /** Bytes in one piece of the body. */
  readonly piece?: number;
}

/** Sends a request to a handler. */
export async function call(aggregator: Aggregator, request: Call): Promise<Answer> {
  return settled(await aggregator.handle(roleRequest(request), request.peer));
}

function roleRequest({ method, path, fields = {}, body = NOTHING, piece = 1000 }: Call): RoleRequest {
  const source: BodySource = {
    announcedLength: body.length,
    read: async (maxBytes) => {
      if (body.length > maxBytes) throw new BodyError('TOO_LARGE', 'Cannot read body: it is too long');
      return body;
    },
    async *stream() {
      for (let at = 0; at < body.length; at += piece) yield body.subarray(at, at + piece);
    },
  };
  return { method, path, header: (name) => fields[name], body: source, signal: new AbortController().signal };
}

function settled({ status, fields, body }: RoleResponse): Answer {
  assert.ok(body === null || body instanceof Uint8Array);
  return { status, body: body ?? NOTHING, header: (name) => new Map(fields).get(name) };
}

/** The type of a problem document. */
export function problemOf({ body }: Answer): string {
  return decodeProblem(body).type.replace('urn:ietf:params:ppm:dap:error:', '');
}

const TASK_PATH = 'tasks/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

export function leaderPath(rest: string): string {
  return `/dap/${TASK_PATH}/${rest}`;
}

export function helperPath(rest: string): string {
  return `/api/v1/${TASK_PATH}/${rest}`;
}

/** A client with the keys that are published now. */
async function client<M>({ leader, helper, task, vdaf }: Deployment): Promise<ReportMaker<M>> {
  const configOf = async ({ aggregator }: Party, base: string): Promise<HpkeConfig> => {
    const answer = await call(aggregator, { method: 'GET', path: `${base}/hpke_config` });
    assert.equal(answer.status, 200);
    return selectHpkeConfig(HpkeConfigList.decode(answer.body));
  };
  const configs = [await configOf(leader, '/dap'), await configOf(helper, '/api/v1')] as const;
  return prepareReports(task, vdaf as Vdaf<M, unknown>, configs[0], configs[1]);
}

/** Makes reports for now. */
export async function makeReports(
  deployment: Deployment,
  measurements: readonly unknown[],
  now: Date = new Date(deployment.clock.nowMs),
  random: RandomSource = systemRandom,
  extensions: ReportExtensions = {},
): Promise<Report[]> {
  const maker = await client<unknown>(deployment);
  const made: Report[] = [];
  for (const measurement of measurements) made.push(await maker.createReport(measurement, now, random, extensions));
  return made;
}

/** Uploads reports; gives what was not taken. */
export async function upload(
  { leader }: Deployment,
  reports: readonly Report[],
): Promise<readonly { readonly id: string; readonly error: number }[]> {
  const answer = await call(leader.aggregator, {
    method: 'POST',
    path: leaderPath('reports'),
    fields: { 'content-type': mediaTypeOf('upload-req') },
    body: UploadRequest.encode(reports),
  });
  assert.equal(answer.status, 200);
  if (answer.body.length === 0) return [];
  assert.equal(answer.header('content-type'), 'application/ppm-dap;message=upload-errors');
  return UploadErrors.decode(answer.body).map(({ id, error }) => ({ id: toHex(id), error }));
}

/** Runs all steps until nothing moves any more; time passes where something waits. */
export async function settle({ leader, helper, clock }: Deployment, rounds = 60): Promise<void> {
  let idle = 0;
  for (let i = 0; i < rounds && idle < 4; i++) {
    const created = await leader.aggregator.createJobs();
    const { acquired } = await leader.aggregator.driveLeaderJobs();
    const worked = (await helper.aggregator.driveHelperJobs()).acquired;
    await leader.aggregator.driveCollectionJobs();
    idle = created + acquired + worked === 0 ? idle + 1 : 0;
    clock.advance(15_000);
  }
}

/** A request from the leader, or from somebody who has its token. */
export function asLeader(
  { helper }: Deployment,
  method: string,
  rest: string,
  message?: { readonly name: MessageName; readonly body: Uint8Array },
): Promise<Answer> {
  const fields: Record<string, string> = { authorization: `Bearer ${TOKENS.peer}` };
  if (message !== undefined) fields['content-type'] = mediaTypeOf(message.name);
  const body = message === undefined ? {} : { body: message.body };
  return call(helper.aggregator, { method, path: helperPath(rest), fields, ...body });
}

/** A request from the collector. */
export function asCollector({ leader }: Deployment, method: string, rest: string, body?: Uint8Array): Promise<Answer> {
  const fields: Record<string, string> = { authorization: `Bearer ${TOKENS.collector}` };
  if (body !== undefined) fields['content-type'] = mediaTypeOf('collection-job-req');
  const path = rest.startsWith('https:') ? new URL(rest).pathname : leaderPath(rest);
  return call(leader.aggregator, { method, path, fields, ...(body === undefined ? {} : { body }) });
}

/** The interval that the deployment begins in. */
export function firstInterval(duration = 1): Query {
  return timeIntervalQuery({ start: START, duration });
}

export interface Collected extends CollectedResult<unknown> {
  /** Of the job. */
  readonly location: string;
}

/** Asks for a batch and waits for the result. */
export async function collect(
  deployment: Deployment,
  query: Query = firstInterval(),
  parameter: Uint8Array = NOTHING,
): Promise<Collected> {
  const request = createCollectionJobReq(query, parameter);
  const created = await asCollector(deployment, 'POST', 'collection_jobs', request);
  assert.equal(created.status, 201, Buffer.from(created.body).toString());
  const location = created.header('location') ?? '';
  await settle(deployment);
  const answer = await asCollector(deployment, 'GET', location);
  assert.equal(answer.status, 200, Buffer.from(answer.body).toString());
  assert.notEqual(answer.body.length, 0, 'the collection is not ready');
  const opener = await prepareResults(deployment.task, deployment.vdaf, deployment.collectorKey);
  return { ...(await opener.open(request, answer.body)), location };
}

/** All that a party has stored but for its counters, to be compared. */
export function snapshot({ store }: Party): unknown {
  const replacer = (key: string, value: unknown): unknown => {
    if (key === 'counters') return undefined;
    if (value instanceof Uint8Array) return toHex(value);
    if (value instanceof Map) return Object.fromEntries(value);
    return value;
  };
  const text = JSON.stringify([...store.tables.tasks.entries()], replacer);
  return JSON.parse(text);
}
