/** Collection, honest and not. DAP §4.6. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  AggregateShareReq,
  BATCH_MODE_LEADER_SELECTED,
  BatchSelector,
  bucketOf,
  bucketRange,
  CollectionJobReq,
  CollectionJobResp,
  type CommitmentFacts,
  checkCollectable,
  checksumOf,
  combineBuckets,
  commitRefusal,
  compareKeys,
  createCollectionJobReq,
  type Interval,
  isEager,
  leaderSelectedBatch,
  leaderSelectedQuery,
  mergeAggregates,
  overlaps,
  prepareResults,
  Query,
  REPORT_ERROR,
  type Report,
  receiveAggregateShareReq,
  receiveCollection,
  timeIntervalQuery,
  timeIntervalSelector,
} from '../src/index.ts';
import {
  codeOf,
  extension,
  flipBit,
  NOTHING,
  NOW,
  NOW_TIME,
  numRuns,
  type Parties,
  parties,
  random,
} from './fixture.ts';
import { collect, helperShare, leaderCollect, runJob } from './flow.ts';
import { toyVdaf } from './toy-vdaf.ts';

const BATCH_ID = new Uint8Array(32).fill(9);
const LEADER_SELECTED = { changes: { batchMode: BATCH_MODE_LEADER_SELECTED } };

function query(start: number, duration: number): Query {
  return timeIntervalQuery({ start: NOW_TIME + start, duration });
}

/** Uploads and aggregates one report for each entry: its measurement and how many units ago it was made. */
async function aggregate(
  all: Parties,
  measured: readonly (readonly [value: number, ago: number])[],
  parameter?: Uint8Array,
  batchId?: Uint8Array,
): Promise<Report[]> {
  const reports = await Promise.all(
    measured.map(async ([value, ago]) => all.maker.createReport(value, new Date(NOW.getTime() - 60_000 * ago), random)),
  );
  await runJob(all, reports, parameter, batchId);
  return reports;
}

describe('Collection', () => {
  it('gives the sum of an interval, and where in it the reports are', async () => {
    const all = await parties();
    await aggregate(all, [
      [1, 9],
      [10, 5],
      [100, 4],
      [1000, 0],
    ]);
    assert.deepEqual(await collect(all, query(-8, 8)), {
      result: 110,
      reportCount: 2,
      interval: { start: NOW_TIME - 5, duration: 2 },
    });
  });

  it('gives the sum of a batch that the leader chose', async () => {
    const all = await parties(LEADER_SELECTED);
    await aggregate(
      all,
      [
        [1, 0],
        [2, 3],
      ],
      NOTHING,
      BATCH_ID,
    );
    await aggregate(all, [[4, 0]], NOTHING, new Uint8Array(32));
    const result = await collect(all, leaderSelectedQuery(), NOTHING, leaderSelectedBatch(BATCH_ID));
    assert.deepEqual([result.result, result.reportCount], [3, 2]);
  });

  it('takes place once, and no report comes in afterwards', async () => {
    const all = await parties();
    await aggregate(all, [
      [1, 0],
      [2, 0],
    ]);
    await collect(all, query(0, 1));
    for (const again of [query(0, 1), query(-5, 10)]) {
      assert.equal(await codeOf(() => collect(all, again)), 'BATCH_OVERLAP');
    }
    await aggregate(all, [[1, 0]]);
    assert.equal(all.leader.store.aggregated.size, 2);
    // The helper refuses as well, when its leader does not.
    all.leader.store.collected.length = 0;
    const late = await all.maker.createReport(1, NOW, random);
    const { rejected } = await runJob(all, [late]);
    assert.deepEqual(
      rejected.map(({ error }) => error),
      [REPORT_ERROR.BATCH_COLLECTED],
    );
    assert.equal(await codeOf(() => leaderCollect(all, createCollectionJobReq(query(0, 1), NOTHING))), 'BATCH_OVERLAP');
  });

  it('needs the minimum batch size on each side', async () => {
    const all = await parties();
    await aggregate(all, [[1, 0]]);
    assert.equal(await codeOf(() => collect(all, query(0, 1))), 'INVALID_BATCH_SIZE');
    assert.equal(await codeOf(() => collect(all, query(-100, 50))), 'INVALID_BATCH_SIZE');
    const request = AggregateShareReq.encode({
      collectionJobReq: CollectionJobReq.decode(createCollectionJobReq(query(0, 1), NOTHING)),
      batchSelector: query(0, 1),
      reportCount: 1,
      checksum: all.helper.store.buckets[0]!.checksum,
    });
    assert.equal(await codeOf(() => helperShare(all, request)), 'INVALID_BATCH_SIZE');
    assert.equal(all.helper.store.collected.length, 0);
  });

  it('is bound to task and request: neither share opens for another', async () => {
    const all = await parties();
    await aggregate(all, [
      [1, 0],
      [2, 0],
    ]);
    const request = createCollectionJobReq(query(0, 1), NOTHING);
    const response = await leaderCollect(all, request);
    const other = createCollectionJobReq(query(0, 2), NOTHING);
    const opener = await prepareResults(all.maker.task, toyVdaf(), all.collectorKey);
    assert.equal((await opener.open(request, response)).result, 3);
    assert.equal(await codeOf(() => opener.open(other, response)), 'OPEN_FAILED');
    const foreign = await parties({ version: 'dap-19' });
    const elsewhere = await prepareResults(foreign.maker.task, toyVdaf(), all.collectorKey);
    assert.equal(await codeOf(() => elsewhere.open(request, response)), 'OPEN_FAILED');
    const decoded = CollectionJobResp.decode(response);
    const swapped = CollectionJobResp.encode({
      ...decoded,
      leaderEncryptedAggShare: decoded.helperEncryptedAggShare,
      helperEncryptedAggShare: decoded.leaderEncryptedAggShare,
    });
    assert.equal(await codeOf(() => opener.open(request, swapped)), 'OPEN_FAILED');
    assert.equal(await codeOf(() => opener.open(request, response.subarray(1))), 'INVALID_MESSAGE');
  });
});

