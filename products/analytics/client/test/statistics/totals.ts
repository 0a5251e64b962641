/** What aggregators would add up, in the clear. */
import type { LinearModel } from '../../src/statistics/index.ts';
import { linearMeasurement } from '../../src/statistics/index.ts';

/** Fuzz cases for properties. */
export const FUZZ_RUNS: number = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

/** Sums of the measurements of rows, in the order of Prio3LinReg. */
export function linearTotals(model: LinearModel, rows: readonly Readonly<Record<string, number>>[]): bigint[] {
  const size = model.features.length + 1;
  const totals = new Array<bigint>(size + (size * (size + 1)) / 2).fill(0n);
  for (const row of rows) {
    const steps = linearMeasurement(model, row).map(BigInt);
    const all = [...steps, ...steps.flatMap((left, i) => steps.slice(i).map((right) => left * right))];
    for (const [k, value] of all.entries()) totals[k]! += value;
  }
  return totals;
}

/** Rows by name from columns in a text: one observation a line. */
export function table(names: readonly string[], text: string): Record<string, number>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const values = line.trim().split(/\s+/).map(Number);
      return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
    });
}

/** Numbers that look random and are the same in every run (Lehmer, modulus 2^31 - 1). */
export function sequence(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  for (let i = 0; i < 10; i++) state = (state * 48271) % 2147483647;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Whether two numbers agree to so many digits. */
export function agrees(a: number | null | undefined, b: number, digits: number): boolean {
  return typeof a === 'number' && Math.abs(a - b) <= Math.abs(b) * 10 ** -digits;
}
