/** A helper that is made of nothing but the steps of the protocol and a few maps. */
import { toHex } from '@privacy-edge/bytes';
import {
  AggregateShare,
  accumulate,
  advanceHelperJob,
  type Batch,
  type Bucket,
  bucketOf,
  bucketRange,
  type CollectedBatch,
  checkAgreement,
  checkBatchSize,
  checkCollectable,
  combineBuckets,
  commitRefusal,
  compareKeys,
  DapError,
  type FinishedReport,
  type HelperJob,
  HPKE_CONFIG_PATH,
  HpkeConfigList,
  helperJobAfter,
  inputShareInfo,
  isProblemCode,
  type MessageName,
  openReports,
  prepareAggregateShareSealer,
  prepareOpener,
  problemType,
  type ResourceKind,
  receiveAggregateShareReq,
  receiveContinue,
  receiveInit,
  refuseReports,
  resourceId,
  resourcePath,
  type ShareOpener,
  type ShareSealer,
  sealAggregateShare,
  startHelperJob,
  type VerifiedReport,
} from '@privacy-edge/dap';
import type { HelperRequest, HelperResponse, HelperSetup, WithHelper } from '../src/conformance/dap-helper.ts';

/** Makes such a helper. */
export const withStepsHelper: WithHelper = async (setup, use) => {
  const { task, key, collectorConfig } = setup;
  const opener = await prepareOpener(key, inputShareInfo(task.version, task.role));
  const sealer = await prepareAggregateShareSealer(task, collectorConfig);
  const helper = new StepsHelper(setup, opener, sealer);
  await use((request) => helper.answer(request));
};

/** What a step answers. */
interface Answer {
  readonly message: MessageName;
  readonly body: Uint8Array;
  /** Of the resource that was created. */
  readonly location?: string;
}

class StepsHelper {
  readonly #setup: HelperSetup;
  readonly #opener: ShareOpener;
  readonly #sealer: ShareSealer;
  /** By path. */
  readonly #jobs = new Map<string, HelperJob>();
  /** By path. */
  readonly #shares = new Map<string, Uint8Array>();
  /** Parameters with which reports were aggregated, by identifier. */
  readonly #aggregated = new Map<string, Uint8Array[]>();
  readonly #buckets: Bucket[] = [];
  readonly #collected: CollectedBatch[] = [];

  constructor(setup: HelperSetup, opener: ShareOpener, sealer: ShareSealer) {
    this.#setup = setup;
    this.#opener = opener;
    this.#sealer = sealer;
  }

  async answer(request: HelperRequest): Promise<HelperResponse> {
    try {
      const answer = await this.#route(request);
      if (answer === undefined) return refusal(404, undefined);
      const { message, body, location } = answer;
      return { status: location === undefined ? 200 : 201, message, location, problem: undefined, body };
    } catch (error) {
      if (!(error instanceof DapError) || !isProblemCode(error.code)) throw error;
      return refusal(400, problemType(error.code));
    }
  }

