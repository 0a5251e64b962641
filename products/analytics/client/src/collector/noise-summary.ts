/** What the noise of a task means for a result. */
import type { DpParameters } from '@privacy-edge/dap';
import { type Noise, noiseDeviation, noiseHalfWidth } from '@privacy-edge/dp';
import { formatNoise, type NoiseDocument } from '../task/parameters-document.ts';

/** The noise in a result, of both aggregators together. Plain data. */
export interface NoiseSummary extends NoiseDocument {
  /** How often the batch was collected, each time at the price of the budget. */
  readonly collections: number;
  /** Standard deviation of each coordinate of the last aggregate, in counts or steps. */
  readonly deviations: readonly number[];
  /** Half of the 95 % interval of each coordinate. */
  readonly halfWidths: readonly number[];
}

/**
 * Summarises the noise of a task.
 *
 * @param noise - of one aggregator, for each coordinate
 */
export function noiseSummary(dp: DpParameters, noise: readonly Noise[], collections: number): NoiseSummary {
  return {
    ...formatNoise(dp),
    collections,
    deviations: forEachNoise(noise, (item) => noiseDeviation(item)),
    halfWidths: forEachNoise(noise, (item) => noiseHalfWidth(item)),
  };
}

/** Most coordinates share one object, and the numbers are searched for. */
function forEachNoise(noise: readonly Noise[], compute: (noise: Noise) => number): number[] {
  const known = new Map<Noise, number>();
  return noise.map((item) => {
    const value = known.get(item) ?? compute(item);
    known.set(item, value);
    return value;
  });
}
