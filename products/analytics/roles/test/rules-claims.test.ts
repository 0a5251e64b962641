/** VDAF §8.2.3: verification of a report at one level runs once, whatever becomes of the job. And what GC must not undo. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AggregateShareReq,
  AggregationJobInitReq,
  AggregationJobResp,
  createCollectionJobReq,
  REPORT_ERROR,
  timeIntervalQuery,
  timeIntervalSelector,
} from '@privacy-edge/dap';
import { encodePrefixes } from '@privacy-edge/vdaf';
import { PeerError, type PeerRequest, type PeerResponse } from '../src/index.ts';
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

const POPLAR: Options = { vdaf: { kind: 'poplar1', bits: 8 } };
const STRINGS = [1, 2, 200].map((byte) => Uint8Array.of(byte));
const MULTI: Options = { ...POPLAR, extensions: { multiCollection: { maxCollections: 3 } } };

function level(at: number, ...prefixes: readonly number[]): Uint8Array {
  return encodePrefixes(
    at,
    prefixes.map((prefix) => Uint8Array.of(prefix)),
  );
}

const NARROW = level(0, 0);
const WIDE = level(0, 0, 128);
const REPLAYED = new Array(3).fill(`reject ${REPORT_ERROR.REPORT_REPLAYED}`);

/** What a leader asked a helper that it cannot reach, for one parameter. */
async function requestFor(deployment: Deployment, held: readonly PeerRequest[], parameter: Uint8Array) {
  await asCollector(deployment, 'POST', 'collection_jobs', createCollectionJobReq(firstInterval(), parameter));
  await deployment.leader.aggregator.createJobs();
  await deployment.leader.aggregator.driveLeaderJobs();
  return AggregationJobInitReq.decode(held.at(-1)!.body!);
}

/** A leader that makes its request for {@link NARROW} and does not get through. */
async function withHeld(options: Options) {
  const held: PeerRequest[] = [];
  const deployment = await deploy({
    ...options,
    wrap: () => async (request) => {
      held.push(request);
      throw new PeerError('CONNECT_FAILED', 'Nobody is there');
    },
  });
  await upload(deployment, await makeReports(deployment, STRINGS));
  return { ...deployment, request: await requestFor(deployment, held, NARROW) };
}

function postInit(deployment: Deployment, request: AggregationJobInitReq): Promise<Answer> {
  const body = AggregationJobInitReq.encode(request);
  return asLeader(deployment, 'POST', 'aggregation_jobs', { name: 'aggregation-job-init-req', body });
}

function kindsOf({ body }: Answer): string[] {
  return AggregationJobResp.decode(body).map((one) => (one.kind === 'reject' ? `reject ${one.reportError}` : one.kind));
}

function restOf(answer: Answer): string {
  return (answer.header('location') ?? '').split('/').slice(-2).join('/').replace(/\?.*/, '');
}

