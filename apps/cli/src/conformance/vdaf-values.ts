/** Measurements and parameters of vectors, and refusals. */
import { VdafError } from '@privacy-edge/vdaf';
import { VectorError } from './vector.ts';

/** What a step gives; undefined when it refuses with one of our errors. */
export function attempt<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof VdafError) return undefined;
    throw error;
  }
}

/** A list of truth values. */
export function readBits(value: unknown, length?: number): boolean[] {
  const list: unknown[] = Array.isArray(value) ? value : [];
  const bits = list.filter((bit) => typeof bit === 'boolean');
  if (!Array.isArray(value) || bits.length !== list.length || (length !== undefined && bits.length !== length))
    throw new VectorError('UNREADABLE', 'Cannot read vector: a list of truth values is not that');
  return bits;
}

/** A whole number. */
export function readNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new VectorError('UNREADABLE', 'Cannot read vector: a measurement is no whole number');
  return value;
}

/** A list of whole numbers. */
export function readNumbers(value: unknown): number[] {
  if (!Array.isArray(value)) throw new VectorError('UNREADABLE', 'Cannot read vector: a measurement is no list');
  return value.map(readNumber);
}
