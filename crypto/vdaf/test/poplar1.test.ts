/** Poplar1 as clients, aggregators and the collector run it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { poplar1 } from '../src/poplar1.ts';
import { firstPrefixes, heavyPrefixes, nextPrefixes, padString, unpadString } from '../src/poplar1-descent.ts';
import { encodePrefixes } from '../src/poplar1-parameter.ts';
import {
  BACKENDS,
  CTX,
  collect,
  contextFor,
  exchange,
  FUZZ_RUNS,
  outboundOf,
  outShares,
  pack,
  parameterOf,
  type Report,
  random,
  report,
  unpack,
  vdafError,
} from './poplar1-cases.ts';

const numRuns = Math.max(10, FUZZ_RUNS / 50);

function bitText(length: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom('0', '1'), minLength: length, maxLength: length });
}

const batch = fc.integer({ min: 1, max: 40 }).chain((bits) =>
  fc.record({
    bits: fc.constant(bits),
    level: fc.integer({ min: 0, max: bits - 1 }),
    strings: fc.array(bitText(bits), { minLength: 1, maxLength: 6 }),
    others: fc.array(bitText(bits), { maxLength: 60 }),
  }),
);

for (const { name, make } of BACKENDS) {
  describe(`poplar1() with AES by ${name}`, () => {
    it('counts the strings below each prefix', () => {
      fc.assert(
        fc.property(batch, ({ bits, level, strings, others }) => {
          const vdaf = make(bits);
          const prefixes = [
            ...new Set([...strings.slice(1), ...others, strings[0]!].map((s) => s.slice(0, level + 1))),
          ].sort();
          const context = contextFor(parameterOf(...prefixes));
          const { result, accepted } = collect(
            vdaf,
            context,
            strings.map((text) => report(vdaf, CTX, text)),
          );
          assert.equal(accepted, strings.length);
          assert.deepEqual(
            result,
            prefixes.map((prefix) => BigInt(strings.filter((text) => text.startsWith(prefix)).length)),
          );
        }),
        { numRuns },
      );
    });

    it('accepts a report that is below none of the prefixes', () => {
      const vdaf = make(8);
      for (const parameter of [parameterOf('110', '111'), parameterOf('00000001', '00000011')]) {
        const { result, accepted } = collect(vdaf, contextFor(parameter), [report(vdaf, CTX, '00000010')]);
        assert.deepEqual([result, accepted], [[0n, 0n], 1]);
      }
    });

    it('answers for many reports at once as for each by itself', () => {
      const vdaf = make(12);
      const context = contextFor(firstPrefixes(6));
      const reports = Array.from({ length: 5 }, (_, index) => report(vdaf, CTX, index.toString(2).padStart(12, '01')));
      const shares = reports.map(({ nonce, publicShare, inputShares }) => ({
        nonce,
        publicShare,
        inputShare: inputShares[0],
      }));
      shares[2]!.publicShare = new Uint8Array(3);
      const together = vdaf.leaderInit(context, shares);
      assert.deepEqual(
        together.map(({ kind }) => kind),
        ['continued', 'continued', 'rejected', 'continued', 'continued'],
      );
      assert.deepEqual(
        together,
        shares.flatMap((one) => vdaf.leaderInit(context, [one])),
      );
      assert.deepEqual(vdaf.leaderInit(context, []), []);
    });

    it('goes on from a walk as from the root', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 2, max: 40 }),
          fc.array(bitText(40), { minLength: 1, maxLength: 50 }),
          (bits, texts) => {
            const vdaf = make(bits);
            const { nonce, publicShare, inputShares } = report(vdaf, CTX, texts[0]!.slice(0, bits));
            const known = { nonce, publicShare, inputShare: inputShares[1] };
            const inbound = vdaf.leaderInit(contextFor(parameterOf('0'), new Uint8Array(32)), [
              { nonce, publicShare, inputShare: inputShares[0] },
            ]);
            assert.equal(inbound[0]?.kind, 'continued');
            let walk: Uint8Array | undefined;
            let previousParameter: Uint8Array | undefined;
            for (let level = 0; level < bits; level += 1 + (level % 3)) {
              // Each round has fewer texts, so that some nodes are left behind.
              const left = texts.slice(0, Math.max(1, texts.length - level));
              const context = contextFor(
                parameterOf(...left.map((text) => text.slice(0, level + 1))),
                new Uint8Array(32),
              );
              const message = vdaf.leaderInit(context, [{ nonce, publicShare, inputShare: inputShares[0] }])[0];
              assert.equal(message?.kind, 'continued');
              const expected = vdaf.helperInit(context, [{ ...known, inbound: outboundOf(message) }])[0]!;
              const from = previousParameter === undefined ? {} : { previousParameter };
              const one = { ...known, inbound: outboundOf(message), ...(walk === undefined ? {} : { walk }) };
              const { walk: kept, ...actual } = vdaf.helperInit({ ...context, ...from, keepWalks: true }, [one])[0]!;
              assert.deepEqual(actual, expected);
              assert.equal(kept === undefined, level === bits - 1);
              walk = kept;
              previousParameter = context.aggregationParameter;
            }
          },
        ),
        { numRuns: Math.ceil(numRuns / 4) },
      );
    });
  });
}

describe('all ways to do AES', () => {
  it('give the same bytes, at inner levels and at the leaves', () => {
    const bits = 30;
    for (const level of [5, 6, 20, 28, 29]) {
      const prefixes = Array.from({ length: 64 }, () => unpack(random(4), level + 1));
      const context = contextFor(parameterOf(...prefixes));
      const vdafs = BACKENDS.map(({ make }) => make(bits));
      const { nonce, publicShare, inputShares } = report(vdafs[0]!, CTX, unpack(random(4), bits));
      const answers = vdafs.map((vdaf) =>
        vdaf.leaderInit(context, [{ nonce, publicShare, inputShare: inputShares[0] }]),
      );
      for (const answer of answers) assert.deepEqual(answer, answers[0]);
    }
  });
});

describe('heavy hitters', () => {
  const words = ['plum', 'plum', 'pear', 'fig', 'plum', 'pear', 'quince', 'plum', 'pea'];
  const bits = 64;
  const vdaf = poplar1(bits);
  const text = new TextEncoder();

  /** Runs rounds of `levels` bits, with the walks of the round before, and gives the parameters that were used. */
  function descend(levels: number): { readonly found: [string, bigint][]; readonly used: Uint8Array[] } {
    const reports = words.map((word) => report(vdaf, CTX, unpack(padString(text.encode(word), bits), bits)));
    const used: Uint8Array[] = [];
    let parameter: Uint8Array | undefined = firstPrefixes(levels);
    let walks: (Uint8Array | undefined)[][] = [[], []];
    let last: { readonly parameter: Uint8Array; readonly result: bigint[] } | undefined;
    while (parameter !== undefined) {
      assert.ok(vdaf.isValidParameter(parameter, used));
      const previousParameter = used.at(-1);
      used.push(parameter);
      const context = {
        ...contextFor(parameter),
        keepWalks: true,
        ...(previousParameter === undefined ? {} : { previousParameter }),
      };
      const shareOf = (id: 0 | 1) => (one: Report, index: number) => {
        const walk = walks[id]?.[index];
        const { nonce, publicShare, inputShares } = one;
        return { nonce, publicShare, inputShare: inputShares[id], ...(walk === undefined ? {} : { walk }) };
      };
      const leaders = vdaf.leaderInit(context, reports.map(shareOf(0)));
      const helperShares = reports.map(shareOf(1));
      const helpers = vdaf.helperInit(
        context,
        helperShares.map((share, index) => ({ ...share, inbound: outboundOf(leaders[index]) })),
      );
      walks = [leaders, helpers].map((transitions) => transitions.map(({ walk }) => walk));
      const outs = leaders.map((leader, index) => {
        assert.ok(leader.kind === 'continued');
        const [end] = vdaf.resume(context, 0, [{ state: leader.state, inbound: outboundOf(helpers[index]) }]);
        const helper = helpers[index]!;
        assert.ok(end?.kind === 'finished' && helper.kind === 'continued');
        const [helperEnd] = vdaf.resume(context, 1, [{ state: helper.state, inbound: end.outbound! }]);
        assert.ok(helperEnd?.kind === 'finished');
        return [end.outShare, helperEnd.outShare] as const;
      });
      const shares = ([0, 1] as const).map((id) =>
        vdaf.merge(
          context.aggregationParameter,
          outs.map((both) => both[id]),
        ),
      );
      const result = vdaf.unshard(parameter, [shares[0]!, shares[1]!], reports.length);
      last = { parameter, result };
      parameter = nextPrefixes(bits, parameter, result, 2n, levels);
    }
    const found = heavyPrefixes(last!.parameter, last!.result, 2n).map(({ prefix, count }): [string, bigint] => [
      new TextDecoder().decode(unpadString(prefix)),
      count,
    ]);
    return { found, used };
  }

  for (const levels of [1, 4, 5, 12]) {
    it(`are found ${levels} bits a round`, () => {
      const { found, used } = descend(levels);
      assert.deepEqual(found, [
        ['pear', 2n],
        ['plum', 4n],
      ]);
      assert.equal(used.length, Math.ceil(bits / levels));
    });
  }
});

