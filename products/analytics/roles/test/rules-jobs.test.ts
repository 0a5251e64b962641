/** Rules of aggregation jobs and collections, and what a malicious peer or client gets. Nothing that is refused leaves a trace. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { toHex } from '@privacy-edge/bytes';
import {
  AggregateShareReq,
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  BATCH_MODE_LEADER_SELECTED,
  type BatchSelector,
  CollectionJobReq,
  createCollectionJobReq,
  leaderSelectedQuery,
  leaderSelectedSelector,
  type MessageName,
  REPORT_ERROR,
  type Report,
  timeIntervalQuery,
  timeIntervalSelector,
} from '@privacy-edge/dap';
import { encodePrefixes } from '@privacy-edge/vdaf';
import { PeerError, type PeerRequest, type PeerResponse, type PeerTransport } from '../src/index.ts';
import {
  type Answer,
  asCollector,
  asLeader,
  collect,
  type Deployment,
  deploy,
  firstInterval,
  makeReports,
  NOTHING,
  type Options,
  problemOf,
  START,
  settle,
  snapshot,
  upload,
} from './fixture.ts';

const INIT = 'aggregation-job-init-req';
const CONTINUE = 'aggregation-job-continue-req';
const SHARE = 'aggregate-share-req';

/** A deployment with a job that the leader has started, and that has not reached the helper. */
async function withRequest(options: Options = {}): Promise<Deployment & { readonly body: Uint8Array }> {
  let isCut = true;
  const held: PeerRequest[] = [];
  const deployment = await deploy({
    ...options,
    wrap: (send) => async (request) => {
      if (!isCut) return send(request);
      held.push(request);
      throw new PeerError('CONNECT_FAILED', 'Nobody is there');
    },
  });
  await upload(deployment, await makeReports(deployment, [true, true, true, false]));
  await deployment.leader.aggregator.createJobs();
  await deployment.leader.aggregator.driveLeaderJobs();
  isCut = false;
  assert.equal(held.length, 1);
  return { ...deployment, body: held[0]!.body! };
}

/** What the helper answers, which must leave it as it was. */
async function refusal(deployment: Deployment, rest: string, name: MessageName, body: Uint8Array): Promise<string> {
  const before = snapshot(deployment.helper);
  const answer = await asLeader(deployment, 'POST', rest, { name, body });
  assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
  assert.equal(answer.header('content-type'), 'application/problem+json');
  assert.deepEqual(snapshot(deployment.helper), before);
  return problemOf(answer);
}

function postInit(deployment: Deployment, body: Uint8Array): Promise<Answer> {
  return asLeader(deployment, 'POST', 'aggregation_jobs', { name: INIT, body });
}

/** Path of a resource below its task. */
function restOf(answer: Answer): string {
  return (answer.header('location') ?? '').split('/').slice(-2).join('/');
}

function kindsOf(answer: Answer): string[] {
  return AggregationJobResp.decode(answer.body).map((one) =>
    one.kind === 'reject' ? `reject ${one.reportError}` : one.kind,
  );
}

test('DAP §3.2: the same request finds the same job, however often it comes', async () => {
  const deployment = await withRequest();
  const first = await postInit(deployment, deployment.body);
  assert.equal(first.status, 201);
  assert.deepEqual(kindsOf(first), ['continue', 'continue', 'continue', 'continue']);
  const after = snapshot(deployment.helper);
  const second = await postInit(deployment, deployment.body);
  assert.deepEqual([second.status, second.body], [201, first.body]);
  assert.equal(second.header('location'), first.header('location'));
  assert.deepEqual(snapshot(deployment.helper), after);
  const both = await Promise.all([1, 2].map(() => postInit(deployment, deployment.body)));
  assert.deepEqual(both[0]!.body, both[1]!.body);
  assert.equal(Number((await collect(deployment)).result), 3);
});

test('DAP §3.2: the same request twice at the same time is one job', async () => {
  const deployment = await withRequest();
  const answers = await Promise.all([1, 2, 3].map(() => postInit(deployment, deployment.body)));
  for (const answer of answers) assert.deepEqual(answer.body, answers[0]!.body);
  const [task] = deployment.helper.store.tables.tasks.values();
  assert.equal(task?.remembered.size, 4);
  assert.equal(task?.parts.length, 1);
});

test('1.8 items 5 and 6, 1.9: requests that fail the whole job', async () => {
  const deployment = await withRequest();
  const request = AggregationJobInitReq.decode(deployment.body);
  const [first] = request.verifyInits;
  const refusedFor = (changes: Partial<AggregationJobInitReq>): Promise<string> =>
    refusal(deployment, 'aggregation_jobs', INIT, AggregationJobInitReq.encode({ ...request, ...changes }));
  const extension = (extensionType: number) => ({ extensionType, extensionData: NOTHING });
  assert.equal(await refusedFor({ verifyInits: [first!, ...request.verifyInits] }), 'invalidMessage');
  assert.equal(await refusedFor({ verifyInits: [] }), 'invalidMessage');
  assert.equal(await refusedFor({ verificationKeyId: 1 }), 'invalidMessage');
  assert.equal(await refusedFor({ extensions: [extension(9)] }), 'unsupportedExtension');
  assert.equal(await refusedFor({ extensions: [extension(9), extension(8)] }), 'invalidMessage');
  assert.equal(await refusedFor({ aggParam: Uint8Array.of(1) }), 'invalidAggregationParameter');
  assert.equal(await refusal(deployment, 'aggregation_jobs', INIT, deployment.body.subarray(1)), 'invalidMessage');
});

