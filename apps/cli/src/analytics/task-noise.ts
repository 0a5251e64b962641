/** What the noise of a task will do to its results. */
import type { PrivateTask, Statistic } from '@privacy-edge/analytics';
import { scaleOf } from '@privacy-edge/analytics/statistics';
import { taskNoise } from '@privacy-edge/dap';
import { type Noise, noiseDeviation, noiseHalfWidth } from '@privacy-edge/dp';
import { firstPrefixes } from '@privacy-edge/vdaf';

/** The noise of coordinates that are alike; of both aggregators together, in counts or steps. */
export interface CoordinateNoise {
  /** Which coordinates, in words. */
  readonly of: string;
  readonly coordinates: number;
  readonly deviation: number;
  /** Half of the 95 % interval. */
  readonly halfWidth: number;
}

/**
 * The noise that a result of a task will have.
 *
 * @returns nothing for a task without noise; one entry for coordinates that have the same
 */
export function expectedNoise({ task, statistic }: PrivateTask): readonly CoordinateNoise[] {
  const parameter = statistic.kind === 'poplar1' ? firstPrefixes(statistic.bitsPerRound) : new Uint8Array(0);
  const noise = taskNoise(task, parameter) ?? [];
  const names = coordinateNames(statistic);
  const groups = new Map<string, { readonly noise: Noise; readonly names: string[]; count: number }>();
  for (const [i, item] of noise.entries()) {
    const key = JSON.stringify(item, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    const group = groups.get(key) ?? { noise: item, names: [], count: 0 };
    groups.set(key, group);
    group.count++;
    group.names.push(names[i] ?? '');
  }
  return [...groups.values()].map((group) => ({
    of: names.length === 0 ? coordinateWords(statistic, group.count) : group.names.join(', '),
    coordinates: group.count,
    deviation: noiseDeviation(group.noise),
    halfWidth: noiseHalfWidth(group.noise),
  }));
}

/** Names where coordinates differ from each other: a regression has sums, then products. */
function coordinateNames(statistic: Statistic): readonly string[] {
  if (statistic.kind !== 'linear-regression') return [];
  const names = [...statistic.features, statistic.target].map(({ name }) => name);
  const products = names.flatMap((left, i) => names.slice(i).map((right) => `${left} \u00d7 ${right}`));
  return [...names.map((name) => `sum of ${name}`), ...products];
}

function coordinateWords(statistic: Statistic, count: number): string {
  if (statistic.kind === 'mean') return `the sum, in steps of ${stepText(statistic)}`;
  return count === 1 ? 'the count' : `each of ${count} counts`;
}

function stepText(statistic: Extract<Statistic, { kind: 'mean' }>): string {
  const { step } = scaleOf(statistic);
  return String(Number(step.numerator) / Number(step.denominator));
}
