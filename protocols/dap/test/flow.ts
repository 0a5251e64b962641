/** Whole interactions between the parties of a fixture, as a product would run them. */
import { toHex } from '@privacy-edge/bytes';
import {
  type AggregateShare,
  AggregateShare as AggregateShareCodec,
  advanceHelperJob,
  advanceLeaderJob,
  type Batch,
  type CollectedResult,
  CollectionJobResp,
  type CollectionJobResp as CollectionResponse,
  checkAgreement,
  checkBatchSize,
  checkCollectable,
  combineBuckets,
  createAggregateShareReq,
  createCollectionJobReq,
  type FinishedReport,
  type HelperContinue,
  type HelperJob,
  type HpkeCiphertext,
  helperJobAfter,
  type LeaderJob,
  type LeaderStep,
  leaderShareOf,
  type OpenedReport,
  openReports,
  prepareAggregateShareSealer,
  prepareResults,
  type Query,
  type Rejection,
  type Report,
  receiveAggregateShareReq,
  receiveCollection,
  receiveContinue,
  receiveInit,
  refuseReports,
  sealAggregateShare,
  startHelperJob,
  startLeaderJob,
  type VerifiedReport,
} from '../src/index.ts';
import { type Aggregator, NOTHING, NOW, type Parties, random } from './fixture.ts';
import { toyVdaf } from './toy-vdaf.ts';

/** The leader opens reports and starts a job with those that are left. */
export async function leaderStart(
  { task, findOpener, store }: Aggregator,
  parameter: Uint8Array,
  batchId: Uint8Array | undefined,
  reports: readonly Report[],
  now: Date = NOW,
): Promise<LeaderStep> {
  const opened = await openReports(task, reports.map(leaderShareOf), findOpener, now);
  const candidates = opened.flatMap((entry, i) =>
    entry.kind === 'opened' && store.refusal(parameter, batchId, entry.reportMetadata) === undefined
      ? [{ opened: entry, helperEncryptedInputShare: reports[i]!.helperEncryptedInputShare }]
      : [],
  );
  const step = startLeaderJob(task, parameter, batchId, candidates);
  const rejected = opened.filter((entry): entry is Rejection => entry.kind === 'rejected');
  return { ...step, rejected: [...rejected, ...step.rejected] };
}

/** What the helper keeps of a request, and answers. */
export interface HelperAnswer {
  readonly job: HelperJob;
  readonly response: Uint8Array;
}

/** The helper processes the start of a job. */
export async function helperStart(helper: Aggregator, body: Uint8Array, now: Date = NOW): Promise<HelperAnswer> {
  const init = receiveInit(helper.task, body);
  const shares = init.verifyInits.map(({ reportShare }) => reportShare);
  const opened: (OpenedReport | Rejection)[] = await openReports(helper.task, shares, helper.findOpener, now);
  return helperAnswer(helper, init, 0, body, startHelperJob(helper.task, init, opened));
}

/** The helper processes a continuation. */
export function helperContinue(helper: Aggregator, job: HelperJob, body: Uint8Array): HelperAnswer {
  const request: HelperContinue = receiveContinue(job, body);
  if (request.kind === 'replay') return { job, response: job.response };
  return helperAnswer(helper, job, request.step, body, advanceHelperJob(helper.task, job, request));
}

function helperAnswer(
  { store }: Aggregator,
  job: Pick<HelperJob, 'aggregationParameter' | 'batchId'>,
  step: number,
  body: Uint8Array,
  verified: readonly VerifiedReport[],
): HelperAnswer {
  const finished = verified.filter((report): report is FinishedReport => report.kind === 'finished');
  const refused = store.commit(job.aggregationParameter, job.batchId, finished);
  const reports = refuseReports(verified, ({ reportId }) => refused.get(toHex(reportId)));
  const after = helperJobAfter(job, step, body, reports);
  return { job: after, response: after.response };
}