test('malicious leader: a job of more reports than a request may cost is refused before one of them is opened', async () => {
  const deployment = await withRequest({ config: { maxReportsPerJob: 3 } });
  const before = snapshot(deployment.helper);
  let reads = 0;
  deployment.helper.store.hook = async (method) => {
    if (method === 'readHpkeKeys' || method === 'readCommitmentFacts') reads += 1;
  };
  assert.equal(await refusal(deployment, 'aggregation_jobs', INIT, deployment.body), 'invalidMessage');
  assert.equal(reads, 0);
  assert.deepEqual(snapshot(deployment.helper), before);
  const request = AggregationJobInitReq.decode(deployment.body);
  const fewer = AggregationJobInitReq.encode({ ...request, verifyInits: request.verifyInits.slice(0, 3) });
  assert.deepEqual(kindsOf(await postInit(deployment, fewer)), new Array(3).fill('continue'));
});

test('1.8 item 6: a leader-selected job without a batch is invalid', async () => {
  const deployment = await withRequest({ parameters: { batchMode: BATCH_MODE_LEADER_SELECTED, minBatchSize: 4 } });
  const request = AggregationJobInitReq.decode(deployment.body);
  const body = AggregationJobInitReq.encode({ ...request, extensions: [] });
  assert.equal(await refusal(deployment, 'aggregation_jobs', INIT, body), 'invalidMessage');
});

for (const processing of ['synchronous', 'asynchronous'] as const) {
  test(`malicious leader: a report in two jobs counts once, with a helper that is ${processing}`, async () => {
    const deployment = await withRequest({ processing });
    const request = AggregationJobInitReq.decode(deployment.body);
    const [first, second] = request.verifyInits;
    const answerTo = async (body: Uint8Array): Promise<Answer> => {
      const created = await postInit(deployment, body);
      if (processing === 'synchronous') return created;
      assert.equal(created.body.length, 0);
      assert.match(created.header('location') ?? '', /\?step=0$/);
      assert.ok(Number(created.header('retry-after')) > 0);
      await deployment.helper.aggregator.driveHelperJobs();
      return asLeader(deployment, 'GET', restOf(created));
    };
    assert.deepEqual(kindsOf(await answerTo(deployment.body)), new Array(4).fill('continue'));
    const [task] = deployment.helper.store.tables.tasks.values();
    const parts = task!.parts.length;
    const again = AggregationJobInitReq.encode({ ...request, verifyInits: [second!, first!] });
    assert.deepEqual(kindsOf(await answerTo(again)), new Array(2).fill(`reject ${REPORT_ERROR.REPORT_REPLAYED}`));
    assert.equal(task!.parts.length, parts);
    assert.equal(task!.remembered.size, 4);
  });
}

test('1.8 item 7: DELETE and garbage collection of a job forget none of its reports', async () => {
  const deployment = await withRequest({ config: { keepEndedMs: 1000 } });
  const created = await postInit(deployment, deployment.body);
  assert.equal((await asLeader(deployment, 'DELETE', restOf(created))).status, 200);
  assert.equal((await asLeader(deployment, 'DELETE', restOf(created))).status, 200);
  assert.equal(problemOf(await asLeader(deployment, 'GET', `${restOf(created)}?step=0`)), 'unrecognizedAggregationJob');
  const again = await postInit(deployment, deployment.body);
  assert.deepEqual(kindsOf(again), new Array(4).fill(`reject ${REPORT_ERROR.REPORT_REPLAYED}`));
  assert.notEqual(again.header('location'), created.header('location'));
  deployment.clock.advance(2000);
  await deployment.helper.aggregator.collectGarbage();
  const replayed = await postInit(deployment, deployment.body);
  assert.deepEqual(kindsOf(replayed), new Array(4).fill(`reject ${REPORT_ERROR.REPORT_REPLAYED}`));
});

