/**
 * Least squares on integers. The sweep operator turns a symmetric matrix of moments into coefficients, residual and
 * inverse at once; without fractions (Bareiss, "Sylvester's Identity and Multistep Integer-Preserving Gaussian
 * Elimination", 1968) every division comes out even, and a pivot is zero exactly when a feature depends on others.
 */
import type { IntegerMatrix } from './linear-moments.ts';

/** A swept matrix: every entry divided by `denominator` is the true value. */
export interface Sweep {
  /** Determinant of the swept part. */
  readonly denominator: bigint;
  /**
   * With S the swept rows: minus the inverse within S, coefficients on S in the other columns, and what S leaves
   * unexplained elsewhere.
   */
  readonly entries: IntegerMatrix;
  /** Rows that were swept, rising. */
  readonly swept: readonly number[];
}

/**
 * Sweeps every row but the last, in order, leaving out those that depend on the ones before.
 *
 * @param matrix - symmetric; the last row is the target
 */
export function exactSweep(matrix: IntegerMatrix): Sweep {
  const entries = matrix.map((row) => [...row]);
  const swept: number[] = [];
  let denominator = 1n;
  for (let k = 0; k < matrix.length - 1; k++) {
    const pivot = entries[k]?.[k] ?? 0n;
    if (pivot === 0n) continue;
    sweepRow(entries, k, pivot, denominator);
    denominator = pivot;
    swept.push(k);
  }
  return { denominator, entries, swept };
}

function sweepRow(entries: bigint[][], k: number, pivot: bigint, previous: bigint): void {
  const column = entries.map((row) => row[k] ?? 0n);
  for (const [i, row] of entries.entries()) {
    if (i === k) continue;
    const left = column[i] ?? 0n;
    for (let j = i; j < entries.length; j++) {
      if (j === k) continue;
      const value = ((row[j] ?? 0n) * pivot - left * (column[j] ?? 0n)) / previous;
      row[j] = value;
      const mirror = entries[j];
      if (mirror !== undefined) mirror[i] = value;
    }
  }
  // The row itself keeps its numerators, since the denominator becomes the pivot.
  const own = entries[k];
  if (own !== undefined) own[k] = -previous;
}