for (const [processing, extensions] of [
  ['synchronous', {}],
  ['asynchronous', {}],
  ['synchronous', { multiCollection: { maxCollections: 3 } }],
] as const) {
  const name = `${processing}${'multiCollection' in extensions ? ', with multi-collection' : ''}`;
  test(`malicious leader: a helper starts a report once at a level, whatever became of the job: ${name}`, async () => {
    const deployment = await withHeld({ ...POPLAR, processing, extensions, config: { keepEndedMs: 1000 } });
    const { request, helper, clock } = deployment;
    const start = async (body: AggregationJobInitReq): Promise<{ readonly kinds: string[]; readonly rest: string }> => {
      const created = await postInit(deployment, body);
      assert.equal(created.status, 201);
      const rest = restOf(created);
      if (processing === 'synchronous') return { kinds: kindsOf(created), rest };
      await helper.aggregator.driveHelperJobs();
      return { kinds: kindsOf(await asLeader(deployment, 'GET', `${rest}?step=0`)), rest };
    };
    const first = await start(request);
    assert.deepEqual(first.kinds, ['continue', 'continue', 'continue']);
    assert.deepEqual((await start(request)).kinds, first.kinds, 'the same request is the same job');
    const [task] = helper.store.tables.tasks.values();
    assert.equal(task!.parts.length, 0);
    const other = { ...request, aggParam: WIDE };
    const reordered = { ...request, verifyInits: request.verifyInits.toReversed() };
    assert.deepEqual((await start(other)).kinds, REPLAYED);
    assert.deepEqual((await start(reordered)).kinds, REPLAYED, 'also with the same parameter');
    assert.equal((await asLeader(deployment, 'DELETE', first.rest)).status, 200);
    assert.deepEqual((await start(request)).kinds, REPLAYED, 'also after DELETE');
    clock.advance(2000);
    await helper.aggregator.collectGarbage();
    assert.equal(task!.helperJobs.size, 0);
    assert.deepEqual((await start(request)).kinds, REPLAYED, 'also when the job is forgotten');
    assert.deepEqual((await start({ ...other, verifyInits: reordered.verifyInits })).kinds, REPLAYED);
  });
}

test('malicious leader: of two jobs at the same time, one verifies a report', async () => {
  const deployment = await withHeld(POPLAR);
  const { request, helper } = deployment;
  let waiting = 0;
  let go = (): void => undefined;
  const both = new Promise<void>((resolve) => {
    go = resolve;
  });
  // Both have asked whether the report is free before either of them claims it.
  helper.store.hook = async (method, when) => {
    if (method !== 'commitHelperStep' || when !== 'before') return;
    waiting += 1;
    if (waiting === 2) go();
    if (waiting <= 2) await both;
  };
  const answers = await Promise.all([NARROW, WIDE].map((aggParam) => postInit(deployment, { ...request, aggParam })));
  const kinds = answers.map((answer) => kindsOf(answer).join()).toSorted();
  assert.deepEqual(kinds, ['continue,continue,continue', REPLAYED.join()]);
});

test('malicious leader: a report that verification left out of a collected batch stays out of the next', async () => {
  const deployment = await withHeld(MULTI);
  const { request, helper, task } = deployment;
  assert.deepEqual(kindsOf(await postInit(deployment, request)), ['continue', 'continue', 'continue']);
  const keys = { first: uint64(START), last: uint64(START), times: { first: START, last: START } };
  const row = { taskId: task.taskId, shareId: new Uint8Array(16), requestDigest: NOTHING, response: NOTHING };
  const batch = { keys, aggregationParameter: NARROW, parts: [], collected: 0 };
  const released = await helper.store.commitAggregateShare(row, batch, new Date(deployment.clock.nowMs), {});
  assert.equal(released, 'committed');
  const next = await postInit(deployment, { ...request, aggParam: level(1, 0, 64) });
  assert.deepEqual(kindsOf(next), new Array(3).fill(`reject ${REPORT_ERROR.BATCH_COLLECTED}`));
});

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

for (const extensions of [{}, { multiCollection: { maxCollections: 3 } }]) {
  const name = 'multiCollection' in extensions ? ', with multi-collection' : '';
  test(`malicious helper: a leader sends a report once at a level, also when its job is refused${name}`, async () => {
    const held: PeerRequest[] = [];
    const refused: PeerResponse = { status: 400, header: () => undefined, body: new Uint8Array(0) };
    const problem = new TextEncoder().encode('{"type":"urn:ietf:params:ppm:dap:error:invalidMessage"}');
    const deployment = await deploy({
      ...POPLAR,
      extensions,
      wrap: () => async (request) => {
        held.push(request);
        const header = (field: string) => (field === 'content-type' ? 'application/problem+json' : undefined);
        return { ...refused, header, body: problem };
      },
    });
    await upload(deployment, await makeReports(deployment, STRINGS));
    const { leader } = deployment;
    await requestFor(deployment, held, NARROW);
    assert.deepEqual((await leader.store.countReports(deployment.task.taskId)).rejected, 3);
    await requestFor(deployment, held, WIDE);
    await settle(deployment);
    assert.equal(held.length, 1);
  });
}