test('1.6: what was forgotten is dropped, and never counted again', async () => {
  const deployment = await withRequest({ config: { keepEndedMs: 1000, rememberMs: 600_000 } });
  await postInit(deployment, deployment.body);
  deployment.clock.advance(700_000);
  await deployment.helper.aggregator.collectGarbage();
  const [task] = deployment.helper.store.tables.tasks.values();
  assert.deepEqual([task?.remembered.size, task?.parts.length, task?.helperJobs.size], [0, 0, 0]);
  const again = await postInit(deployment, deployment.body);
  assert.deepEqual(kindsOf(again), new Array(4).fill(`reject ${REPORT_ERROR.REPORT_DROPPED}`));
  const late = await upload(
    deployment,
    await makeReports(deployment, [true], new Date(deployment.clock.nowMs - 650_000)),
  );
  assert.deepEqual(late, []);
  await deployment.leader.aggregator.collectGarbage();
  const [dropped] = await upload(
    deployment,
    await makeReports(deployment, [true], new Date(deployment.clock.nowMs - 650_000)),
  );
  assert.equal(dropped?.error, REPORT_ERROR.REPORT_DROPPED);
});

test('1.8 item 8: continuations go step by step, and a repeated one must be the same', async () => {
  const parameter = encodePrefixes(0, [Uint8Array.of(0), Uint8Array.of(128)]);
  const held: PeerRequest[] = [];
  const deployment = await deploy({
    vdaf: { kind: 'poplar1', bits: 8 },
    extensions: { multiCollection: { maxCollections: 2 } },
    wrap: (send) => async (request) => {
      if (!/aggregation_jobs\/./.test(request.url)) return send(request);
      held.push(request);
      throw new PeerError('TIMEOUT', 'Nobody is there');
    },
  });
  await upload(
    deployment,
    await makeReports(
      deployment,
      [1, 2, 200].map((byte) => Uint8Array.of(byte)),
    ),
  );
  const request = createCollectionJobReq(firstInterval(), parameter);
  await asCollector(deployment, 'POST', 'collection_jobs', request);
  await deployment.leader.aggregator.createJobs();
  await deployment.leader.aggregator.driveLeaderJobs();
  assert.equal(held.length, 1);
  const { url, body } = held[0]!;
  const rest = url.split('/').slice(-2).join('/');
  const message = AggregationJobContinueReq.decode(body!);
  assert.equal(message.step, 1);
  const refusedFor = (changes: Partial<AggregationJobContinueReq>): Promise<string> =>
    refusal(deployment, rest, CONTINUE, AggregationJobContinueReq.encode({ ...message, ...changes }));
  const [first, second, third] = message.verifyContinues;
  assert.equal(await refusedFor({ step: 0 }), 'invalidMessage');
  assert.equal(await refusedFor({ step: 2 }), 'stepMismatch');
  assert.equal(await refusedFor({ verifyContinues: [] }), 'invalidMessage');
  assert.equal(await refusedFor({ verifyContinues: [first!, first!] }), 'invalidMessage');
  assert.equal(await refusedFor({ verifyContinues: [second!, first!, third!] }), 'invalidMessage');
  const stranger = { ...first!, reportId: new Uint8Array(16) };
  assert.equal(await refusedFor({ verifyContinues: [stranger] }), 'invalidMessage');
  assert.equal(problemOf(await asLeader(deployment, 'GET', rest)), 'invalidMessage', 'a poll names its step');
  assert.equal(problemOf(await asLeader(deployment, 'GET', `${rest}?step=1`)), 'stepMismatch');
  assert.equal((await asLeader(deployment, 'GET', `${rest}?step=0`)).status, 200);
  const send = { name: CONTINUE, body: body! } as const;
  const answer = await asLeader(deployment, 'POST', rest, send);
  assert.deepEqual(kindsOf(answer), ['finish', 'finish', 'finish']);
  const after = snapshot(deployment.helper);
  assert.deepEqual((await asLeader(deployment, 'POST', rest, send)).body, answer.body);
  assert.deepEqual(snapshot(deployment.helper), after);
  assert.equal(await refusedFor({ verifyContinues: [first!, second!] }), 'stepMismatch');
  assert.equal(
    problemOf(await asLeader(deployment, 'POST', 'aggregation_jobs/AAAA', send)),
    'unrecognizedAggregationJob',
  );
});

test('1.8 items 4 and 9: an answer about other reports abandons the job, whose reports go into another', async () => {
  let changes = 0;
  const wrap =
    (send: PeerTransport): PeerTransport =>
    async (request) => {
      const response = await send(request);
      if (request.method !== 'POST' || !request.url.endsWith('aggregation_jobs') || changes++ > 0) return response;
      const answers = AggregationJobResp.decode(response.body);
      return changed(response, AggregationJobResp.encode(answers.toReversed()));
    };
  const deployment = await deploy({ wrap });
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  await deployment.leader.aggregator.createJobs();
  const { outcomes } = await deployment.leader.aggregator.driveLeaderJobs();
  assert.deepEqual(outcomes, { abandoned: 1 });
  const taskId = deployment.task.taskId;
  assert.deepEqual(
    { ...(await deployment.leader.store.countReports(taskId)) },
    { waiting: 3, assigned: 0, aggregated: 0, rejected: 0 },
  );
  assert.equal(deployment.sent.at(-1)?.method, 'DELETE', 'the helper is told that it can forget the job');
  await settle(deployment);
  // The helper had committed, and says so.
  assert.equal((await deployment.leader.store.countReports(taskId)).rejected, 3);
  assert.equal((await deployment.leader.store.readCounters(taskId)).aggregation_report_replayed, 3);
});