/** What a job led to on the leader's side. */
export interface Outcome {
  readonly finished: readonly FinishedReport[];
  readonly rejected: readonly Rejection[];
}

/** A job from beginning to end. */
export async function runJob(
  { leader, helper }: Parties,
  reports: readonly Report[],
  parameter: Uint8Array = NOTHING,
  batchId?: Uint8Array,
): Promise<Outcome> {
  const finished: FinishedReport[] = [];
  const rejected: Rejection[] = [];
  const take = (step: LeaderStep): LeaderJob | undefined => {
    finished.push(...step.finished);
    rejected.push(...step.rejected);
    return step.job;
  };
  let job = take(await leaderStart(leader, parameter, batchId, reports));
  let answer: HelperAnswer | undefined;
  while (job !== undefined) {
    answer =
      answer === undefined ? await helperStart(helper, job.request) : helperContinue(helper, answer.job, job.request);
    job = take(advanceLeaderJob(leader.task, job, answer.response));
  }
  leader.store.commit(parameter, batchId, finished);
  return { finished, rejected };
}

/** The helper releases its share of a batch. */
export async function helperShare({ helper, collectorKey }: Parties, body: Uint8Array): Promise<AggregateShare> {
  const { task, store } = helper;
  const collection = receiveAggregateShareReq(task, body);
  const { aggParam } = collection.request.collectionJobReq;
  checkCollectable(task, collection.batch, aggParam, store.collected);
  const aggregate = combineBuckets(task, aggParam, store.bucketsOf(collection.batch));
  checkBatchSize(task, aggregate);
  checkAgreement(collection, aggregate);
  store.collected.push({ batch: collection.batch, aggregationParameter: aggParam });
  const sealer = await prepareAggregateShareSealer(task, collectorKey.config);
  const encryptedAggregateShare = await sealAggregateShare(
    task,
    sealer,
    collection.encoded,
    aggregate.aggregateShare,
    random,
  );
  return AggregateShareCodec.decode(AggregateShareCodec.encode({ encryptedAggregateShare }));
}

/** The leader's answer to a collector. */
export async function leaderCollect(
  parties: Parties,
  body: Uint8Array,
  chosen?: Batch,
  change: (body: Uint8Array) => Uint8Array = (unchanged) => unchanged,
): Promise<Uint8Array> {
  const { task, store } = parties.leader;
  const collection = receiveCollection(task, body);
  const batch = collection.batch.kind === 'next' ? chosen! : collection.batch;
  const { aggParam } = collection.request;
  checkCollectable(task, batch, aggParam, store.collected);
  const aggregate = combineBuckets(task, aggParam, store.bucketsOf(batch));
  checkBatchSize(task, aggregate);
  const request = change(createAggregateShareReq(collection, batch, aggregate));
  const { encryptedAggregateShare } = await helperShare(parties, request);
  store.collected.push({ batch, aggregationParameter: aggParam });
  const sealer = await prepareAggregateShareSealer(task, parties.collectorKey.config);
  const leaderEncryptedAggShare: HpkeCiphertext = await sealAggregateShare(
    task,
    sealer,
    collection.encoded,
    aggregate.aggregateShare,
    random,
  );
  const response: CollectionResponse = {
    reportCount: aggregate.reportCount,
    interval: aggregate.interval,
    leaderEncryptedAggShare,
    helperEncryptedAggShare: encryptedAggregateShare,
  };
  return CollectionJobResp.encode(response);
}

/** A collection from the collector's side. */
export async function collect(
  parties: Parties,
  query: Query,
  parameter: Uint8Array = NOTHING,
  chosen?: Batch,
): Promise<CollectedResult<number>> {
  const request = createCollectionJobReq(query, parameter);
  const response = await leaderCollect(parties, request, chosen);
  const opener = await prepareResults(parties.maker.task, toyVdaf(), parties.collectorKey);
  return opener.open(request, response);
}
