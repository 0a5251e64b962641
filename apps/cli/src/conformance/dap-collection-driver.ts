/** The collection of a transcript, on all three sides. DAP §4.6. */
import { toHex } from '@privacy-edge/bytes';
import {
  type Aggregate,
  AggregateShare,
  AggregateShareReq,
  type AggregatorRole,
  accumulate,
  aggregateShareAad,
  aggregateShareInfo,
  type Batch,
  bucketOf,
  CollectionJobResp,
  checkBatchSize,
  combineBuckets,
  createAggregateShareReq,
  createCollectionJobReq,
  type FinishedReport,
  HpkeCiphertext,
  leaderSelectedBatch,
  prepareAggregateShareSealer,
  prepareOpener,
  prepareResults,
  problemType,
  type ResultOpener,
  ROLE_HELPER,
  ROLE_LEADER,
  receiveCollection,
  resourcePath,
  sealAggregateShare,
  systemRandom,
} from '@privacy-edge/dap';
import { expectSuccess } from './dap-aggregation-driver.ts';
import type { Helper, HelperRequest } from './dap-helper.ts';
import type { Parties } from './dap-parties.ts';
import type { Transcript } from './dap-transcript.ts';
import { toJson } from './vdaf-ping-pong.ts';
import { expectBytes, expectSame } from './vector.ts';

/** The leader's buckets, and the request that it makes from them. */
export function checkBuckets(
  transcript: Transcript,
  { aggregators: [{ task }] }: Parties,
  finished: readonly FinishedReport[],
): Aggregate {
  const { aggregationParameter, batchId, buckets: recorded } = transcript;
  const buckets = accumulate(task.vdaf, aggregationParameter, batchId, finished);
  const written = (key: string, reportCount: number, checksum: Uint8Array): string =>
    `${key}: ${reportCount}, ${toHex(checksum)}`;
  const found = buckets.map(({ bucket, reportCount, checksum }) => written(toHex(bucket), reportCount, checksum));
  const expected = recorded.map(({ key, reportCount, checksum }) =>
    written(batchId === undefined ? toHex(bucketOf(Number(key), undefined)) : key, reportCount, checksum),
  );
  expectSame('buckets', found.sort(), expected.sort());
  const aggregate = combineBuckets(task, aggregationParameter, buckets);
  checkBatchSize(task, aggregate);
  expectSame('number of reports', aggregate.reportCount, transcript.reportCount);
  expectBytes('checksum', aggregate.checksum, transcript.checksum);
  expectBytes("leader's aggregate share", aggregate.aggregateShare, transcript.shares[0].plaintext);
  return aggregate;
}

/** The messages that the leader and the collector make. */
export function checkRequests(
  transcript: Transcript,
  { aggregators: [{ task }] }: Parties,
  aggregate: Aggregate,
): void {
  const { collectionRequest, shareRequest, collectionResponse, shares, aggregationParameter } = transcript;
  const collection = receiveCollection(task, collectionRequest);
  const request = createCollectionJobReq(collection.request.query, aggregationParameter);
  expectBytes('collection request', request, collectionRequest);
  expectBytes(
    'request for the share',
    createAggregateShareReq(collection, batchOf(transcript, collection.batch), aggregate),
    shareRequest,
  );
  expectBytes('additional data of the shares', aggregateShareAad(task, collectionRequest), transcript.shareAad);
  const [leader, helper] = shares.map(({ ciphertext }) => HpkeCiphertext.decode(ciphertext));
  if (leader === undefined || helper === undefined) return;
  const share = AggregateShare.encode({ encryptedAggregateShare: helper });
  expectBytes("helper's share", share, transcript.helperShare);
  const { reportCount, interval } = aggregate;
  const response = { reportCount, interval, leaderEncryptedAggShare: leader, helperEncryptedAggShare: helper };
  expectBytes('collection response', CollectionJobResp.encode(response), collectionResponse);
}

function batchOf({ batchId }: Transcript, queried: ReturnType<typeof receiveCollection>['batch']): Batch {
  if (queried.kind === 'timeInterval') return queried;
  return leaderSelectedBatch(batchId ?? new Uint8Array(0));
}

