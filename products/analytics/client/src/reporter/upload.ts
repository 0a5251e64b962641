/** Uploads. DAP §4.4.2. */
import { DecodeError, joinBytes, toHex } from '@privacy-edge/bytes';
import {
  REPORT_ERROR,
  type ReportError,
  reportsPath,
  resourceUrl,
  type Task,
  UploadErrors,
  UploadRequest,
} from '@privacy-edge/dap';
import { AnalyticsError } from '../analytics-error.ts';
import { exchange, type Network, requireMessage } from '../exchange.ts';
import type { MadeReport } from './report-press.ts';

const ACTION = 'upload reports';

/** Bytes of one ReportUploadStatus. */
const STATUS_BYTES = 17;

/**
 * Posts reports to the leader.
 *
 * @param reports - at least one
 * @param signal - of the caller
 * @returns for each report what is wrong with it, or undefined when the leader has it
 * @throws {@link AnalyticsError} `UNREACHABLE`, `TIMEOUT`, `REFUSED`, `ANSWER_INVALID`
 * @see DAP §4.4.2.2
 */
export async function upload(
  network: Network,
  { configuration, taskId }: Task,
  reports: readonly MadeReport[],
  signal: AbortSignal | undefined,
): Promise<(ReportError | undefined)[]> {
  const request = {
    action: ACTION,
    method: 'POST',
    url: resourceUrl(configuration.leaderAggregatorEndpoint, reportsPath(taskId)),
    headers: { 'content-type': UploadRequest.mediaType ?? '' },
    // Reports back to back are an upload request.
    body: joinBytes(reports.map(({ encoded }) => encoded)),
    maxBytes: STATUS_BYTES * reports.length,
  } as const;
  const answer = await exchange(network, request, signal);
  if (answer.body.length === 0) return reports.map(() => undefined);
  requireMessage(answer, 'upload-errors', ACTION);
  const statuses = readStatuses(answer.body, reports);
  // Identifiers are fresh: the leader has seen this one because an earlier try reached it.
  return statuses.map((error) => (answer.repeated && error === REPORT_ERROR.REPORT_REPLAYED ? undefined : error));
}

/** Failures only, in the order of the request. */
function readStatuses(body: Uint8Array, reports: readonly MadeReport[]): (ReportError | undefined)[] {
  const errors = new Map(decodeErrors(body).map(({ id, error }) => [toHex(id), error]));
  const found = reports.map(({ reportId }) => errors.get(toHex(reportId)));
  const known = found.filter((error) => error !== undefined).length;
  if (known * STATUS_BYTES !== body.length) throw answerInvalid();
  return found;
}

function decodeErrors(body: Uint8Array): ReturnType<typeof UploadErrors.decode> {
  try {
    return UploadErrors.decode(body);
  } catch (error) {
    throw error instanceof DecodeError ? answerInvalid(error) : error;
  }
}

function answerInvalid(cause?: unknown): AnalyticsError {
  return new AnalyticsError('ANSWER_INVALID', `Cannot ${ACTION}: the list of errors does not fit the reports`, {
    cause,
  });
}
