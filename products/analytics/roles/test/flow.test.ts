/** Whole flows: from measurements of clients to results of a collector. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH_MODE_LEADER_SELECTED, leaderSelectedQuery } from '@privacy-edge/dap';
import { rational } from '@privacy-edge/dp';
import { encodePrefixes } from '@privacy-edge/vdaf';
import {
  asCollector,
  asLeader,
  collect,
  deploy,
  firstInterval,
  makeReports,
  type Options,
  settle,
  upload,
} from './fixture.ts';

const PROCESSING = ['synchronous', 'asynchronous'] as const;

for (const processing of PROCESSING) {
  test(`Count with time intervals and a helper that is ${processing}`, async () => {
    const deployment = await deploy({ processing });
    const reports = await makeReports(deployment, [1, 0, 1, 1, 0].map(Boolean));
    assert.deepEqual(await upload(deployment, reports), []);
    const { result, reportCount, interval } = await collect(deployment, firstInterval(10));
    assert.equal(Number(result), 3);
    assert.equal(reportCount, 5);
    assert.equal(interval.duration, 1);
    const counters = await deployment.leader.store.readCounters(deployment.task.taskId);
    assert.deepEqual({ ...counters }, { uploaded: 5, aggregated: 5, collected: 1 });
    const onHelper = await deployment.helper.store.readCounters(deployment.task.taskId);
    assert.deepEqual({ ...onHelper }, { aggregated: 5, collected: 1 });
  });

  test(`LinReg with a helper that is ${processing}`, async () => {
    const vdaf = { kind: 'linReg', maxValues: [255, 255], chunkLength: 6 } as const;
    const deployment = await deploy({ processing, vdaf });
    const points = [
      [1, 5],
      [2, 7],
      [10, 23],
      [100, 203],
    ];
    await upload(deployment, await makeReports(deployment, points));
    const { result, reportCount } = await collect(deployment);
    assert.equal(reportCount, 4);
    const products = [1 + 4 + 100 + 10_000, 5 + 14 + 230 + 20_300, 25 + 49 + 529 + 41_209].map(BigInt);
    assert.deepEqual(result, { sums: [113n, 238n], products });
  });

  test(`Histogram with batches of the leader's choice and a helper that is ${processing}`, async () => {
    const deployment = await deploy({
      processing,
      vdaf: { kind: 'histogram', length: 8, chunkLength: 3 },
      parameters: { batchMode: BATCH_MODE_LEADER_SELECTED },
    });
    await upload(deployment, await makeReports(deployment, [0, 1, 2, 3, 4, 5]));
    await settle(deployment);
    const seen: number[] = new Array(8).fill(0);
    for (let i = 0; i < 2; i++) {
      const { result, reportCount, location } = await collect(deployment, leaderSelectedQuery());
      assert.equal(reportCount, 3);
      for (const [bucket, count] of (result as readonly (number | bigint)[]).entries()) seen[bucket]! += Number(count);
      assert.equal((await asCollector(deployment, 'DELETE', location)).status, 200);
    }
    assert.deepEqual(seen, [1, 1, 1, 1, 1, 1, 0, 0]);
  });

  test(`Poplar1 with multi-collection and a helper that is ${processing}`, async () => {
    const options: Options = {
      processing,
      vdaf: { kind: 'poplar1', bits: 8 },
      extensions: { multiCollection: { maxCollections: 3 } },
    };
    const deployment = await deploy(options);
    const strings = [0b10100000, 0b10100001, 0b01000000, 0b11111111].map((byte) => Uint8Array.of(byte));
    await upload(deployment, await makeReports(deployment, strings));
    await settle(deployment);
    assert.equal(deployment.sent.length, 0, 'nothing is aggregated before it is asked for');
    const counts = async (level: number, prefixes: readonly number[]): Promise<number[]> => {
      const parameter = encodePrefixes(
        level,
        prefixes.map((prefix) => Uint8Array.of(prefix)),
      );
      const { result, reportCount } = await collect(deployment, firstInterval(), parameter);
      assert.equal(reportCount, 4);
      return (result as readonly (number | bigint)[]).map(Number);
    };
    assert.deepEqual(await counts(0, [0b00000000, 0b10000000]), [1, 3]);
    assert.deepEqual(await counts(2, [0b01000000, 0b10100000, 0b11100000]), [1, 2, 1]);
    assert.deepEqual(await counts(7, [0b10100000, 0b10100001]), [1, 1]);
  });
}

test('reports of several intervals come out where they belong, and buckets stay few', async () => {
  const deployment = await deploy({ config: { maxJobSize: 2, maxParts: 2 } });
  const start = deployment.clock.nowMs;
  for (const minute of [0, 1]) {
    const reports = await makeReports(deployment, new Array(9).fill(true), new Date(start + 60_000 * minute));
    await upload(deployment, reports);
  }
  await settle(deployment);
  assert.equal(await deployment.leader.aggregator.mergeBuckets(), 2);
  assert.equal(await deployment.helper.aggregator.mergeBuckets(), 2);
  const [task] = deployment.leader.store.tables.tasks.values();
  assert.equal(task?.parts.length, 2);
  assert.equal(Number((await collect(deployment, firstInterval(1))).result), 9);
});

test('with noise, the same request gets the same share: 1.7 and the averaging of noise', async () => {
  const dp = { mechanism: { kind: 'laplace', epsilon: rational(1n, 100n) }, adjacency: 'substitution' } as const;
  const deployment = await deploy({ extensions: { dp } });
  await upload(deployment, await makeReports(deployment, new Array(5).fill(true)));
  const { reportCount } = await collect(deployment);
  assert.equal(reportCount, 5);
  const posted = deployment.sent.find(({ url }) => url.endsWith('/aggregate_shares'));
  assert.ok(posted?.body);
  const message = { name: 'aggregate-share-req', body: posted.body } as const;
  const [first, second] = [1, 2].map(() => asLeader(deployment, 'POST', 'aggregate_shares', message));
  assert.deepEqual((await first)?.body, (await second)?.body);
});
