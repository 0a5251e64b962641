import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeRequest, type Field } from '@privacy-edge/bhttp';
import { utf8 } from '@privacy-edge/bytes';
import { systemRandom } from '@privacy-edge/hpke';
import { formatHttpDate } from '@privacy-edge/http-fields';
import { encapsulateChunked } from '@privacy-edge/ohttp';
import type { ReplayConfig } from '../src/index.ts';
import {
  bodyOf,
  chunkedPieces,
  field,
  headOf,
  innerRequest,
  makeBench,
  NOW,
  post,
  postChunked,
  send,
  sendChunked,
  settle,
  targetResponse,
} from './gateway-fixture.ts';

const TOLERANCE = 60_000;

function replay(init: Partial<ReplayConfig>): { config: { replay: ReplayConfig } } {
  return { config: { replay: { protect: 'all', date: 'required', toleranceMs: TOLERANCE, ...init } } };
}

describe('a replayed message', () => {
  it('is refused in clear when it comes after the first, and reaches the target once', async () => {
    const bench = await makeBench();
    const { message } = await send(bench, innerRequest());
    for (let again = 0; again < 3; again++) {
      assert.deepEqual(await bench.gateway(post(message)), { status: 400, fields: [], body: null });
    }
    assert.equal(bench.seen.length, 1);
    assert.deepEqual(bench.outcomes, ['answered', 'replay-known', 'replay-known', 'replay-known']);
  });

  it('is refused in clear when it is chunked, and its input is closed', async () => {
    const bench = await makeBench();
    const { message } = await sendChunked(bench, innerRequest());
    let closed = false;
    const outer = await bench.gateway(postChunked(bodyOf([message], { closed: () => (closed = true) })));
    assert.deepEqual(outer, { status: 400, fields: [], body: null });
    await settle();
    assert.equal(closed, true);
    assert.deepEqual(bench.outcomes, ['answered+', 'replay-known+']);
  });

  it('at the same time reaches the target exactly once', async () => {
    const bench = await makeBench();
    const { message } = await bench.client.encapsulate(encodeRequest(innerRequest()), systemRandom);
    const answers = await Promise.all(Array.from({ length: 20 }, () => bench.gateway(post(message))));
    assert.equal(bench.seen.length, 1);
    assert.equal(bench.outcomes.filter((outcome) => outcome === 'answered').length, 1);
    for (const answer of answers) assert.ok(answer.status === 200 || answer.status === 400);
  });

  it('at the same time is answered inside when the store did not know it yet', async () => {
    const bench = await makeBench();
    bench.replay.has = () => false;
    const first = await send(bench, innerRequest());
    const outer = await bench.gateway(post(first.message));
    assert.equal(outer.status, 200);
    assert.equal(bench.seen.length, 1);
    assert.deepEqual(bench.outcomes, ['answered', 'replayed']);
  });

  it('is not counted as seen when it does not open: nobody else can use up a request', async () => {
    const bench = await makeBench();
    const { message } = await bench.client.encapsulate(encodeRequest(innerRequest()), systemRandom);
    const damaged = message.slice();
    damaged[damaged.length - 1]! ^= 1;
    await bench.gateway(post(damaged));
    assert.equal(bench.replay.seen.size, 0);
    assert.equal((await bench.gateway(post(message))).status, 200);
    assert.deepEqual(bench.outcomes, ['open-failed', 'answered']);
  });
});