describe('receiveCollection()', () => {
  it('refuses what does not fit the task', async () => {
    const { leader } = await parties();
    const empty = Query.decode(Uint8Array.of(1, 0, 0));
    const cases: readonly [Partial<CollectionJobReq>, string][] = [
      [{ query: leaderSelectedQuery() }, 'INVALID_MESSAGE'],
      [{ query: empty }, 'INVALID_MESSAGE'],
      [{ query: query(0, 0) }, 'BATCH_INVALID'],
      [{ query: timeIntervalQuery({ start: Number.MAX_SAFE_INTEGER, duration: 1 }) }, 'BATCH_INVALID'],
      [{ aggParam: Uint8Array.of(1) }, 'INVALID_AGGREGATION_PARAMETER'],
      [{ extensions: [extension(0)] }, 'UNSUPPORTED_EXTENSION'],
      [{ extensions: [extension(2), extension(1)] }, 'INVALID_EXTENSION'],
      [{ extensions: [extension(2), extension(2)] }, 'INVALID_EXTENSION'],
    ];
    for (const [change, code] of cases) {
      const body = CollectionJobReq.encode({ query: query(0, 1), aggParam: NOTHING, extensions: [], ...change });
      assert.equal(await codeOf(() => receiveCollection(leader.task, body)), code);
    }
    assert.equal(await codeOf(() => receiveCollection(leader.task, Uint8Array.of(1))), 'INVALID_MESSAGE');
    const selected = (await parties(LEADER_SELECTED)).leader;
    const withConfig = CollectionJobReq.encode({
      query: { batchMode: BATCH_MODE_LEADER_SELECTED, config: BATCH_ID },
      aggParam: NOTHING,
      extensions: [],
    });
    assert.equal(await codeOf(() => receiveCollection(selected.task, withConfig)), 'INVALID_MESSAGE');
  });
});

describe('receiveAggregateShareReq()', () => {
  async function requestOf(all: Parties, change: Partial<AggregateShareReq>): Promise<Uint8Array> {
    const aggregate = mergeAggregates(all.leader.task.vdaf, NOTHING, all.leader.store.buckets);
    return AggregateShareReq.encode({
      collectionJobReq: { query: query(-10, 20), aggParam: NOTHING, extensions: [] },
      batchSelector: query(-10, 20),
      reportCount: aggregate.reportCount,
      checksum: aggregate.checksum,
      ...change,
    });
  }

  it('takes a selector that is narrower than the query, not one that is wider or beside it', async () => {
    const all = await parties();
    await aggregate(all, [
      [1, 0],
      [2, 0],
    ]);
    for (const [start, duration] of [
      [-11, 21],
      [-10, 21],
      [10, 1],
      [-11, 1],
    ] as const) {
      const body = await requestOf(all, { batchSelector: query(start, duration) });
      assert.equal(await codeOf(() => receiveAggregateShareReq(all.helper.task, body)), 'BATCH_INVALID');
    }
    await helperShare(all, await requestOf(all, { batchSelector: query(0, 1) }));
  });

  it('refuses another mode and malformed selectors', async () => {
    const all = await parties();
    for (const batchSelector of [
      { batchMode: 2, config: BATCH_ID },
      { batchMode: 1, config: BATCH_ID },
    ]) {
      const body = await requestOf(all, { batchSelector });
      assert.equal(await codeOf(() => receiveAggregateShareReq(all.helper.task, body)), 'INVALID_MESSAGE');
    }
    const selected = await parties(LEADER_SELECTED);
    const body = await requestOf(selected, {
      collectionJobReq: { query: leaderSelectedQuery(), aggParam: NOTHING, extensions: [] },
      batchSelector: { batchMode: 2, config: BATCH_ID.subarray(1) },
    });
    assert.equal(await codeOf(() => receiveAggregateShareReq(selected.helper.task, body)), 'INVALID_MESSAGE');
  });

  it('refuses when the aggregators have different reports', async () => {
    const all = await parties();
    await aggregate(all, [
      [1, 0],
      [2, 0],
    ]);
    const checksum = flipBit(all.helper.store.buckets[0]!.checksum, 5);
    for (const change of [{ checksum }, { reportCount: 3 }]) {
      const body = await requestOf(all, change);
      assert.equal(await codeOf(() => helperShare(all, body)), 'BATCH_MISMATCH');
    }
    assert.equal(all.helper.store.collected.length, 0);
  });

  it('refuses an unknown extension although the leader should have', async () => {
    const all = await parties();
    const body = await requestOf(all, {
      collectionJobReq: { query: query(-10, 20), aggParam: NOTHING, extensions: [extension(5)] },
    });
    assert.equal(await codeOf(() => receiveAggregateShareReq(all.helper.task, body)), 'UNSUPPORTED_EXTENSION');
  });
});

