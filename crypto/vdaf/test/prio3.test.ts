/** Prio3 as protocols use it: batches, refusals, limits, and what stays behind. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sumVec } from '../src/circuits/sum-vec.ts';
import { FIELD64 } from '../src/field.ts';
import { createVdaf, type VdafError as Failure, type Prio3, VdafError, type VdafErrorCode } from '../src/index.ts';
import { prio3 } from '../src/prio3.ts';
import { prio3Kernel } from '../src/prio3-kernel.ts';
import type { Transition, VerifyContext } from '../src/vdaf.ts';

const FUZZ_RUNS = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);
const NOTHING = new Uint8Array(0);
const CTX = new TextEncoder().encode('dap-18 and a task');

/** Bytes that differ for every label, and are the same in every run. */
function bytes(label: string, length: number): Uint8Array {
  return new Uint8Array(createHash('shake128', { outputLength: length }).update(label).digest());
}

const CONTEXT: VerifyContext = { verifyKey: bytes('key', 32), ctx: CTX, aggregationParameter: NOTHING };

interface Report {
  readonly nonce: Uint8Array;
  readonly publicShare: Uint8Array;
  readonly shares: readonly [Uint8Array, Uint8Array];
}

function shard<M>(vdaf: Prio3<M, unknown>, measurement: M, label: string): Report {
  const nonce = bytes(`${label} nonce`, 16);
  const { publicShare, inputShares } = vdaf.shard(CTX, measurement, nonce, bytes(`${label} rand`, vdaf.randSize));
  return { nonce, publicShare, shares: inputShares };
}

function leader(vdaf: Prio3<never, unknown>, reports: readonly Report[]): Transition[] {
  return vdaf.leaderInit(
    CONTEXT,
    reports.map((report) => ({ ...report, inputShare: report.shares[0] })),
  );
}

function helper(vdaf: Prio3<never, unknown>, reports: readonly Report[], sent: readonly Transition[]): Transition[] {
  return vdaf.helperInit(
    CONTEXT,
    reports.map((report, i) => ({ ...report, inputShare: report.shares[1], inbound: outbound(sent[i]!) })),
  );
}

function outbound(transition: Transition): Uint8Array {
  return transition.kind === 'rejected' ? NOTHING : (transition.outbound ?? NOTHING);
}

/** Both output shares of each report; undefined for one that either side refuses. */
function verify(vdaf: Prio3<never, unknown>, reports: readonly Report[]): ([Uint8Array, Uint8Array] | undefined)[] {
  const sent = leader(vdaf, reports);
  const answers = helper(vdaf, reports, sent);
  return reports.map((_, i) => {
    const [first, answer] = [sent[i]!, answers[i]!];
    if (first.kind !== 'continued' || answer.kind !== 'finished') return undefined;
    const [last] = vdaf.resume(CONTEXT, 0, [{ state: first.state, inbound: outbound(answer) }]);
    return last?.kind === 'finished' ? [last.outShare, answer.outShare] : undefined;
  });
}

function unshard<R>(vdaf: Prio3<never, R>, outShares: readonly (readonly [Uint8Array, Uint8Array])[]): R {
  const shares = [0, 1].map((id) =>
    vdaf.aggregate(
      NOTHING,
      vdaf.emptyAggregate(NOTHING),
      outShares.map((pair) => pair[id]!),
    ),
  );
  return vdaf.unshard(NOTHING, [shares[0]!, shares[1]!], outShares.length);
}

function fails(code: VdafErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof VdafError && (error as Failure).code === code;
}

/** Everything that verifies, and the plain sum. */
function run<M, R>(vdaf: Prio3<M, R>, measurements: readonly M[]): R {
  const reports = measurements.map((measurement, i) => shard(vdaf, measurement, String(i)));
  const outShares = verify(vdaf, reports);
  for (const pair of outShares) assert.ok(pair !== undefined);
  return unshard(
    vdaf,
    outShares.map((pair) => pair!),
  );
}

