/** Small symmetric matrices of doubles: factor, invert, find eigenvalues. */
import type { Matrix } from './linear-moments.ts';

/** Eigenvalues, falling, and their vectors of length one. */
export interface Eigen {
  readonly values: readonly number[];
  /** `vectors[k]` belongs to `values[k]`. */
  readonly vectors: Matrix;
}

/** Rotations of the whole matrix after which nothing is left to rotate; it takes about eight. */
const MAX_ROUNDS = 60;

/**
 * The inverse of a positive definite matrix, by its Cholesky factor.
 *
 * @returns undefined when a pivot is not above zero
 */
export function invertPositive(matrix: Matrix): number[][] | undefined {
  const factor = cholesky(matrix);
  if (factor === undefined) return undefined;
  const size = matrix.length;
  const columns = Array.from({ length: size }, (_, i) => solveFactor(factor, unit(size, i)));
  // Symmetric by right, up to the last bit: made so.
  return columns.map((column, i) => column.map((value, j) => (value + (columns[j]?.[i] ?? value)) / 2));
}

/** The product of a matrix and a vector. */
export function times(matrix: Matrix, vector: readonly number[]): number[] {
  return matrix.map((row) => dot(row, vector));
}

/** The inner product of two vectors. */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations: slow for large matrices, and exact to the
 * last digits for small eigenvalues of scaled ones.
 *
 * @param matrix - finite
 */
export function eigenOf(matrix: Matrix): Eigen {
  const a = matrix.map((row) => [...row]);
  const vectors = matrix.map((_, i) => unit(matrix.length, i));
  for (let round = 0; round < MAX_ROUNDS && offDiagonal(a) > 0; round++) rotateAll(a, vectors);
  const order = a.map((row, i) => ({ value: row[i] ?? 0, vector: vectors[i] ?? [] }));
  order.sort((x, y) => y.value - x.value);
  return { values: order.map(({ value }) => value), vectors: order.map(({ vector }) => vector) };
}

/** The matrix that has these eigenvalues and vectors. */
export function fromEigen(values: readonly number[], vectors: Matrix): number[][] {
  const size = values.length;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (__, j) =>
      values.reduce((sum, value, k) => sum + value * (vectors[k]?.[i] ?? 0) * (vectors[k]?.[j] ?? 0), 0),
    ),
  );
}

function cholesky(matrix: Matrix): number[][] | undefined {
  const factor: number[][] = [];
  for (const [i, row] of matrix.entries()) {
    const next: number[] = [];
    for (let j = 0; j < i; j++) {
      const other = factor[j] ?? [];
      next.push(((row[j] ?? 0) - dot(next, other.slice(0, j))) / (other[j] ?? 1));
    }
    const pivot = (row[i] ?? 0) - dot(next, next);
    if (!(pivot > 0)) return undefined;
    next.push(Math.sqrt(pivot));
    factor.push(next);
  }
  return factor;
}

function solveFactor(factor: Matrix, right: readonly number[]): number[] {
  const forward: number[] = [];
  for (const [i, row] of factor.entries()) {
    forward.push(((right[i] ?? 0) - dot(forward, row.slice(0, i))) / (row[i] ?? 1));
  }
  const result = [...forward];
  for (let i = factor.length - 1; i >= 0; i--) {
    let value = forward[i] ?? 0;
    for (let j = i + 1; j < factor.length; j++) value -= (factor[j]?.[i] ?? 0) * (result[j] ?? 0);
    result[i] = value / (factor[i]?.[i] ?? 1);
  }
  return result;
}

/** Largest entry beside the diagonal that still matters against the two diagonal entries it joins. */
function offDiagonal(a: Matrix): number {
  let largest = 0;
  for (const [i, row] of a.entries()) {
    for (let j = i + 1; j < row.length; j++) {
      const size = Math.abs(row[j] ?? 0);
      const near = Math.sqrt(Math.abs((row[i] ?? 0) * (a[j]?.[j] ?? 0)));
      if (size > near * Number.EPSILON * 0.1 && size > Number.MIN_VALUE * 1e10) largest = Math.max(largest, size);
    }
  }
  return largest;
}

function rotateAll(a: number[][], vectors: number[][]): void {
  for (let p = 0; p < a.length; p++) {
    for (let q = p + 1; q < a.length; q++) {
      const apq = a[p]?.[q] ?? 0;
      if (apq === 0) continue;
      const theta = ((a[q]?.[q] ?? 0) - (a[p]?.[p] ?? 0)) / (2 * apq);
      // The smaller of the two angles.
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const c = 1 / Math.hypot(t, 1);
      rotateColumns(a, p, q, c, t * c);
      rotateRows(a, p, q, c, t * c);
      rotateRows(vectors, p, q, c, t * c);
      clear(a, p, q);
    }
  }
}

function clear(a: number[][], p: number, q: number): void {
  const [rowP, rowQ] = [a[p], a[q]];
  if (rowP !== undefined) rowP[q] = 0;
  if (rowQ !== undefined) rowQ[p] = 0;
}

function rotateColumns(a: number[][], p: number, q: number, c: number, s: number): void {
  for (const row of a) {
    const [x, y] = [row[p] ?? 0, row[q] ?? 0];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
}

function rotateRows(a: number[][], p: number, q: number, c: number, s: number): void {
  const [rowP, rowQ] = [a[p] ?? [], a[q] ?? []];
  for (const [k, x] of rowP.entries()) {
    const y = rowQ[k] ?? 0;
    rowP[k] = c * x - s * y;
    rowQ[k] = s * x + c * y;
  }
}

function unit(size: number, at: number): number[] {
  return Array.from({ length: size }, (_, i) => (i === at ? 1 : 0));
}
