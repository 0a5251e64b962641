/** What makes reports, from plain data that can be posted to a worker. */
import { createTask, createTaskVdaf, prepareReports, type ReportMaker, TaskConfiguration } from '@privacy-edge/dap';
import type { ReportsRequest } from './worker-like.ts';

/** Everything but the measurements. */
export type MakerParts = Pick<ReportsRequest, 'taskId' | 'version' | 'configuration' | 'leader' | 'helper'>;

/**
 * Prepares a maker of reports.
 *
 * @throws `DapError` `TASK_UNSUPPORTED`, `CONFIG_UNUSABLE`
 */
export async function makerFor(parts: MakerParts): Promise<ReportMaker<never>> {
  const { taskId, version, configuration, leader, helper } = parts;
  const task = createTask(taskId, TaskConfiguration.decode(configuration), version);
  return prepareReports(task, createTaskVdaf(task), leader, helper);
}