describe('Prio3 of plain measurements', () => {
  it('counts', () => assert.equal(run(createVdaf({ kind: 'count' }), [true, 0, 1, false, 1]), 3n));

  it('sums, up to the largest bound', () => {
    assert.equal(run(createVdaf({ kind: 'sum', maxMeasurement: 100 }), [0, 1, 100, 37, 63n]), 201n);
    const maxMeasurement = FIELD64.modulus - 1n;
    assert.equal(run(createVdaf({ kind: 'sum', maxMeasurement }), [maxMeasurement]), maxMeasurement);
    assert.equal(run(createVdaf({ kind: 'sum', maxMeasurement: 1 }), [1, 1, 0]), 2n);
  });

  it('sums vectors', () => {
    const measurements = [
      [0, 5, 3n],
      [5, 5, 5],
      [1, 0, 0],
    ];
    for (const kind of ['sumVec', 'sumVecWithMultiproof'] as const) {
      assert.deepEqual(run(createVdaf({ kind, length: 3, maxMeasurement: 5 }), measurements), [6n, 10n, 8n]);
    }
    const large = 2n ** 64n - 1n;
    const vdaf = createVdaf({ kind: 'sumVec', length: 1, maxMeasurement: large });
    assert.deepEqual(run(vdaf, [[large], [large], [large - 1n]]), [3n * large - 1n]);
  });

  it('makes histograms', () => {
    assert.deepEqual(run(createVdaf({ kind: 'histogram', length: 4 }), [0, 3, 3, 1]), [1n, 1n, 0n, 2n]);
    assert.deepEqual(run(createVdaf({ kind: 'histogram', length: 1 }), [0]), [1n]);
  });

  it('counts choices', () => {
    const vdaf = createVdaf({ kind: 'multihotCountVec', length: 3, maxWeight: 2 });
    assert.deepEqual(
      run(vdaf, [
        [true, false, true],
        [0, 0, 0],
        [1, 1, 0],
      ]),
      [2n, 1n, 1n],
    );
  });

  it('sums vectors with a bounded sum', () => {
    const vdaf = createVdaf({ kind: 'l1BoundSum', length: 3, maxValue: 6 });
    assert.deepEqual(
      run(vdaf, [
        [6, 0, 0],
        [1, 2n, 3],
        [0, 0, 0],
      ]),
      [7n, 2n, 3n],
    );
  });

  it('sums integers and their products', () => {
    const vdaf = createVdaf({ kind: 'linReg', maxValues: [10, 2 ** 32 - 1, 1] });
    const rows = [
      [10, 2 ** 32 - 1, 1],
      [3, 7, 0],
    ];
    const { sums, products } = run(vdaf, rows);
    assert.deepEqual(sums, [13n, 2n ** 32n + 6n, 1n]);
    const pairs = [0, 1, 2].flatMap((i) => [0, 1, 2].slice(i).map((j) => [i, j] as const));
    const expected = pairs.map(([i, j]) => rows.reduce((sum, row) => sum + BigInt(row[i]!) * BigInt(row[j]!), 0n));
    assert.deepEqual(products, expected);
  });

  // Long transforms carry several times, long sums of products are made in blocks, and large chunks sum up many wires.
  for (const [length, chunkLength] of [
    [3000, 3],
    [8191, 1],
    [20_000, 20_000],
  ] as const) {
    it(`makes histograms of ${length} buckets in chunks of ${chunkLength}`, () => {
      const counts = run(createVdaf({ kind: 'histogram', length, chunkLength }), [0, length - 1, 1234]);
      assert.deepEqual(
        counts.flatMap((count, i) => (count === 0n ? [] : [[i, count]])),
        [
          [0, 1n],
          [1234, 1n],
          [length - 1, 1n],
        ],
      );
    });
  }
});

