/** Histograms on the measuring side: which bucket a value belongs to. */
import { StatisticsError } from './statistics-error.ts';

/**
 * Buckets of a number line. Bucket i holds what is at least boundary i and less than the next; the last one also holds
 * its upper boundary.
 */
export interface NumberBuckets {
  readonly kind: 'numbers';
  /** Rising; one more than there are inner buckets. */
  readonly boundaries: readonly number[];
  /** Values outside get buckets of their own at both ends, count in the nearest bucket, or are refused. */
  readonly outside: 'separate' | 'clip' | 'refuse';
}

/** A bucket for each name, and perhaps one for all others. */
export interface CategoryBuckets {
  readonly kind: 'categories';
  readonly categories: readonly string[];
  /** Whether the last bucket holds everything else; without it, everything else is refused. */
  readonly other: boolean;
}

/** How a histogram is divided. Plain data: belongs into what reporters and collectors share. */
export type Buckets = NumberBuckets | CategoryBuckets;

/**
 * Buckets between boundaries.
 *
 * @param outside - default `separate`
 * @throws {StatisticsError} `MAPPING_INVALID` when there are fewer than two boundaries or they do not rise
 */
export function numberBuckets(
  boundaries: readonly number[],
  outside: NumberBuckets['outside'] = 'separate',
): NumberBuckets {
  const rise = boundaries.every(
    (value, i) => Number.isFinite(value) && (i === 0 || value > (boundaries[i - 1] ?? value)),
  );
  if (boundaries.length < 2 || !rise) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use buckets: it takes two or more rising boundaries');
  }
  return { kind: 'numbers', boundaries: [...boundaries], outside };
}

/**
 * Boundaries of buckets that are equally wide, or, on a logarithmic scale, equally many to a decade.
 *
 * @param count - of buckets, at least 1
 * @throws {StatisticsError} `MAPPING_INVALID` when the bounds do not rise, or are not above zero on a logarithmic scale
 */
export function boundariesBetween(
  lo: number,
  hi: number,
  count: number,
  spacing: 'linear' | 'log' = 'linear',
): number[] {
  const usable = Number.isFinite(lo) && Number.isFinite(hi) && lo < hi && (spacing === 'linear' || lo > 0);
  if (!usable || !Number.isSafeInteger(count) || count < 1 || count > 1e6) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot place boundaries: bounds or number of buckets are unusable');
  }
  return Array.from({ length: count + 1 }, (_, i) => {
    // The ends are hit exactly.
    if (i === 0) return lo;
    if (i === count) return hi;
    return spacing === 'linear' ? lo + ((hi - lo) * i) / count : lo * (hi / lo) ** (i / count);
  });
}

/**
 * A bucket for each category.
 *
 * @param categories - distinct, in the order of the buckets
 * @param other - whether there is a bucket for everything else; default true
 * @throws {StatisticsError} `MAPPING_INVALID` when there is no category or one is given twice
 */
export function categoryBuckets(categories: readonly string[], other = true): CategoryBuckets {
  if (categories.length === 0 || new Set(categories).size !== categories.length) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use buckets: categories are missing or repeated');
  }
  return { kind: 'categories', categories: [...categories], other };
}

/** How many buckets there are: the length of the histogram. */
export function bucketCount(buckets: Buckets): number {
  if (buckets.kind === 'categories') return buckets.categories.length + (buckets.other ? 1 : 0);
  return buckets.boundaries.length - 1 + (buckets.outside === 'separate' ? 2 : 0);
}

/**
 * The bucket of a value: the measurement.
 *
 * @param value - from the application: a number for number buckets, a string for categories
 * @returns an index below `bucketCount`
 * @throws {StatisticsError} `VALUE_INVALID` when it has no bucket
 */
export function bucketOf(buckets: Buckets, value: number | string): number {
  const index = buckets.kind === 'categories' ? categoryIndex(buckets, value) : numberIndex(buckets, value);
  if (index === undefined) throw new StatisticsError('VALUE_INVALID', 'Cannot measure value: it has no bucket');
  return index;
}

function categoryIndex({ categories, other }: CategoryBuckets, value: number | string): number | undefined {
  const index = categories.indexOf(String(value));
  if (index !== -1) return index;
  return other ? categories.length : undefined;
}

function numberIndex({ boundaries, outside }: NumberBuckets, value: number | string): number | undefined {
  if (typeof value !== 'number' || Number.isNaN(value)) return undefined;
  const inner = boundaries.length - 1;
  const rank = rankOf(boundaries, value);
  // Rank 0 is below all; the last boundary belongs to the bucket below it.
  const index = value === boundaries[inner] ? inner - 1 : rank - 1;
  if (outside === 'separate') return index + 1;
  if (index >= 0 && index < inner) return index;
  return outside === 'clip' ? Math.min(inner - 1, Math.max(0, index)) : undefined;
}

/** How many boundaries are not above the value. */
function rankOf(boundaries: readonly number[], value: number): number {
  let [low, high] = [0, boundaries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((boundaries[middle] ?? value) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
