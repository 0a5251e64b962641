/** The reporter against aggregators that rotate keys, refuse, lose answers and lie. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes } from '@privacy-edge/bytes';
import {
  HpkeConfigList,
  mediaTypeOf,
  problemType,
  REPORT_EXTENSION_ADMISSION,
  UploadErrors,
  UploadRequest,
} from '@privacy-edge/dap';
import { problem, type Received } from './fake-aggregators.ts';
import { COUNT, FIRST_HOUR, failure, HOUR_MS, MAY, parties } from './parties.ts';

const isUpload = ({ url }: Received): boolean => url.endsWith('/reports');
const isKeys = ({ url }: Received): boolean => url.endsWith('/hpke_config');

function listOf(...entries: Parameters<typeof HpkeConfigList.encode>[0]): Response {
  return new Response(HpkeConfigList.encode(entries) as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': mediaTypeOf('hpke-config-list') },
  });
}

describe('Reporter', () => {
  it('fetches keys once for all who wait, skips unknown ones, and keeps them as long as they are fresh', async () => {
    const { reporter, aggregators, clock, reporterEvents } = await parties(COUNT);
    aggregators.cacheControl = 'max-age=600';
    await Promise.all([reporter.report(true), reporter.report(false), reporter.report(true)]);
    const urls = aggregators.requests.filter(isKeys).map(({ url }) => url);
    assert.deepEqual(urls.sort(), ['https://helper.example/hpke_config', 'https://leader.example/dap/hpke_config']);
    clock.nowMs += 599_000;
    await reporter.report(true);
    assert.equal(aggregators.requests.filter(isKeys).length, 2);
    clock.nowMs += 2000;
    await reporter.report(true);
    assert.equal(aggregators.requests.filter(isKeys).length, 4);
    reporter.invalidateKeys();
    await reporter.report(true);
    assert.equal(aggregators.requests.filter(isKeys).length, 6);
    assert.equal(reporterEvents.filter(({ type }) => type === 'keys').length, 6);
    assert.equal(aggregators.uploaded.length, 6);
  });

  it('sends nothing that tells more than it must', async () => {
    const { reporter, aggregators } = await parties(COUNT);
    const inits: RequestInit[] = [];
    const { fetch } = aggregators;
    const spied = await parties(COUNT, {
      reporter: {
        fetch: (url, init) => {
          inits.push(init);
          return fetch(url, init);
        },
      },
    });
    await assert.rejects(spied.reporter.report(true));
    await reporter.report(true);
    for (const { credentials, referrerPolicy, redirect } of inits) {
      assert.deepEqual([credentials, referrerPolicy, redirect], ['omit', 'no-referrer', 'manual']);
    }
    for (const { headers } of aggregators.requests) {
      assert.deepEqual(
        [...headers.keys()].filter((name) => name !== 'accept' && name !== 'content-type'),
        [],
      );
    }
    const [report] = aggregators.uploaded;
    assert.equal(report!.reportMetadata.time, MAY / HOUR_MS);
  });

  it('makes reports anew, once, when the leader does not know the keys', async () => {
    const { reporter, aggregators, collector, reporterEvents } = await parties(COUNT);
    await reporter.report(true);
    await aggregators.rotateKeys();
    await reporter.report(true);
    await reporter.report(true);
    assert.deepEqual(
      reporterEvents.filter(({ type }) => type === 'outdated'),
      [{ type: 'outdated', reports: 1 }],
    );
    assert.equal(aggregators.requests.filter(isKeys).length, 4);
    const uploads = aggregators.requests.filter(isUpload).map(({ body }) => UploadRequest.decode(body)[0]!);
    assert.equal(uploads.length, 4);
    assert.notDeepEqual(uploads[1]!.reportMetadata.reportId, uploads[2]!.reportMetadata.reportId);
    assert.notEqual(uploads[1]!.leaderEncryptedInputShare.configId, uploads[2]!.leaderEncryptedInputShare.configId);
    // The first one was sealed to keys that are gone; the others count.
    assert.equal((await collector.collect(FIRST_HOUR)).result.count, 2);
  });

  it('gives up when the fresh report is outdated as well', async () => {
    const { reporter, aggregators } = await parties(COUNT);
    aggregators.intercept = (request) => {
      if (!isUpload(request)) return undefined;
      const errors = UploadRequest.decode(request.body).map(({ reportMetadata }) => ({
        id: reportMetadata.reportId,
        error: 0x0b,
      }));
      return new Response(UploadErrors.encode(errors) as Uint8Array<ArrayBuffer>, {
        headers: { 'content-type': mediaTypeOf('upload-errors') },
      });
    };
    const error = await failure(() => reporter.report(true), 'REPORT_REFUSED');
    assert.equal(error.reportError, 'outdated_config');
    assert.equal(aggregators.requests.filter(isUpload).length, 2);
  });

  it('tells which of many values were refused, and makes anew only those that were outdated', async () => {
    const { reporter, aggregators, collector } = await parties(COUNT);
    let calls = 0;
    aggregators.intercept = (request) => {
      if (!isUpload(request) || ++calls !== 2) return undefined;
      const reports = UploadRequest.decode(request.body);
      const errors = [
        { id: reports[0]!.reportMetadata.reportId, error: 0x09 },
        { id: reports[2]!.reportMetadata.reportId, error: 0x0b },
      ];
      aggregators.intercept = () => undefined;
      return aggregators
        .fetch(request.url, {
          method: 'POST',
          headers: { 'content-type': mediaTypeOf('upload-req') },
          body: UploadRequest.encode([reports[1]!, reports[3]!]) as Uint8Array<ArrayBuffer>,
        })
        .then(
          () =>
            new Response(UploadErrors.encode(errors) as Uint8Array<ArrayBuffer>, {
              headers: { 'content-type': mediaTypeOf('upload-errors') },
            }),
        );
    };
    const done: number[] = [];
    const result = await reporter.reportMany([true, true, false, true, false], {
      onProgress: (count) => done.push(count),
    });
    assert.deepEqual(result, { accepted: 4, refused: [{ index: 1, reportError: 'report_too_early' }] });
    assert.deepEqual(done, [1, 5]);
    const { reports, result: count } = await collector.collect(FIRST_HOUR);
    assert.deepEqual([reports, count.count], [4, 2]);
  });

  it('splits uploads of many values by their size', async () => {
    const { reporter, aggregators } = await parties(COUNT, { reporter: { maxUploadBytes: 2000 } });
    const { accepted } = await reporter.reportMany(new Array<boolean>(30).fill(true));
    assert.equal(accepted, 30);
    const sizes = aggregators.requests.filter(isUpload).map(({ body }) => body.length);
    assert.ok(sizes.length > 3 && sizes.every((size) => size <= 2000));
    assert.deepEqual(await reporter.reportMany([]), { accepted: 0, refused: [] });
  });

  it('maps all values before it sends anything, and never tells a value', async () => {
    const { reporter, aggregators } = await parties<'mean'>({
      kind: 'mean',
      lo: 0,
      hi: 10,
      step: 1,
      outside: 'refuse',
    });
    const error = await failure(() => reporter.reportMany([1, 2, 777]), 'VALUE_INVALID');
    assert.equal(error.index, 2);
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /777/);
    for (const value of ['5', null, undefined, Number.NaN, Infinity, {}] as never[]) {
      await failure(() => reporter.report(value), 'VALUE_INVALID');
    }
    assert.equal(aggregators.requests.length, 0);
  });

  it('refuses values of the wrong type for every statistic', async () => {
    const count = await parties(COUNT);
    await failure(() => count.reporter.report(1 as never), 'VALUE_INVALID');
    const flags = await parties<'flags'>({ kind: 'flags', names: ['a', 'b'], maxWeight: 1 });
    for (const value of ['a', ['c'], ['a', 'b'], null, 5] as never[]) {
      await failure(() => flags.reporter.report(value), 'VALUE_INVALID');
    }
    const words = await parties<'common-words'>({ kind: 'common-words', words: ['a'] });
    await failure(() => words.reporter.report(5 as never), 'VALUE_INVALID');
    const poplar1 = await parties<'poplar1'>({
      kind: 'poplar1',
      maxBytes: 2,
      bitsPerRound: 8,
      minCount: 2,
      maxPrefixes: 9,
    });
    await failure(() => poplar1.reporter.report('abc'), 'VALUE_INVALID');
    const buckets = { kind: 'categories', categories: ['a'], other: false } as const;
    const histogram = await parties<'histogram'>({ kind: 'histogram', buckets });
    await failure(() => histogram.reporter.report('b'), 'VALUE_INVALID');
    const linear = await parties<'linear-regression'>({
      kind: 'linear-regression',
      features: [{ name: 'x', lo: 0, hi: 1, step: 1 }],
      target: { name: 'y', lo: 0, hi: 1, step: 1 },
    });
    for (const value of [null, {}, { x: 1 }, { x: 1, y: 'no' }, []] as never[]) {
      await failure(() => linear.reporter.report(value), 'VALUE_INVALID');
    }
  });

  it('makes no report outside of the interval of the task', async () => {
    const taskInterval = { from: new Date(MAY), to: new Date(MAY + 2 * HOUR_MS) };
    const { reporter, aggregators } = await parties(COUNT, { task: { taskInterval } });
    await reporter.report(true, { time: new Date(MAY) });
    const early = await failure(() => reporter.report(true, { time: new Date(MAY - 1) }), 'REPORT_REFUSED');
    assert.equal(early.reportError, 'task_not_started');
    const late = await failure(() => reporter.report(true, { time: taskInterval.to }), 'REPORT_REFUSED');
    assert.equal(late.reportError, 'task_expired');
    assert.equal(aggregators.uploaded.length, 1);
  });

  it('sends the same bytes again when an answer is lost, and counts them once', async () => {
    const { reporter, aggregators, collector, pauses } = await parties(COUNT);
    let losses = 2;
    aggregators.intercept = (request) => {
      if (!isUpload(request) || losses-- <= 0) return undefined;
      aggregators.intercept = () => undefined;
      const { url, body } = request;
      return aggregators
        .fetch(url, { method: 'POST', headers: request.headers, body: body as Uint8Array<ArrayBuffer> })
        .then(() => Promise.reject(new TypeError('connection reset by 10.0.0.7')));
    };
    await reporter.report(true);
    await reporter.report(true);
    assert.deepEqual(pauses, [500]);
    const { reports, result } = await collector.collect(FIRST_HOUR);
    assert.deepEqual([reports, result.count], [2, 2]);
  });

  it('waits as long as an overloaded server asks, and gives up after some tries', async () => {
    const { reporter, aggregators, pauses } = await parties(COUNT);
    aggregators.intercept = (request) =>
      isUpload(request) ? new Response(null, { status: 503, headers: { 'retry-after': '3' } }) : undefined;
    const error = await failure(() => reporter.report(true), 'REFUSED');
    assert.equal(error.status, 503);
    assert.deepEqual(pauses, [3000, 3000]);
    const lost = await parties(COUNT, { reporter: { retries: 0 } });
    lost.aggregators.intercept = (request) =>
      isUpload(request) ? Promise.reject(new TypeError('fetch failed: leader.example')) : undefined;
    const unreachable = await failure(() => lost.reporter.report(true), 'UNREACHABLE');
    assert.doesNotMatch(`${unreachable.message} ${String(unreachable.cause)}`, /example/);
    assert.deepEqual(lost.pauses, []);
  });

  it('reads problem documents', async () => {
    const { reporter, aggregators, pauses } = await parties(COUNT);
    const answers: [Response, string | undefined, number][] = [
      [problem(problemType('UNRECOGNIZED_TASK'), 404), 'UNRECOGNIZED_TASK', 404],
      [problem('about:blank', 400), undefined, 400],
      [new Response('<html>', { status: 403, headers: { 'content-type': 'text/html' } }), undefined, 403],
      [new Response('{', { status: 400, headers: { 'content-type': 'application/problem+json' } }), undefined, 400],
      [
        new Response('x'.repeat(20_000), { status: 400, headers: { 'content-type': 'application/problem+json' } }),
        undefined,
        400,
      ],
      [new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/' } }), undefined, 302],
    ];
    for (const [answer, expected, status] of answers) {
      aggregators.intercept = (request) => (isUpload(request) ? answer : undefined);
      const error = await failure(() => reporter.report(true), 'REFUSED');
      assert.deepEqual([error.problem, error.status], [expected, status]);
    }
    assert.deepEqual(pauses, []);
  });

  it('refuses answers to an upload that make no sense', async () => {
    const { reporter, aggregators } = await parties(COUNT);
    const headers = { 'content-type': mediaTypeOf('upload-errors') };
    const id = new Uint8Array(16);
    const answers: ((own: Uint8Array) => Response)[] = [
      () => new Response(UploadErrors.encode([{ id, error: 1 }]) as Uint8Array<ArrayBuffer>, { headers }),
      (own) =>
        new Response(UploadErrors.encode([{ id: own, error: 1 }]).subarray(0, 16) as Uint8Array<ArrayBuffer>, {
          headers,
        }),
      (own) => new Response(concatBytes(own, Uint8Array.of(1, 2)) as Uint8Array<ArrayBuffer>, { headers }),
      (own) =>
        new Response(
          UploadErrors.encode([
            { id: own, error: 1 },
            { id: own, error: 1 },
          ]) as Uint8Array<ArrayBuffer>,
          { headers },
        ),
      (own) => new Response(UploadErrors.encode([{ id: own, error: 1 }]) as Uint8Array<ArrayBuffer>),
      () => new Response('<html>ok</html>', { headers: { 'content-type': 'text/html' } }),
    ];
    for (const answer of answers) {
      aggregators.intercept = (request) => (isUpload(request) ? answer(request.body.subarray(0, 16)) : undefined);
      await failure(() => reporter.report(true), 'ANSWER_INVALID');
    }
  });

  it('uses no keys that it cannot trust to be keys', async () => {
    const { reporter, aggregators } = await parties(COUNT, { reporter: { retries: 0 } });
    const unknown = { id: 1, kemId: 0x7777, kdfId: 1, aeadId: 1, publicKey: Uint8Array.of(1) };
    const point = { id: 1, kemId: 0x20, kdfId: 1, aeadId: 1, publicKey: new Uint8Array(32) };
    const type = { 'content-type': mediaTypeOf('hpke-config-list') };
    const cases = [
      [() => listOf(unknown), 'KEYS_UNUSABLE'],
      [() => listOf(point), 'KEYS_UNUSABLE'],
      [() => listOf({ ...point, publicKey: new Uint8Array(31) }), 'KEYS_UNUSABLE'],
      [() => new Response(new Uint8Array([0, 0]), { headers: type }), 'KEYS_UNAVAILABLE'],
      [
        () =>
          new Response(HpkeConfigList.encode([point]).subarray(0, 20) as Uint8Array<ArrayBuffer>, { headers: type }),
        'KEYS_UNAVAILABLE',
      ],
      [() => new Response(new Uint8Array(70_000), { headers: type }), 'KEYS_UNAVAILABLE'],
      [() => new Response(HpkeConfigList.encode([point]) as Uint8Array<ArrayBuffer>), 'KEYS_UNAVAILABLE'],
      [() => new Response(null, { status: 500 }), 'KEYS_UNAVAILABLE'],
      [() => Promise.reject(new TypeError('no route')), 'KEYS_UNAVAILABLE'],
    ] as const;
    for (const [answer, code] of cases) {
      aggregators.intercept = (request) => (request.url.startsWith('https://helper') ? answer() : undefined);
      await failure(() => reporter.report(true), code);
      reporter.invalidateKeys();
    }
    assert.equal(aggregators.uploaded.length, 0);
    aggregators.intercept = () => undefined;
    await reporter.report(true);
  });

  it('ends with the reason of its signal, and in time', async () => {
    const never = new Promise<Response>(() => {});
    for (const which of [isKeys, isUpload]) {
      const { reporter, aggregators } = await parties(COUNT);
      const abort = new AbortController();
      const asked = new Promise<void>((resolve) => {
        aggregators.intercept = (request) => {
          if (!which(request)) return undefined;
          resolve();
          return never;
        };
      });
      const reported = reporter.report(true, { signal: abort.signal });
      await asked;
      abort.abort(new Error('enough'));
      await assert.rejects(reported, /enough/);
      await assert.rejects(reporter.report(true, { signal: AbortSignal.abort(new Error('before')) }), /before/);
    }
    const slow = await parties(COUNT, { reporter: { timeoutMs: 1, retries: 1 } });
    slow.aggregators.intercept = (request) => (isUpload(request) ? never : undefined);
    // Keys are answered at once, or the timeout hits them first: both are in time.
    await assert.rejects(
      slow.reporter.report(true),
      ({ code }: { code?: string }) => code === 'TIMEOUT' || code === 'KEYS_UNAVAILABLE',
    );
  });

  it('carries what admits a report, anew for each', async () => {
    let calls = 0;
    const { reporter, aggregators, collector } = await parties(COUNT, {
      reporter: {
        admission: () =>
          ++calls % 2 === 0 ? { public: Uint8Array.of(calls) } : { leader: Uint8Array.of(1), helper: Uint8Array.of(2) },
      },
    });
    await reporter.report(true);
    await aggregators.rotateKeys();
    await reporter.report(true);
    await reporter.reportMany([true, true]);
    assert.equal(calls, 5);
    const extensions = aggregators.uploaded.map(({ reportMetadata }) => reportMetadata.publicExtensions);
    assert.deepEqual(extensions, [
      [],
      [],
      [{ extensionType: REPORT_EXTENSION_ADMISSION, extensionData: Uint8Array.of(4) }],
      [],
    ]);
    assert.equal((await collector.collect(FIRST_HOUR)).result.count, 3);
  });
});
