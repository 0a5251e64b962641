/** Where the resources of an aggregator are. DAP §3 and Appendix A. */
import { DecodeError, fromBase64Url, toBase64Url } from '@privacy-edge/bytes';
import { TASK_ID_BYTES } from './field.ts';
import type { ResourceKind } from './resource-id.ts';

/** Path of the HPKE configurations, relative to the endpoint of an aggregator. */
export const HPKE_CONFIG_PATH = 'hpke_config';

/** Path that reports of a task are posted to, relative to the leader's endpoint. */
export function reportsPath(taskId: Uint8Array): string {
  return `tasks/${toBase64Url(taskId)}/reports`;
}

/**
 * Path where resources of a kind are created, or of one of them, relative to the endpoint of the aggregator that has them.
 *
 * @param id - of the resource, if it is there already; its bytes mean nothing to anybody but the server that chose it
 */
export function resourcePath(taskId: Uint8Array, kind: ResourceKind, id?: Uint8Array): string {
  const collection = `tasks/${toBase64Url(taskId)}/${kind}`;
  return id === undefined ? collection : `${collection}/${toBase64Url(id)}`;
}

/**
 * URL of a resource. The endpoint is taken as it is but for a slash at its end, which stands between the two anyway.
 *
 * @param endpoint - from the task configuration
 * @param path - from this module
 * @see DAP §3
 */
export function resourceUrl(endpoint: string, path: string): string {
  return `${endpoint.endsWith('/') ? endpoint.slice(0, -1) : endpoint}/${path}`;
}

/**
 * Reads a task identifier out of a path.
 *
 * @param segment - attacker-controlled
 * @returns undefined when it is none
 */
export function parseTaskId(segment: string): Uint8Array | undefined {
  const taskId = parseResourceId(segment);
  return taskId?.length === TASK_ID_BYTES ? taskId : undefined;
}

/**
 * Reads the identifier of a resource of this server out of a path.
 *
 * @param segment - attacker-controlled
 * @returns undefined when it is not base64url
 */
export function parseResourceId(segment: string): Uint8Array | undefined {
  try {
    return fromBase64Url(segment);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