describe('a batch of Prio3', () => {
  const vdaf = createVdaf({ kind: 'sumVec', length: 4, maxMeasurement: 9 });
  const reports = [0, 1, 2, 3, 4].map((i) => shard(vdaf, [i, 9 - i, 0, 9], `batch ${i}`));

  it('gives what its reports give alone, however many there are', () => {
    const alone = reports.flatMap((report) => leader(vdaf, [report]));
    for (let count = 0; count <= reports.length; count++) {
      const some = reports.slice(0, count);
      const sent = leader(vdaf, some);
      assert.deepEqual(sent, alone.slice(0, count));
      const answers = helper(vdaf, some, sent);
      assert.deepEqual(
        answers,
        some.flatMap((report, i) => helper(vdaf, [report], [sent[i]!])),
      );
    }
  });

  it('loses the bad reports and no other', () => {
    const bad = { ...reports[1]!, shares: [reports[1]!.shares[0].slice(1), reports[1]!.shares[1]] as const };
    const worse = { ...reports[2]!, publicShare: NOTHING };
    const verified = verify(vdaf, [bad, reports[0]!, worse, reports[3]!, reports[4]!]);
    assert.deepEqual(
      verified.map((pair) => pair !== undefined),
      [false, true, false, true, true],
    );
    assert.deepEqual(
      unshard(
        vdaf,
        verified.filter((pair) => pair !== undefined),
      ),
      [7n, 20n, 0n, 27n],
    );
  });

  it('tells reports that do not decode from those that do not verify', () => {
    const [good] = reports;
    const { nonce, publicShare, shares } = good!;
    const [sent] = leader(vdaf, [good!]);
    const inbound = outbound(sent!);
    const large = new Uint8Array(shares[0]).fill(255, 0, 16);
    for (const bad of [
      { nonce, publicShare, inputShare: large },
      { nonce, publicShare, inputShare: shares[1] },
      { nonce, publicShare: publicShare.subarray(1), inputShare: shares[0] },
    ]) {
      assert.deepEqual(vdaf.leaderInit(CONTEXT, [bad]), [{ kind: 'rejected', malformed: true }]);
      assert.deepEqual(vdaf.helperInit(CONTEXT, [{ ...bad, inputShare: shares[0], inbound }]), [
        { kind: 'rejected', malformed: true },
      ]);
    }
    const other = { ...good!, inputShare: new Uint8Array(64) };
    assert.deepEqual(vdaf.helperInit(CONTEXT, [{ ...other, inbound }]), [{ kind: 'rejected' }]);
    assert.deepEqual(vdaf.helperInit(CONTEXT, [{ ...other, inputShare: shares[1], inbound: NOTHING }]), [
      { kind: 'rejected' },
    ]);
  });

  it('does not let one report answer for another', () => {
    const sent = leader(vdaf, reports.slice(0, 2));
    const swapped = helper(vdaf, reports.slice(0, 2), [sent[1]!, sent[0]!]);
    assert.deepEqual(
      swapped.map(({ kind }) => kind),
      ['rejected', 'rejected'],
    );
  });
});