describe('arguments', () => {
  const vdaf = poplar1(12);
  const parameter = parameterOf('01', '10');

  it('poplar1() refuses lengths that there are not', () => {
    for (const bits of [0, -1, 65536, 1.5, Number.NaN])
      assert.throws(() => poplar1(bits), vdafError('CONFIGURATION_INVALID'));
    assert.equal(poplar1(65535).bits, 65535);
  });

  it('poplar1() describes itself', () => {
    const { id, bits, verifyKeySize, randSize, rounds } = vdaf;
    assert.deepEqual([id, bits, verifyKeySize, randSize, rounds], [6, 12, 32, 128, 2]);
  });

  it('shard() refuses what is no string of that many bits', () => {
    const shard = (measurement: Uint8Array) => vdaf.shard(CTX, measurement, random(16), random(128));
    for (const bad of [
      new Uint8Array(0),
      new Uint8Array(1),
      new Uint8Array(3),
      Uint8Array.of(0, 1),
      Uint8Array.of(0, 8),
    ]) {
      assert.throws(() => shard(bad), vdafError('MEASUREMENT_INVALID'));
    }
    assert.equal(shard(Uint8Array.of(0xff, 0xf0)).inputShares.length, 2);
  });

  it('shard() refuses wrong lengths of nonce, randomness and context', () => {
    const measurement = new Uint8Array(2);
    assert.throws(() => vdaf.shard(CTX, measurement, random(15), random(128)), RangeError);
    assert.throws(() => vdaf.shard(CTX, measurement, random(16), random(127)), RangeError);
    assert.throws(() => vdaf.shard(new Uint8Array(65528), measurement, random(16), random(128)), RangeError);
  });

  it('the longest context and the empty one work', () => {
    for (const length of [0, 65527]) {
      const context = { ...contextFor(parameter), ctx: new Uint8Array(length) };
      assert.deepEqual(collect(vdaf, context, [report(vdaf, context.ctx, '011111111111')]).result, [1n, 0n]);
    }
  });

  it('verification refuses a parameter that does not decode, or a key of another length', () => {
    const share = { nonce: random(16), publicShare: new Uint8Array(0), inputShare: new Uint8Array(0) };
    const bad = contextFor(new Uint8Array(6));
    assert.throws(() => vdaf.leaderInit(bad, []), vdafError('PARAMETER_INVALID'));
    assert.throws(() => vdaf.helperInit(bad, []), vdafError('PARAMETER_INVALID'));
    assert.throws(() => vdaf.resume(bad, 0, []), vdafError('PARAMETER_INVALID'));
    assert.throws(() => vdaf.leaderInit(contextFor(parameter, new Uint8Array(31)), [share]), RangeError);
  });

  it('aggregation refuses shares that do not fit', () => {
    const leaf = parameterOf('010101010101');
    for (const [some, size, count] of [
      [parameter, 8, 2],
      [leaf, 32, 1],
    ] as const) {
      const empty = vdaf.emptyAggregate(some);
      assert.deepEqual(empty, new Uint8Array(size * count));
      for (const bad of [
        new Uint8Array(0),
        new Uint8Array(size * count + size),
        new Uint8Array(size * count).fill(0xff),
      ]) {
        assert.throws(() => vdaf.aggregate(some, empty, [bad]), vdafError('SHARE_INVALID'));
        assert.throws(() => vdaf.aggregate(some, bad, []), vdafError('SHARE_INVALID'));
        assert.throws(() => vdaf.merge(some, [empty, bad]), vdafError('SHARE_INVALID'));
        assert.throws(() => vdaf.unshard(some, [bad, empty], 1), vdafError('SHARE_INVALID'));
      }
      assert.deepEqual(vdaf.merge(some, []), empty);
      assert.deepEqual(vdaf.aggregate(some, empty, []), empty);
    }
    assert.throws(() => vdaf.emptyAggregate(new Uint8Array(6)), vdafError('PARAMETER_INVALID'));
  });

  it('arguments are not changed, and results are their own', () => {
    const honest = report(vdaf, CTX, '011111111111');
    const context = contextFor(parameter);
    const before = structuredClone({ honest, context });
    const shares = outShares(exchange(vdaf, context, honest))!;
    const total = vdaf.emptyAggregate(parameter);
    vdaf.aggregate(parameter, total, [shares[0]]);
    assert.deepEqual({ honest, context }, before);
    assert.deepEqual(total, new Uint8Array(16));
    assert.notEqual(shares[0].buffer, shares[1].buffer);
  });

  it('a wide call leaves nothing in the way of a narrow one', () => {
    const wide = encodePrefixes(
      11,
      Array.from({ length: 4096 }, (_, value) => pack(value.toString(2).padStart(12, '0'))),
    );
    const one = report(vdaf, CTX, '011111111111');
    const counts = collect(vdaf, contextFor(wide), [one]).result;
    assert.equal(counts.indexOf(1n), 0b011111111111);
    assert.equal(counts.filter((count) => count !== 0n).length, 1);
    assert.deepEqual(collect(vdaf, contextFor(parameter), [one]).result, [1n, 0n]);
  });
});
