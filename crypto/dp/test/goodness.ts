/**
 * Goodness of fit with fixed seeds. A test here compares with the 99.9 % point of the chi-square distribution; because
 * seeds are fixed it either always passes or always fails.
 */
import assert from 'node:assert/strict';
import type { NoiseSampler } from '../src/discrete-laplace.ts';
import { RandomBits } from '../src/random-bits.ts';
import { seededRandom } from '../src/seeded-random.ts';

/** Standard normal point that 0.1 % lie above. */
const Z = 3.0902;

/** Bits that are the same in every run. */
export function fixedBits(label: string): RandomBits {
  return new RandomBits(seededRandom(new Uint8Array(32).fill(7), new TextEncoder().encode(label)));
}

/** Draws as numbers. */
export function draws(sampler: NoiseSampler, count: number, label: string): number[] {
  const bits = fixedBits(label);
  return Array.from({ length: count }, () => Number(sampler(bits)));
}

/** 99.9 % point of chi-square, after Wilson and Hilferty. */
function critical(freedom: number): number {
  const part = 2 / (9 * freedom);
  return freedom * (1 - part + Z * Math.sqrt(part)) ** 3;
}

/**
 * Compares draws with weights given for every integer. Integers are gathered, from the middle outwards on both sides,
 * into cells of at least 10 expected draws.
 */
export function assertFits(values: readonly number[], weight: (x: number) => number, reach: number): void {
  let total = 0;
  for (let x = -reach; x <= reach; x++) total += weight(x);
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const cells: { expected: number; seen: number }[] = [];
  let open = { expected: 0, seen: 0 };
  for (let x = -reach; x <= reach; x++) {
    open.expected += (weight(x) / total) * values.length;
    open.seen += counts.get(x) ?? 0;
    if (open.expected >= 10) {
      cells.push(open);
      open = { expected: 0, seen: 0 };
    }
  }
  const last = cells.at(-1)!;
  last.expected += open.expected;
  last.seen += open.seen;
  assert.equal(
    cells.reduce((sum, cell) => sum + cell.seen, 0),
    values.length,
    'a draw is out of reach',
  );
  assert.ok(cells.length > 2, 'too few cells to say anything');
  const statistic = cells.reduce((sum, { expected, seen }) => sum + (seen - expected) ** 2 / expected, 0);
  const limit = critical(cells.length - 1);
  assert.ok(statistic < limit, `chi-square ${statistic.toFixed(1)} over ${limit.toFixed(1)}`);
}

/** Compares two samples of the same size by their counts in cells of the given width. */
export function assertAlike(a: readonly number[], b: readonly number[], width: number): void {
  const cells = new Map<number, [number, number]>();
  for (const [side, values] of [a, b].entries()) {
    for (const value of values) {
      const cell = Math.max(-20, Math.min(20, Math.floor(value / width)));
      const counts = cells.get(cell) ?? [0, 0];
      counts[side]! += 1;
      cells.set(cell, counts);
    }
  }
  const kept = [...cells.values()].filter(([x, y]) => x + y >= 20);
  const statistic = kept.reduce((sum, [x, y]) => sum + (x - y) ** 2 / (x + y), 0);
  assert.ok(kept.length > 2);
  assert.ok(statistic < critical(kept.length - 1), `chi-square ${statistic.toFixed(1)} with ${kept.length} cells`);
}

/** Mean and variance of draws. */
export function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
}
