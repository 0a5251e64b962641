/** Rules of uploads, keys, tasks and who may ask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BATCH_MODE_LEADER_SELECTED,
  createTaskConfiguration,
  formatTaskprov,
  HpkeConfig,
  HpkeConfigList,
  mediaTypeOf,
  REPORT_ERROR,
  type Report,
  ROLE_LEADER,
  reportsPath,
  resourcePath,
  taskprovTaskId,
  UploadRequest,
} from '@privacy-edge/dap';
import { decodeProblem } from '@privacy-edge/http-fields';
import { createAggregator } from '../src/index.ts';
import {
  asCollector,
  asLeader,
  call,
  collect,
  type Deployment,
  deploy,
  firstInterval,
  helperPath,
  leaderPath,
  makeReports,
  NOTHING,
  problemOf,
  START,
  settle,
  snapshot,
  upload,
} from './fixture.ts';

const UPLOAD = { 'content-type': mediaTypeOf('upload-req') };

function post({ leader }: Deployment, body: Uint8Array, piece = 1000, fields = UPLOAD as Record<string, string>) {
  return call(leader.aggregator, { method: 'POST', path: leaderPath('reports'), fields, body, piece });
}

async function errorOf(deployment: Deployment, report: Report): Promise<number | undefined> {
  const before = snapshot(deployment.leader);
  const [error] = await upload(deployment, [report]);
  assert.deepEqual(snapshot(deployment.leader), before);
  return error?.error;
}

test('1.6: a report from the future is too early, and may come again later', async () => {
  const deployment = await deploy();
  const [report] = await makeReports(deployment, [true], new Date(deployment.clock.nowMs + 900_000));
  assert.equal(await errorOf(deployment, report!), REPORT_ERROR.REPORT_TOO_EARLY);
  deployment.clock.advance(900_000);
  assert.deepEqual(await upload(deployment, [report!]), []);
});

test('1.6: a report from outside of the task interval is dropped', async () => {
  const deployment = await deploy({ extensions: { taskInterval: { start: START - 10, duration: 20 } } });
  const now = deployment.clock.nowMs;
  for (const minutes of [-11, -600]) {
    const [report] = await makeReports(deployment, [true], new Date(now + 60_000 * minutes));
    assert.equal(await errorOf(deployment, report!), REPORT_ERROR.REPORT_DROPPED);
  }
  deployment.clock.advance(3_600_000);
  const [late] = await makeReports(deployment, [true]);
  assert.equal(await errorOf(deployment, late!), REPORT_ERROR.REPORT_DROPPED);
});

test('1.8 item 11: an upload may be repeated; duplicates are dropped silently', async () => {
  const deployment = await deploy();
  const reports = await makeReports(deployment, [true, true, true]);
  assert.deepEqual(await upload(deployment, [...reports, reports[0]!]), []);
  assert.deepEqual(await upload(deployment, reports), []);
  assert.equal(Number((await collect(deployment)).result), 3);
  assert.deepEqual(await upload(deployment, reports), []);
});

test('1.8 item 11: a report for an unknown key says that the configuration is outdated', async () => {
  const deployment = await deploy();
  const [report] = await makeReports(deployment, [true]);
  const { configId, enc, payload } = report!.leaderEncryptedInputShare;
  const changed = { ...report!, leaderEncryptedInputShare: { configId: configId + 1, enc, payload } };
  assert.equal(await errorOf(deployment, changed), REPORT_ERROR.OUTDATED_CONFIG);
});

test('1.6: a report for a batch that was collected is refused, with the error that DAP §4.4.2.2 names', async () => {
  const deployment = await deploy();
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  const late = await makeReports(deployment, [true]);
  await collect(deployment);
  assert.equal(await errorOf(deployment, late[0]!), REPORT_ERROR.REPORT_REPLAYED);
});

test('an unknown public extension refuses the upload and names the types', async () => {
  const deployment = await deploy();
  const [report] = await makeReports(deployment, [true]);
  const publicExtensions = [42, 23].map((extensionType) => ({ extensionType, extensionData: NOTHING }));
  const changed = { ...report!, reportMetadata: { ...report!.reportMetadata, publicExtensions } };
  const before = snapshot(deployment.leader);
  const answer = await post(deployment, UploadRequest.encode([changed]));
  assert.equal(problemOf(answer), 'unsupportedExtension');
  assert.deepEqual(decodeProblem(answer.body).extensions?.['unsupported_extensions'], [23, 42]);
  assert.deepEqual(snapshot(deployment.leader), before);
});

test('malicious client: a report with parts of other lengths than its task has is refused, and its neighbours are not', async () => {
  for (const vdaf of [
    { kind: 'count' },
    { kind: 'histogram', length: 9, chunkLength: 3 },
    { kind: 'poplar1', bits: 16 },
  ] as const) {
    const deployment = await deploy({ vdaf });
    const measurement = { count: true, histogram: 4, poplar1: Uint8Array.of(1, 2) }[vdaf.kind];
    const [report, ...others] = await makeReports(deployment, new Array(4).fill(measurement));
    const { publicShare, helperEncryptedInputShare: helper, leaderEncryptedInputShare: leader } = report!;
    const resized = (bytes: Uint8Array, by: number): Uint8Array => {
      const other = new Uint8Array(bytes.length + by);
      other.set(bytes.subarray(0, other.length));
      return other;
    };
    const bad: Partial<Report>[] = [
      { publicShare: resized(publicShare, 1) },
      { helperEncryptedInputShare: { ...helper, payload: resized(helper.payload, -1) } },
      { helperEncryptedInputShare: { ...helper, payload: resized(helper.payload, 1025) } },
      { helperEncryptedInputShare: { ...helper, payload: new Uint8Array(900_000) } },
      { helperEncryptedInputShare: { ...helper, enc: new Uint8Array(2049) } },
      { leaderEncryptedInputShare: { ...leader, payload: resized(leader.payload, 1025) } },
      { leaderEncryptedInputShare: { ...leader, enc: new Uint8Array(65_535) } },
    ];
    for (const changes of bad) {
      assert.equal(await errorOf(deployment, { ...report!, ...changes }), REPORT_ERROR.INVALID_MESSAGE);
    }
    const mixed = [others[0]!, { ...report!, ...bad[3] }, others[1]!];
    assert.equal((await upload(deployment, mixed)).length, 1);
    assert.deepEqual(await upload(deployment, [report!]), []);
    assert.equal((await deployment.leader.store.countReports(deployment.task.taskId)).waiting, 3);
  }
});

test('public extensions that are understood have a limit together, and private ones find room', async () => {
  const deployment = await deploy({ config: { reportExtensions: new Set([7]) } });
  const [report] = await makeReports(deployment, [true]);
  const withExtension = (length: number): Report => {
    const publicExtensions = [{ extensionType: 7, extensionData: new Uint8Array(length) }];
    return { ...report!, reportMetadata: { ...report!.reportMetadata, publicExtensions } };
  };
  assert.equal(await errorOf(deployment, withExtension(4093)), REPORT_ERROR.INVALID_MESSAGE);
  assert.deepEqual(await upload(deployment, [withExtension(4092)]), []);
  const extensions = { helper: [{ extensionType: 7, extensionData: new Uint8Array(1020) }] };
  const [extended] = await makeReports(deployment, [true], undefined, undefined, extensions);
  assert.deepEqual(await upload(deployment, [extended!]), []);
});

test('an upload is taken in pieces of any size, and errors come in the order of the request', async () => {
  const deployment = await deploy({ config: { uploadBatch: 2 } });
  const good = await makeReports(deployment, [true, true, true]);
  const early = await makeReports(deployment, [true, true], new Date(deployment.clock.nowMs + 900_000));
  const order = [early[1]!, good[0]!, good[1]!, early[0]!, good[2]!];
  const answer = await post(deployment, UploadRequest.encode(order), 7);
  const expected = [early[1]!, early[0]!].flatMap(({ reportMetadata }) => [...reportMetadata.reportId, 9]);
  assert.deepEqual([...answer.body], expected);
  assert.equal((await deployment.leader.store.countReports(deployment.task.taskId)).waiting, 3);
});

test('a malformed upload is an invalidMessage with the task in it; what came before it is kept', async () => {
  const deployment = await deploy({ config: { uploadBatch: 1 } });
  const reports = await makeReports(deployment, [true, true]);
  const body = UploadRequest.encode(reports);
  const answer = await post(deployment, body.subarray(0, body.length - 1));
  assert.equal(answer.status, 400);
  assert.equal(answer.header('content-type'), 'application/problem+json');
  assert.equal(problemOf(answer), 'invalidMessage');
  assert.equal(decodeProblem(answer.body).extensions?.['taskid'], 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8');
  assert.deepEqual(await upload(deployment, reports), []);
  assert.equal((await deployment.leader.store.countReports(deployment.task.taskId)).waiting, 2);
});

test('uploads have limits, and a media type', async () => {
  const deployment = await deploy({ config: { maxReportBytes: 300, maxUploadBytes: 1000 } });
  const reports = await makeReports(deployment, new Array(5).fill(true));
  assert.equal((await post(deployment, UploadRequest.encode(reports))).status, 413);
  assert.equal(problemOf(await post(deployment, new Uint8Array(400).fill(255))), 'invalidMessage');
  assert.equal((await post(deployment, NOTHING, 1, { 'content-type': 'application/json' })).status, 415);
  assert.equal((await post(deployment, NOTHING)).status, 200);
});

test('a helper takes no uploads, and nobody does for an unknown task', async () => {
  const deployment = await deploy();
  const body = UploadRequest.encode(await makeReports(deployment, [true]));
  const request = { method: 'POST', fields: UPLOAD, body };
  const atHelper = await call(deployment.helper.aggregator, { ...request, path: helperPath('reports') });
  assert.equal(problemOf(atHelper), 'unrecognizedTask');
  const path = `/dap/tasks/${'A'.repeat(43)}/reports`;
  assert.equal(problemOf(await call(deployment.leader.aggregator, { ...request, path })), 'unrecognizedTask');
});

test('paths and methods that are not there are 404 and 405', async () => {
  const { leader, helper } = await deploy();
  const statusOf = async (method: string, path: string): Promise<number> =>
    (await call(leader.aggregator, { method, path })).status;
  assert.equal(await statusOf('GET', '/hpke_config'), 404);
  assert.equal(await statusOf('GET', '/dap/tasks/AAAA/reports'), 404);
  assert.equal(await statusOf('GET', leaderPath('other')), 404);
  assert.equal(await statusOf('GET', leaderPath('reports')), 405);
  assert.equal(await statusOf('POST', '/dap/hpke_config'), 405);
  const wrong = await call(helper.aggregator, { method: 'PUT', path: helperPath('aggregation_jobs') });
  assert.equal(wrong.status, 404);
});

test('browsers may fetch configurations and upload, without credentials', async () => {
  const deployment = await deploy();
  const { aggregator } = deployment.leader;
  const preflight = await call(aggregator, {
    method: 'OPTIONS',
    path: leaderPath('reports'),
    fields: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.header('access-control-allow-origin'), '*');
  assert.match(preflight.header('access-control-allow-headers') ?? '', /content-type/);
  assert.equal(preflight.header('access-control-allow-credentials'), undefined);
  const keys = await call(aggregator, { method: 'GET', path: '/dap/hpke_config' });
  assert.equal(keys.header('access-control-allow-origin'), '*');
  assert.equal((await post(deployment, NOTHING)).header('access-control-allow-origin'), '*');
  const job = await call(aggregator, { method: 'OPTIONS', path: leaderPath('collection_jobs') });
  assert.equal(job.header('access-control-allow-origin'), undefined);
});

test('1.8 item 12: keys can be cached, overlap for twice as long, and move through their states', async () => {
  const deployment = await deploy({ config: { keyCacheMs: 1000_000, keyOverlapMs: 2000_000, keyLifetimeMs: 500_000 } });
  const { clock, leader } = deployment;
  const published = async (): Promise<number[]> => {
    const answer = await call(leader.aggregator, { method: 'GET', path: '/dap/hpke_config' });
    assert.equal(answer.header('cache-control'), 'public, max-age=1000');
    assert.equal(answer.header('content-type'), 'application/ppm-dap;message=hpke-config-list');
    return HpkeConfigList.decode(answer.body).map(({ id }) => id);
  };
  const [old] = await makeReports(deployment, [true]);
  assert.deepEqual(await published(), [0]);
  clock.advance(500_000);
  assert.equal(await leader.aggregator.rotateKeys(), 1);
  assert.deepEqual(await published(), [0], 'the next key is not published before every instance has it');
  assert.equal(await leader.aggregator.rotateKeys(), 0);
  clock.advance(120_000);
  assert.equal(await leader.aggregator.rotateKeys(), 1);
  assert.deepEqual(await published(), [1]);
  assert.deepEqual(
    await upload(deployment, [old!, ...(await makeReports(deployment, [true, true], new Date(clock.nowMs - 620_000)))]),
    [],
  );
  assert.equal(Number((await collect(deployment, firstInterval())).result), 3);
  clock.advance(2000_000);
  await leader.aggregator.rotateKeys();
  clock.advance(120_000);
  const [late] = await makeReports(deployment, [true]);
  for (let i = 0; i < 10; i++) {
    clock.advance(200_000);
    await leader.aggregator.rotateKeys();
  }
  const ids = (await leader.store.readHpkeKeys()).map(({ configId }) => configId);
  assert.equal(ids.includes(0), false);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(await upload(deployment, [late!]), []);
});

test('two instances that rotate at once make one key', async () => {
  const { leader, clock } = await deploy({ config: { keyLifetimeMs: 1000 } });
  clock.advance(1000);
  await Promise.all([leader.aggregator.rotateKeys(), leader.aggregator.rotateKeys()]);
  assert.equal((await leader.store.readHpkeKeys()).length, 2);
});

test('a configuration that cannot work is refused', async () => {
  const { leader } = await deploy();
  const ports = { store: leader.store, clock: () => 0, random: () => NOTHING, transport: async () => assert.fail() };
  const resourceKey = new Uint8Array(16);
  assert.throws(() => createAggregator(ports, { resourceKey: NOTHING }), RangeError);
  assert.throws(() => createAggregator(ports, { resourceKey, keyCacheMs: 10, keyOverlapMs: 19 }), RangeError);
  assert.throws(() => createAggregator(ports, { resourceKey, minJobSize: 5, maxJobSize: 4 }), RangeError);
  assert.throws(() => createAggregator(ports, { resourceKey, maxReportsPerJob: 0 }), RangeError);
  assert.throws(() => createAggregator(ports, { resourceKey, maxWaitingCollections: 0 }), RangeError);
});

test('1.8 item 19: whoever may not ask does not learn whether a task exists', async () => {
  const deployment = await deploy();
  const before = [snapshot(deployment.leader), snapshot(deployment.helper)];
  const fields = [
    {},
    { authorization: 'Bearer wrong' },
    { authorization: 'Basic bGVhZGVyLXRvLWhlbHBlcg==' },
    { authorization: 'Bearer collector-to-leader' },
  ];
  for (const header of fields) {
    for (const rest of [
      'aggregation_jobs',
      'aggregation_jobs/AAAA?step=0',
      'aggregate_shares',
      'aggregate_shares/AAAA',
    ]) {
      const method = rest.includes('/') ? 'GET' : 'POST';
      const known = await call(deployment.helper.aggregator, { method, path: helperPath(rest), fields: header });
      const path = `/api/v1/tasks/${'B'.repeat(42)}A/${rest}`;
      const unknown = await call(deployment.helper.aggregator, { method, path, fields: header });
      assert.equal(known.status, unknown.status);
      const text = Buffer.from(unknown.body)
        .toString()
        .replace(`${'B'.repeat(42)}A`, 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8');
      assert.equal(Buffer.from(known.body).toString(), text);
      assert.equal(known.header('www-authenticate'), unknown.header('www-authenticate'));
    }
  }
  for (const rest of ['collection_jobs', 'collection_jobs/AAAA']) {
    const method = rest.includes('/') ? 'DELETE' : 'POST';
    const authorization = 'Bearer leader-to-helper';
    const answer = await call(deployment.leader.aggregator, {
      method,
      path: leaderPath(rest),
      fields: { authorization },
    });
    assert.equal(answer.status, 404);
    assert.equal(problemOf(answer), 'unrecognizedTask');
  }
  assert.deepEqual([snapshot(deployment.leader), snapshot(deployment.helper)], before);
});

test('a peer can be known by its TLS name, or by any of its tokens', async () => {
  const { helper } = await deploy();
  const path = helperPath('aggregate_shares/AAAA');
  const statusOf = async (names: readonly string[], token?: string): Promise<string | undefined> => {
    const fields: Record<string, string> = token === undefined ? {} : { authorization: `bearer ${token}` };
    const { body } = await call(helper.aggregator, { method: 'GET', path, peer: { names }, fields });
    return body.length === 0 ? 'asked' : 'refused';
  };
  assert.equal(await statusOf(['other.example', 'leader.example']), 'asked');
  assert.equal(await statusOf(['collector.example']), 'refused');
  assert.equal(await statusOf([], 'old'), 'asked');
  assert.equal(await statusOf([], 'older'), 'refused');
});

test('1.8 item 18: a task with a minimum batch size of zero is not served', async () => {
  const deployment = await deploy();
  const configuration = createTaskConfiguration({ ...deployment.task.configuration, minBatchSize: 0 });
  const taskId = new Uint8Array(32).fill(7);
  const row = { ...deployment.row, task: { ...deployment.row.task, taskId, configuration: configuration.encoded } };
  await deployment.leader.store.putTask(row);
  await assert.rejects(
    call(deployment.leader.aggregator, { method: 'POST', path: `/dap/${reportsPath(taskId)}`, fields: UPLOAD }),
    { code: 'TASK_UNSUPPORTED' },
  );
});

test('Taskprov: an advertised task is taken part in, if it is opted into', async () => {
  const deployment = await deploy();
  const { leader, clock } = deployment;
  const configuration = createTaskConfiguration({
    ...deployment.task.configuration,
    taskInfo: Uint8Array.of(99),
    batchMode: BATCH_MODE_LEADER_SELECTED,
  });
  const taskId = taskprovTaskId(configuration);
  const path = `/dap/${reportsPath(taskId)}`;
  const fields = { ...UPLOAD, 'dap-taskprov': formatTaskprov(configuration) };
  const ports = {
    store: leader.store,
    clock: () => clock.nowMs,
    random: () => NOTHING,
    transport: async () => assert.fail(),
  };
  const start = (ownEndpoint: string, accept = true) =>
    createAggregator(ports, {
      resourceKey: new Uint8Array(16),
      basePath: '/dap',
      advertised: {
        verifyKeyInit: new Uint8Array(32),
        role: ROLE_LEADER,
        ownEndpoint,
        peerEndpoint: configuration.helperAggregatorEndpoint,
        collectorConfig: HpkeConfig.encode(deployment.collectorKey.config),
        access: deployment.row.access,
        processing: 'synchronous',
        clockToleranceSeconds: 60,
        accept: () => accept,
      },
    });
  const own = configuration.leaderAggregatorEndpoint;
  const ask = async (aggregator: ReturnType<typeof start>, changes: object = {}) =>
    call(aggregator, { method: 'POST', path, fields, ...changes });
  assert.equal(problemOf(await ask(leader.aggregator)), 'unrecognizedTask', 'it is off by default');
  assert.equal(problemOf(await ask(start('https://other.example'))), 'invalidTask');
  assert.equal(problemOf(await ask(start(own, false))), 'invalidTask');
  const otherTask = { path: `/dap/${reportsPath(new Uint8Array(32))}` };
  assert.equal(problemOf(await ask(start(own), otherTask)), 'invalidTask');
  const ignored = { fields: { ...UPLOAD, 'dap-taskprov': '"text"' } };
  assert.equal(problemOf(await ask(start(own), ignored)), 'unrecognizedTask');
  assert.equal(await leader.store.readTask(taskId), undefined);
  // Who has no right to ask cannot make a task appear.
  const jobs = { path: `/dap/${resourcePath(taskId, 'collection_jobs')}` };
  assert.equal((await ask(start(own), jobs)).status, 404);
  assert.equal(await leader.store.readTask(taskId), undefined);
  assert.equal((await ask(start(own))).status, 200);
  assert.equal((await leader.store.readTask(taskId))?.isAdvertised, true);
  assert.equal((await ask(start(own))).status, 200);
});

test('events have no identifier and no time in them', async () => {
  const deployment = await deploy();
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  await collect(deployment);
  await settle(deployment);
  const all = [...deployment.leader.events, ...deployment.helper.events];
  assert.ok(all.some(({ kind }) => kind === 'request') && all.some(({ kind }) => kind === 'reports'));
  const keys = new Set(all.flatMap((event) => Object.keys(event)));
  assert.deepEqual([...keys].sort(), [
    'count',
    'kind',
    'milliseconds',
    'outcome',
    'phase',
    'resource',
    'result',
    'step',
  ]);
  assert.ok((await asLeader(deployment, 'GET', 'aggregate_shares/AAAA')).status === 404);
  assert.ok((await asCollector(deployment, 'GET', 'collection_jobs/AAAA')).status === 404);
});
