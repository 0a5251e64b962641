/** Forgets what is not needed any more. DAP §6.4.1. */
import { taskTime } from '@privacy-edge/dap';
import { type AggregatorContext, tasksOf } from './aggregator-context.ts';

const ROWS = 1000;

/**
 * Looks at all tasks once.
 *
 * @returns whether anything is left for another call
 */
export async function collectGarbage(context: AggregatorContext): Promise<boolean> {
  const { store, settings, clock } = context;
  const nowMs = clock();
  let isMore = false;
  for await (const { task, row } of tasksOf(context)) {
    const endedBefore = new Date(nowMs - settings.keepEndedMs);
    isMore = !(await store.deleteEnded(task.taskId, endedBefore, ROWS)) || isMore;
    if (settings.rememberMs === undefined) continue;
    // A clock that jumps back must not make it remember what it has forgotten.
    const since = Math.max(row.rememberedSince, taskTime(task, new Date(nowMs - settings.rememberMs)));
    isMore = !(await store.forgetBefore(task.taskId, since, ROWS)) || isMore;
  }
  return isMore;
}
