/** A leader and a helper in memory behind a `fetch`: the steps of the protocol over storage that is a few maps. */
import assert from 'node:assert/strict';
import { toBase64Url, toHex } from '@privacy-edge/bytes';
import {
  type AggregateShare,
  type AggregatorRole,
  type AggregatorTask,
  accumulate,
  addTaskNoise,
  advanceHelperJob,
  advanceLeaderJob,
  type Batch,
  type Bucket,
  bucketOf,
  bucketRange,
  type CollectedBatch,
  CollectionJobResp,
  checkAgreement,
  checkBatchSize,
  checkCollectable,
  checkUpload,
  combineBuckets,
  commitRefusal,
  compareKeys,
  createAggregateShareReq,
  createTaskVdaf,
  DapError,
  type FinishedReport,
  generateHpkeKey,
  type HelperJob,
  HpkeConfigList,
  type HpkeKey,
  helperJobAfter,
  inputShareInfo,
  isProblemCode,
  leaderSelectedBatch,
  leaderShareOf,
  mediaTypeOf,
  type OpenedReport,
  openReports,
  prepareAggregateShareSealer,
  prepareOpener,
  problemType,
  REPORT_EXTENSION_ADMISSION,
  type Rejection,
  type Report,
  type ReportUploadStatus,
  ROLE_HELPER,
  ROLE_LEADER,
  receiveAggregateShareReq,
  receiveCollection,
  receiveContinue,
  receiveInit,
  refuseReports,
  reportsPath,
  requestDigest,
  sealAggregateShare,
  startHelperJob,
  startLeaderJob,
  systemRandom,
  UploadErrors,
  UploadRequest,
  type VerifiedReport,
} from '@privacy-edge/dap';
import { RandomBits, seededRandom } from '@privacy-edge/dp';
import type { PrivateTask, Statistic } from '../src/task/index.ts';

/** A request as it arrives. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Answers in place of the aggregators, or not. */
export type Intercept = (request: Received) => Response | Promise<Response> | undefined;

interface Aggregator {
  readonly task: AggregatorTask;
  /** Newest first. */
  keys: HpkeKey[];
  readonly aggregated: Map<string, Uint8Array[]>;
  readonly buckets: Bucket[];
  readonly collected: CollectedBatch[];
}

/** A leader and a helper. */
export class FakeAggregators {
  readonly requests: Received[] = [];
  readonly uploaded: Report[] = [];
  readonly rejected: Rejection[] = [];
  /** Bearer token that collections need, if any. */
  token: string | undefined;
  /** How often a collection is not ready. */
  delays = 0;
  retryAfter: string | undefined = '7';
  cacheControl = 'max-age=86400';
  intercept: Intercept = () => undefined;
  readonly #private: PrivateTask;
  readonly #now: () => number;
  readonly #jobs = new Map<string, { answer: Promise<Uint8Array>; waits: number }>();
  readonly #leader: Aggregator;
  readonly #helper: Aggregator;
  #pending: Report[] = [];
  #batches = 0;

  private constructor(task: PrivateTask, now: () => number, keys: readonly [HpkeKey, HpkeKey]) {
    this.#private = task;
    this.#now = now;
    const vdaf = createTaskVdaf(task.task);
    const aggregator = (role: AggregatorRole, key: HpkeKey): Aggregator => ({
      task: {
        ...task.task,
        role,
        vdaf,
        verifyKey: new Uint8Array(vdaf.verifyKeySize).fill(9),
        clockToleranceSeconds: 300,
        reportExtensions: new Set([REPORT_EXTENSION_ADMISSION]),
      },
      keys: [key],
      aggregated: new Map(),
      buckets: [],
      collected: [],
    });
    this.#leader = aggregator(ROLE_LEADER, keys[0]);
    this.#helper = aggregator(ROLE_HELPER, keys[1]);
  }