  async #route({ method, path, message, body }: HelperRequest): Promise<Answer | undefined> {
    const { taskId } = this.#setup.task;
    const isPost = (to: string, wanted: MessageName): boolean => method === 'POST' && path === to && message === wanted;
    if (method === 'GET' && path === HPKE_CONFIG_PATH)
      return { message: 'hpke-config-list', body: HpkeConfigList.encode([this.#setup.key.config]) };
    if (isPost(resourcePath(taskId, 'aggregation_jobs'), 'aggregation-job-init-req')) return this.#start(body);
    if (isPost(resourcePath(taskId, 'aggregate_shares'), 'aggregate-share-req')) return this.#release(body);
    const job = this.#jobs.get(path);
    if (job !== undefined && isPost(path, 'aggregation-job-continue-req')) return this.#advance(path, job, body);
    return undefined;
  }

  async #start(body: Uint8Array): Promise<Answer> {
    const { task, now } = this.#setup;
    const location = this.#locationOf('aggregation_jobs', body);
    const known = this.#jobs.get(location);
    if (known !== undefined) return { message: 'aggregation-job-resp', body: known.response, location };
    const init = receiveInit(task, body);
    const shares = init.verifyInits.map(({ reportShare }) => reportShare);
    const findOpener = (id: number): ShareOpener | undefined =>
      id === this.#opener.configId ? this.#opener : undefined;
    const verified = startHelperJob(task, init, await openReports(task, shares, findOpener, now));
    return { ...this.#step(location, init, 0, body, verified), location };
  }

  #advance(path: string, job: HelperJob, body: Uint8Array): Answer {
    const request = receiveContinue(job, body);
    if (request.kind === 'replay') return { message: 'aggregation-job-resp', body: job.response };
    return this.#step(path, job, request.step, body, advanceHelperJob(this.#setup.task, job, request));
  }

  #step(
    path: string,
    job: Pick<HelperJob, 'aggregationParameter' | 'batchId'>,
    step: number,
    body: Uint8Array,
    verified: readonly VerifiedReport[],
  ): Answer {
    const taken: FinishedReport[] = [];
    const reports = refuseReports(verified, (report) => {
      const error = this.#refusal(job, report);
      if (error === undefined) taken.push(report);
      return error;
    });
    this.#commit(job, taken);
    const after = helperJobAfter(job, step, body, reports);
    this.#jobs.set(path, after);
    return { message: 'aggregation-job-resp', body: after.response };
  }

  #refusal(
    { aggregationParameter, batchId }: Pick<HelperJob, 'aggregationParameter' | 'batchId'>,
    { reportId, time }: FinishedReport,
  ): ReturnType<typeof commitRefusal> {
    const bucket = bucketOf(time, batchId);
    return commitRefusal(this.#setup.task, aggregationParameter, {
      aggregated: this.#aggregated.get(toHex(reportId)) ?? [],
      collected: this.#collected
        .filter(({ batch }) => isInside(batch, bucket))
        .map((collected) => collected.aggregationParameter),
    });
  }

  #commit(
    { aggregationParameter, batchId }: Pick<HelperJob, 'aggregationParameter' | 'batchId'>,
    reports: readonly FinishedReport[],
  ): void {
    this.#buckets.push(...accumulate(this.#setup.task.vdaf, aggregationParameter, batchId, reports));
    for (const { reportId } of reports) {
      const id = toHex(reportId);
      this.#aggregated.set(id, [...(this.#aggregated.get(id) ?? []), aggregationParameter]);
    }
  }

  async #release(body: Uint8Array): Promise<Answer> {
    const { task, random } = this.#setup;
    const location = this.#locationOf('aggregate_shares', body);
    const known = this.#shares.get(location);
    if (known !== undefined) return { message: 'aggregate-share', body: known, location };
    const collection = receiveAggregateShareReq(task, body);
    const { batch, encoded } = collection;
    const { aggParam } = collection.request.collectionJobReq;
    checkCollectable(task, batch, aggParam, this.#collected);
    const buckets = this.#buckets.filter(({ bucket }) => isInside(batch, bucket));
    const aggregate = combineBuckets(task, aggParam, buckets);
    checkBatchSize(task, aggregate);
    checkAgreement(collection, aggregate);
    const sealed = await sealAggregateShare(task, this.#sealer, encoded, aggregate.aggregateShare, random);
    const share = AggregateShare.encode({ encryptedAggregateShare: sealed });
    this.#collected.push({ batch, aggregationParameter: aggParam });
    this.#shares.set(location, share);
    return { message: 'aggregate-share', body: share, location };
  }

  #locationOf(kind: ResourceKind, body: Uint8Array): string {
    const { taskId, verifyKey } = this.#setup.task;
    return resourcePath(taskId, kind, resourceId(verifyKey, kind, taskId, body));
  }
}

function isInside(batch: Batch, bucket: Uint8Array): boolean {
  const { first, last } = bucketRange(batch);
  return compareKeys(first, bucket) <= 0 && compareKeys(bucket, last) <= 0;
}

function refusal(status: number, problem: string | undefined): HelperResponse {
  return { status, message: undefined, location: undefined, problem, body: new Uint8Array(0) };
}
