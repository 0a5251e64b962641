/**
 * A real public data set: athletes of the Olympic Games of 2016, from the npm package `@observablehq/sample-datasets`. What is
 * known of each of them plays what a person would not tell an operator.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CliError } from '../cli-error.ts';

/** Where the data comes from, for people. */
export const DATA_SET = '@observablehq/sample-datasets/olympians.csv';

/** One person. */
export interface Athlete {
  /** Metres, in steps of one hundredth. */
  readonly height: number;
  /** Kilograms, whole. */
  readonly weight: number;
  readonly sport: string;
}

const COLUMNS = ['height', 'weight', 'sport'] as const;

/**
 * Reads some athletes, spread evenly over all of which height and weight are known.
 *
 * @param count - how many
 * @throws {@link CliError} `FAILED` when the file is not what it was
 */
export async function readAthletes(count: number): Promise<readonly Athlete[]> {
  const file = fileURLToPath(import.meta.resolve('@observablehq/sample-datasets/olympians.csv'));
  const [head = '', ...lines] = (await readFile(file, 'utf8')).split('\n');
  const names = head.split(',');
  const [height = -1, weight = -1, sport = -1] = COLUMNS.map((name) => names.indexOf(name));
  const all: Athlete[] = [];
  for (const line of lines) {
    const cells = line.split(',');
    // The last column is free text, and may hold commas; the ones that count stand before it.
    const one = { height: Number(cells[height]), weight: Number(cells[weight]), sport: cells[sport] ?? '' };
    if (one.height > 0 && one.weight > 0 && one.sport !== '') all.push(one);
  }
  if (all.length < count)
    throw new CliError('FAILED', { what: `Cannot use ${DATA_SET}`, why: `it has ${all.length} usable rows` });
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]).filter(
    (one) => one !== undefined,
  );
}

/** Everything that is played as words of a dictionary. */
export const SPORTS: readonly string[] = [
  'aquatics',
  'archery',
  'athletics',
  'badminton',
  'basketball',
  'boxing',
  'canoe',
  'cycling',
  'equestrian',
  'fencing',
  'football',
  'golf',
  'gymnastics',
  'handball',
  'hockey',
  'judo',
  'modern pentathlon',
  'rowing',
  'rugby sevens',
  'sailing',
  'shooting',
  'table tennis',
  'taekwondo',
  'tennis',
  'triathlon',
  'volleyball',
  'weightlifting',
  'wrestling',
];
