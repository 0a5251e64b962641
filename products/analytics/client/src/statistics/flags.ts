/** Bit vectors: any number of named flags in one report. */
import { type Aggregate, noiseScale, numbersOf } from './aggregate.ts';
import { shareError } from './histogram.ts';
import { StatisticsError } from './statistics-error.ts';

/** How often one flag was set. */
export interface FlagCount {
  readonly name: string;
  /** As aggregated; with noise it can be below zero. */
  readonly count: number;
  /** Of all reports; null without reports. */
  readonly share: number | null;
  /** Half of the 95 % interval of the noise in the count; 0 without noise. */
  readonly noiseHalfWidth: number;
  /** Standard error of the share as an estimate for a larger population, noise included; null below two reports. */
  readonly standardError: number | null;
}

/** Counts of flags. */
export interface FlagsResult {
  readonly kind: 'flags';
  readonly reports: number;
  readonly flags: readonly FlagCount[];
}

/**
 * The measurement of a set of flags, for Prio3SumVec with bound 1 or Prio3MultihotCountVec.
 *
 * @param names - all flags, distinct, in the order of the coordinates
 * @param set - those that are set, from the application
 * @param maxWeight - how many may be set; default all
 * @throws {StatisticsError} `VALUE_INVALID` when a flag has no name in the list, or too many are set; `MAPPING_INVALID`
 * when a name is repeated
 */
export function flagsOf(names: readonly string[], set: Iterable<string>, maxWeight: number = names.length): boolean[] {
  const known = new Set(names);
  const wanted = new Set(set);
  if (known.size !== names.length || names.length === 0) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use flags: names are missing or repeated');
  }
  if ([...wanted].some((name) => !known.has(name)))
    throw new StatisticsError('VALUE_INVALID', 'Cannot measure flags: one is unknown');
  if (wanted.size > maxWeight) throw new StatisticsError('VALUE_INVALID', 'Cannot measure flags: too many are set');
  return names.map((name) => wanted.has(name));
}

/**
 * Reads the aggregate of flags.
 *
 * @param names - as measured
 * @param aggregate - a count for each flag
 * @throws {StatisticsError} `RESULT_INVALID`
 */
export function flagCountsOf(names: readonly string[], aggregate: Aggregate): FlagsResult {
  const counts = numbersOf(aggregate, names.length);
  const { reports } = aggregate;
  const flags = names.map((name, i): FlagCount => {
    const count = counts[i] ?? 0;
    const { deviation, halfWidth } = noiseScale(aggregate, i);
    const share = reports > 0 ? count / reports : null;
    const standardError = share === null ? null : shareError(share, reports, deviation);
    return { name, count, share, noiseHalfWidth: halfWidth, standardError };
  });
  return { kind: 'flags', reports, flags };
}
