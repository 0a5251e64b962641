/** An aggregator's own share of a batch, with the noise of the task, sealed to the collector. DAP §4.6.7 and §8.5. */
import { type Aggregate, addTaskNoise, type HpkeCiphertext, sealAggregateShare } from '@privacy-edge/dap';
import { RandomBits } from '@privacy-edge/dp';
import type { AggregatorContext } from './aggregator-context.ts';
import type { TaskContext } from './task-context.ts';

/**
 * Makes the share that leaves this aggregator. It is stored before it is told to anybody: whoever got two of them could
 * average the noise away.
 *
 * @param encodedRequest - the collector's `CollectionJobReq`
 */
export async function sealNoisyShare(
  { random }: AggregatorContext,
  { task, sealer }: TaskContext,
  aggregationParameter: Uint8Array,
  encodedRequest: Uint8Array,
  { aggregateShare }: Aggregate,
): Promise<HpkeCiphertext> {
  const noisy = addTaskNoise(task, aggregationParameter, aggregateShare, new RandomBits(random));
  return sealAggregateShare(task, sealer, encodedRequest, noisy, random);
}
