/** How long a report of a task is. Found by making one. */
import type { PrivateTask } from '@privacy-edge/analytics';
import { createTaskVdaf, prepareReports, Report, systemRandom, type VdafConfiguration } from '@privacy-edge/dap';
import { padString, type Vdaf } from '@privacy-edge/vdaf';

/**
 * Bytes of one report as it is uploaded, for aggregators with keys of the collector's kind, and without admission.
 *
 * @param task - supported here
 */
export async function reportBytes({ task, collectorConfig }: PrivateTask): Promise<number> {
  const vdaf = createTaskVdaf(task) as Vdaf<unknown, unknown>;
  const maker = await prepareReports(task, vdaf, collectorConfig, collectorConfig);
  // Every report of a task has this length, whatever is measured and whenever.
  const report = await maker.createReport(nothing(task.vdafConfiguration), new Date(0), systemRandom);
  return Report.encode(report).length;
}

/** A measurement that says nothing. */
function nothing(configuration: VdafConfiguration): unknown {
  switch (configuration.kind) {
    case 'count':
      return false;
    case 'sum':
    case 'histogram':
      return 0;
    case 'sumVec':
    case 'l1BoundSum':
      return new Array(configuration.length).fill(0);
    case 'multihotCountVec':
      return new Array(configuration.length).fill(false);
    case 'linReg':
      return configuration.maxValues.map(() => 0);
    case 'poplar1':
      return padString(new Uint8Array(0), configuration.bits);
    case 'unknown':
      throw new TypeError('A task that can be read has a known VDAF');
  }
}
