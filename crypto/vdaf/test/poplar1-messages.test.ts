/** Messages, states and walks of Poplar1 where they do not belong, and changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { poplar1 } from '../src/poplar1.ts';
import {
  CTX,
  contextFor,
  exchange,
  FUZZ_RUNS,
  outboundOf,
  parameterOf,
  type Report,
  random,
  report,
  vdafError,
} from './poplar1-cases.ts';

const numRuns = Math.max(10, FUZZ_RUNS / 50);

describe('messages and states', () => {
  const vdaf = poplar1(8);
  const levels = [parameterOf('01', '10'), parameterOf('01010101', '11111111')];

  for (const parameter of levels) {
    const context = contextFor(parameter);
    const honest = report(vdaf, CTX, '01010101');
    const good = exchange(vdaf, context, honest);
    assert.ok(good.leader.kind === 'continued' && good.helper?.kind === 'continued');
    assert.ok(good.leaderEnd?.kind === 'finished' && good.leaderEnd.outbound !== undefined);
    const { leader, helper, leaderEnd } = good;
    const finish = leaderEnd.outbound!;
    const level = parameter[1]! + 1;
    const { nonce, publicShare, inputShares } = honest;
    const helperShare = { nonce, publicShare, inputShare: inputShares[1] };
    const helperInit = (inbound: Uint8Array) => vdaf.helperInit(context, [{ ...helperShare, inbound }])[0]!.kind;
    const resume = (role: 0 | 1, state: Uint8Array, inbound: Uint8Array) =>
      vdaf.resume(context, role, [{ state, inbound }])[0]!.kind;

    it(`of ${level} bits are taken where they belong`, () => {
      assert.equal(helperInit(leader.outbound), 'continued');
      assert.equal(resume(0, leader.state, helper.outbound), 'finished');
      assert.equal(resume(1, helper.state, finish), 'finished');
      assert.deepEqual([...finish], [2, 0, 0, 0, 0]);
    });

    it(`of ${level} bits are rejected where another one belongs`, () => {
      for (const message of [helper.outbound, finish]) assert.equal(helperInit(message), 'rejected');
      for (const message of [leader.outbound, finish]) assert.equal(resume(0, leader.state, message), 'rejected');
      for (const message of [leader.outbound, helper.outbound]) {
        assert.equal(resume(1, helper.state, message), 'rejected');
      }
    });

    it(`of ${level} bits are rejected after any change`, () => {
      const all = [leader.outbound, helper.outbound, finish];
      const take = [
        (message: Uint8Array) => helperInit(message),
        (message: Uint8Array) => resume(0, leader.state, message),
        (message: Uint8Array) => resume(1, helper.state, message),
      ];
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, at, xor) => {
          const message = all[which]!;
          const offset = at % message.length;
          const bad = message.with(offset, message[offset]! ^ xor);
          const kind = take[which]!(bad);
          // The leader's half of the answer is A·x + B: y and z of the message are nothing to it.
          const size = level === 8 ? 32 : 8;
          if (which === 1 && offset >= 5 + size && offset < 5 + 3 * size) return;
          // A changed sketch shows when both halves of the answer are added.
          if (which === 0 && kind === 'continued') {
            const [answer] = vdaf.helperInit(context, [{ ...helperShare, inbound: bad }]);
            assert.equal(resume(0, leader.state, outboundOf(answer)), 'rejected');
          } else {
            assert.equal(kind, 'rejected');
          }
        }),
        { numRuns: 5 * numRuns },
      );
      for (const [which, message] of all.entries()) {
        for (const bad of [new Uint8Array(0), message.slice(0, -1), Uint8Array.of(...message, 0), message.with(0, 3)]) {
          assert.equal(take[which]!(bad), 'rejected');
        }
      }
      assert.equal(resume(1, helper.state, Uint8Array.of(2, 0, 0, 0, 1, 0)), 'rejected');
    });

    it(`of ${level} bits never make anything but a transition of random bytes`, () => {
      const some = fc.uint8Array({ maxLength: 250 });
      const typed = fc
        .tuple(fc.nat(3), some)
        .map(([type, bytes]) => Uint8Array.of(type, 0, 0, 0, bytes.length, ...bytes));
      fc.assert(
        fc.property(fc.oneof(some, typed), some, (inbound, state) => {
          assert.equal(resume(0, leader.state, inbound), 'rejected');
          assert.ok(['rejected', 'continued'].includes(helperInit(inbound)));
          for (const role of [0, 1] as const) assert.equal(resume(role, state, helper.outbound), 'rejected');
          const random = { nonce, publicShare: state, inputShare: inbound };
          assert.deepEqual(vdaf.leaderInit(context, [random]), [{ kind: 'rejected' }]);
        }),
        { numRuns: Math.max(50, FUZZ_RUNS / 4) },
      );
    });

    it(`of ${level} bits: a state is good for its role and parameter only`, () => {
      assert.equal(resume(1, leader.state, finish), 'rejected');
      assert.equal(resume(0, helper.state, helper.outbound), 'rejected');
      const sameShape = level === 2 ? parameterOf('01', '11') : parameterOf('01010101', '11111110');
      for (const aggregationParameter of [sameShape, ...levels.filter((one) => one !== parameter)]) {
        const elsewhere = { ...context, aggregationParameter };
        const other = { state: leader.state, inbound: helper.outbound };
        assert.deepEqual(vdaf.resume(elsewhere, 0, [other]), [{ kind: 'rejected' }]);
        assert.deepEqual(vdaf.resume(elsewhere, 1, [{ state: helper.state, inbound: finish }]), [{ kind: 'rejected' }]);
      }
      for (const bad of [leader.state.slice(1), leader.state.with(0, 2), leader.state.with(1, 1), new Uint8Array(0)]) {
        assert.equal(resume(0, bad, helper.outbound), 'rejected');
      }
    });

    it(`of ${level} bits: a state of another report is rejected, and the same step again gives the same`, () => {
      const another = exchange(vdaf, context, report(vdaf, CTX, '01010101'));
      assert.ok(another.leader.kind === 'continued' && another.helper?.kind === 'continued');
      assert.equal(resume(0, leader.state, another.helper.outbound), 'rejected');
      assert.equal(resume(0, another.leader.state, helper.outbound), 'rejected');
      assert.deepEqual(vdaf.resume(context, 0, [{ state: leader.state, inbound: helper.outbound }]), [leaderEnd]);
    });
  }
});

describe('walks', () => {
  const vdaf = poplar1(16);
  const first = parameterOf('00', '01', '10');
  const second = parameterOf('0100', '0111', '1000');
  const one = report(vdaf, CTX, '0100110011001100');
  const other = report(vdaf, CTX, '0100110011001100');
  const share = ({ nonce, publicShare, inputShares }: Report) => ({ nonce, publicShare, inputShare: inputShares[0] });
  const context = contextFor(second);
  const walks = vdaf.leaderInit({ ...contextFor(first), keepWalks: true }, [share(one), share(other)]);
  const expected = vdaf.leaderInit(context, [share(one)]);

  it('are not given unless asked for, nor at the last level', () => {
    assert.equal('walk' in vdaf.leaderInit(contextFor(first), [share(one)])[0]!, false);
    const last = { ...contextFor(parameterOf('0100110011001100')), keepWalks: true };
    assert.equal('walk' in vdaf.leaderInit(last, [share(one)])[0]!, false);
  });

  it('of another report, parameter or role are not used', () => {
    const walk = walks[0]!.walk!;
    const another = vdaf.leaderInit({ ...contextFor(parameterOf('00', '01', '11')), keepWalks: true }, [share(one)]);
    const helpers = walk.with(1, 1);
    for (const bad of [
      walks[1]!.walk!,
      another[0]!.walk!,
      helpers,
      walk.slice(1),
      new Uint8Array(0),
      random(walk.length),
    ]) {
      const report = { ...share(one), walk: bad };
      assert.deepEqual(vdaf.leaderInit({ ...context, previousParameter: first }, [report]), expected);
    }
    assert.deepEqual(vdaf.leaderInit(context, [{ ...share(one), walk }]), expected);
    assert.deepEqual(vdaf.leaderInit({ ...context, previousParameter: first }, [share(one)]), expected);
    assert.deepEqual(vdaf.leaderInit({ ...context, previousParameter: first }, [{ ...share(one), walk }]), expected);
  });

  it('to what does not descend from the earlier prefixes are refused', () => {
    for (const previousParameter of [parameterOf('00', '11'), second, new Uint8Array(2)]) {
      assert.throws(
        () => vdaf.leaderInit({ ...context, previousParameter }, [share(one)]),
        vdafError('PARAMETER_INVALID'),
      );
    }
  });
});
