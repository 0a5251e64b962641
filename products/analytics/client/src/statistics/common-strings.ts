/** Most common strings: over a dictionary that everybody knows. What no dictionary holds is found in prefix-rounds.ts. */
import { type Aggregate, noiseScale, numbersOf } from './aggregate.ts';
import { bucketCount, type CategoryBuckets, categoryBuckets } from './buckets.ts';
import { shareError } from './histogram.ts';

/** A string with how often it was reported. */
export interface CommonString {
  readonly text: string;
  /** As aggregated; with noise it can be below zero. */
  readonly count: number;
  /** Of the reports that it was counted among; null without reports. */
  readonly share: number | null;
  /** Half of the 95 % interval of the noise in the count; 0 without noise. */
  readonly noiseHalfWidth: number;
  /** Standard error of the share as an estimate for a larger population, noise included; null below two reports. */
  readonly standardError: number | null;
  /** Whether the string was longer than what is measured, and may stand for several. */
  readonly truncated: boolean;
}

/** Strings, the most common one first. */
export interface CommonStringsResult {
  readonly kind: 'common-strings';
  readonly reports: number;
  readonly strings: readonly CommonString[];
  /** Count of everything else; null when it is not known. */
  readonly other: number | null;
}

/**
 * A dictionary for Prio3Histogram. Strings are compared in Unicode normal form C, so that one that looks the same is the
 * same, and in lower case if asked.
 */
export interface Dictionary {
  readonly buckets: CategoryBuckets;
  readonly ignoreCase: boolean;
}

/**
 * Prepares a dictionary. There is always a bucket for strings that are not in it.
 *
 * @param words - in any order; distinct once normalised
 * @throws {StatisticsError} `MAPPING_INVALID` when there is none or two are the same
 */
export function dictionaryOf(words: readonly string[], ignoreCase = false): Dictionary {
  return { buckets: categoryBuckets(words.map((word) => normalise(word, ignoreCase))), ignoreCase };
}

/**
 * The measurement of a string: its place, or the last bucket.
 *
 * @param text - from the application
 */
export function wordIndex({ buckets, ignoreCase }: Dictionary, text: string): number {
  const index = buckets.categories.indexOf(normalise(text, ignoreCase));
  return index === -1 ? buckets.categories.length : index;
}

/**
 * Reads an aggregate over a dictionary: all words by falling count, equal ones in the order of the dictionary.
 *
 * @throws {StatisticsError} `RESULT_INVALID`
 */
export function commonWordsOf({ buckets }: Dictionary, aggregate: Aggregate): CommonStringsResult {
  const counts = numbersOf(aggregate, bucketCount(buckets));
  const { reports } = aggregate;
  const strings = buckets.categories.map((text, i) => {
    const { deviation, halfWidth } = noiseScale(aggregate, i);
    return commonString(text, counts[i] ?? 0, reports, deviation, halfWidth, false);
  });
  strings.sort((a, b) => b.count - a.count);
  return { kind: 'common-strings', reports, strings, other: counts.at(-1) ?? null };
}

/** One entry of a result. */
export function commonString(
  text: string,
  count: number,
  reports: number,
  noiseDeviation: number,
  noiseHalfWidth: number,
  truncated: boolean,
): CommonString {
  const share = reports > 0 ? count / reports : null;
  const standardError = share === null ? null : shareError(share, reports, noiseDeviation);
  return { text, count, share, noiseHalfWidth, standardError, truncated };
}

function normalise(text: string, ignoreCase: boolean): string {
  const composed = text.normalize('NFC');
  // Lower case can decompose again.
  return ignoreCase ? composed.toLowerCase().normalize('NFC') : composed;
}