describe('Buckets', () => {
  it('merge to the same aggregate in any order and grouping', async () => {
    const { leader } = await parties();
    const { vdaf } = leader.task;
    const one = fc
      .record({ id: fc.uint8Array({ minLength: 16, maxLength: 16 }), value: fc.nat(255), time: fc.nat(1000) })
      .map(({ id, value, time }) => ({
        aggregateShare: Uint8Array.of(0, 0, 0, value),
        reportCount: 1,
        checksum: checksumOf([id]),
        interval: { start: time, duration: 1 },
      }));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), fc.nat(8), (items, cut) => {
        const whole = mergeAggregates(vdaf, NOTHING, items);
        const parts = [items.slice(cut), items.slice(0, cut)].map((part) => mergeAggregates(vdaf, NOTHING, part));
        assert.deepEqual(mergeAggregates(vdaf, NOTHING, parts), whole);
        const buckets = items.map((item) => ({ ...item, bucket: NOTHING, aggregationParameter: NOTHING }));
        assert.deepEqual(combineBuckets(leader.task, NOTHING, buckets), whole);
        const times = items.map(({ interval }) => interval.start);
        const expected: Interval =
          times.length === 0
            ? { start: 0, duration: 0 }
            : { start: Math.min(...times), duration: Math.max(...times) - Math.min(...times) + 1 };
        assert.deepEqual(whole.interval, expected);
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    );
  });

  it('of many reports are merged a few at a time', async () => {
    const { leader } = await parties();
    let largest = 0;
    const vdaf = {
      ...leader.task.vdaf,
      merge: (parameter: Uint8Array, shares: readonly Uint8Array[]) => {
        largest = Math.max(largest, shares.length);
        return leader.task.vdaf.merge(parameter, shares);
      },
    };
    const bucket = {
      bucket: NOTHING,
      aggregationParameter: NOTHING,
      aggregateShare: Uint8Array.of(0, 0, 0, 1),
      reportCount: 1,
      checksum: new Uint8Array(32),
      interval: { start: 1, duration: 1 },
    };
    const { reportCount, aggregateShare } = combineBuckets(
      { ...leader.task, vdaf },
      NOTHING,
      Array.from({ length: 1000 }, () => bucket),
    );
    assert.deepEqual([reportCount, aggregateShare], [1000, Uint8Array.of(0, 0, 3, 232)]);
    assert.ok(largest <= 64);
  });

  it('with another parameter fail a collection', async () => {
    const all = await parties({ rounds: 2 });
    await aggregate(
      all,
      [
        [1, 0],
        [2, 0],
      ],
      Uint8Array.of(1),
    );
    assert.equal(await codeOf(() => collect(all, query(0, 1), Uint8Array.of(2))), 'INVALID_MESSAGE');
    assert.equal((await collect(all, query(0, 1), Uint8Array.of(1))).result, 3);
  });

  it('have keys that sort like their times', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        assert.equal(Math.sign(compareKeys(bucketOf(a, undefined), bucketOf(b, undefined))), Math.sign(a - b));
      }),
    );
    const interval = { start: 5, duration: 3 };
    const { first, last } = bucketRange({ kind: 'timeInterval', interval });
    assert.deepEqual([first, last], [bucketOf(5, undefined), bucketOf(7, undefined)]);
    assert.deepEqual(bucketRange(leaderSelectedBatch(BATCH_ID)), { first: BATCH_ID, last: BATCH_ID });
  });

  it('of two batches overlap when a time is in both', () => {
    const small = fc.record({ start: fc.nat(20), duration: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(small, small, (a, b) => {
        const times = Array.from({ length: 40 }, (_, t) => t);
        const inside = (interval: Interval, t: number): boolean =>
          t >= interval.start && t < interval.start + interval.duration;
        assert.equal(
          overlaps({ kind: 'timeInterval', interval: a }, { kind: 'timeInterval', interval: b }),
          times.some((t) => inside(a, t) && inside(b, t)),
        );
      }),
    );
  });

  it('selectors of intervals are encoded like queries', () => {
    const interval = { start: 1, duration: 2 };
    assert.deepEqual(BatchSelector.encode(timeIntervalSelector(interval)), Query.encode(timeIntervalQuery(interval)));
  });
});

