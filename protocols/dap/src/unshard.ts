/** From two aggregate shares to a result. DAP §4.6.6. */
import { toSigned } from '@privacy-edge/dp';
import type { Prio3, Vdaf } from '@privacy-edge/vdaf';
import { modulusOf } from './noise.ts';

type Unshard = <Result>(
  vdaf: Vdaf<never, Result>,
  aggregationParameter: Uint8Array,
  aggregateShares: readonly [Uint8Array, Uint8Array],
  reportCount: number,
) => Result;

/** What the VDAF says. */
export const unshardPlain: Unshard = (vdaf, parameter, shares, reportCount) =>
  vdaf.unshard(parameter, shares, reportCount);

/**
 * The same where noise may have made sums negative: each is read as the integer next to zero that the field element can
 * stand for.
 */
export const unshardSigned: Unshard = <Result>(
  vdaf: Vdaf<never, Result>,
  parameter: Uint8Array,
  shares: readonly [Uint8Array, Uint8Array],
  reportCount: number,
) => {
  if (isPrio3(vdaf)) return vdaf.decode(vdaf.openShares(shares, reportCount));
  const result = vdaf.unshard(parameter, shares, reportCount);
  if (!isCounts(result)) return result;
  const modulus = modulusOf(shares[0], result.length);
  // Counts are what it was, and counts are what it is.
  return result.map((count) => toSigned(count, modulus)) as Result;
};

function isPrio3<Result>(vdaf: Vdaf<never, Result>): vdaf is Prio3<never, Result> {
  return 'openShares' in vdaf;
}

function isCounts(result: unknown): result is bigint[] {
  return Array.isArray(result) && result.every((count) => typeof count === 'bigint');
}
