/** Poplar1 and its IDPF, driven by vectors. */

import { Writer } from '@privacy-edge/bytes';
import { poplar1 } from '@privacy-edge/vdaf';
import {
  idpfEvaluate,
  idpfGenerate,
  poplar1SharesToMessage,
  poplar1VerifyInit,
  poplar1VerifyNext,
} from '@privacy-edge/vdaf/steps';
import { SAME, type Verdict } from './kind.ts';
import type { DrivenVdaf } from './vdaf-driver.ts';
import { decodeElements, encodeElements, MODULUS64, MODULUS255, packBits } from './vdaf-numbers.ts';
import { type AnyVdaf, toJson } from './vdaf-ping-pong.ts';
import type { VdafSteps } from './vdaf-steps.ts';
import { attempt, readBits } from './vdaf-values.ts';
import { expectBytes, expectSame, type Vector, VectorError } from './vector.ts';

/** What an aggregator keeps between its steps. */
interface Poplar1State {
  readonly aggregatorId: 0 | 1;
  readonly aggregationParameter: Uint8Array;
  readonly corrections: Uint8Array;
  readonly outShare: Uint8Array;
  /** How many verifier messages it has seen. */
  readonly seen: number;
}

/** Poplar1 for the vector's length of strings. */
export function drivenPoplar1(vector: Vector, shares: number): DrivenVdaf {
  const bits = vector.integer('bits');
  if (shares !== 2) throw new VectorError('UNREADABLE', 'Cannot read vector: Poplar1 has two aggregators');
  const vdaf = poplar1(bits);
  const steps: VdafSteps = {
    shard: (ctx, measurement, nonce, rand) =>
      attempt(() => vdaf.shard(ctx, packBits(readBits(measurement, bits)), nonce, rand)),
    verifyInit(input) {
      const aggregatorId = input.aggregatorId === 0 ? 0 : 1;
      if (!vdaf.isValidParameter(input.aggregationParameter, [])) return undefined;
      const first = attempt(() => poplar1VerifyInit(bits, aggregatorId, input, input));
      if (first === undefined) return undefined;
      const { aggregationParameter } = input;
      const state: Poplar1State = { ...first, aggregatorId, aggregationParameter, seen: 0 };
      return { kind: 'continued', state, verifierShare: first.verifierShare };
    },
    verifierSharesToMessage: (_ctx, parameter, [leader, helper]) =>
      leader && helper && attempt(() => poplar1SharesToMessage(bits, parameter, [leader, helper])),
    verifyNext(given, message) {
      const state = given as Poplar1State;
      const { aggregatorId, aggregationParameter, corrections, outShare } = state;
      if (state.seen === 1) return message.length === 0 ? { kind: 'finished', outShare } : undefined;
      const verifierShare = attempt(() =>
        poplar1VerifyNext(bits, aggregatorId, aggregationParameter, message, corrections),
      );
      return verifierShare && { kind: 'continued', state: { ...state, seen: 1 }, verifierShare };
    },
    aggregate: (parameter, outShares) => vdaf.aggregate(parameter, vdaf.emptyAggregate(parameter), outShares),
    unshard(parameter, [leader, helper], reportCount) {
      if (leader === undefined || helper === undefined) return undefined;
      return toJson(vdaf.unshard(parameter, [leader, helper], reportCount));
    },
  };
  return { steps, vdaf: vdaf as AnyVdaf };
}

/** Key generation as recorded, and shares of the programmed values on the path and of nothing beside it. VDAF §8.3. */
export async function checkIdpf(vector: Vector): Promise<Verdict> {
  const bits = vector.integer('bits');
  const alpha = readBits(vector.json('alpha'), bits);
  const values = [...vector.bigintLists('beta_inner'), vector.bigints('beta_leaf')];
  expectSame('number of levels', values.length, bits);
  const beta = values.map((value, level) => encodeElements(value, level < bits - 1 ? 8 : 32));
  const [ctx, nonce, rand] = [vector.hex('ctx'), vector.hex('nonce'), concat(vector.hexList('keys'))];
  const { publicShare, keys } = idpfGenerate(bits, packBits(alpha), concat(beta), ctx, nonce, rand);
  expectBytes('public share', publicShare, vector.hex('public_share'));
  for (const [level, value] of values.entries()) {
    const path = alpha.slice(0, level + 1);
    const beside = [...path.slice(0, -1), path.at(-1) !== true];
    const prefixes = path.at(-1) === true ? [beside, path] : [path, beside];
    const parameter = new Writer()
      .u16(level)
      .u32(2)
      .bytes(concat(prefixes.map(packBits)))
      .finish();
    const [left, right] = ([0, 1] as const).map((id) =>
      decodeElements(idpfEvaluate(bits, id, publicShare, keys[id], parameter, ctx, nonce), level < bits - 1 ? 8 : 32),
    ) as [bigint[], bigint[]];
    const sums = left.map((share, i) => (share + (right[i] ?? 0n)) % (level < bits - 1 ? MODULUS64 : MODULUS255));
    const expected = prefixes.flatMap((prefix) => (prefix === path ? value : value.map(() => 0n)));
    expectSame(`values at level ${level}`, sums.map(String), expected.map(String));
  }
  return SAME;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return parts.reduce((writer, part) => writer.bytes(part), new Writer()).finish();
}