  static async create<S extends Statistic>(task: PrivateTask<S>, now: () => number): Promise<FakeAggregators> {
    const [leader, helper] = [await generateHpkeKey(11, systemRandom), await generateHpkeKey(22, systemRandom)];
    return new FakeAggregators(task as PrivateTask, now, [leader, helper]);
  }

  /** New keys; the old ones are forgotten. */
  async rotateKeys(): Promise<void> {
    this.#leader.keys = [await generateHpkeKey((this.#leader.keys[0]!.config.id + 1) % 256, systemRandom)];
    this.#helper.keys = [await generateHpkeKey((this.#helper.keys[0]!.config.id + 1) % 256, systemRandom)];
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    init.signal?.throwIfAborted();
    const body = init.body === undefined ? new Uint8Array(0) : new Uint8Array(init.body as Uint8Array<ArrayBuffer>);
    const request: Received = { method: init.method ?? 'GET', url, headers: new Headers(init.headers), body };
    this.requests.push(request);
    const answered = await this.intercept(request);
    if (answered !== undefined) return answered;
    try {
      return await this.#route(request);
    } catch (error) {
      if (error instanceof DapError && isProblemCode(error.code)) return problem(problemType(error.code));
      throw error;
    }
  };

  async #route({ method, url, headers, body }: Received): Promise<Response> {
    const { leaderAggregatorEndpoint: leader, helperAggregatorEndpoint: helper } = this.#private.task.configuration;
    const taskId = toBase64Url(this.#private.task.taskId);
    const jobs = `${leader}/tasks/${taskId}/collection_jobs`;
    if (url === `${leader}/hpke_config`) return this.#keysOf(this.#leader);
    if (url === `${helper}/hpke_config`) return this.#keysOf(this.#helper);
    if (url === `${leader}/${reportsPath(this.#private.task.taskId)}`) return this.#upload(headers, body);
    if (url.startsWith(jobs)) {
      if (this.token !== undefined && headers.get('authorization') !== `Bearer ${this.token}`) {
        return new Response(null, { status: 401 });
      }
      if (method === 'POST') return this.#createJob(jobs, headers, body);
      const id = url.slice(jobs.length + 1);
      if (method === 'DELETE') {
        return new Response(null, { status: this.#jobs.delete(id) ? 204 : 404 });
      }
      return this.#jobs.has(id) ? this.#poll(id) : new Response(null, { status: 404 });
    }
    return new Response(null, { status: 404 });
  }

  #keysOf({ keys }: Aggregator): Response {
    const unknown = { id: 200, kemId: 0x7777, kdfId: 1, aeadId: 1, publicKey: Uint8Array.of(1) };
    const body = HpkeConfigList.encode([unknown, ...keys.map(({ config }) => config)]);
    return new Response(body as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': mediaTypeOf('hpke-config-list'), 'cache-control': this.cacheControl },
    });
  }

  #upload(headers: Headers, body: Uint8Array): Response {
    assert.equal(headers.get('content-type'), mediaTypeOf('upload-req'));
    const errors: ReportUploadStatus[] = [];
    for (const report of UploadRequest.decode(body)) {
      const { task, keys } = this.#leader;
      const id = report.reportMetadata.reportId;
      const isKnown = (configId: number): boolean => keys.some(({ config }) => config.id === configId);
      const error = this.uploaded.some((other) => toHex(other.reportMetadata.reportId) === toHex(id))
        ? 0x02
        : checkUpload(task, report, isKnown, new Date(this.#now()));
      if (error !== undefined) {
        errors.push({ id, error });
        continue;
      }
      this.uploaded.push(report);
      this.#pending.push(report);
    }
    if (errors.length === 0) return new Response(null);
    return new Response(UploadErrors.encode(errors) as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': mediaTypeOf('upload-errors') },
    });
  }

