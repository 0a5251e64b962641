/** The collector against leaders that are slow, refuse, lie, and send others' shares. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret, toBase64Url } from '@privacy-edge/bytes';
import {
  type AggregatorRole,
  aggregateShareInfo,
  CollectionJobResp,
  createCollectionJobReq,
  createTaskConfiguration,
  encodeVdafConfiguration,
  type HpkeCiphertext,
  mediaTypeOf,
  prepareSealer,
  problemType,
  ROLE_HELPER,
  ROLE_LEADER,
  sealAggregateShare,
  systemRandom,
  timeIntervalQuery,
} from '@privacy-edge/dap';
import {
  createCollector,
  formatCollectorKey,
  generateCollectorKey,
  parseCollectorKey,
} from '../src/collector/index.ts';
import { createReporter } from '../src/index.ts';
import { createPrivateTask, formatTask, parseTask } from '../src/task/index.ts';
import { FakeAggregators, problem, type Received } from './fake-aggregators.ts';
import { COUNT, FIRST_HOUR, failure, HOUR_MS, MAY, type Parties, parties, taskOptions } from './parties.ts';

type CountParties = Parties<typeof COUNT>;

const isJob = ({ url }: Received): boolean => url.includes('/collection_jobs');

/** Takes the real answer, and changes it. */
function tamper({ aggregators }: CountParties, change: (body: Uint8Array) => Uint8Array, headers?: HeadersInit): void {
  aggregators.intercept = async (request) => {
    if (!isJob(request)) return undefined as never;
    aggregators.intercept = () => undefined;
    const { method, url, body } = request;
    const init = {
      method,
      headers: request.headers,
      ...(method === 'POST' && { body: body as Uint8Array<ArrayBuffer> }),
    };
    const response = await aggregators.fetch(url, init);
    const changed = change(new Uint8Array(await response.arrayBuffer()));
    return new Response(changed as Uint8Array<ArrayBuffer>, { headers: headers ?? response.headers });
  };
}

async function reported(options: Parameters<typeof parties>[1] = {}): Promise<CountParties> {
  const all = await parties<'count'>(COUNT, options);
  await all.reporter.reportMany([true, false, true]);
  return all;
}

/** An answer to the query for {@link FIRST_HOUR} with shares of a count: some number, and zero. */
async function forgedAnswers({ task, key }: CountParties, count: bigint): Promise<Response[]> {
  const query = timeIntervalQuery({ start: MAY / HOUR_MS, duration: 1 });
  const request = createCollectionJobReq(query, new Uint8Array(0));
  const seal = async (role: AggregatorRole, value: bigint): Promise<HpkeCiphertext> => {
    const share = new Uint8Array(8);
    new DataView(share.buffer).setBigUint64(0, value, true);
    const sealer = await prepareSealer(key.config, aggregateShareInfo(task.task.version, role));
    return sealAggregateShare(task.task, sealer, request, share, systemRandom);
  };
  const body = CollectionJobResp.encode({
    reportCount: 3,
    interval: { start: MAY / HOUR_MS, duration: 1 },
    leaderEncryptedAggShare: await seal(ROLE_LEADER, count),
    helperEncryptedAggShare: await seal(ROLE_HELPER, 0n),
  });
  const headers = { location: '/x', 'content-type': mediaTypeOf('collection-job-resp') };
  return [new Response(body as Uint8Array<ArrayBuffer>, { headers })];
}

