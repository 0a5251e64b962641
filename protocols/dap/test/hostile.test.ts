/** Whatever a peer sends, an aggregator and a collector answer with `DapError` or go on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  AggregateShareReq,
  CollectionJobReq,
  createCollectionJobReq,
  DapError,
  prepareResults,
  receiveAggregateShareReq,
  receiveCollection,
  receiveContinue,
  timeIntervalQuery,
} from '../src/index.ts';
import { flipBit, NOTHING, NOW, NOW_TIME, numRuns, parties, random } from './fixture.ts';
import { helperStart, leaderCollect, leaderStart, runJob } from './flow.ts';
import { toyVdaf } from './toy-vdaf.ts';

/** Runs a step on messages that are nearly right, and on noise. */
async function attack(valid: Uint8Array, step: (message: Uint8Array) => unknown): Promise<void> {
  const mutated = fc.oneof(
    fc.nat(8 * valid.length - 1).map((bit) => flipBit(valid, bit)),
    fc.nat(valid.length).map((length) => valid.subarray(0, length)),
    fc.uint8Array({ maxLength: 100 }),
  );
  await fc.assert(
    fc.asyncProperty(mutated, async (message) => {
      try {
        await step(message);
      } catch (error) {
        assert.ok(error instanceof DapError, String(error));
      }
    }),
    { numRuns: Math.ceil(numRuns / 4) },
  );
}

const query = timeIntervalQuery({ start: NOW_TIME, duration: 1 });

describe('Malformed and forged messages', () => {
  it('start of a job: no report is counted that was not sent', async () => {
    const all = await parties();
    const reports = [await all.maker.createReport(1, NOW, random), await all.maker.createReport(2, NOW, random)];
    const { job } = await leaderStart(all.leader, NOTHING, undefined, reports);
    await attack(job!.request, async (message) => helperStart(all.helper, message));
    const ids = new Set(reports.map(({ reportMetadata }) => reportMetadata.reportId.join()));
    const counted = all.helper.store.buckets.reduce((sum, { reportCount }) => sum + reportCount, 0);
    assert.ok(counted <= ids.size);
  });

  it('continuation of a job', async () => {
    const all = await parties({ rounds: 2 });
    const parameter = Uint8Array.of(1);
    const { job } = await leaderStart(all.leader, parameter, undefined, [await all.maker.createReport(1, NOW, random)]);
    const answer = await helperStart(all.helper, job!.request);
    await attack(Uint8Array.of(0, 1, ...answer.job.pending[0]!.reportId, 0, 0, 0, 1, 2), (message) =>
      receiveContinue(answer.job, message),
    );
  });

  it('collection requests', async () => {
    const { leader, helper } = await parties();
    const body = createCollectionJobReq(query, NOTHING);
    await attack(body, (message) => receiveCollection(leader.task, message));
    const request = AggregateShareReq.encode({
      collectionJobReq: CollectionJobReq.decode(body),
      batchSelector: query,
      reportCount: 2,
      checksum: new Uint8Array(32),
    });
    await attack(request, (message) => receiveAggregateShareReq(helper.task, message));
  });

  it('results', async () => {
    const all = await parties();
    await runJob(all, [await all.maker.createReport(1, NOW, random), await all.maker.createReport(2, NOW, random)]);
    const request = createCollectionJobReq(query, NOTHING);
    const response = await leaderCollect(all, request);
    const opener = await prepareResults(all.maker.task, toyVdaf(), all.collectorKey);
    await attack(response, async (message) => opener.open(request, message));
  });
});