describe('Prio3 under an attacker', () => {
  const subjects = {
    count: () => [createVdaf({ kind: 'count' }), 1],
    sum: () => [createVdaf({ kind: 'sum', maxMeasurement: 6 }), 5],
    histogram: () => [createVdaf({ kind: 'histogram', length: 3 }), 1],
    'sumVec with three proofs': () => [createVdaf({ kind: 'sumVecWithMultiproof', length: 1, maxMeasurement: 2 }), [2]],
    linReg: () => [createVdaf({ kind: 'linReg', maxValues: [1, 2] }), [1, 2]],
  } as unknown as Readonly<Record<string, () => [Prio3<unknown, unknown>, unknown]>>;
  for (const [name, make] of Object.entries(subjects)) {
    it(`${name}: no byte of a report or a message can be changed`, () => {
      const [vdaf, measurement] = make();
      const good = shard(vdaf, measurement, 'good');
      const [sent] = leader(vdaf, [good]);
      const [answer] = helper(vdaf, [good], [sent!]);
      assert.equal(verify(vdaf, [good]).length, 1);
      const spoiled: Report[] = [];
      const each = (value: Uint8Array, use: (changed: Uint8Array) => void): void => {
        for (let at = 0; at < value.length; at++) {
          const changed = new Uint8Array(value);
          changed[at] = changed[at]! ^ (1 << (at & 7));
          use(changed);
        }
        for (const length of [0, value.length - 1, value.length + 1]) {
          if (length < 0 || length === value.length) continue;
          const changed = new Uint8Array(length);
          changed.set(value.subarray(0, length));
          use(changed);
        }
      };
      each(good.shares[0], (changed) => spoiled.push({ ...good, shares: [changed, good.shares[1]] }));
      each(good.shares[1], (changed) => spoiled.push({ ...good, shares: [good.shares[0], changed] }));
      each(good.publicShare, (publicShare) => spoiled.push({ ...good, publicShare }));
      for (const pair of verify(vdaf, spoiled)) assert.equal(pair, undefined);

      each(outbound(sent!), (inbound) => {
        const [refused] = helper(vdaf, [good], [{ kind: 'finished', outShare: NOTHING, outbound: inbound }]);
        assert.deepEqual(refused, { kind: 'rejected' });
      });
      const { state } = sent as { state: Uint8Array };
      each(outbound(answer!), (inbound) => {
        assert.deepEqual(vdaf.resume(CONTEXT, 0, [{ state, inbound }]), [{ kind: 'rejected' }]);
      });
      each(NOTHING, (inbound) => {
        assert.deepEqual(vdaf.resume(CONTEXT, 0, [{ state, inbound }]), [{ kind: 'rejected' }]);
      });
    });
  }

  it('a report is bound to key, context and nonce', () => {
    const vdaf = createVdaf({ kind: 'histogram', length: 3 });
    const good = shard(vdaf, 2, 'bound');
    const [sent] = leader(vdaf, [good]);
    const inbound = outbound(sent!);
    const own = { ...good, inputShare: good.shares[1], inbound };
    const kinds = [
      CONTEXT,
      { ...CONTEXT, verifyKey: bytes('other key', 32) },
      { ...CONTEXT, ctx: NOTHING },
      { ...CONTEXT, nonce: bytes('other nonce', 16) },
    ].map((context) => vdaf.helperInit(context, [{ ...own, ...('nonce' in context ? context : {}) }])[0]!.kind);
    assert.deepEqual(kinds, ['finished', 'rejected', 'rejected', 'rejected']);
  });

  it('the helper is never asked a second time', () => {
    const vdaf = createVdaf({ kind: 'count' });
    const [sent] = leader(vdaf, [shard(vdaf, 1, 'second')]);
    const { state } = sent as { state: Uint8Array };
    assert.deepEqual(vdaf.resume(CONTEXT, 1, [{ state, inbound: outbound(sent!) }]), [{ kind: 'rejected' }]);
  });

  it('random bytes are refused everywhere', () => {
    const vdaf = createVdaf({ kind: 'sumVec', length: 2, maxMeasurement: 3 });
    const good = shard(vdaf, [1, 2], 'fuzz');
    const [sent] = leader(vdaf, [good]);
    const { state } = sent as { state: Uint8Array };
    const near = (length: number): fc.Arbitrary<Uint8Array> =>
      fc.oneof(fc.uint8Array({ minLength: length, maxLength: length }), fc.uint8Array({ maxLength: length + 8 }));
    const message = fc
      .tuple(fc.integer({ min: 0, max: 3 }), near(outbound(sent!).length - 5))
      .map(([type, body]) => Uint8Array.of(type, 0, 0, body.length >> 8, body.length & 0xff, ...body));
    fc.assert(
      fc.property(
        near(16),
        near(good.publicShare.length),
        near(good.shares[0].length),
        near(good.shares[1].length),
        fc.oneof(fc.uint8Array({ maxLength: 80 }), message),
        (nonce, publicShare, first, second, inbound) => {
          const [begun] = vdaf.leaderInit(CONTEXT, [{ nonce, publicShare, inputShare: first }]);
          // A leader's share of random elements cannot be told from a good one before the helper's is known.
          assert.ok(begun!.kind === 'rejected' || begun!.kind === 'continued');
          const report = { nonce, publicShare, inputShare: second, inbound };
          assert.equal(vdaf.helperInit(CONTEXT, [report])[0]!.kind, 'rejected');
          assert.deepEqual(vdaf.resume(CONTEXT, 0, [{ state, inbound }]), [{ kind: 'rejected' }]);
          assert.deepEqual(vdaf.resume(CONTEXT, 0, [{ state: first, inbound }]), [{ kind: 'rejected' }]);
        },
      ),
      { numRuns: Math.max(20, Math.round(FUZZ_RUNS / 10)) },
    );
  });
});

