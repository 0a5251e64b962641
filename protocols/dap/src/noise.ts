/** Noise in aggregate shares, as the differential privacy extension of a task asks for it. */
import { Reader } from '@privacy-edge/bytes';
import {
  addNoiseEncoded,
  drawNoise,
  type MeasuredType,
  type Noise,
  noiseFor,
  type RandomBits,
  sensitivityOf,
} from '@privacy-edge/dp';
import { DapError } from './dap-error.ts';
import type { Task } from './task.ts';
import type { VdafConfiguration } from './vdaf-configuration.ts';

/** Moduli of the fields there are, by the length of an encoded element in bytes. VDAF §6.1.4. */
const MODULI: ReadonlyMap<number, bigint> = new Map([
  [8, 2n ** 64n - 2n ** 32n + 1n],
  [16, 2n ** 128n - 7n * 2n ** 66n + 1n],
  [32, 2n ** 255n - 19n],
]);

/** The modulus of the field that a share is encoded in. */
export function modulusOf(aggregateShare: Uint8Array, coordinates: number): bigint {
  const modulus = MODULI.get(aggregateShare.length / coordinates);
  if (modulus === undefined) throw new RangeError('An aggregate share has another number of coordinates');
  return modulus;
}

/**
 * The distribution of the noise that each of the aggregators adds.
 *
 * @param aggregationParameter - encoded
 * @returns one entry for each coordinate of an aggregate share; undefined for a task without noise
 * @throws {@link DapError} `TASK_UNSUPPORTED` when the sensitivity of the VDAF is not known
 */
export function taskNoise(
  { extensions: { dp }, vdafConfiguration }: Task,
  aggregationParameter: Uint8Array,
): Noise[] | undefined {
  if (dp === undefined) return undefined;
  return noiseFor(dp.mechanism, sensitivityOf(measuredType(vdafConfiguration, aggregationParameter), dp.adjacency));
}

/**
 * Adds the noise of a task. The result is sealed and kept: a share that was asked for twice must not get other noise.
 *
 * @param aggregationParameter - encoded
 * @param aggregateShare - encoded; not changed
 * @param bits - of this aggregator, secret
 * @returns the share itself for a task without noise
 * @throws {@link DapError} `TASK_UNSUPPORTED` when the sensitivity of the VDAF is not known
 */
export function addTaskNoise(
  task: Task,
  aggregationParameter: Uint8Array,
  aggregateShare: Uint8Array,
  bits: RandomBits,
): Uint8Array {
  const noise = taskNoise(task, aggregationParameter);
  if (noise === undefined) return aggregateShare;
  const modulus = modulusOf(aggregateShare, noise.length);
  const encodedSize = aggregateShare.length / noise.length;
  return addNoiseEncoded(aggregateShare, drawNoise(noise, bits), { modulus, encodedSize });
}

/** The words of the package that knows sensitivities. */
function measuredType(configuration: VdafConfiguration, aggregationParameter: Uint8Array): MeasuredType {
  switch (configuration.kind) {
    case 'count':
      return { type: 'count' };
    case 'sum':
      return { type: 'sum', max: BigInt(configuration.maxMeasurement) };
    case 'sumVec':
      return { type: 'sumVec', length: configuration.length, max: BigInt(configuration.maxMeasurement) };
    case 'histogram':
      return { type: 'histogram', length: configuration.length };
    case 'multihotCountVec':
      return { type: 'multihot', length: configuration.length, maxWeight: configuration.maxWeight };
    case 'l1BoundSum':
      return { type: 'l1BoundSum', length: configuration.length, max: BigInt(configuration.maxValue) };
    case 'linReg':
      return { type: 'linReg', maxima: configuration.maxValues.map((value) => BigInt(value)) };
    case 'poplar1':
      return { type: 'poplar1', prefixes: prefixCount(aggregationParameter) };
    case 'unknown':
      throw new DapError('TASK_UNSUPPORTED', 'Cannot add noise: the sensitivity of the VDAF is not known');
  }
}

/** struct { uint16 level; uint32 num_prefixes; ... }. VDAF §8.2.6.6 */
function prefixCount(aggregationParameter: Uint8Array): number {
  const reader = new Reader(aggregationParameter, 'aggregation parameter');
  reader.u16();
  return reader.u32();
}