function changed(response: PeerResponse, body: Uint8Array): PeerResponse {
  return { status: response.status, header: (name) => response.header(name), body };
}

test('1.8 item 9: failures are met with the very same bytes, not with another job', async () => {
  let left = 4;
  const bodies: string[] = [];
  const wrap =
    (send: PeerTransport): PeerTransport =>
    async (request) => {
      if (request.url.endsWith('aggregation_jobs')) bodies.push(toHex(request.body!));
      const response = await send(request);
      left -= 1;
      if (left === 3) throw new PeerError('TIMEOUT', 'Nothing came');
      if (left === 2) return { status: 503, header: () => '7', body: NOTHING };
      if (left === 1) return { status: 200, header: () => 'text/html', body: Uint8Array.of(60) };
      return response;
    };
  const deployment = await deploy({ wrap });
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  assert.equal(Number((await collect(deployment)).result), 3);
  assert.deepEqual([bodies.length, new Set(bodies).size], [4, 1]);
});

test('1.8 item 10: only a report that was too early is sent again', async () => {
  let isFirst = true;
  const wrap =
    (send: PeerTransport): PeerTransport =>
    async (request) => {
      if (!isFirst || !request.url.endsWith('aggregation_jobs')) return send(request);
      isFirst = false;
      const { verifyInits } = AggregationJobInitReq.decode(request.body!);
      const errors = [REPORT_ERROR.REPORT_TOO_EARLY, REPORT_ERROR.VDAF_VERIFY_ERROR, REPORT_ERROR.REPORT_DROPPED];
      const answers = verifyInits.map(({ reportShare }, i) => ({
        kind: 'reject' as const,
        reportId: reportShare.reportMetadata.reportId,
        reportError: errors[i]!,
      }));
      const header = (name: string): string | undefined =>
        name === 'content-type' ? 'application/ppm-dap;message=aggregation-job-resp' : undefined;
      return { status: 200, header, body: AggregationJobResp.encode(answers) };
    };
  const deployment = await deploy({ wrap });
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  await settle(deployment, 40);
  const { waiting, aggregated, rejected } = await deployment.leader.store.countReports(deployment.task.taskId);
  assert.deepEqual([waiting, aggregated, rejected], [0, 1, 2]);
  const sizes = deployment.sent.map(({ body }) => AggregationJobInitReq.decode(body!).verifyInits.length);
  assert.deepEqual(sizes, [1]);
});

test('malicious client: whatever is wrong with a report costs that report alone', async () => {
  const deployment = await deploy({
    vdaf: { kind: 'histogram', length: 8, chunkLength: 3 },
    config: { maxJobSize: 50 },
  });
  const good = await makeReports(deployment, [0, 1, 2]);
  const bad = await makeReports(deployment, [3, 3, 3, 3, 3]);
  const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
  const [a, b, c, d, e] = bad as [Report, Report, Report, Report, Report];
  const spoiled: Report[] = [
    {
      ...a,
      leaderEncryptedInputShare: { ...a.leaderEncryptedInputShare, payload: flip(a.leaderEncryptedInputShare.payload) },
    },
    {
      ...b,
      helperEncryptedInputShare: { ...b.helperEncryptedInputShare, payload: flip(b.helperEncryptedInputShare.payload) },
    },
    { ...c, publicShare: flip(c.publicShare) },
    { ...d, helperEncryptedInputShare: { ...d.helperEncryptedInputShare, configId: 99 } },
    { ...e, reportMetadata: { ...e.reportMetadata, time: e.reportMetadata.time - 1 } },
  ];
  assert.deepEqual(await upload(deployment, [...spoiled.slice(0, 3), ...good, ...spoiled.slice(3)]), []);
  const { result, reportCount } = await collect(deployment, timeIntervalQuery({ start: START - 5, duration: 10 }));
  assert.deepEqual([reportCount, (result as readonly bigint[]).map(Number)], [3, [1, 1, 1, 0, 0, 0, 0, 0]]);
  const taskId = deployment.task.taskId;
  assert.equal((await deployment.leader.store.countReports(taskId)).rejected, 5);
  assert.equal((await deployment.leader.store.readCounters(taskId)).aggregation_hpke_decrypt_error, 5);
});

test('malicious client: a measurement that is not valid is not in the result', async () => {
  const deployment = await deploy({ vdaf: { kind: 'sum', maxMeasurement: 10 } });
  const good = await makeReports(deployment, [1, 2, 3]);
  const [one, other] = await makeReports(deployment, [10, 10]);
  // Shares of two reports of the same client, mixed: each opens for its own report only, so nothing of them is used.
  const mixed = { ...one!, helperEncryptedInputShare: other!.helperEncryptedInputShare };
  await upload(deployment, [mixed, ...good]);
  assert.equal(Number((await collect(deployment)).result), 6);
});

