/**
 * VDAFs: measurements split between two aggregators, who check and add them up without seeing any. Prio3 and Poplar1 of
 * the VDAF document, wire version 18, in bytes and without I/O.
 *
 * @example
 * const vdaf = createVdaf({ kind: 'sum', maxMeasurement: 255 });
 * const { publicShare, inputShares } = vdaf.shard(ctx, 42, nonce, random(vdaf.randSize));
 *
 * // The leader, then the helper, then the leader again; each for many reports at once.
 * const [sent] = vdaf.leaderInit(context, [{ nonce, publicShare, inputShare: inputShares[0] }]);
 * const inbound = sent.outbound;
 * const [answer] = vdaf.helperInit(context, [{ nonce, publicShare, inputShare: inputShares[1], inbound }]);
 * const [done] = vdaf.resume(context, 0, [{ state: sent.state, inbound: answer.outbound }]);
 */
export { bestChunkLength } from './chunk-length.ts';
export type { CountMeasurement } from './circuits/count.ts';
export type { LinRegSums } from './circuits/lin-reg.ts';
export {
  type CountConfiguration,
  type HistogramConfiguration,
  type Integers,
  type L1BoundSumConfiguration,
  type LinRegConfiguration,
  type MeasurementOf,
  type MultihotCountVecConfiguration,
  PRIO3_COUNT,
  PRIO3_HISTOGRAM,
  PRIO3_L1_BOUND_SUM,
  PRIO3_LIN_REG,
  PRIO3_MULTIHOT_COUNT_VEC,
  PRIO3_SUM,
  PRIO3_SUM_VEC,
  PRIO3_SUM_VEC_WITH_MULTIPROOF,
  type Prio3Configuration,
  type ResultOf,
  type SumConfiguration,
  type SumVecConfiguration,
} from './configuration.ts';
export { createVdaf, type Poplar1Configuration, type VdafConfiguration, type VdafOf } from './create-vdaf.ts';
export { decodePingPong, encodePingPong, type PingPongMessage } from './ping-pong.ts';
export { poplar1 } from './poplar1.ts';
export { firstPrefixes, heavyPrefixes, nextPrefixes, padString, unpadString } from './poplar1-descent.ts';
export { encodePrefixes, MAX_PREFIXES } from './poplar1-parameter.ts';
export { POPLAR1 } from './poplar1-sponges.ts';
export type { Poplar1, Poplar1Context, Poplar1Report, Poplar1Transition } from './poplar1-types.ts';
export type { Prio3 } from './prio3-types.ts';
export type {
  AggregatorId,
  ReportShare,
  Shards,
  ShareSizes,
  Transition,
  Vdaf,
  VerifyContext,
} from './vdaf.ts';
export { VdafError, type VdafErrorCode } from './vdaf-error.ts';
