/** The VDAF of a task. DAP §4.2. */
import { createVdaf, VdafError } from '@privacy-edge/vdaf';
import { DapError } from './dap-error.ts';
import type { AggregatedVdaf, Task } from './task.ts';

/**
 * Makes the VDAF that a task configuration describes. Who knows which VDAF it is makes it with `createVdaf`, to have its
 * measurements and results typed.
 *
 * @throws {@link DapError} `TASK_UNSUPPORTED` for an unknown type, or parameters that there is no VDAF for
 */
export function createTaskVdaf({ vdafConfiguration }: Task): AggregatedVdaf {
  if (vdafConfiguration.kind === 'unknown') throw unsupported();
  try {
    return createVdaf(vdafConfiguration);
  } catch (error) {
    throw error instanceof VdafError || error instanceof RangeError ? unsupported(error) : error;
  }
}

function unsupported(cause?: unknown): DapError {
  return new DapError('TASK_UNSUPPORTED', 'Cannot take part in task: there is no VDAF of its type and parameters', {
    cause,
  });
}
