/** What a leader asks of a helper, and how it reads the answer. DAP §3.1, §3.2 and §3.6. */
import { DecodeError } from '@privacy-edge/bytes';
import {
  formatTaskprov,
  type MessageName,
  mediaTypeOf,
  messageNameOf,
  type ProblemCode,
  problemCode,
} from '@privacy-edge/dap';
import type { ExchangeField } from '@privacy-edge/http-exchange';
import { decodeProblem, isMediaType, PROBLEM_MEDIA_TYPE } from '@privacy-edge/http-fields';
import type { AggregatorContext } from './aggregator-context.ts';
import { PeerError, type PeerResponse } from './ports.ts';
import type { TaskContext } from './task-context.ts';

/** What the helper said. */
export type PeerAnswer =
  /** The message, and where its resource is if that was told. */
  | { readonly kind: 'message'; readonly body: Uint8Array; readonly location: string | undefined }
  /** Not yet. */
  | { readonly kind: 'deferred'; readonly location: string | undefined; readonly retryAfterMs: number }
  /** It will not, for a reason that DAP has a name for, which the same request would meet again. */
  | { readonly kind: 'refused'; readonly problem: ProblemCode }
  /** It will not, without such a reason; perhaps because the request was too long. */
  | { readonly kind: 'rejected'; readonly isTooLarge: boolean }
  /** It could not, or there is no answer: the same request may have another answer later. */
  | { readonly kind: 'failed'; readonly retryAfterMs: number | undefined };

/** A request of the leader. */
export interface PeerCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  /** Message to send, unless it is a GET or DELETE. */
  readonly request?: { readonly name: MessageName; readonly body: Uint8Array };
  /** Message that is expected. */
  readonly expects?: MessageName;
}

/** Asks the helper of a task once. */
export async function askHelper(
  context: AggregatorContext,
  taskContext: TaskContext,
  call: PeerCall,
): Promise<PeerAnswer> {
  const { method, url, request } = call;
  const { peerTimeoutMs: timeoutMs, maxMessageBytes: maxBytes } = context.settings;
  const fields = fieldsOf(taskContext, call);
  try {
    const body = request?.body ?? null;
    return readAnswer(
      context,
      taskContext,
      call,
      await context.transport({ method, url, fields, body, timeoutMs, maxBytes }),
    );
  } catch (error) {
    if (error instanceof PeerError) return { kind: 'failed', retryAfterMs: undefined };
    throw error;
  }
}

function fieldsOf({ row, task }: TaskContext, { request }: PeerCall): ExchangeField[] {
  const fields: ExchangeField[] = [];
  if (request !== undefined) fields.push(['content-type', mediaTypeOf(request.name)]);
  const { peerAuthorization } = row.access;
  if (peerAuthorization !== undefined) fields.push(['authorization', peerAuthorization]);
  // Taskprov §3.7.2: the helper learns about the task from us.
  if (row.isAdvertised) fields.push(['dap-taskprov', formatTaskprov(task.configuration)]);
  return fields;
}

function readAnswer(
  context: AggregatorContext,
  taskContext: TaskContext,
  { url, expects }: PeerCall,
  response: PeerResponse,
): PeerAnswer {
  const { status, body } = response;
  const retryAfterMs = retryAfter(context, response);
  if (status >= 200 && status < 300) {
    const location = locationOf(taskContext, url, response.header('location'));
    if (body.length === 0) {
      return { kind: 'deferred', location, retryAfterMs: retryAfterMs ?? context.settings.retryAfterMs };
    }
    // Whatever stands between us and the helper may answer 200 with a page of its own.
    if (messageNameOf(response.header('content-type')) !== expects) return { kind: 'failed', retryAfterMs };
    return { kind: 'message', body, location };
  }
  if (status < 400 || status >= 500 || TRANSIENT.has(status)) return { kind: 'failed', retryAfterMs };
  const problem = problemOf(response);
  // A helper that does not know the task yet, or our token, may learn of it.
  if (problem === 'UNRECOGNIZED_TASK') return { kind: 'failed', retryAfterMs };
  return problem === undefined
    ? { kind: 'rejected', isTooLarge: status === CONTENT_TOO_LARGE }
    : { kind: 'refused', problem };
}

/** RFC 9110 §15.5.14. */
const CONTENT_TOO_LARGE = 413;

/** Not about the request: who asks, how often, how fast. */
const TRANSIENT: ReadonlySet<number> = new Set([401, 403, 407, 408, 421, 425, 429]);

function problemOf(response: PeerResponse): ProblemCode | undefined {
  if (!isMediaType(response.header('content-type'), PROBLEM_MEDIA_TYPE)) return undefined;
  try {
    return problemCode(decodeProblem(response.body).type);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Seconds only: a date would need the helper's clock. RFC 9110 §10.2.3. */
function retryAfter({ settings }: AggregatorContext, response: PeerResponse): number | undefined {
  const text = response.header('retry-after')?.trim() ?? '';
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text) * 1000, settings.maxRetryAfterMs) : undefined;
}

/**
 * The resource of an answer, without its query.
 *
 * The credentials of the task go there, so it must be below the helper's endpoint. A path that begins with `/tasks/` is
 * relative to the endpoint, which is how DAP §4.5.4.2 writes it.
 *
 * @returns undefined when there is none, or it is somewhere else
 */
function locationOf({ task }: TaskContext, url: string, location: string | undefined): string | undefined {
  if (location === undefined) return undefined;
  const endpoint = task.configuration.helperAggregatorEndpoint.replace(/\/$/, '');
  const base = URL.parse(endpoint);
  const found = location.startsWith('/tasks/') ? URL.parse(endpoint + location) : URL.parse(location, url);
  if (found === null || base === null || found.origin !== base.origin) return undefined;
  if (found.username !== '' || found.password !== '') return undefined;
  if (!found.pathname.startsWith(`${base.pathname.replace(/\/$/, '')}/`)) return undefined;
  return `${found.origin}${found.pathname}`;
}