  #createJob(jobs: string, headers: Headers, body: Uint8Array): Promise<Response> {
    assert.equal(headers.get('content-type'), mediaTypeOf('collection-job-req'));
    const id = toBase64Url(requestDigest(body)).slice(0, 22);
    if (!this.#jobs.has(id)) {
      const answer = this.#collect(body);
      answer.catch(() => {});
      this.#jobs.set(id, { answer, waits: this.delays });
    }
    // Relative, as servers behind a proxy do it.
    return this.#poll(id, new URL(`${jobs}/${id}`).pathname);
  }

  async #poll(id: string, location?: string): Promise<Response> {
    const job = this.#jobs.get(id)!;
    const fields = { ...(location !== undefined && { location }) };
    if (job.waits-- > 0) {
      const retry = { ...(this.retryAfter !== undefined && { 'retry-after': this.retryAfter }) };
      return new Response(null, { status: 202, headers: { ...fields, ...retry } });
    }
    const body = (await job.answer) as Uint8Array<ArrayBuffer>;
    return new Response(body, { headers: { ...fields, 'content-type': mediaTypeOf('collection-job-resp') } });
  }

  async #collect(body: Uint8Array): Promise<Uint8Array> {
    const { task, collected } = this.#leader;
    const collection = receiveCollection(task, body.slice());
    const batch =
      collection.batch.kind === 'next'
        ? leaderSelectedBatch(new Uint8Array(32).fill(++this.#batches))
        : collection.batch;
    const { aggParam } = collection.request;
    // Poplar1 needs its reports again for the next level.
    const reports = aggParam.length === 0 ? this.#pending : this.uploaded;
    if (aggParam.length === 0) this.#pending = [];
    await this.#aggregate(reports, aggParam, batch.kind === 'leaderSelected' ? batch.batchId : undefined);
    checkCollectable(task, batch, aggParam, collected);
    const aggregate = combineBuckets(task, aggParam, bucketsOf(this.#leader, batch));
    checkBatchSize(task, aggregate);
    const request = createAggregateShareReq(collection, batch, aggregate);
    const helperEncryptedAggShare = await this.#helperShare(request);
    collected.push({ batch, aggregationParameter: aggParam });
    return CollectionJobResp.encode({
      reportCount: aggregate.reportCount,
      interval: aggregate.interval,
      leaderEncryptedAggShare: await this.#seal(this.#leader, collection.encoded, aggParam, aggregate.aggregateShare),
      helperEncryptedAggShare,
    });
  }

  async #helperShare(body: Uint8Array): Promise<AggregateShare['encryptedAggregateShare']> {
    const { task, collected } = this.#helper;
    const collection = receiveAggregateShareReq(task, body);
    const { aggParam } = collection.request.collectionJobReq;
    checkCollectable(task, collection.batch, aggParam, collected);
    const aggregate = combineBuckets(task, aggParam, bucketsOf(this.#helper, collection.batch));
    checkBatchSize(task, aggregate);
    checkAgreement(collection, aggregate);
    collected.push({ batch: collection.batch, aggregationParameter: aggParam });
    return this.#seal(this.#helper, collection.encoded, aggParam, aggregate.aggregateShare);
  }

  async #seal(
    { task }: Aggregator,
    encodedRequest: Uint8Array,
    parameter: Uint8Array,
    share: Uint8Array,
  ): Promise<AggregateShare['encryptedAggregateShare']> {
    const seed = new Uint8Array(32).fill(task.role);
    const noisy = addTaskNoise(task, parameter, share, new RandomBits(seededRandom(seed, encodedRequest)));
    const sealer = await prepareAggregateShareSealer(task, this.#private.collectorConfig);
    return sealAggregateShare(task, sealer, encodedRequest, noisy, systemRandom);
  }

  /** One aggregation job from beginning to end. */
  async #aggregate(reports: readonly Report[], parameter: Uint8Array, batchId: Uint8Array | undefined): Promise<void> {
    const opened = await this.#open(this.#leader, reports.map(leaderShareOf));
    const candidates = opened.flatMap((entry, i) =>
      entry.kind === 'opened'
        ? [{ opened: entry, helperEncryptedInputShare: reports[i]!.helperEncryptedInputShare }]
        : [],
    );
    if (candidates.length === 0) return;
    let step = startLeaderJob(this.#leader.task, parameter, batchId, candidates);
    const finished: FinishedReport[] = [...step.finished];
    let helperJob: HelperJob | undefined;
    while (step.job !== undefined) {
      helperJob = await this.#helperStep(helperJob, step.job.request);
      step = advanceLeaderJob(this.#leader.task, step.job, helperJob.response);
      finished.push(...step.finished);
      this.rejected.push(...step.rejected);
    }
    commit(this.#leader, parameter, batchId, finished);
  }

  async #helperStep(job: HelperJob | undefined, body: Uint8Array): Promise<HelperJob> {
    const { task } = this.#helper;
    if (job === undefined) {
      const init = receiveInit(task, body);
      const opened = await this.#open(
        this.#helper,
        init.verifyInits.map(({ reportShare }) => reportShare),
      );
      return this.#helperAnswer(init, 0, body, startHelperJob(task, init, opened));
    }
    const request = receiveContinue(job, body);
    if (request.kind === 'replay') return job;
    return this.#helperAnswer(job, request.step, body, advanceHelperJob(task, job, request));
  }

  #helperAnswer(
    job: Pick<HelperJob, 'aggregationParameter' | 'batchId'>,
    step: number,
    body: Uint8Array,
    verified: readonly VerifiedReport[],
  ): HelperJob {
    const finished = verified.filter((report): report is FinishedReport => report.kind === 'finished');
    const refused = commit(this.#helper, job.aggregationParameter, job.batchId, finished);
    const reports = refuseReports(verified, ({ reportId }) => refused.get(toHex(reportId)));
    return helperJobAfter(job, step, body, reports);
  }

  async #open(
    { task, keys }: Aggregator,
    shares: readonly ReturnType<typeof leaderShareOf>[],
  ): Promise<(OpenedReport | Rejection)[]> {
    const info = inputShareInfo(task.version, task.role);
    const openers = await Promise.all(keys.map((key) => prepareOpener(key, info)));
    const find = (configId: number) => openers.find((opener) => opener.configId === configId);
    return openReports(task, shares, find, new Date(this.#now()));
  }
}

/** A problem document. */
export function problem(type: string, status = 400): Response {
  return Response.json({ type, status }, { status, headers: { 'content-type': 'application/problem+json' } });
}

function commit(
  { task, aggregated, buckets, collected }: Aggregator,
  parameter: Uint8Array,
  batchId: Uint8Array | undefined,
  reports: readonly FinishedReport[],
): ReadonlyMap<string, number> {
  const refused = new Map<string, number>();
  const accepted = reports.filter(({ reportId, time }) => {
    const id = toHex(reportId);
    const key = bucketOf(time, batchId);
    const used = collected.filter(({ batch }) => contains(batch, key));
    const error = commitRefusal(task, parameter, {
      aggregated: aggregated.get(id) ?? [],
      collected: used.map(({ aggregationParameter }) => aggregationParameter),
    });
    if (error !== undefined) refused.set(id, error);
    return error === undefined;
  });
  for (const update of accumulate(task.vdaf, parameter, batchId, accepted)) {
    buckets.push(update);
    for (const id of update.reportIds) aggregated.set(toHex(id), [...(aggregated.get(toHex(id)) ?? []), parameter]);
  }
  return refused;
}

function bucketsOf({ buckets }: Aggregator, batch: Batch): Bucket[] {
  return buckets.filter(({ bucket }) => contains(batch, bucket));
}

function contains(batch: Batch, key: Uint8Array): boolean {
  const { first, last } = bucketRange(batch);
  return compareKeys(first, key) <= 0 && compareKeys(key, last) <= 0;
}
