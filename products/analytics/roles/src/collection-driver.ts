/** Takes the collection jobs of the leader from request to result. DAP §4.6.1 and §4.6.4. */
import { DecodeError } from '@privacy-edge/bytes';
import {
  type Aggregate,
  AggregateShare,
  CollectionJobResp,
  checkCollectable,
  combineBuckets,
  createAggregateShareReq,
  DapError,
  HpkeCiphertext,
  isProblemCode,
  type ProblemCode,
  receiveCollection,
  resourcePath,
  resourceUrl,
} from '@privacy-edge/dap';
import { type AggregatorContext, nowOf, readTaskContext } from './aggregator-context.ts';
import { batchKeys, batchOf, checkRemembered, collectedBatches } from './batch-keys.ts';
import { type DriveResult, driveEach, retryDelay } from './drive.ts';
import { sealNoisyShare } from './noisy-share.ts';
import type { StepOutcome } from './observation.ts';
import { askHelper, type PeerCall } from './peer-exchange.ts';
import type { BatchFacts, Leased, LeasedKey, OutstandingQuery } from './store.ts';
import type { BatchKeys, CollectionJobRow, LeaderShare } from './store-rows.ts';
import { rememberedAs, type TaskContext } from './task-context.ts';

/** Takes a few jobs as far as they get. */
export function driveCollectionJobs(context: AggregatorContext): Promise<DriveResult> {
  const { store } = context;
  return driveEach(context, {
    step: 'drive_collection_job',
    acquire: (request) => store.acquireCollectionJobs(request),
    drive: async (leased, token) => {
      const taskContext = await readTaskContext(context, leased.job.taskId);
      return new CollectionRun(context, taskContext, leased, token).run();
    },
    giveBack: async ({ taskId, jobId, token }, giveBack) => {
      const row = await store.readCollectionJob(taskId, jobId);
      return store.giveBackCollectionJob({ taskId, jobId, token }, row?.location, giveBack);
    },
  });
}

/** One job under one lease. */
class CollectionRun {
  readonly #context: AggregatorContext;
  readonly #taskContext: TaskContext;
  readonly #row: CollectionJobRow;
  readonly #attempts: number;
  readonly #key: LeasedKey;

  constructor(
    context: AggregatorContext,
    taskContext: TaskContext,
    { job, attempts }: Leased<CollectionJobRow>,
    token: Uint8Array,
  ) {
    this.#context = context;
    this.#taskContext = taskContext;
    this.#row = job;
    this.#attempts = attempts;
    this.#key = { taskId: job.taskId, jobId: job.jobId, token };
  }

  async run(): Promise<StepOutcome> {
    const { share, location } = this.#row;
    if (share !== undefined) return this.#askHelper(share, location);
    try {
      const made = await this.#collect();
      return typeof made === 'string' ? made : await this.#askHelper(made, undefined);
    } catch (error) {
      if (error instanceof DapError && isProblemCode(error.code)) return this.#fail(error.code);
      throw error;
    }
  }

  /**
   * Marks the batch as collected and makes the leader's share, in one transaction.
   *
   * @throws {@link DapError} when the batch can never be collected
   */
  async #collect(): Promise<LeaderShare | StepOutcome> {
    const { store } = this.#context;
    const { task } = this.#taskContext;
    const keys = this.#row.keys ?? (await this.#chooseBatch());
    if (keys === undefined) return this.#waitForReports();
    const query = this.#outstandingQuery();
    const facts = await store.readBatchFacts(task.taskId, keys, query);
    const { aggregationParameter } = this.#row;
    const batch = batchOf(keys);
    checkRemembered(keys, facts);
    checkCollectable(task, batch, aggregationParameter, collectedBatches(facts.collected, keys));
    // DAP §4.6.1: no job that touches the batch may be pending, and nobody's report should be left out.
    if (facts.outstanding > 0) return this.#wait();
    const aggregate = combineBuckets(task, aggregationParameter, facts.parts);
    if (aggregate.reportCount < task.configuration.minBatchSize) return this.#waitForReports();
    const share = await this.#makeShare(keys, aggregate);
    const commit = {
      keys,
      aggregationParameter,
      parts: facts.parts.map(({ part }) => part),
      collected: facts.collected.length,
    };
    const outcome = await store.collectBatch(this.#key, commit, query, share);
    if (outcome === 'committed') return share;
    // Another job, or another instance, was faster: what is true now is found the next time.
    return outcome === 'stale' ? 'lost' : this.#wait();
  }

  async #makeShare(keys: BatchKeys, aggregate: Aggregate): Promise<LeaderShare> {
    const { task } = this.#taskContext;
    const { request, aggregationParameter } = this.#row;
    const collection = receiveCollection(task, request);
    const sealed = await sealNoisyShare(this.#context, this.#taskContext, aggregationParameter, request, aggregate);
    return {
      aggregateShareReq: createAggregateShareReq(collection, batchOf(keys), aggregate),
      sealedShare: HpkeCiphertext.encode(sealed),
      reportCount: aggregate.reportCount,
      interval: aggregate.interval,
    };
  }