/** A deployment whose helper has all reports, and the leader's request for its share as it never arrived. */
async function withShareRequest(options: Options = {}): Promise<Deployment & { readonly request: AggregateShareReq }> {
  const held: PeerRequest[] = [];
  const deployment = await deploy({
    ...options,
    wrap: (send) => async (request) => {
      if (!request.url.endsWith('aggregate_shares')) return send(request);
      held.push(request);
      throw new PeerError('TIMEOUT', 'Nobody is there');
    },
  });
  await upload(deployment, await makeReports(deployment, [true, true, true, true]));
  const next = new Date(deployment.clock.nowMs + 60_000);
  await upload(deployment, await makeReports(deployment, [true, true], next));
  await settle(deployment, 6);
  await asCollector(deployment, 'POST', 'collection_jobs', createCollectionJobReq(firstInterval(2), NOTHING));
  await settle(deployment, 3);
  return { ...deployment, request: AggregateShareReq.decode(held[0]!.body!) };
}

function askShare(deployment: Deployment, request: AggregateShareReq): Promise<Answer> {
  return asLeader(deployment, 'POST', 'aggregate_shares', { name: SHARE, body: AggregateShareReq.encode(request) });
}

test('1.7, malicious leader: every change of a request for a share is refused by the helper alone', async () => {
  const deployment = await withShareRequest();
  const { request } = deployment;
  const refusedFor = (changes: Partial<AggregateShareReq>): Promise<string> =>
    refusal(deployment, 'aggregate_shares', SHARE, AggregateShareReq.encode({ ...request, ...changes }));
  const select = (start: number, duration: number): { batchSelector: BatchSelector } => ({
    batchSelector: timeIntervalSelector({ start, duration }),
  });
  assert.equal(request.reportCount, 6);
  assert.equal(await refusedFor({ checksum: new Uint8Array(32) }), 'batchMismatch');
  assert.equal(await refusedFor({ reportCount: 5 }), 'batchMismatch');
  assert.equal(await refusedFor(select(START, 1)), 'batchMismatch');
  assert.equal(await refusedFor(select(START + 1, 1)), 'invalidBatchSize');
  assert.equal(await refusedFor(select(START, 3)), 'batchInvalid');
  assert.equal(await refusedFor(select(START - 1, 2)), 'batchInvalid');
  assert.equal(await refusedFor(select(START, 0)), 'batchInvalid');
  assert.equal(await refusedFor({ batchSelector: leaderSelectedSelector(new Uint8Array(32)) }), 'invalidMessage');
  const { collectionJobReq } = request;
  const extension = { extensionType: 3, extensionData: NOTHING };
  const collection = (changes: Partial<CollectionJobReq>) => ({
    collectionJobReq: { ...collectionJobReq, ...changes },
  });
  assert.equal(await refusedFor(collection({ aggParam: Uint8Array.of(1) })), 'invalidAggregationParameter');
  assert.equal(await refusedFor(collection({ extensions: [extension] })), 'unsupportedExtension');
  assert.equal(await refusedFor(collection({ extensions: [extension, extension] })), 'invalidExtension');
  assert.equal(await refusedFor(collection({ query: leaderSelectedQuery() })), 'invalidMessage');
  const body = AggregateShareReq.encode(request);
  assert.equal(await refusal(deployment, 'aggregate_shares', SHARE, body.subarray(1)), 'invalidMessage');
  assert.equal((await askShare(deployment, request)).status, 201);
});

test('1.7, malicious leader: a narrower selector is a batch, and what it leaves out is not collected with it', async () => {
  const deployment = await withShareRequest();
  const { request, helper, task } = deployment;
  const facts = await helper.store.readBatchFacts(
    task.taskId,
    { first: uint64(START), last: uint64(START), times: { first: START, last: START } },
    { rememberedAs: NOTHING, uploadedBefore: undefined },
  );
  const checksum = facts.parts.map((part) => part.checksum).reduce(xor);
  const narrower = {
    ...request,
    batchSelector: timeIntervalSelector({ start: START, duration: 1 }),
    checksum,
    reportCount: 4,
  };
  assert.equal((await askShare(deployment, narrower)).status, 201);
  const body = AggregateShareReq.encode(request);
  assert.equal(await refusal(deployment, 'aggregate_shares', SHARE, body), 'batchOverlap');
});

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]!);
}