test('a leader that ends between its claim and its request sends the same bytes afterwards', async () => {
  const sent: PeerRequest[] = [];
  let isDown = true;
  const deployment = await deploy({
    ...POPLAR,
    wrap: (send) => async (request) => {
      sent.push(request);
      if (isDown) throw new PeerError('CONNECT_FAILED', 'Nobody is there');
      return send(request);
    },
  });
  await upload(deployment, await makeReports(deployment, STRINGS));
  await requestFor(deployment, sent, WIDE);
  const [task] = deployment.leader.store.tables.tasks.values();
  assert.equal(task!.remembered.size, 3, 'claimed before it is sent');
  isDown = false;
  deployment.leader.restart();
  assert.deepEqual((await collect(deployment, firstInterval(), WIDE)).reportCount, 3);
  const inits = sent.filter(({ url, method }) => method === 'POST' && url.endsWith('/aggregation_jobs'));
  assert.ok(inits.length >= 2);
  for (const { body } of inits) assert.deepEqual(body, inits[0]!.body);
});

test('a leader leaves a report out that was claimed while it started its job', async () => {
  const deployment = await deploy(POPLAR);
  const { leader, task } = deployment;
  const reports = await makeReports(deployment, [...STRINGS, Uint8Array.of(3)]);
  await upload(deployment, reports);
  const { reportId, time } = reports[3]!.reportMetadata;
  let isFirst = true;
  leader.store.hook = async (method, when) => {
    if (method !== 'commitLeaderStep' || when !== 'before' || !isFirst) return;
    isFirst = false;
    const [data] = leader.store.tables.tasks.values();
    data!.remembered.set(Buffer.from(reportId).toString('hex'), [{ parameter: NOTHING, time, isClaim: true }]);
  };
  const { reportCount } = await collect(deployment, firstInterval(), WIDE);
  assert.equal(isFirst, false);
  assert.equal(reportCount, 3);
  assert.deepEqual((await leader.store.countReports(task.taskId)).rejected, 1);
});

test('1.6, 1.7: neither aggregator collects a batch that begins before what it remembers', async () => {
  const deployment = await deploy({ config: { rememberMs: 600_000 } });
  const { leader, helper, clock } = deployment;
  await upload(deployment, await makeReports(deployment, [true, true, true, true]));
  await settle(deployment, 6);
  await collect(deployment);
  const sent = deployment.sent.find(({ url }) => url.endsWith('aggregate_shares'));
  const asked = AggregateShareReq.decode(sent!.body!);
  clock.advance(900_000);
  for (const { aggregator } of [leader, helper]) await aggregator.collectGarbage();
  const before = snapshot(helper);
  for (const [start, duration] of [
    [START, 3],
    [START, 2],
    [START - 1, 900],
  ] as const) {
    const selector = timeIntervalSelector({ start, duration });
    const query = timeIntervalQuery({ start, duration });
    const request = { ...asked, collectionJobReq: { ...asked.collectionJobReq, query }, batchSelector: selector };
    const body = AggregateShareReq.encode(request);
    const answer = await asLeader(deployment, 'POST', 'aggregate_shares', { name: 'aggregate-share-req', body });
    assert.equal(problemOf(answer), 'batchOverlap');
  }
  assert.deepEqual(snapshot(helper), before);
  const job = createCollectionJobReq(timeIntervalQuery({ start: START, duration: 2 }), NOTHING);
  const created = await asCollector(deployment, 'POST', 'collection_jobs', job);
  await settle(deployment, 6);
  const location = created.header('location');
  const answer = location === undefined ? created : await asCollector(deployment, 'GET', location);
  assert.equal(problemOf(answer), 'batchOverlap');
});