describe('the Date of a request', () => {
  const edges: [offsetMs: number, accepted: boolean][] = [
    [-TOLERANCE, true],
    [-TOLERANCE - 1000, false],
    [TOLERANCE, true],
    [TOLERANCE + 1000, false],
    [0, true],
    [-10 * 365 * 86_400_000, false],
  ];
  for (const [offsetMs, accepted] of edges) {
    it(`is ${accepted ? 'accepted' : 'refused'} at ${offsetMs} ms`, async () => {
      const bench = await makeBench();
      const { inner } = await send(bench, innerRequest({ dateMs: NOW + offsetMs }));
      assert.equal(inner?.status, accepted ? 200 : 400);
      assert.equal(bench.replay.seen.size, accepted ? 1 : 0);
    });
  }

  it('is judged by the milliseconds of our clock', async () => {
    const bench = await makeBench();
    bench.now = NOW + TOLERANCE + 1;
    assert.equal((await send(bench, innerRequest())).inner?.status, 400);
  });

  const invalid: Record<string, Field[]> = {
    'not a date': [['date', 'yesterday']],
    'on a wrong day of the week': [['date', 'Mon, 01 Mar 2026 12:00:00 GMT']],
    'there twice': [
      ['date', formatHttpDate(NOW)],
      ['date', formatHttpDate(NOW)],
    ],
  };
  for (const [name, fields] of Object.entries(invalid)) {
    it(`is refused when it is ${name}`, async () => {
      const bench = await makeBench();
      assert.equal((await send(bench, innerRequest({ dateMs: undefined, fields }))).inner?.status, 400);
      assert.deepEqual(bench.outcomes, ['date']);
    });
  }

  it('may be missing where it is optional, and is still judged where it is there', async () => {
    const bench = await makeBench(replay({ date: 'optional' }));
    assert.equal((await send(bench, innerRequest({ dateMs: undefined }))).inner?.status, 200);
    assert.equal((await send(bench, innerRequest({ dateMs: NOW - 61_000 }))).inner?.status, 400);
    assert.equal(bench.replay.seen.size, 1);
  });

  it('is refused the same way in a chunked message', async () => {
    const bench = await makeBench();
    const { events, complete } = await sendChunked(bench, innerRequest({ dateMs: NOW - 61_000 }));
    assert.deepEqual([headOf(events).status, complete], [400, true]);
    assert.equal(field(headOf(events), 'date'), formatHttpDate(NOW));
    assert.deepEqual(bench.outcomes, ['date+']);
  });

  it('is refused at last, whatever becomes of the store, when it is replayed after the window', async () => {
    const bench = await makeBench();
    const { message } = await send(bench, innerRequest());
    bench.replay.seen.clear();
    bench.now += TOLERANCE + 1000;
    const outer = await bench.gateway(post(message));
    assert.equal(outer.status, 200);
    assert.deepEqual(bench.outcomes, ['answered', 'date']);
  });
});