test('1.7, malicious leader: a share is released once, and its batch takes nothing more', async () => {
  const deployment = await withShareRequest();
  const { request } = deployment;
  const first = await askShare(deployment, request);
  assert.deepEqual((await askShare(deployment, request)).body, first.body);
  const rest = restOf(first);
  assert.deepEqual((await asLeader(deployment, 'GET', rest)).body, first.body);
  const query = timeIntervalQuery({ start: START - 5, duration: 20 });
  const wider = {
    ...request,
    collectionJobReq: { ...request.collectionJobReq, query },
    batchSelector: timeIntervalSelector({ start: START, duration: 5 }),
  };
  const refusedFor = (body: AggregateShareReq): Promise<string> =>
    refusal(deployment, 'aggregate_shares', SHARE, AggregateShareReq.encode(body));
  assert.equal(await refusedFor(wider), 'batchOverlap');
  assert.equal(await refusedFor({ ...wider, batchSelector: request.batchSelector }), 'batchOverlap');
  assert.equal((await asLeader(deployment, 'DELETE', rest)).status, 200);
  assert.equal((await asLeader(deployment, 'GET', rest)).status, 404);
  assert.equal(await refusedFor(request), 'batchOverlap');
  deployment.clock.advance(15 * 86_400_000);
  await deployment.helper.aggregator.collectGarbage();
  assert.equal(await refusedFor(request), 'batchOverlap');
});

test('1.7, malicious leader: reports for a batch that was collected are rejected one by one', async () => {
  const held: PeerRequest[] = [];
  const deployment = await deploy({
    config: { maxJobSize: 4 },
    wrap: (send) => async (request) => {
      held.push(request);
      return send(request);
    },
  });
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  await collect(deployment);
  assert.ok(held.length > 0);
  const init = held.find(({ url }) => url.endsWith('aggregation_jobs'))!;
  const request = AggregationJobInitReq.decode(init.body!);
  const body = AggregationJobInitReq.encode({ ...request, verifyInits: request.verifyInits.slice(1) });
  const answer = await postInit(deployment, body);
  assert.deepEqual(kindsOf(answer), new Array(2).fill(`reject ${REPORT_ERROR.BATCH_COLLECTED}`));
});

test('1.7: a batch that is too small is waited for, and given up after a while', async () => {
  const deployment = await deploy({ config: { collectionTimeoutMs: 3_600_000 } });
  await upload(deployment, await makeReports(deployment, [true, true]));
  const request = createCollectionJobReq(firstInterval(), NOTHING);
  const { header } = await asCollector(deployment, 'POST', 'collection_jobs', request);
  await settle(deployment);
  const poll = await asCollector(deployment, 'GET', header('location')!);
  assert.deepEqual([poll.status, poll.body.length, poll.header('retry-after')], [200, 0, '10']);
  assert.equal(deployment.sent.filter(({ url }) => url.endsWith('aggregate_shares')).length, 0);
  deployment.clock.advance(3_600_000);
  await settle(deployment, 2);
  assert.equal(problemOf(await asCollector(deployment, 'GET', header('location')!)), 'invalidBatchSize');
  // The collector may try again with the same request.
  assert.equal((await asCollector(deployment, 'POST', 'collection_jobs', request)).status, 201);
  await upload(deployment, await makeReports(deployment, [true], new Date(START * 60_000 + 30_000)));
  assert.equal(Number((await collect(deployment)).result), 3);
});

test('1.7: the leader checks a collection in itself, against the task, and against those before', async () => {
  const deployment = await deploy();
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  const refusedFor = async (body: Uint8Array): Promise<string> => {
    const before = snapshot(deployment.leader);
    const answer = await asCollector(deployment, 'POST', 'collection_jobs', body);
    assert.deepEqual(snapshot(deployment.leader), before);
    return problemOf(answer);
  };
  const extension = { extensionType: 3, extensionData: NOTHING };
  const request = { query: firstInterval(), aggParam: NOTHING, extensions: [] };
  const encode = (changes: Partial<CollectionJobReq>): Uint8Array =>
    CollectionJobReq.encode({ ...request, ...changes });
  assert.equal(await refusedFor(encode({ query: leaderSelectedQuery() })), 'invalidMessage');
  assert.equal(await refusedFor(encode({ query: timeIntervalQuery({ start: START, duration: 0 }) })), 'batchInvalid');
  assert.equal(await refusedFor(encode({ aggParam: Uint8Array.of(1) })), 'invalidAggregationParameter');
  assert.equal(await refusedFor(encode({ extensions: [extension] })), 'unsupportedExtension');
  assert.equal(await refusedFor(encode({ extensions: [extension, extension] })), 'invalidExtension');
  assert.equal(await refusedFor(NOTHING), 'invalidMessage');
  const { location } = await collect(deployment);
  assert.equal(await refusedFor(encode({ query: firstInterval(5) })), 'batchOverlap');
  // The same request finds its result, until it is deleted.
  assert.equal((await collect(deployment)).reportCount, 3);
  assert.equal((await asCollector(deployment, 'DELETE', location)).status, 200);
  assert.equal((await asCollector(deployment, 'GET', location)).status, 404);
  assert.equal(await refusedFor(encode({})), 'batchOverlap');
});

