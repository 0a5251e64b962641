/** The other end of a reporter's worker: makes reports. */
import { Report, type ReportMaker, systemRandom } from '@privacy-edge/dap';
import { makerFor } from '../reporter/report-maker.ts';
import { onMessage, type PortLike, type ReportsReply, type ReportsRequest } from '../reporter/worker-like.ts';

/**
 * Answers the requests of a reporter.
 *
 * @param port - the worker's end of its channel: its global scope, or `parentPort` of `node:worker_threads`
 *
 * @example
 * // report-worker.js, on Node; in browsers the module `@privacy-edge/analytics/worker` does it by itself
 * import { parentPort } from 'node:worker_threads';
 * import { serveReports } from '@privacy-edge/analytics/worker';
 * serveReports(parentPort);
 */
export function serveReports(port: PortLike): void {
  let last: Prepared | undefined;
  onMessage(port, (message) => {
    // Nobody but the reporter has the other end.
    const request = message as ReportsRequest;
    last = prepared(request, last);
    void answer(request, last.maker).then((reply) => {
      port.postMessage(reply, 'reports' in reply ? reply.reports.map(({ buffer }) => buffer as ArrayBuffer) : []);
    });
  });
}

/** What consecutive requests for the same keys share. */
interface Prepared {
  readonly key: string;
  readonly maker: Promise<ReportMaker<never>>;
}

function prepared(request: ReportsRequest, last: Prepared | undefined): Prepared {
  const { version, taskId, configuration, leader, helper } = request;
  const key = [version, taskId, configuration, leader.id, leader.publicKey, helper.id, helper.publicKey].join();
  return last?.key === key ? last : { key, maker: makerFor(request) };
}

async function answer({ id, orders }: ReportsRequest, making: Promise<ReportMaker<never>>): Promise<ReportsReply> {
  try {
    const maker = await making;
    const reports: Uint8Array[] = [];
    for (const { measurement, timeMs, extensions } of orders) {
      const report = await maker.createReport(measurement as never, new Date(timeMs), systemRandom, extensions);
      reports.push(Report.encode(report));
    }
    return { id, reports };
  } catch {
    return { id, failed: true };
  }
}
