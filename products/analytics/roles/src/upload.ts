/** Uploads, at the leader. DAP §4.4.2.2. */
import {
  type AggregatorTask,
  BATCH_MODE_TIME_INTERVAL,
  checkUpload,
  DapError,
  hasPossibleSize,
  REPORT_ERROR,
  Report,
  type ReportError,
  type ReportUploadStatus,
  ROLE_LEADER,
  UploadErrors,
  UploadReader,
  unsupportedExtensions,
} from '@privacy-edge/dap';
import { BodyError, type RoleResponse } from '@privacy-edge/http-exchange';
import { nowOf } from './aggregator-context.ts';
import { emptyAnswer, messageAnswer } from './answer.ts';
import { Tally } from './counting.ts';
import type { PutOutcome } from './store.ts';
import type { CounterName, Counters } from './store-rows.ts';
import { requireMessage, type TaskRequest } from './task-request.ts';

/**
 * Takes reports as they arrive. What was stored stays stored when the rest of the upload is refused: a client that sends all
 * of it again does no harm.
 *
 * @throws {@link DapError} `UNRECOGNIZED_TASK`, `UNSUPPORTED_EXTENSION`
 * @throws {@link DecodeError} for a malformed upload
 * @throws {@link BodyError}
 */
export async function postReports(taskRequest: TaskRequest): Promise<RoleResponse> {
  const { context, taskContext, request } = taskRequest;
  if (taskContext.task.role !== ROLE_LEADER) {
    throw new DapError('UNRECOGNIZED_TASK', 'Cannot upload: this aggregator is not the leader of the task');
  }
  requireMessage(request, 'upload-req');
  const { maxReportBytes, maxUploadBytes, uploadBatch } = context.settings;
  const upload = new Upload(taskRequest, await context.keys.isKnown(context.clock()));
  const reader = new UploadReader(maxReportBytes);
  let total = 0;
  let gathered: Report[] = [];
  for await (const piece of request.body.stream()) {
    total += piece.length;
    if (total > maxUploadBytes) throw new BodyError('TOO_LARGE', 'Cannot read upload: it is too long');
    gathered.push(...reader.push(piece));
    while (gathered.length >= uploadBatch) {
      await upload.store(gathered.slice(0, uploadBatch));
      gathered = gathered.slice(uploadBatch);
    }
  }
  reader.end();
  await upload.store(gathered);
  const { errors } = upload;
  return errors.length === 0 ? emptyAnswer(200) : messageAnswer('upload-errors', UploadErrors.encode(errors));
}

/** One upload, in as many transactions as it takes. */
class Upload {
  readonly #request: TaskRequest;
  readonly #isKnownConfig: (configId: number) => boolean;
  /** In the order of the request. */
  readonly errors: ReportUploadStatus[] = [];

  constructor(request: TaskRequest, isKnownConfig: (configId: number) => boolean) {
    this.#request = request;
    this.#isKnownConfig = isKnownConfig;
  }

  async store(reports: readonly Report[]): Promise<void> {
    if (reports.length === 0) return;
    const { context, taskContext } = this.#request;
    const { task } = taskContext;
    const unsupported = unsupportedExtensions(task, reports);
    if (unsupported.length > 0) {
      throw new DapError('UNSUPPORTED_EXTENSION', 'Cannot upload: a report extension is unknown', {
        unsupportedExtensions: unsupported,
      });
    }
    const now = nowOf(context);
    const tally = new Tally('upload');
    const errors = reports.map((report) => uploadError(task, report, this.#isKnownConfig, now));
    for (const error of errors) if (error !== undefined) tally.reject(error);
    const good = reports.filter((_, i) => errors[i] === undefined);
    const rows = good.map((report) => {
      const { reportId, time } = report.reportMetadata;
      return { reportId, time, report: Report.encode(report) };
    });
    const isInterval = task.configuration.batchMode === BATCH_MODE_TIME_INTERVAL;
    const counters = tally.rejections();
    const outcomes = await context.store.putReports(task.taskId, rows, now, isInterval, counters);
    let at = 0;
    for (const [i, { reportMetadata }] of reports.entries()) {
      const error = errors[i] ?? errorOf(outcomes[at++], tally);
      if (error !== undefined) this.errors.push({ id: reportMetadata.reportId, error });
    }
    await this.#countRefused(tally.rejections(), counters);
    tally.report(context.observe);
  }

  /** What the transaction has refused; a crash before this loses a number and nothing else. */
  async #countRefused(all: Counters, counted: Counters): Promise<void> {
    const { context, taskContext } = this.#request;
    const names = Object.keys(all) as CounterName[];
    const rest = names
      .map((name) => [name, (all[name] ?? 0) - (counted[name] ?? 0)] as const)
      .filter(([, by]) => by > 0);
    if (rest.length > 0) await context.store.addCounters(taskContext.task.taskId, Object.fromEntries(rest));
  }
}

/** Reports of one job travel together: none may be so long that the helper would not read the others either. */
function uploadError(
  task: AggregatorTask,
  report: Report,
  isKnownConfig: (configId: number) => boolean,
  now: Date,
): ReportError | undefined {
  const error = checkUpload(task, report, isKnownConfig, now);
  if (error !== undefined) return error;
  return hasPossibleSize(task, report) ? undefined : REPORT_ERROR.INVALID_MESSAGE;
}

/**
 * A report that was uploaded before is dropped without a word: a client that did not hear of its success asks again, and has
 * nothing to repair. DAP §4.4.2.2 names the error for one whose batch was collected.
 */
function errorOf(outcome: PutOutcome | undefined, tally: Tally): ReportError | undefined {
  if (outcome === 'stored') tally.accepted += 1;
  if (outcome === 'replayed') tally.duplicates += 1;
  if (outcome === 'stored' || outcome === 'replayed') return undefined;
  const error = outcome === 'collected' ? REPORT_ERROR.REPORT_REPLAYED : REPORT_ERROR.REPORT_DROPPED;
  tally.reject(error);
  return error;
}
