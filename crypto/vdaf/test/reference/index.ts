/**
 * A second VDAF implementation, as slow and as close to the text as possible, to test the first against. It shares no
 * code with it.
 */
export { littleEndian } from './bytes.ts';
export { count } from './count.ts';
export { FIELD64, FIELD128, FIELD255, Field } from './field.ts';
export { Flp } from './flp.ts';
export { histogram } from './histogram.ts';
export { Idpf } from './idpf.ts';
export {
  prio3Count,
  prio3Histogram,
  prio3L1BoundSum,
  prio3LinReg,
  prio3MultihotCountVec,
  prio3Sum,
  prio3SumVec,
  prio3SumVecWithMultiproof,
} from './instances.ts';
export { linReg } from './lin-reg.ts';
export { type Exchange, pingPong, type Turn } from './ping-pong.ts';
export { double, evaluate, evaluateLagrange, extend, inverseNtt, multiply, ntt } from './polynomial.ts';
export { Poplar1 } from './poplar1.ts';
export { encodeParameter, type Poplar1Parameter } from './poplar1-parameter.ts';
export { Prio3 } from './prio3.ts';
export { decodeRangeChecked, encodeRangeChecked } from './range-checked-int.ts';
export { Refusal } from './refusal.ts';
export { sum } from './sum.ts';
export { sumVec } from './sum-vec.ts';
export type { Valid } from './valid.ts';
export { NONCE_SIZE, type Report, type Vdaf, VERIFY_KEY_SIZE } from './vdaf.ts';
export { deriveSeed, expandIntoVector, nextVector, type Stream, type Xof } from './xof.ts';
export { XOF_FIXED_KEY_AES128 } from './xof-fixed-key-aes128.ts';
export { XOF_TURBOSHAKE128 } from './xof-turboshake128.ts';
