/** A request about a task, as its handler gets it. */
import { DapError, type MessageName, messageNameOf } from '@privacy-edge/dap';
import type { RoleRequest } from '@privacy-edge/http-exchange';
import type { AggregatorContext } from './aggregator-context.ts';
import { RequestError } from './request-error.ts';
import type { TaskContext } from './task-context.ts';

/** A request for which task, path and right to ask have been found. */
export interface TaskRequest {
  readonly context: AggregatorContext;
  readonly taskContext: TaskContext;
  readonly request: RoleRequest;
  /** Of the resource; undefined where resources are created. */
  readonly resource: Uint8Array | undefined;
  /** Parameters of the path. */
  readonly query: URLSearchParams;
}

/**
 * Reads a message.
 *
 * @param names - which it may be
 * @throws {@link RequestError} `MEDIA_TYPE_UNSUPPORTED`
 * @throws {@link BodyError}
 */
export async function readMessage(
  { request, context }: Pick<TaskRequest, 'request' | 'context'>,
  name: MessageName,
): Promise<Uint8Array> {
  requireMessage(request, name);
  return request.body.read(context.settings.maxMessageBytes);
}

/** @throws {@link RequestError} `MEDIA_TYPE_UNSUPPORTED` */
export function requireMessage(request: RoleRequest, name: MessageName): void {
  if (messageNameOf(request.header('content-type')) !== name) {
    throw new RequestError('MEDIA_TYPE_UNSUPPORTED', `Cannot read request: it is no ${name}`);
  }
}

/** The step that a poll asks for. @throws {@link DapError} `INVALID_MESSAGE` */
export function stepOf({ query }: TaskRequest): number {
  const text = query.get('step') ?? '';
  if (!/^\d{1,5}$/.test(text)) throw new DapError('INVALID_MESSAGE', 'Cannot find answer: the request names no step');
  return Number(text);
}
