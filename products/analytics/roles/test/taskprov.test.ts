/** A task that nobody has provisioned: from the first upload that advertises it to its result. Taskprov §3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createCollectionJobReq,
  createTask,
  createTaskConfiguration,
  formatTaskprov,
  HpkeConfig,
  HpkeConfigList,
  mediaTypeOf,
  prepareReports,
  prepareResults,
  ROLE_HELPER,
  ROLE_LEADER,
  reportsPath,
  resourcePath,
  selectHpkeConfig,
  taskprovTaskId,
  UploadRequest,
} from '@privacy-edge/dap';
import { systemRandom } from '@privacy-edge/hpke';
import { createVdaf } from '@privacy-edge/vdaf';
import {
  type AdvertisedTasks,
  type Aggregator,
  createAggregator,
  hashToken,
  type PeerTransport,
} from '../src/index.ts';
import { call, deploy, firstInterval, NOTHING, settle } from './fixture.ts';

test('a task that is advertised with an upload is aggregated by both, who never heard of it before', async () => {
  const deployment = await deploy();
  const { leader, helper, clock, collectorKey } = deployment;
  const configuration = createTaskConfiguration({ ...deployment.task.configuration, taskInfo: Uint8Array.of(42) });
  const taskId = taskprovTaskId(configuration);
  const advertised = (role: AdvertisedTasks['role']): AdvertisedTasks => ({
    verifyKeyInit: new Uint8Array(32).fill(3),
    role,
    ownEndpoint: role === ROLE_LEADER ? configuration.leaderAggregatorEndpoint : configuration.helperAggregatorEndpoint,
    peerEndpoint:
      role === ROLE_LEADER ? configuration.helperAggregatorEndpoint : configuration.leaderAggregatorEndpoint,
    collectorConfig: HpkeConfig.encode(collectorKey.config),
    access: {
      peerAuthorization: 'Bearer shared',
      peerTokenHashes: [hashToken('shared')],
      collectorTokenHashes: [hashToken('collector')],
      peerNames: [],
      collectorNames: [],
    },
    processing: 'synchronous',
    clockToleranceSeconds: 60,
    accept: ({ configuration: { minBatchSize } }) => minBatchSize >= 3,
  });
  const start = (
    party: typeof leader,
    basePath: string,
    role: AdvertisedTasks['role'],
    transport: PeerTransport,
  ): Aggregator => {
    const ports = { store: party.store, clock: () => clock.nowMs, random: systemRandom, transport };
    return createAggregator(ports, {
      resourceKey: new Uint8Array(16),
      basePath,
      minJobSize: 1,
      advertised: advertised(role),
    });
  };
  helper.aggregator = start(helper, '/api/v1', ROLE_HELPER, () => assert.fail('a helper asks nobody'));
  const seen: (string | undefined)[] = [];
  leader.aggregator = start(leader, '/dap', ROLE_LEADER, ({ method, url, fields, body }) => {
    const header = Object.fromEntries(fields);
    seen.push(header['dap-taskprov']);
    const { pathname, search } = new URL(url);
    const path = pathname + search;
    return call(helper.aggregator, { method, path, fields: header, ...(body === null ? {} : { body }) });
  });

  const task = createTask(taskId, configuration);
  const vdaf = createVdaf({ kind: 'count' });
  const configOf = async ({ aggregator }: typeof leader, base: string): Promise<HpkeConfig> =>
    selectHpkeConfig(
      HpkeConfigList.decode((await call(aggregator, { method: 'GET', path: `${base}/hpke_config` })).body),
    );
  const maker = await prepareReports(task, vdaf, await configOf(leader, '/dap'), await configOf(helper, '/api/v1'));
  const reports = await Promise.all(
    [true, true, true, false].map((value) => maker.createReport(value, new Date(clock.nowMs), systemRandom)),
  );
  const uploaded = await call(leader.aggregator, {
    method: 'POST',
    path: `/dap/${reportsPath(taskId)}`,
    fields: { 'content-type': mediaTypeOf('upload-req'), 'dap-taskprov': formatTaskprov(configuration) },
    body: UploadRequest.encode(reports),
  });
  assert.deepEqual([uploaded.status, uploaded.body.length], [200, 0]);
  await settle(deployment);
  assert.equal((await helper.store.readTask(taskId))?.isAdvertised, true);
  assert.ok(seen.length > 0 && seen.every((value) => value === formatTaskprov(configuration)));

  const request = createCollectionJobReq(firstInterval(), NOTHING);
  const path = `/dap/${resourcePath(taskId, 'collection_jobs')}`;
  const fields = { authorization: 'Bearer collector', 'content-type': mediaTypeOf('collection-job-req') };
  assert.equal((await call(leader.aggregator, { method: 'POST', path, fields, body: request })).status, 201);
  await settle(deployment);
  const answer = await call(leader.aggregator, { method: 'POST', path, fields, body: request });
  const opener = await prepareResults(task, vdaf, collectorKey);
  const { result, reportCount } = await opener.open(request, answer.body);
  assert.deepEqual([Number(result), reportCount], [3, 4]);
});
