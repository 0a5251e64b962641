/** How much one report can move an aggregate: what the noise has to cover. */
import { DpError } from './dp-error.ts';

/**
 * What two neighbouring batches are. `substitution`: one report's measurement is replaced by another, which hides what
 * was reported. `addition`: one report is there or not, which also hides that it was reported; but DAP shows the number
 * of reports to everybody, so this is only meaningful where that number is no secret.
 */
export type Adjacency = 'substitution' | 'addition';

/** A VDAF with the parameters that bound a measurement. All bounds are integers above zero. */
export type MeasuredType =
  | { readonly type: 'count' }
  | { readonly type: 'sum'; readonly max: bigint }
  | { readonly type: 'sumVec'; readonly length: number; readonly max: bigint }
  | { readonly type: 'histogram'; readonly length: number }
  | { readonly type: 'multihot'; readonly length: number; readonly maxWeight: number }
  | { readonly type: 'l1BoundSum'; readonly length: number; readonly max: bigint }
  /** `maxima` has an entry for each feature, then one for the target. */
  | { readonly type: 'linReg'; readonly maxima: readonly bigint[] }
  /** One level with that many candidate prefixes. Levels are aggregates of their own: their budgets add up. */
  | { readonly type: 'poplar1'; readonly prefixes: number };

/** The largest distance between aggregates of neighbouring batches, exactly. */
export interface Sensitivity {
  /** Coordinates of the aggregate share. */
  readonly length: number;
  /** Sum of absolute differences, each divided by its unit. */
  readonly l1: bigint;
  /** Sum of squared differences, each divided by its unit. */
  readonly l2Squared: bigint;
  /**
   * What noise of one is worth in each coordinate; absent means 1. Coordinates of very different size (a feature and the
   * product of two features) each get noise in proportion to their size.
   */
  readonly units?: readonly bigint[];
}

type Row<T extends MeasuredType> = (type: T, adjacency: Adjacency) => Sensitivity;

const ROWS: { readonly [K in MeasuredType['type']]: Row<Extract<MeasuredType, { type: K }>> } = {
  count: () => uniform(1, 1n, 1n),
  sum: ({ max }) => uniform(1, max, max * max),
  // The farthest measurements are all zeros and all maxima, so both kinds of neighbours are equally far.
  sumVec: ({ length, max }) => uniform(length, BigInt(length) * max, BigInt(length) * max * max),
  histogram: ({ length }, adjacency) => oneHot(length, adjacency),
  multihot: ({ length, maxWeight }, adjacency) => {
    const ones = BigInt(Math.min(length, adjacency === 'substitution' ? 2 * maxWeight : maxWeight));
    return uniform(length, ones, ones);
  },
  // The whole bound in one coordinate, against the whole bound in another.
  l1BoundSum: ({ length, max }, adjacency) => {
    const ways = adjacency === 'substitution' && length > 1 ? 2n : 1n;
    return uniform(length, ways * max, ways * max * max);
  },
  linReg: ({ maxima }) => {
    const units = [...maxima, ...maxima.flatMap((left, i) => maxima.slice(i).map((right) => left * right))];
    return { length: units.length, l1: BigInt(units.length), l2Squared: BigInt(units.length), units };
  },
  poplar1: ({ prefixes }, adjacency) => oneHot(prefixes, adjacency),
};

/**
 * How far apart neighbouring aggregates of a type can be.
 *
 * @param type - from the task's configuration
 * @throws {DpError} `PARAMETER_INVALID` when a bound or length is not above zero
 */
export function sensitivityOf(type: MeasuredType, adjacency: Adjacency): Sensitivity {
  requirePositive(type);
  // A row takes the type that its own key names.
  const row = ROWS[type.type] as Row<MeasuredType>;
  return row(type, adjacency);
}

function uniform(length: number, l1: bigint, l2Squared: bigint): Sensitivity {
  return { length, l1, l2Squared };
}

function oneHot(length: number, adjacency: Adjacency): Sensitivity {
  const ones = adjacency === 'substitution' && length > 1 ? 2n : 1n;
  return uniform(length, ones, ones);
}

function requirePositive(type: MeasuredType): void {
  for (const [name, value] of Object.entries(type)) {
    const numbers: unknown[] = Array.isArray(value) ? value : [value];
    const bad = numbers.length === 0 || numbers.some((item) => typeof item !== 'string' && !isPositive(item));
    if (bad) throw new DpError('PARAMETER_INVALID', `Cannot bound ${type.type}: ${name} is not above zero`);
  }
}

function isPositive(value: unknown): boolean {
  return typeof value === 'bigint' ? value > 0n : Number.isSafeInteger(value) && Number(value) > 0;
}
