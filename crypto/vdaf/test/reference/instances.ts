/** The variants of Prio3 with their identifiers and fields. VDAF §7.4. */
import { count } from './count.ts';
import { FIELD64, FIELD128 } from './field.ts';
import { histogram } from './histogram.ts';
import { l1BoundSum } from './l1-bound-sum.ts';
import { linReg } from './lin-reg.ts';
import { multihotCountVec } from './multihot-count-vec.ts';
import { Prio3 } from './prio3.ts';
import { sum } from './sum.ts';
import { sumVec } from './sum-vec.ts';

type Numbers = readonly bigint[];

export function prio3Count(shares: number = 2): Prio3<bigint, bigint> {
  return new Prio3(1, count(FIELD64), shares);
}

export function prio3Sum(max: bigint, shares: number = 2): Prio3<bigint, bigint> {
  return new Prio3(2, sum(FIELD64, max), shares);
}

export function prio3SumVec(length: number, max: bigint, chunk: number, shares: number = 2): Prio3<Numbers, bigint[]> {
  return new Prio3(3, sumVec(FIELD128, length, max, chunk), shares);
}

/** Three proofs over the small field, as the test vectors of the draft have it. */
export function prio3SumVecWithMultiproof(
  length: number,
  max: bigint,
  chunk: number,
  shares: number = 2,
): Prio3<Numbers, bigint[]> {
  return new Prio3(0xffffffff, sumVec(FIELD64, length, max, chunk), shares, 3);
}

export function prio3Histogram(length: number, chunk: number, shares: number = 2): Prio3<bigint, bigint[]> {
  return new Prio3(4, histogram(FIELD128, length, chunk), shares);
}

export function prio3MultihotCountVec(
  length: number,
  maxWeight: bigint,
  chunk: number,
  shares: number = 2,
): Prio3<readonly boolean[], bigint[]> {
  return new Prio3(5, multihotCountVec(FIELD128, length, maxWeight, chunk), shares);
}

export function prio3L1BoundSum(
  length: number,
  max: bigint,
  chunk: number,
  shares: number = 2,
): Prio3<Numbers, bigint[]> {
  return new Prio3(7, l1BoundSum(FIELD128, length, max, chunk), shares);
}

export function prio3LinReg(maxima: Numbers, chunk: number, shares: number = 2): Prio3<Numbers, bigint[]> {
  return new Prio3(0xffff50e1, linReg(FIELD128, maxima, chunk), shares);
}
