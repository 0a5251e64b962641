/** Answers of an aggregator, and the errors that become problem documents. DAP §3.1, §3.6; RFC 9457. */
import { DecodeError, toBase64Url } from '@privacy-edge/bytes';
import {
  DapError,
  isProblemCode,
  type MessageName,
  mediaTypeOf,
  type ProblemCode,
  problemType,
} from '@privacy-edge/dap';
import { BodyError, type ExchangeField, type RoleResponse } from '@privacy-edge/http-exchange';
import { encodeProblem, PROBLEM_MEDIA_TYPE } from '@privacy-edge/http-fields';
import type { RequestOutcome } from './observation.ts';
import { RequestError, type RequestErrorCode } from './request-error.ts';

/** A message. */
export function messageAnswer(
  name: MessageName,
  body: Uint8Array,
  fields: readonly ExchangeField[] = [],
  status = 200,
): RoleResponse {
  return { status, fields: [['content-type', mediaTypeOf(name)], ...fields], body };
}

/**
 * "Not yet": a success without content.
 *
 * @param location - where to ask, with what must be asked
 * @see DAP §3.1
 */
export function deferredAnswer(location: string, retryAfterMs: number, status = 200): RoleResponse {
  const fields: ExchangeField[] = [
    ['location', location],
    ['retry-after', String(Math.ceil(retryAfterMs / 1000))],
  ];
  return { status, fields, body: null };
}

/** A status without content. */
export function emptyAnswer(status: number, fields: readonly ExchangeField[] = []): RoleResponse {
  return { status, fields, body: null };
}

/** What is answered to an error, and how it is counted; undefined for a fault. */
export interface Refusal {
  readonly response: RoleResponse;
  readonly outcome: RequestOutcome;
}

/**
 * Turns what a peer has caused into an answer.
 *
 * @param taskId - when the request names one
 * @returns undefined for a defect, which is for the adapter to answer
 * @see DAP §3.6
 */
export function refusalOf(error: unknown, taskId: Uint8Array | undefined): Refusal | undefined {
  if (error instanceof DapError && isProblemCode(error.code)) return dapRefusal(error, error.code, taskId);
  if (error instanceof DecodeError) {
    const invalid = new DapError('INVALID_MESSAGE', 'Cannot read request: it is malformed');
    return dapRefusal(invalid, 'INVALID_MESSAGE', taskId);
  }
  if (error instanceof BodyError) {
    const { status, outcome } = BODY_REFUSALS[error.code];
    return { response: emptyAnswer(status), outcome };
  }
  if (!(error instanceof RequestError)) return undefined;
  if (error.code === 'UNAUTHORIZED') return unauthorized(taskId);
  const { status, outcome } = REQUEST_REFUSALS[error.code];
  const fields: ExchangeField[] = error.allow.length > 0 ? [['allow', error.allow.join(', ')]] : [];
  if (error.retryAfter !== undefined) fields.push(['retry-after', String(error.retryAfter)]);
  return { response: emptyAnswer(status, fields), outcome };
}

/** The problem document of a failure. */
export function problemAnswer(
  code: ProblemCode,
  detail: string,
  taskId: Uint8Array | undefined,
  unsupportedExtensions?: readonly number[],
): RoleResponse {
  const status = STATUS[code];
  const extensions = {
    ...(taskId === undefined ? {} : { taskid: toBase64Url(taskId) }),
    ...(unsupportedExtensions === undefined ? {} : { unsupported_extensions: unsupportedExtensions }),
  };
  return {
    status,
    fields: [['content-type', PROBLEM_MEDIA_TYPE]],
    body: encodeProblem({ type: problemType(code), title: detail, status, extensions }),
  };
}

function dapRefusal(error: DapError, code: ProblemCode, taskId: Uint8Array | undefined): Refusal {
  const response = problemAnswer(code, error.message, taskId, error.unsupportedExtensions);
  return { response, outcome: code.toLowerCase() as Lowercase<ProblemCode> };
}

/** Byte for byte the same for an unknown task and for whoever may not ask about a known one. */
function unauthorized(taskId: Uint8Array | undefined): Refusal {
  const title = 'Cannot find task: it does not exist, or not for this client';
  const { status, fields, body } = problemAnswer('UNRECOGNIZED_TASK', title, taskId);
  return { response: { status, fields: [...fields, ['www-authenticate', 'Bearer']], body }, outcome: 'unauthorized' };
}

const STATUS: Readonly<Record<ProblemCode, number>> = {
  INVALID_MESSAGE: 400,
  UNRECOGNIZED_TASK: 404,
  UNRECOGNIZED_AGGREGATION_JOB: 404,
  BATCH_INVALID: 400,
  INVALID_BATCH_SIZE: 400,
  INVALID_AGGREGATION_PARAMETER: 400,
  BATCH_MISMATCH: 400,
  STEP_MISMATCH: 409,
  BATCH_OVERLAP: 409,
  UNSUPPORTED_EXTENSION: 400,
  INVALID_EXTENSION: 400,
  INVALID_TASK: 400,
};

const BODY_REFUSALS = {
  TOO_LARGE: { status: 413, outcome: 'too_large' },
  TIMEOUT: { status: 408, outcome: 'timeout' },
  ABORTED: { status: 400, outcome: 'client_gone' },
} as const;

const REQUEST_REFUSALS: Readonly<
  Record<Exclude<RequestErrorCode, 'UNAUTHORIZED'>, { readonly status: number; readonly outcome: RequestOutcome }>
> = {
  NOT_FOUND: { status: 404, outcome: 'not_found' },
  METHOD_NOT_ALLOWED: { status: 405, outcome: 'method' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, outcome: 'media_type' },
  TOO_LARGE: { status: 413, outcome: 'too_large' },
  TOO_MANY: { status: 429, outcome: 'deferred' },
};