describe('sums of Prio3', () => {
  const vdaf = createVdaf({ kind: 'histogram', length: 3 });
  const outShares = verify(
    vdaf,
    [0, 1, 1, 2].map((bucket, i) => shard(vdaf, bucket, `sum ${i}`)),
  ).map((pair) => pair!);
  const total = (id: 0 | 1): Uint8Array =>
    vdaf.aggregate(
      NOTHING,
      vdaf.emptyAggregate(NOTHING),
      outShares.map((pair) => pair[id]),
    );

  it('are the same in any grouping, and leave their inputs alone', () => {
    const empty = vdaf.emptyAggregate(NOTHING);
    const parts = [outShares.slice(0, 1), outShares.slice(1)].map((some) =>
      vdaf.aggregate(
        NOTHING,
        empty,
        some.map((pair) => pair[0]),
      ),
    );
    assert.deepEqual(vdaf.merge(NOTHING, parts), total(0));
    assert.deepEqual(vdaf.merge(NOTHING, []), empty);
    assert.deepEqual(empty, new Uint8Array(48));
  });

  it('take noise, which may be negative', () => {
    const noisy = vdaf.addIntegers(total(0), [-5n, 7n, -(2n ** 200n)]);
    const back = vdaf.addIntegers(noisy, [0n, 0n, 2n ** 200n]);
    const sums = vdaf.openShares([back, total(1)], 4);
    assert.deepEqual(sums, [-4n, 9n, 1n]);
    assert.deepEqual(vdaf.decode(sums), sums);
    assert.throws(() => vdaf.addIntegers(total(0), [1n]), RangeError);
  });

  it('refuse what is no share, without saying which it is', () => {
    const bad = new Uint8Array(48).fill(255);
    for (const share of [NOTHING, new Uint8Array(47), bad]) {
      assert.throws(() => vdaf.aggregate(NOTHING, share, []), fails('SHARE_INVALID'));
      assert.throws(() => vdaf.aggregate(NOTHING, total(0), [share]), fails('SHARE_INVALID'));
      assert.throws(() => vdaf.merge(NOTHING, [share]), fails('SHARE_INVALID'));
      assert.throws(() => vdaf.unshard(NOTHING, [total(0), share], 4), fails('SHARE_INVALID'));
      assert.throws(() => vdaf.addIntegers(share, [0n, 0n, 0n]), fails('SHARE_INVALID'));
    }
  });

  it('know how many reports they hold without wrapping around', () => {
    const sum = createVdaf({ kind: 'sum', maxMeasurement: 2n ** 40n });
    assert.equal(sum.maxReports, (FIELD64.modulus - 1n) / 2n ** 40n);
    const empty = sum.emptyAggregate(NOTHING);
    assert.equal(sum.unshard(NOTHING, [empty, empty], Number(sum.maxReports)), 0n);
    assert.throws(() => sum.unshard(NOTHING, [empty, empty], Number(sum.maxReports) + 1), fails('BATCH_TOO_LARGE'));
    assert.throws(() => sum.unshard(NOTHING, [empty, empty], -1), RangeError);
    assert.throws(() => sum.unshard(NOTHING, [empty, empty], 1.5), RangeError);
  });
});

