/** Collection jobs at the leader. DAP §4.6.1 and §4.6.3. */
import { CollectionJobReq, CollectionJobResp, resourcePath, resourceUrl, type Task } from '@privacy-edge/dap';
import { AnalyticsError } from '../analytics-error.ts';
import { type Answer, exchange, requireMessage, retryAfterMs } from '../exchange.ts';
import type { CollectorSettings } from './options.ts';

const ACTION = 'collect';

/** Longest answer that is read: shares of millions of buckets. */
const MAX_ANSWER_BYTES = 2 ** 28;

/** Shortest pause between two questions, whatever the leader says. */
const MIN_POLL_MS = 100;

/** A job that is done. */
export interface FinishedJob {
  readonly url: string;
  /** Encoded CollectionJobResp. */
  readonly response: Uint8Array;
}

/**
 * Creates a job and waits until it is done. The same request leads to the same job, so that a lost answer, or a collector
 * that starts again, loses nothing.
 *
 * @param request - encoded CollectionJobReq
 * @param signal - of the caller; the job goes on at the leader
 * @throws {@link AnalyticsError} `UNREACHABLE`, `TIMEOUT`, `REFUSED`, `ANSWER_INVALID`
 * @see DAP §4.6.1
 */
export async function runJob(
  settings: CollectorSettings,
  task: Task,
  request: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<FinishedJob> {
  const endpoint = task.configuration.leaderAggregatorEndpoint;
  const created = resourceUrl(endpoint, resourcePath(task.taskId, 'collection_jobs'));
  let answer = await send(settings, 'POST', created, request, signal);
  const url = locationOf(answer, created);
  settings.onEvent({ type: 'created' });
  // DAP §3.1: an empty body means that the leader is not ready.
  while (answer.body.length === 0) {
    const pauseMs = Math.max(MIN_POLL_MS, retryAfterMs(answer.headers, settings.network.now()) ?? settings.pollMs);
    settings.onEvent({ type: 'waiting', pauseMs });
    await settings.network.wait(pauseMs, signal);
    answer = await send(settings, 'GET', url, undefined, signal);
  }
  requireMessage(answer, 'collection-job-resp', ACTION);
  return { url, response: answer.body };
}

/**
 * Tells the leader that a job is not needed any more. In the leader-selected mode this is what makes the next one possible:
 * all requests are alike there, and lead to the same job as long as there is one.
 *
 * @returns whether the leader heard it
 * @see DAP §4.6.3
 */
export async function deleteJob(settings: CollectorSettings, { url }: FinishedJob): Promise<boolean> {
  try {
    await send(settings, 'DELETE', url, undefined, undefined);
    return true;
  } catch (error) {
    if (!(error instanceof AnalyticsError)) throw error;
    // It is not there any more: an earlier try has reached the leader.
    return error.status === 404 || error.status === 410;
  }
}

function send(
  { network, authorization }: CollectorSettings,
  method: 'POST' | 'GET' | 'DELETE',
  url: string,
  body: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const token = authorization();
  const headers = {
    ...(token !== undefined && { authorization: token }),
    ...(body !== undefined && { 'content-type': CollectionJobReq.mediaType ?? '' }),
    ...(method !== 'DELETE' && { accept: CollectionJobResp.mediaType ?? '' }),
  };
  const request = {
    action: ACTION,
    method,
    url,
    headers,
    maxBytes: MAX_ANSWER_BYTES,
    ...(body !== undefined && { body }),
  };
  return exchange(network, request, signal);
}

/** DAP §3.2. The token goes there, so it must not lead to somebody else. */
function locationOf({ headers }: Answer, created: string): string {
  const location = headers.get('location');
  const url = location !== null && URL.canParse(location, created) ? new URL(location, created) : undefined;
  if (url === undefined || url.origin !== new URL(created).origin) {
    throw new AnalyticsError('ANSWER_INVALID', 'Cannot collect: the leader does not say where the job is');
  }
  return url.href;
}