test('1.9: without DELETE the next batch of the leader’s choice is the same one again', async () => {
  const deployment = await deploy({
    vdaf: { kind: 'count' },
    parameters: { batchMode: BATCH_MODE_LEADER_SELECTED },
  });
  await upload(deployment, await makeReports(deployment, [true, true, true, true, true, true]));
  const first = await collect(deployment, leaderSelectedQuery());
  const again = await collect(deployment, leaderSelectedQuery());
  assert.equal(again.location, first.location);
  await asCollector(deployment, 'DELETE', first.location);
  const second = await collect(deployment, leaderSelectedQuery());
  assert.notEqual(second.location, first.location);
  assert.equal(Number(first.result) + Number(second.result), 6);
});

test('a batch of the leader’s choice is topped up when some of its reports are rejected', async () => {
  const deployment = await deploy({ parameters: { batchMode: BATCH_MODE_LEADER_SELECTED } });
  const reports = await makeReports(deployment, [true, true, true]);
  const [bad] = reports;
  const payload = bad!.leaderEncryptedInputShare.payload.map((byte) => byte ^ 1);
  const spoiled = { ...bad!, leaderEncryptedInputShare: { ...bad!.leaderEncryptedInputShare, payload } };
  await upload(deployment, [spoiled, ...reports.slice(1)]);
  await settle(deployment);
  await upload(deployment, await makeReports(deployment, [true]));
  assert.equal(Number((await collect(deployment, leaderSelectedQuery())).result), 3);
});

test('a helper that refuses a share fails the collection with its reason, and the batch stays collected', async () => {
  const deployment = await deploy({
    wrap: (send) => (request) => {
      if (!request.url.endsWith('aggregate_shares')) return send(request);
      const changed = AggregateShareReq.encode({ ...AggregateShareReq.decode(request.body!), reportCount: 4 });
      return send({ ...request, body: changed });
    },
  });
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  const request = createCollectionJobReq(firstInterval(), NOTHING);
  const { header } = await asCollector(deployment, 'POST', 'collection_jobs', request);
  await settle(deployment);
  assert.equal(problemOf(await asCollector(deployment, 'GET', header('location')!)), 'batchMismatch');
  assert.equal(problemOf(await asCollector(deployment, 'POST', 'collection_jobs', request)), 'batchMismatch');
});

test('malicious helper: credentials go nowhere but below its endpoint', async () => {
  for (const location of [
    'https://evil.example/api/v1/tasks/x',
    'https://helper.example/other',
    '//evil.example/api/v1/x',
    'https://u:p@helper.example/api/v1/x',
  ]) {
    const deployment = await deploy({
      processing: 'asynchronous',
      wrap: (send) => async (request) => {
        const response = await send(request);
        const header = (name: string): string | undefined => (name === 'location' ? location : response.header(name));
        return { ...response, header };
      },
    });
    await upload(deployment, await makeReports(deployment, [true, true, true]));
    await settle(deployment, 8);
    const urls = deployment.sent.map(({ url }) => url);
    assert.ok(
      urls.length > 0 && urls.every((url) => url.startsWith('https://helper.example/api/v1/tasks/')),
      urls.join(),
    );
    assert.ok(deployment.sent.every(({ method }) => method === 'POST'));
  }
});

test('a relative Location, as DAP §4.5.4.2 writes it, is below the endpoint of the helper', async () => {
  const deployment = await deploy({
    processing: 'asynchronous',
    wrap: (send) => async (request) => {
      const response = await send(request);
      const header = (name: string): string | undefined =>
        name === 'location'
          ? response.header(name)?.replace('https://helper.example/api/v1', '')
          : response.header(name);
      return { ...response, header };
    },
  });
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  assert.equal(Number((await collect(deployment)).result), 3);
  assert.ok(deployment.sent.some(({ method, url }) => method === 'GET' && url.endsWith('?step=0')));
});

test('a helper that refuses without a reason is given up in the end, and reports are not tried for ever', async () => {
  const deployment = await deploy({
    config: { maxAttempts: 2, maxReportAttempts: 2, retryMs: [1, 1] },
    wrap: () => async () => ({ status: 400, header: () => undefined, body: NOTHING }),
  });
  await upload(deployment, await makeReports(deployment, [true, true, true]));
  await settle(deployment);
  const taskId = deployment.task.taskId;
  assert.equal((await deployment.leader.store.countReports(taskId)).rejected, 3);
  // Each alone in the end, twice: none was given up for what the others had.
  assert.equal((await deployment.leader.store.readCounters(taskId)).job_abandoned, 6);
});

/** A helper in front of which somebody refuses what has a mark in it, or is too long. */
function refusing(status: number, isRefused: (body: Uint8Array) => boolean): Partial<Options> {
  return {
    wrap: (send) => async (request) =>
      request.body !== null && isRefused(request.body)
        ? { status, header: () => undefined, body: NOTHING }
        : send(request),
  };
}

