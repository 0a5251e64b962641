/** The statistics of the demonstration over values in the clear, by nothing that the private ones use. */
import type { Athlete } from './athletes.ts';

/** A line through points. */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
}

/**
 * How many values are in each bucket, those below the first and above the last boundary included.
 *
 * @param boundaries - rising; a value on one belongs to the bucket above it
 */
export function countBetween(values: readonly number[], boundaries: readonly number[]): readonly number[] {
  const edges = [Number.NEGATIVE_INFINITY, ...boundaries, Number.POSITIVE_INFINITY];
  return edges.slice(1).map((high, i) => values.filter((value) => value >= (edges[i] ?? high) && value < high).length);
}

/** How often each text is there, the most common first. */
export function countTexts(texts: readonly string[]): readonly (readonly [text: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/** Weight explained by height, with least squares. */
export function fitLine(people: readonly Athlete[]): Line {
  const mean = (of: (one: Athlete) => number): number => people.reduce((sum, one) => sum + of(one), 0) / people.length;
  const [x, y] = [mean(({ height }) => height), mean(({ weight }) => weight)];
  const slope =
    mean(({ height, weight }) => (height - x) * (weight - y)) / mean(({ height }) => (height - x) * (height - x));
  return { slope, intercept: y - slope * x };
}
