/** What a client, or whoever is in between, may do to a report of Poplar1. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { poplar1 } from '../src/poplar1.ts';
import { idpfEvaluate, idpfGenerate } from '../src/poplar1-steps.ts';
import {
  CTX,
  collect,
  contextFor,
  FUZZ_RUNS,
  outboundOf,
  pack,
  parameterOf,
  type Report,
  random,
  report,
} from './poplar1-cases.ts';
import { FIELD64, FIELD255 } from './reference/index.ts';

const numRuns = Math.max(10, FUZZ_RUNS / 50);

describe('a report that is not what it should be', () => {
  const bits = 10;
  const vdaf = poplar1(bits);
  const parameters = [parameterOf('10', '11'), parameterOf('1100', '1101'), parameterOf('1100110011', '1100110000')];

  it('is rejected after any change of any part that the level needs', () => {
    const part = fc.constantFrom('publicShare', 'leader', 'helper', 'nonce');
    const change = fc.tuple(part, fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(change, fc.constantFrom(...parameters), ([name, at, xor], parameter) => {
        const honest = report(vdaf, CTX, '1100110011');
        const flip = (bytes: Uint8Array) => bytes.with(at % bytes.length, bytes[at % bytes.length]! ^ xor);
        const { nonce, publicShare, inputShares } = honest;
        const [leader, helper] = inputShares;
        const changed: Report = {
          nonce: name === 'nonce' ? flip(nonce) : nonce,
          publicShare: name === 'publicShare' ? flip(publicShare) : publicShare,
          inputShares: [name === 'leader' ? flip(leader) : leader, name === 'helper' ? flip(helper) : helper],
        };
        const context = contextFor(parameter);
        const { result, accepted } = collect(vdaf, context, [changed]);
        // What belongs to other levels is not looked at beyond its encoding: then the count is the right one.
        if (accepted > 0) assert.deepEqual(result, collect(vdaf, context, [honest]).result);
      }),
      { numRuns: 10 * numRuns },
    );
  });

  it('is rejected after a change of what the level needs', () => {
    const { nonce, publicShare, inputShares } = report(vdaf, CTX, '1100110011');
    const level = 3;
    const seeds = 3;
    const payloads = seeds + 16 * bits;
    // The path starts with two right children, whose control bits are the second and the fourth.
    const places: [string, number[], number][] = [
      ['seed corrections', [seeds, seeds + 16 * level + 15], 1],
      ['value correction', [payloads + 16 * level, payloads + 16 * level + 8], 1],
      ['first control bit', [0], 2],
      ['second control bit', [0], 8],
    ];
    for (const [what, offsets, xor] of places) {
      for (const at of offsets) {
        const bad = publicShare.with(at, publicShare[at]! ^ xor);
        const { accepted } = collect(vdaf, contextFor(parameters[1]!), [{ nonce, publicShare: bad, inputShares }]);
        assert.equal(accepted, 0, what);
      }
    }
    for (const id of [0, 1] as const) {
      for (const at of [0, 15, 16, 47, 48 + 16 * level, 48 + 16 * level + 8]) {
        const shares: [Uint8Array, Uint8Array] = [...inputShares];
        shares[id] = shares[id].with(at, shares[id][at]! ^ 1);
        const { accepted } = collect(vdaf, contextFor(parameters[1]!), [{ nonce, publicShare, inputShares: shares }]);
        assert.equal(accepted, 0, `input share ${id}, byte ${at}`);
      }
    }
  });

  it('is rejected when a part has another length or another encoding', () => {
    const { nonce, publicShare, inputShares } = report(vdaf, CTX, '1100110011');
    const ones = (bytes: Uint8Array, at: number, length: number) => bytes.slice().fill(0xff, at, at + length);
    const inputShare = inputShares[0];
    const good = { nonce, publicShare, inputShare };
    const payloads = 3 + 16 * bits;
    const correlated = 48;
    const bad = [
      { ...good, nonce: nonce.slice(1) },
      { ...good, nonce: new Uint8Array(17) },
      { ...good, publicShare: new Uint8Array(0) },
      { ...good, publicShare: publicShare.slice(1) },
      { ...good, publicShare: Uint8Array.of(...publicShare, 0) },
      // Padding after the control bits.
      { ...good, publicShare: publicShare.with(2, publicShare[2]! | 0x10) },
      { ...good, publicShare: publicShare.with(2, publicShare[2]! | 0x80) },
      // Elements that are not below the modulus, also of levels that are not asked for.
      { ...good, publicShare: ones(publicShare, payloads, 8) },
      { ...good, publicShare: ones(publicShare, payloads + 16 * (bits - 1) - 8, 8) },
      { ...good, publicShare: ones(publicShare, payloads + 16 * (bits - 1), 32) },
      { ...good, publicShare: ones(publicShare, payloads + 16 * (bits - 1) + 32, 32) },
      { ...good, inputShare: inputShare.slice(1) },
      { ...good, inputShare: Uint8Array.of(...inputShare, 0) },
      { ...good, inputShare: ones(inputShare, correlated, 8) },
      { ...good, inputShare: ones(inputShare, correlated + 16 * (bits - 1) - 8, 8) },
      { ...good, inputShare: ones(inputShare, correlated + 16 * (bits - 1) + 32, 32) },
    ];
    const context = contextFor(parameters[0]!);
    assert.equal(vdaf.leaderInit(context, [good])[0]?.kind, 'continued');
    for (const [index, one] of bad.entries()) {
      assert.deepEqual(vdaf.leaderInit(context, [one]), [{ kind: 'rejected' }], `report ${index}`);
      const inbound = outboundOf(vdaf.leaderInit(context, [good])[0]);
      assert.deepEqual(vdaf.helperInit(context, [{ ...one, inbound }]), [{ kind: 'rejected' }], `report ${index}`);
    }
  });

  it('is rejected when it is of two clients', () => {
    const [one, other] = [report(vdaf, CTX, '1100110011'), report(vdaf, CTX, '1100110011')];
    for (const mixed of [
      { ...one, publicShare: other.publicShare },
      { ...one, nonce: other.nonce },
      { ...one, inputShares: [one.inputShares[0], other.inputShares[1]] as const },
      { ...one, inputShares: [one.inputShares[1], one.inputShares[0]] as const },
    ]) {
      for (const parameter of parameters) assert.equal(collect(vdaf, contextFor(parameter), [mixed]).accepted, 0);
    }
  });

  it('is rejected under another context', () => {
    const honest = report(vdaf, CTX, '1100110011');
    for (const parameter of parameters) {
      const context = { ...contextFor(parameter), ctx: new TextEncoder().encode('b task') };
      assert.equal(collect(vdaf, context, [honest]).accepted, 0);
    }
  });

  it('is rejected when the aggregators have different keys or parameters', () => {
    const { nonce, publicShare, inputShares } = report(vdaf, CTX, '1100110011');
    const [one, other] = [contextFor(parameters[1]!), contextFor(parameters[1]!)];
    const wider = { ...one, aggregationParameter: parameterOf('1100', '1101', '1110') };
    for (const second of [other, wider]) {
      const leader = vdaf.leaderInit(one, [{ nonce, publicShare, inputShare: inputShares[0] }])[0]!;
      assert.ok(leader.kind === 'continued');
      const inbound = leader.outbound;
      const [helper] = vdaf.helperInit(second, [{ nonce, publicShare, inputShare: inputShares[1], inbound }]);
      const [end] = vdaf.resume(one, 0, [{ state: leader.state, inbound: outboundOf(helper) }]);
      assert.deepEqual(end, { kind: 'rejected' });
    }
  });
});

describe('a client that votes otherwise than once', () => {
  const bits = 6;
  const vdaf = poplar1(bits);
  const text = '101101';

  /** An honest report, but for the value that it programs at one level: `data` for each vote, and `keep` times k. */
  function cheat(level: number, data: bigint, keep: bigint): Report {
    const [nonce, rand] = [random(16), random(128)];
    const { publicShare, inputShares } = vdaf.shard(CTX, pack(text), nonce, rand);
    const values = Array.from({ length: bits }, (_, at) => {
      const field = at === bits - 1 ? FIELD255 : FIELD64;
      const parameter = parameterOf(text.slice(0, at + 1));
      const [first, second] = ([0, 1] as const).map((id) =>
        field.decode(idpfEvaluate(bits, id, publicShare, inputShares[id].slice(0, 16), parameter, CTX, nonce)),
      );
      const [one, k] = field.addVectors(first!, second!);
      assert.equal(one, 1n);
      return field.encode(at === level ? [field.from(data), field.from(keep * k!)] : [1n, k!]);
    });
    const beta = Uint8Array.from(values.flatMap((value) => [...value]));
    const made = idpfGenerate(bits, pack(text), beta, CTX, nonce, rand.slice(0, 32));
    return { nonce, publicShare: made.publicShare, inputShares };
  }

  for (const level of [0, 3, bits - 1]) {
    it(`is rejected at level ${level}`, () => {
      const prefix = text.slice(0, level + 1);
      const context = contextFor(parameterOf(prefix, `${prefix.slice(0, -1)}${prefix.endsWith('0') ? '1' : '0'}`));
      assert.equal(collect(vdaf, context, [cheat(level, 1n, 1n)]).accepted, 1);
      for (const [data, keep] of [
        [2n, 1n],
        [2n, 2n],
        [-1n, 1n],
        [-1n, -1n],
        [0n, 1n],
        [1n, 0n],
      ] as const) {
        assert.equal(collect(vdaf, context, [cheat(level, data, keep)]).accepted, 0);
      }
      // No vote at all is what a string below none of the prefixes gives too.
      const none = collect(vdaf, context, [cheat(level, 0n, 0n)]);
      assert.deepEqual(none, { result: [0n, 0n], accepted: 1 });
    });
  }
});