/** The recorded shares open to what is recorded, and give the result. */
export async function checkCollector(
  transcript: Transcript,
  { task, collectorKey, aggregators }: Parties,
): Promise<void> {
  const roles: readonly AggregatorRole[] = [ROLE_LEADER, ROLE_HELPER];
  for (const [side, role] of roles.entries()) {
    const recorded = transcript.shares[side === 0 ? 0 : 1];
    const { info, enc, payload, ciphertext } = recorded;
    const configId = collectorKey.config.id;
    expectBytes(`info of aggregate share ${side}`, aggregateShareInfo(task.version, role), info);
    expectBytes(`sealed aggregate share ${side}`, HpkeCiphertext.encode({ configId, enc, payload }), ciphertext);
    const opener = await prepareOpener(collectorKey, info);
    const plaintext = await opener.open(transcript.shareAad, { configId, enc, payload });
    expectBytes(`aggregate share ${side}`, plaintext, recorded.plaintext);
  }
  const opener = await prepareResults(task, aggregators[0].task.vdaf, collectorKey);
  await expectResult('recorded response', opener, transcript, transcript.collectionResponse);
}

async function expectResult(
  what: string,
  opener: ResultOpener<unknown>,
  { collectionRequest, result: expected, reportCount }: Transcript,
  response: Uint8Array,
): Promise<void> {
  const opened = await opener.open(collectionRequest, response);
  expectSame(`result of the ${what}`, toJson(opened.result), expected);
  expectSame(`number of reports in the ${what}`, opened.reportCount, reportCount);
}

/**
 * Asks the helper for its share, which is sealed anew: together with the leader's, sealed anew as well, it gives the result.
 * Before that it refuses a leader that has other reports, and afterwards it has nothing else to say.
 */
export async function checkRelease(
  transcript: Transcript,
  parties: Parties,
  aggregate: Aggregate,
  helper: Helper,
): Promise<void> {
  const { task, collectorKey, aggregators } = parties;
  const [{ task: leaderTask }] = aggregators;
  const path = resourcePath(task.taskId, 'aggregate_shares');
  const ask = (body: Uint8Array): HelperRequest => ({ method: 'POST', path, message: 'aggregate-share-req', body });
  for (const [what, body] of Object.entries(otherReports(transcript))) {
    const { problem } = await helper(ask(body));
    expectSame(`problem with a request with another ${what}`, problem ?? null, problemType('BATCH_MISMATCH'));
  }
  const answer = await helper(ask(transcript.shareRequest));
  expectSuccess('request for the share', answer, 'aggregate-share');
  const again = await helper(ask(transcript.shareRequest));
  expectBytes('share when it is asked for again', again.body, answer.body);

  const { encryptedAggregateShare } = AggregateShare.decode(answer.body);
  const sealer = await prepareAggregateShareSealer(leaderTask, collectorKey.config);
  const { collectionRequest } = transcript;
  const leaderShare = await sealAggregateShare(task, sealer, collectionRequest, aggregate.aggregateShare, systemRandom);
  const { reportCount, interval } = aggregate;
  const response = CollectionJobResp.encode({
    reportCount,
    interval,
    leaderEncryptedAggShare: leaderShare,
    helperEncryptedAggShare: encryptedAggregateShare,
  });
  const opener = await prepareResults(task, leaderTask.vdaf, collectorKey);
  const { aggregateShares } = await opener.openShares(collectionRequest, response);
  expectBytes("helper's aggregate share", aggregateShares[1], transcript.shares[1].plaintext);
  await expectResult('response made anew', opener, transcript, response);
}

/** Requests of a leader that does not have the same reports. */
function otherReports({ shareRequest }: Transcript): Readonly<Record<string, Uint8Array>> {
  const request = AggregateShareReq.decode(shareRequest);
  const checksum = request.checksum.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  return {
    'number of reports': AggregateShareReq.encode({ ...request, reportCount: request.reportCount + 1 }),
    checksum: AggregateShareReq.encode({ ...request, checksum }),
  };
}