describe('Collector', () => {
  it('asks again when the leader wants it to, or after a time of its own', async () => {
    const { collector, aggregators, pauses, collectorEvents } = await reported({ collector: { pollMs: 1234 } });
    aggregators.delays = 3;
    assert.equal((await collector.collect(FIRST_HOUR)).result.count, 2);
    assert.deepEqual(pauses, [7000, 7000, 7000]);
    assert.deepEqual(
      collectorEvents.map(({ type }) => type),
      ['created', 'waiting', 'waiting', 'waiting'],
    );
    assert.deepEqual(
      aggregators.requests.filter(isJob).map(({ method }) => method),
      ['POST', 'GET', 'GET', 'GET'],
    );
    for (const [retryAfter, pause] of [
      [undefined, 1234],
      ['soon', 1234],
      ['0', 100],
      ['999999999', 3_600_000],
      ['Fri, 01 May 2026 00:00:31 GMT', 30_000],
    ] as const) {
      const other = await reported({ collector: { pollMs: 1234 } });
      other.aggregators.delays = 1;
      other.aggregators.retryAfter = retryAfter;
      await other.collector.collect(FIRST_HOUR);
      assert.deepEqual(other.pauses, [pause]);
    }
  });

  it('shows its token to the leader, and prints it nowhere', async () => {
    const token = new Secret('correct-horse-battery');
    const { collector, aggregators } = await reported({ collector: { token } });
    aggregators.token = 'correct-horse-battery';
    assert.equal((await collector.collect(FIRST_HOUR)).result.count, 2);
    const wrong = await reported({ collector: { token: 'something-else' } });
    wrong.aggregators.token = 'correct-horse-battery';
    const error = await failure(() => wrong.collector.collect(FIRST_HOUR), 'REFUSED');
    assert.equal(error.status, 401);
    assert.doesNotMatch(error.message, /something/);
  });

  it('never follows a location to another origin with its token', async () => {
    const all = await reported({ collector: { token: 'correct-horse-battery' } });
    for (const location of [
      'https://elsewhere.example/job',
      'https://leader.example:444/x',
      '//elsewhere.example/',
      'http://leader.example/',
      'https://[',
      undefined,
    ]) {
      all.aggregators.intercept = () =>
        new Response(null, { status: 201, headers: location === undefined ? {} : { location } });
      await failure(() => all.collector.collect(FIRST_HOUR), 'ANSWER_INVALID');
    }
    assert.ok(
      all.aggregators.requests.every(
        ({ url }) => url.startsWith('https://leader.example/dap/') || url.startsWith('https://helper.example/'),
      ),
    );
  });

  it('tells what the leader says is wrong', async () => {
    const { collector, reporter } = await parties(COUNT);
    await reporter.report(true);
    assert.equal((await failure(() => collector.collect(FIRST_HOUR), 'REFUSED')).problem, 'INVALID_BATCH_SIZE');
    const overlap = await reported();
    await overlap.collector.collect(FIRST_HOUR);
    const error = await failure(
      () => overlap.collector.collect({ from: FIRST_HOUR.from, to: new Date(MAY + 2 * HOUR_MS) }),
      'REFUSED',
    );
    assert.equal(error.problem, 'BATCH_OVERLAP');
    const late = await reported();
    late.aggregators.delays = 1;
    late.aggregators.intercept = (request) =>
      request.method === 'GET' && isJob(request) ? problem(problemType('BATCH_MISMATCH')) : undefined;
    assert.equal((await failure(() => late.collector.collect(FIRST_HOUR), 'REFUSED')).problem, 'BATCH_MISMATCH');
  });

  it('finds the same result again', async () => {
    const { collector } = await reported();
    const first = await collector.collect(FIRST_HOUR);
    assert.deepEqual(await collector.collect(FIRST_HOUR), first);
    assert.doesNotThrow(() => JSON.stringify(first));
  });

  it('survives lost answers', async () => {
    const { collector, aggregators, pauses } = await reported();
    let losses = 3;
    aggregators.intercept = (request) =>
      isJob(request) && losses-- > 0 ? Promise.reject(new TypeError('reset')) : undefined;
    assert.equal((await collector.collect(FIRST_HOUR)).result.count, 2);
    assert.deepEqual(pauses, [500, 1000, 2000]);
  });

  it('takes no other key, and no shares for another query', async () => {
    const all = await reported();
    const other = await generateCollectorKey(33);
    assert.throws(() => createCollector(all.task, { key: other }), { code: 'TASK_INVALID', path: 'collector.hpke' });
    const answers: Uint8Array[] = [];
    tamper(all, (body) => {
      answers.push(body);
      return body;
    });
    await all.collector.collect(FIRST_HOUR);
    const wider = { from: FIRST_HOUR.from, to: new Date(MAY + 2 * HOUR_MS) };
    all.aggregators.intercept = () =>
      new Response(answers[0]! as Uint8Array<ArrayBuffer>, {
        headers: { location: '/x', 'content-type': mediaTypeOf('collection-job-resp') },
      });
    await failure(() => all.collector.collect(wider), 'OPEN_FAILED');
    const stranger = await reported();
    stranger.aggregators.intercept = all.aggregators.intercept;
    await failure(() => stranger.collector.collect(FIRST_HOUR), 'OPEN_FAILED');
  });

  it('refuses answers that are truncated, changed, or something else', async () => {
    const swapped = (body: Uint8Array): Uint8Array => {
      const { leaderEncryptedAggShare, helperEncryptedAggShare, ...rest } = CollectionJobResp.decode(body);
      return CollectionJobResp.encode({
        ...rest,
        leaderEncryptedAggShare: helperEncryptedAggShare,
        helperEncryptedAggShare: leaderEncryptedAggShare,
      });
    };
    const change = (fields: Partial<ReturnType<typeof CollectionJobResp.decode>>) => (body: Uint8Array) =>
      CollectionJobResp.encode({ ...CollectionJobResp.decode(body), ...fields });
    const cases = [
      [(body: Uint8Array) => body.subarray(0, 30), 'ANSWER_INVALID'],
      [(body: Uint8Array) => body.subarray(0, body.length - 1), 'ANSWER_INVALID'],
      [swapped, 'OPEN_FAILED'],
      [change({ interval: { start: 5, duration: 1 } }), 'ANSWER_INVALID'],
      [change({ reportCount: Number.MAX_SAFE_INTEGER }), undefined],
    ] as const;
    for (const [alter, code] of cases) {
      const all = await reported();
      tamper(all, alter);
      if (code === undefined) assert.equal((await all.collector.collect(FIRST_HOUR)).reports, Number.MAX_SAFE_INTEGER);
      else await failure(() => all.collector.collect(FIRST_HOUR), code);
    }
    const all = await reported();
    tamper(all, (body) => body, { location: '/x', 'content-type': 'text/html' });
    await failure(() => all.collector.collect(FIRST_HOUR), 'ANSWER_INVALID');
  });

  it('refuses queries that are no batch', async () => {
    const { collector, aggregators } = await reported();
    const [from, to] = [FIRST_HOUR.from, FIRST_HOUR.to];
    const before = aggregators.requests.length;
    for (const query of [
      { from: to, to: from },
      { from, to: from },
      { from: new Date(MAY + 1), to },
      { from: new Date(Number.NaN), to },
      { from: new Date(-HOUR_MS), to },
      'next',
    ] as const) {
      await failure(() => collector.collect(query), 'QUERY_INVALID');
    }
    assert.equal(aggregators.requests.length, before);
    const selected = await reported({ task: { batchMode: 'leader-selected' } });
    await failure(() => selected.collector.collect(FIRST_HOUR), 'QUERY_INVALID');
  });

  it("keeps a batch of the leader's choice until its result is safe", async () => {
    const { collector, aggregators, collectorEvents } = await reported({ task: { batchMode: 'leader-selected' } });
    const full = new Error('disk is full');
    await assert.rejects(collector.collect('next', { keep: () => Promise.reject(full) }), full);
    const again = await collector.collect('next');
    assert.deepEqual([again.reports, again.result.count], [3, 2]);
    const other = await reported({ task: { batchMode: 'leader-selected' }, collector: { retries: 0 } });
    other.aggregators.intercept = ({ method }) =>
      method === 'DELETE' ? new Response(null, { status: 500 }) : undefined;
    assert.equal((await other.collector.collect('next')).reports, 3);
    assert.deepEqual(
      other.collectorEvents.map(({ type }) => type),
      ['created', 'kept'],
    );
    assert.deepEqual(
      collectorEvents.map(({ type }) => type),
      ['created', 'created'],
    );
    assert.equal(aggregators.requests.filter(({ method }) => method === 'DELETE').length, 1);
  });

  it('ends with the reason of its signal', async () => {
    const { collector, aggregators } = await reported();
    await assert.rejects(collector.collect(FIRST_HOUR, { signal: AbortSignal.abort(new Error('before')) }), /before/);
    aggregators.delays = Number.POSITIVE_INFINITY;
    const abort = new AbortController();
    let asked = 0;
    aggregators.intercept = (request) => {
      if (request.method === 'GET' && ++asked === 5) abort.abort(new Error('enough'));
      return undefined;
    };
    await assert.rejects(collector.collect(FIRST_HOUR, { signal: abort.signal }), /enough/);
    assert.equal(asked, 5);
  });

  it('reads and writes its key', async () => {
    const key = await generateCollectorKey();
    const document = JSON.parse(JSON.stringify(formatCollectorKey(key)));
    const read = await parseCollectorKey(document);
    assert.deepEqual(formatCollectorKey(read), document);
    const other = formatCollectorKey(await generateCollectorKey());
    for (const wrong of [
      { ...document, privateKey: other.privateKey },
      { ...document, privateKey: 'AAAA' },
      { ...document, more: 1 },
      { ...document, version: 2 },
      null,
    ]) {
      const error = await failure(async () => parseCollectorKey(wrong), 'TASK_INVALID');
      assert.ok(!String(error.message).includes(document.privateKey));
    }
  });

  it('refuses sums that nobody can have measured', async () => {
    const all = await reported();
    // What a dishonest helper does: its share is another element of the field.
    const [first] = await forgedAnswers(all, 1n << 63n);
    all.aggregators.intercept = () => first;
    await failure(() => all.collector.collect(FIRST_HOUR), 'RESULT_INVALID');
  });

  it('takes no part in a task whose VDAF cannot be', async () => {
    const key = await generateCollectorKey();
    const buckets = { kind: 'numbers', boundaries: [0, 1, 2], outside: 'clip' } as const;
    const made = await createPrivateTask(taskOptions({ kind: 'histogram', buckets }, key), systemRandom);
    const { configuration } = made.task;
    const vdaf = { kind: 'histogram', length: 2, chunkLength: 0 } as const;
    const { encoded } = createTaskConfiguration({ ...configuration, ...encodeVdafConfiguration(vdaf) });
    const document = formatTask(made);
    const parameters = { ...document.parameters, vdaf };
    const task = await parseTask({ ...document, parameters, configuration: toBase64Url(encoded) });
    assert.throws(() => createCollector(task, { key }), { code: 'TASK_INVALID', path: 'configuration' });
    const { fetch } = await FakeAggregators.create(made, () => MAY);
    const error = await failure(
      () => createReporter(task, { fetch, now: () => MAY }).report(0 as never),
      'TASK_INVALID',
    );
    assert.equal(error.path, 'configuration');
  });
});
