/** Durations and sizes as people write them: a number and a unit, always both. */

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** What a duration looks like: digits and one of ms, s, m, h, d. */
export const DURATION_PATTERN: RegExp = /^[0-9]{1,9}(?:ms|s|m|h|d)$/;

/** What a size looks like: digits and one of B, KiB, MiB, GiB. */
export const SIZE_PATTERN: RegExp = /^[0-9]{1,9}(?:B|KiB|MiB|GiB)$/;

/**
 * Milliseconds of a duration.
 *
 * @param text - matches {@link DURATION_PATTERN}
 * @throws {RangeError} for anything else
 */
export function parseDuration(text: string): number {
  return scale(text, DURATION_PATTERN, MILLISECONDS);
}

/**
 * Bytes of a size.
 *
 * @param text - matches {@link SIZE_PATTERN}
 * @throws {RangeError} for anything else
 */
export function parseSize(text: string): number {
  return scale(text, SIZE_PATTERN, BYTES);
}

/** The shortest exact way to write a duration. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = MILLISECONDS[unit] ?? 1;
    if (milliseconds >= size && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** The shortest exact way to write a size. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const size = BYTES[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

function scale(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number {
  const unit = /[A-Za-z]+$/.exec(text)?.[0] ?? '';
  const size = units[unit];
  if (!pattern.test(text) || size === undefined) throw new RangeError(`"${text}" is not a number with a unit`);
  return Number(text.slice(0, -unit.length)) * size;
}