describe('commitRefusal()', () => {
  const [p1, p2, p3] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] as const;
  const facts = (aggregated: readonly Uint8Array[], collected: readonly Uint8Array[]): CommitmentFacts => ({
    aggregated,
    collected,
  });

  it('refuses a collected batch and a report that was aggregated', async () => {
    const { helper } = await parties({ rounds: 2 });
    assert.equal(commitRefusal(helper.task, p2, facts([], [])), undefined);
    assert.equal(commitRefusal(helper.task, p2, facts([p1], [])), REPORT_ERROR.REPORT_REPLAYED);
    assert.equal(commitRefusal(helper.task, p2, facts([], [p1])), REPORT_ERROR.BATCH_COLLECTED);
    assert.equal(commitRefusal(helper.task, p2, facts([p1], [p1])), REPORT_ERROR.BATCH_COLLECTED);
  });

  it('with multi-collection takes a report again, for a parameter that follows, as long as its batch is the same', async () => {
    const { helper } = await parties({ rounds: 2, extensions: { multiCollection: { maxCollections: 2 } } });
    const cases: readonly [CommitmentFacts, number | undefined][] = [
      [facts([], []), undefined],
      [facts([p1], [p1]), undefined],
      [facts([p1], []), undefined],
      // A latecomer to a batch that was collected.
      [facts([], [p1]), REPORT_ERROR.BATCH_COLLECTED],
      [facts([p1], [p1, p2]), REPORT_ERROR.BATCH_COLLECTED],
      // The same again, one too many, and one that does not follow.
      [facts([p2], []), REPORT_ERROR.REPORT_REPLAYED],
      [facts([Uint8Array.of(0), p1], []), REPORT_ERROR.REPORT_REPLAYED],
      [facts([p3], []), REPORT_ERROR.REPORT_REPLAYED],
    ];
    for (const [known, expected] of cases) assert.equal(commitRefusal(helper.task, p2, known), expected);
  });
});

describe('Multi-collection', () => {
  const [p1, p2, p3] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] as const;

  it('collects the same batch again with a parameter that follows, as often as the task says', async () => {
    const all = await parties({ rounds: 2, extensions: { multiCollection: { maxCollections: 2 } } });
    const reports = await aggregate(
      all,
      [
        [1, 0],
        [2, 0],
      ],
      p1,
    );
    assert.equal((await collect(all, query(0, 1), p1)).result, 3);
    await runJob(all, reports, p2);
    // Nobody joins for the second round.
    const late = await all.maker.createReport(50, NOW, random);
    await runJob(all, [late], p2);
    assert.equal(await codeOf(() => collect(all, query(-1, 2), p2)), 'BATCH_OVERLAP');
    assert.deepEqual(await collect(all, query(0, 1), p2), {
      result: 3,
      reportCount: 2,
      interval: { start: NOW_TIME, duration: 1 },
    });
    await runJob(all, reports, p3);
    assert.equal(await codeOf(() => collect(all, query(0, 1), p3)), 'BATCH_OVERLAP');
  });

  it('refuses the same parameter, and one that does not follow', async () => {
    const { leader } = await parties({ rounds: 2, extensions: { multiCollection: { maxCollections: 9 } } });
    const batch = { kind: 'timeInterval', interval: { start: 1, duration: 1 } } as const;
    const collected = [{ batch, aggregationParameter: p2 }];
    checkCollectable(leader.task, batch, p3, collected);
    assert.equal(await codeOf(() => checkCollectable(leader.task, batch, p2, collected)), 'BATCH_OVERLAP');
    assert.equal(
      await codeOf(() => checkCollectable(leader.task, batch, p1, collected)),
      'INVALID_AGGREGATION_PARAMETER',
    );
  });
});

describe('isEager()', () => {
  it('tells whether reports can be aggregated as they arrive', () => {
    assert.equal(isEager(toyVdaf(1)), true);
    assert.equal(isEager(toyVdaf(2)), false);
  });
});
