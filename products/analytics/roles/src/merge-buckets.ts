/** Keeps the number of parts of each bucket small. DAP §6.4.1. */
import { mergeAggregates } from '@privacy-edge/dap';
import { type AggregatorContext, tasksOf } from './aggregator-context.ts';

const BUCKETS_PER_TASK = 100;

/**
 * Looks at all tasks once.
 *
 * @returns how many buckets were merged
 */
export async function mergeBuckets(context: AggregatorContext): Promise<number> {
  const { store, settings } = context;
  let merged = 0;
  for await (const { task } of tasksOf(context)) {
    for (const parts of await store.bucketsToMerge(task.taskId, settings.maxParts, BUCKETS_PER_TASK)) {
      const [first] = parts;
      if (first === undefined) continue;
      const { bucket, aggregationParameter } = first;
      const sum = mergeAggregates(task.vdaf, aggregationParameter, parts);
      const numbers = parts.map(({ part }) => part);
      const isReplaced = await store.replaceParts(task.taskId, numbers, { ...sum, bucket, aggregationParameter });
      if (isReplaced) merged += 1;
    }
  }
  return merged;
}