describe('what is protected', () => {
  const safe = ['GET', 'HEAD', 'OPTIONS', 'QUERY'];
  const unsafe = ['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'X-NEW'];

  it('with `unsafe`: only methods that ask for an effect', async () => {
    const bench = await makeBench(replay({ protect: 'unsafe' }));
    for (const method of safe) {
      const { inner, message } = await send(bench, innerRequest({ method, dateMs: undefined }));
      assert.equal(inner?.status, 200, method);
      assert.equal((await bench.gateway(post(message))).status, 200, method);
    }
    assert.equal(bench.replay.seen.size, 0);
    for (const method of unsafe) {
      assert.equal((await send(bench, innerRequest({ method, dateMs: undefined }))).inner?.status, 400, method);
      const { inner, message } = await send(bench, innerRequest({ method }));
      assert.equal(inner?.status, 200, method);
      assert.equal((await bench.gateway(post(message))).status, 400, method);
    }
  });

  it('with `none`: nothing, and the store is not asked', async () => {
    const bench = await makeBench(replay({ protect: 'none' }));
    bench.replay.failing = 'throws';
    const { inner, message } = await send(bench, innerRequest({ method: 'POST', dateMs: undefined }));
    assert.equal(inner?.status, 200);
    assert.equal((await bench.gateway(post(message))).status, 200);
    assert.equal(bench.seen.length, 2);
  });

  it('with `all`: safe methods too', async () => {
    const bench = await makeBench();
    const { message } = await send(bench, innerRequest({ method: 'GET' }));
    assert.equal((await bench.gateway(post(message))).status, 400);
  });
});

describe('a store that lost its memory', () => {
  /** Started at NOW, as a store of two tolerances says it. */
  async function restarted(init: Partial<ReplayConfig> = {}) {
    const bench = await makeBench(replay(init));
    bench.replay.amnesiaUntilMs = NOW + 2 * TOLERANCE;
    return bench;
  }
  const unsafe = (dateMs: number | undefined) => innerRequest({ method: 'POST', body: utf8('x'), dateMs });

  it('lets safe methods pass, and remembers them', async () => {
    const bench = await restarted();
    const { inner } = await send(bench, innerRequest());
    assert.equal(inner?.status, 200);
    assert.equal(bench.replay.seen.size, 1);
  });

  it('answers 425 for what it may have known: everything dated up to one tolerance after its start', async () => {
    const bench = await restarted();
    const { inner } = await send(bench, unsafe(NOW));
    assert.equal(inner?.status, 425);
    assert.equal(field(inner, 'retry-after'), '120');
    assert.equal(bench.seen.length, 0);
    bench.now = NOW + TOLERANCE;
    assert.equal((await send(bench, unsafe(NOW + TOLERANCE))).inner?.status, 425);
    assert.equal((await send(bench, unsafe(NOW + TOLERANCE + 1000))).inner?.status, 200);
    assert.deepEqual(bench.outcomes, ['forgotten', 'forgotten', 'answered']);
  });

  it('is over it when nothing that it lost could pass by its Date', async () => {
    const bench = await restarted();
    // The latest that could have been accepted before the start, replayed at the last moment its Date is good.
    bench.now = NOW + 2 * TOLERANCE;
    assert.equal((await send(bench, unsafe(NOW + TOLERANCE))).inner?.status, 425);
    bench.now += 1000;
    assert.equal((await send(bench, unsafe(NOW + TOLERANCE))).inner?.status, 400);
    assert.deepEqual(bench.outcomes, ['forgotten', 'date']);
  });

  it('answers 425 for everything without a Date until it is over', async () => {
    const bench = await restarted({ date: 'optional' });
    bench.now = NOW + 2 * TOLERANCE - 1;
    const { inner } = await send(bench, unsafe(undefined));
    assert.deepEqual([inner?.status, field(inner!, 'retry-after')], [425, '1']);
    bench.now++;
    assert.equal((await send(bench, unsafe(undefined))).inner?.status, 200);
  });
});

describe('a store that cannot remember', () => {
  for (const [outcome, counted] of [
    ['full', 'replay-full'],
    ['unavailable', 'replay-unavailable'],
  ] as const) {
    it(`because it is ${outcome} means 503 inside`, async () => {
      const bench = await makeBench();
      bench.replay.failing = outcome;
      const { outer, inner } = await send(bench, innerRequest());
      assert.deepEqual([outer.status, inner?.status, field(inner!, 'retry-after')], [200, 503, '5']);
      assert.equal(bench.seen.length, 0);
      const chunked = await sendChunked(bench, innerRequest());
      assert.deepEqual([headOf(chunked.events).status, chunked.complete], [503, true]);
      assert.deepEqual(bench.outcomes, [counted, `${counted}+`]);
    });
  }

  it('because it throws means an answer inside, and no request to the target', async () => {
    const bench = await makeBench();
    bench.replay.failing = 'throws';
    const { outer, inner } = await send(bench, innerRequest());
    assert.deepEqual([outer.status, inner?.status], [200, 500]);
    const chunked = await sendChunked(bench, innerRequest());
    assert.deepEqual([headOf(chunked.events).status, chunked.complete], [500, true]);
    assert.equal(bench.seen.length, 0);
    assert.deepEqual(bench.outcomes, ['fault', 'fault+']);
  });

  it('any more lets those through that are exempt', async () => {
    const bench = await makeBench(replay({ protect: 'unsafe' }));
    bench.replay.capacity = 1;
    assert.equal((await send(bench, innerRequest({ method: 'POST' }))).inner?.status, 200);
    assert.equal((await send(bench, innerRequest({ method: 'POST' }))).inner?.status, 503);
    assert.equal((await send(bench, innerRequest())).inner?.status, 200);
  });
});

describe('a replay of a chunked request while it is being answered', () => {
  it('reaches the target exactly once', async () => {
    const bench = await makeBench({ target: () => Promise.resolve(targetResponse()) });
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const pieces = await chunkedPieces(chunked, innerRequest({ method: 'POST' }), [utf8('x')]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => bench.gateway(postChunked(bodyOf(pieces)))));
    let complete = 0;
    for (const outer of answers) {
      if (outer.status !== 200 || outer.body === null || outer.body instanceof Uint8Array) continue;
      for await (const piece of outer.body) assert.ok(piece.length > 0);
      complete++;
    }
    assert.ok(complete >= 1);
    assert.equal(bench.seen.length, 1);
    assert.equal(bench.outcomes.length, 10);
    assert.equal(bench.outcomes.filter((outcome) => outcome === 'answered+').length, 1);
  });
});