describe('limits of Prio3', () => {
  const zero = 0;
  const configurations: Readonly<Record<string, unknown>> = {
    'no such kind': { kind: 'average' },
    'bound zero': { kind: 'sum', maxMeasurement: zero },
    'bound negative': { kind: 'sum', maxMeasurement: -1 },
    'bound a fraction': { kind: 'sum', maxMeasurement: 1.5 },
    'bound the modulus': { kind: 'sum', maxMeasurement: FIELD64.modulus },
    'bound inexact': { kind: 'sum', maxMeasurement: 2 ** 60 },
    'bound of 65 bits': { kind: 'sumVec', length: 1, maxMeasurement: 2n ** 64n },
    'length zero': { kind: 'histogram', length: zero },
    'length huge': { kind: 'histogram', length: 2 ** 40 },
    'length a fraction': { kind: 'histogram', length: 2.5 },
    'length no number': { kind: 'histogram', length: Number.NaN },
    'chunk zero': { kind: 'histogram', length: 2, chunkLength: zero },
    'chunk huge': { kind: 'histogram', length: 2, chunkLength: 2 ** 31 },
    'too many calls': { kind: 'histogram', length: 2 ** 17, chunkLength: 1 },
    'measurement too long': { kind: 'sumVec', length: 2 ** 19, maxMeasurement: 255 },
    'weight above length': { kind: 'multihotCountVec', length: 3, maxWeight: 4 },
    'weight zero': { kind: 'multihotCountVec', length: 3, maxWeight: zero },
    'sum zero': { kind: 'l1BoundSum', length: 3, maxValue: zero },
    'one variable': { kind: 'linReg', maxValues: [4] },
    'variable of 33 bits': { kind: 'linReg', maxValues: [4, 2 ** 32] },
    'too much memory': { kind: 'histogram', length: 2 ** 20 },
  };
  for (const [name, configuration] of Object.entries(configurations)) {
    it(`refuse a configuration: ${name}`, () => {
      assert.throws(() => createVdaf(configuration as { kind: 'count' }), fails('CONFIGURATION_INVALID'));
    });
  }

  it('refuse two proofs over the small field', () => {
    const circuit = sumVec(FIELD64, { length: 2, maxMeasurement: 1, chunkLength: 1 });
    for (const proofs of [1, 2, 0, 256, 3.5]) {
      assert.throws(() => prio3(0xffffffff, circuit, proofs), fails('CONFIGURATION_INVALID'));
    }
  });

  it('refuse measurements outside of the bounds', () => {
    const refused = <M>(vdaf: Prio3<M, unknown>, measurements: readonly unknown[]): void => {
      for (const measurement of measurements) {
        assert.throws(() => shard(vdaf, measurement as M, 'bad'), fails('MEASUREMENT_INVALID'));
      }
    };
    refused(createVdaf({ kind: 'count' }), [2, -1, 0.5, '1']);
    refused(createVdaf({ kind: 'sum', maxMeasurement: 9 }), [10, -1, 10n, -1n, 0.5, Number.NaN]);
    refused(createVdaf({ kind: 'sumVec', length: 2, maxMeasurement: 9 }), [[1], [1, 2, 3], [1, 10]]);
    refused(createVdaf({ kind: 'histogram', length: 4 }), [4, -1, 1.5]);
    refused(createVdaf({ kind: 'multihotCountVec', length: 3, maxWeight: 1 }), [
      [1, 1, 0],
      [1, 0],
      [2, 0, 0],
    ]);
    refused(createVdaf({ kind: 'l1BoundSum', length: 2, maxValue: 3 }), [[2, 2], [4, 0], [1], [-1, 1], [0.5, 1n]]);
    refused(createVdaf({ kind: 'linReg', maxValues: [3, 4] }), [[4, 4], [3, 5], [3], [3, 4, 0]]);
  });

  it('refuse wrong lengths of what a program passes', () => {
    const vdaf = createVdaf({ kind: 'count' });
    const [nonce, rand] = [bytes('nonce', 16), bytes('rand', vdaf.randSize)];
    assert.throws(() => vdaf.shard(CTX, 1, nonce.subarray(1), rand), RangeError);
    assert.throws(() => vdaf.shard(CTX, 1, nonce, rand.subarray(1)), RangeError);
    assert.throws(() => vdaf.shard(new Uint8Array(65536), 1, nonce, rand), RangeError);
    const short = { ...CONTEXT, verifyKey: NOTHING };
    assert.throws(() => vdaf.leaderInit(short, []), RangeError);
  });

  it('know no aggregation parameter', () => {
    const vdaf = createVdaf({ kind: 'count' });
    const parameter = Uint8Array.of(0);
    assert.equal(vdaf.isValidParameter(NOTHING, []), true);
    assert.equal(vdaf.isValidParameter(parameter, []), false);
    assert.equal(vdaf.isValidParameter(NOTHING, [NOTHING]), false);
    const context = { ...CONTEXT, aggregationParameter: parameter };
    const calls = [
      () => vdaf.leaderInit(context, []),
      () => vdaf.helperInit(context, []),
      () => vdaf.emptyAggregate(parameter),
      () => vdaf.merge(parameter, []),
      () => vdaf.aggregate(parameter, new Uint8Array(8), []),
      () => vdaf.unshard(parameter, [new Uint8Array(8), new Uint8Array(8)], 0),
    ];
    for (const call of calls) assert.throws(call, fails('PARAMETER_INVALID'));
  });
});

describe('kernel memory', () => {
  it('holds nothing of a report afterwards, whether it was good or not', () => {
    const vdaf = createVdaf({ kind: 'sumVec', length: 20, maxMeasurement: 3 });
    const clean = (): void => {
      // Above the module's own constants and all tables nothing is left; tables hold powers of roots.
      const memory = Buffer.from(prio3Kernel().memory.buffer);
      for (const secret of secrets) assert.equal(memory.indexOf(secret), -1);
    };
    const report = shard(vdaf, Array(20).fill(2), 'memory');
    const rand = bytes('memory rand', vdaf.randSize);
    const secrets = [
      rand.subarray(0, 32),
      report.shares[0].subarray(0, 16),
      report.shares[0].subarray(-32),
      CONTEXT.verifyKey,
    ];
    clean();
    assert.equal(verify(vdaf, [report, { ...report, publicShare: NOTHING }]).length, 2);
    clean();
    assert.throws(() => shard(vdaf, Array(20).fill(4), 'memory'));
    clean();
  });
});