  /** The oldest batch that is complete. DAP §5.2. */
  async #chooseBatch(): Promise<BatchKeys | undefined> {
    const { store } = this.#context;
    const { task } = this.#taskContext;
    const { aggregationParameter } = this.#row;
    for (const { batchId } of await store.selectedBatches(task.taskId, aggregationParameter)) {
      const keys = batchKeys({ kind: 'leaderSelected', batchId });
      const facts = await store.readBatchFacts(task.taskId, keys, this.#outstandingQuery());
      if (facts.outstanding === 0 && this.#isLargeEnough(facts)) return keys;
    }
    return undefined;
  }

  #isLargeEnough({ parts }: BatchFacts): boolean {
    const count = parts.reduce((sum, { reportCount }) => sum + reportCount, 0);
    return count >= this.#taskContext.task.configuration.minBatchSize;
  }

  /** After a while, reports that were uploaded after the request no longer hold it up. */
  #outstandingQuery(): OutstandingQuery {
    const { createdAt, aggregationParameter } = this.#row;
    const isPatient = this.#ageMs() < this.#context.settings.collectionPatienceMs;
    return {
      rememberedAs: rememberedAs(this.#taskContext.task, aggregationParameter),
      uploadedBefore: isPatient ? undefined : createdAt,
    };
  }

  #ageMs(): number {
    return this.#context.clock() - this.#row.createdAt.getTime();
  }

  /** DAP §4.6.1: too few reports are waited for, and given up after a while. */
  #waitForReports(): Promise<StepOutcome> {
    if (this.#ageMs() >= this.#context.settings.collectionTimeoutMs) return this.#fail('INVALID_BATCH_SIZE');
    return this.#wait();
  }

  async #askHelper(share: LeaderShare, location: string | undefined): Promise<StepOutcome> {
    const answer = await askHelper(this.#context, this.#taskContext, this.#call(share, location));
    switch (answer.kind) {
      case 'message':
        return this.#finish(share, answer.body);
      case 'deferred':
        return this.#giveBack('waiting', answer.retryAfterMs, true, answer.location ?? location);
      case 'refused':
        return this.#fail(answer.problem);
      case 'rejected':
        if (this.#attempts >= this.#context.settings.maxAttempts) return this.#fail('BATCH_MISMATCH');
        return this.#retry(undefined, location);
      case 'failed':
        return this.#retry(answer.retryAfterMs, location);
    }
  }

  #call({ aggregateShareReq }: LeaderShare, location: string | undefined): PeerCall {
    const expects = 'aggregate-share';
    if (location !== undefined) return { method: 'GET', url: location, expects };
    const { configuration, taskId } = this.#taskContext.task;
    const url = resourceUrl(configuration.helperAggregatorEndpoint, resourcePath(taskId, 'aggregate_shares'));
    return { method: 'POST', url, request: { name: 'aggregate-share-req', body: aggregateShareReq }, expects };
  }

  async #finish({ reportCount, interval, sealedShare }: LeaderShare, body: Uint8Array): Promise<StepOutcome> {
    const helperEncryptedAggShare = decodeShare(body);
    // Nothing that the collector could use; the helper has nothing else for this request.
    if (helperEncryptedAggShare === undefined) return this.#retry(undefined, undefined);
    const leaderEncryptedAggShare = HpkeCiphertext.decode(sealedShare);
    const response = CollectionJobResp.encode({
      reportCount,
      interval,
      leaderEncryptedAggShare,
      helperEncryptedAggShare,
    });
    const now = nowOf(this.#context);
    const isMine = await this.#context.store.endCollectionJob(this.#key, { response }, now, { collected: 1 });
    return isMine ? 'finished' : 'lost';
  }

  async #fail(problem: ProblemCode): Promise<StepOutcome> {
    const isMine = await this.#context.store.endCollectionJob(this.#key, { problem }, nowOf(this.#context), {});
    return isMine ? 'abandoned' : 'lost';
  }

  #wait(): Promise<StepOutcome> {
    return this.#giveBack('waiting', this.#context.settings.retryMs[0], true, undefined);
  }

  #retry(retryAfterMs: number | undefined, location: string | undefined): Promise<StepOutcome> {
    const delay = Math.max(retryAfterMs ?? 0, retryDelay(this.#context, this.#attempts));
    return this.#giveBack('peer_failed', delay, false, location);
  }

  async #giveBack(
    outcome: StepOutcome,
    delayMs: number,
    isProgress: boolean,
    location: string | undefined,
  ): Promise<StepOutcome> {
    const notBefore = new Date(this.#context.clock() + delayMs);
    const giveBack = { notBefore, isProgress };
    const isMine = await this.#context.store.giveBackCollectionJob(this.#key, location, giveBack);
    return isMine ? outcome : 'lost';
  }
}

function decodeShare(body: Uint8Array): HpkeCiphertext | undefined {
  try {
    return AggregateShare.decode(body).encryptedAggregateShare;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