for (const status of [413, 400]) {
  test(`malicious client: a report for which the helper answers ${status} costs no other report an attempt`, async () => {
    let mark: Uint8Array | undefined;
    const deployment = await deploy({
      config: { maxAttempts: 2, maxReportAttempts: 2, retryMs: [1, 1] },
      ...refusing(status, (body) => mark !== undefined && Buffer.from(body).includes(mark)),
    });
    const reports = await makeReports(deployment, new Array(9).fill(true));
    mark = reports[4]!.reportMetadata.reportId;
    await upload(deployment, reports);
    await settle(deployment);
    const { store } = deployment.leader;
    const { taskId } = deployment.task;
    assert.deepEqual(await store.countReports(taskId), { waiting: 0, assigned: 0, aggregated: 8, rejected: 1 });
    assert.equal((await store.readCounters(taskId)).job_abandoned, 2);
    mark = undefined;
    assert.equal(Number((await collect(deployment)).result), 8);
  });
}

test('a helper with a smaller limit gets smaller jobs, also in a batch of the leader’s choice', async () => {
  for (const parameters of [{}, { batchMode: BATCH_MODE_LEADER_SELECTED, minBatchSize: 9 }]) {
    const deployment = await deploy({ parameters, ...refusing(413, (body) => body.length > 500) });
    await upload(deployment, await makeReports(deployment, new Array(9).fill(true)));
    const query = 'batchMode' in parameters ? leaderSelectedQuery() : firstInterval();
    assert.equal(Number((await collect(deployment, query)).result), 9);
    assert.equal((await deployment.leader.store.readCounters(deployment.task.taskId)).job_abandoned, undefined);
  }
});

test('a helper that takes fewer reports in a job gets smaller ones', async () => {
  const deployment = await deploy({ config: { maxReportsPerJob: 4 } });
  await upload(deployment, await makeReports(deployment, new Array(9).fill(true)));
  assert.equal(Number((await collect(deployment)).result), 9);
  assert.equal((await deployment.leader.store.readCounters(deployment.task.taskId)).job_abandoned, undefined);
});

test('a job is never longer than half of the longest message, whatever its reports are', async () => {
  const deployment = await deploy({ config: { maxMessageBytes: 1 << 16 } });
  await upload(deployment, await makeReports(deployment, new Array(9).fill(true)));
  await settle(deployment);
  const { sent } = deployment;
  assert.ok(sent.length >= 2);
  assert.ok(sent.every(({ body }) => (body?.length ?? 0) <= 1 << 15));
  assert.equal((await deployment.leader.store.countReports(deployment.task.taskId)).aggregated, 9);
});

test('a job waits for enough reports, unless somebody waits for it or time has passed', async () => {
  const deployment = await deploy({ config: { minJobSize: 5, maxJobSize: 10, maxReportWaitMs: 60_000 } });
  const { leader, clock } = deployment;
  await upload(deployment, await makeReports(deployment, new Array(4).fill(true)));
  assert.equal(await leader.aggregator.createJobs(), 0);
  await upload(deployment, await makeReports(deployment, new Array(8).fill(true)));
  assert.equal(await leader.aggregator.createJobs(), 1);
  assert.equal(await leader.aggregator.createJobs(), 0);
  await asCollector(deployment, 'POST', 'collection_jobs', createCollectionJobReq(firstInterval(), NOTHING));
  assert.equal(await leader.aggregator.createJobs(), 1);
  await upload(deployment, await makeReports(deployment, [true], new Date(clock.nowMs + 120_000)));
  assert.equal(await leader.aggregator.createJobs(), 0);
  clock.advance(60_000);
  assert.equal(await leader.aggregator.createJobs(), 1);
});

test('malicious collector: jobs that wait are limited, and room is made again', async () => {
  const deployment = await deploy({ config: { maxWaitingCollections: 2, retryAfterMs: 7000 } });
  const ask = (duration: number): Promise<Answer> =>
    asCollector(deployment, 'POST', 'collection_jobs', createCollectionJobReq(firstInterval(duration), NOTHING));
  const [first, second] = [await ask(1), await ask(2)];
  assert.deepEqual([first.status, second.status], [201, 201]);
  const third = await ask(3);
  assert.deepEqual([third.status, third.header('retry-after'), third.body.length], [429, '7', 0]);
  // The same request again is no other job.
  assert.equal((await ask(2)).status, 201);
  assert.equal((await asCollector(deployment, 'DELETE', first.header('location') ?? '')).status, 200);
  assert.equal((await ask(3)).status, 201);
  assert.equal((await ask(4)).status, 429);
});

test('DAP §3.2: the same request for a share, many times at the same time, gets one share', async () => {
  const deployment = await withShareRequest();
  for (const turns of [0, 1, 2, 3]) {
    let calls = 0;
    deployment.helper.store.hook = async () => {
      // Each caller in another rhythm, so that one releases between two steps of another.
      for (let turn = 0; turn < (calls++ * turns) % 5; turn++) await setImmediate();
    };
    const answers = await Promise.all([1, 2, 3, 4].map(() => askShare(deployment, deployment.request)));
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [201, answers[0]!.body]);
  }
});
