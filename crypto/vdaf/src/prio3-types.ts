/** Prio3 as others see it. */
import type { Vdaf } from './vdaf.ts';

/** A Prio3 with fixed parameters. Its aggregation parameter is always empty. VDAF §7. */
export interface Prio3<Measurement, Result> extends Vdaf<Measurement, Result> {
  /** The modulus of the field that results are computed in. */
  readonly modulus: bigint;
  /** Coordinates of an aggregate share. */
  readonly outputLength: number;
  /** How many reports can be aggregated before a sum could wrap around. */
  readonly maxReports: bigint;
  /** Products of one call of the gadget, whether chosen or not; 1 for circuits without. */
  readonly chunkLength: number;
  /**
   * Adds an integer to every coordinate of an aggregate share, which is how an aggregator puts noise in.
   *
   * @param aggregateShare - encoded
   * @param integers - `outputLength` of them; may be negative
   * @returns the encoded sum
   * @throws {@link VdafError} `SHARE_INVALID`
   */
  addIntegers(aggregateShare: Uint8Array, integers: readonly bigint[]): Uint8Array;
  /**
   * The result that sums stand for. For use with {@link Prio3.openShares}.
   *
   * @param sums - `outputLength` of them
   */
  decode(sums: readonly bigint[]): Result;
  /**
   * The sums of all coordinates, each the integer next to zero that the field element can stand for: with noise in it a
   * sum can be negative, which `unshard` would show as a number near the modulus.
   *
   * @param aggregateShares - leader's and helper's
   * @param reportCount - number of reports in them
   * @throws {@link VdafError} `SHARE_INVALID`, `BATCH_TOO_LARGE`
   */
  openShares(aggregateShares: readonly [Uint8Array, Uint8Array], reportCount: number): bigint[];
}
