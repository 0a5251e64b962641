/** Which resource a path names. DAP §3 and Appendix A. */
import { parseResourceId, parseTaskId, type ResourceKind } from '@privacy-edge/dap';

/** A resource of an aggregator. */
export type Route =
  | { readonly resource: 'hpke_config' }
  | { readonly resource: 'reports'; readonly taskId: Uint8Array }
  | {
      readonly resource: ResourceKind;
      readonly taskId: Uint8Array;
      /** Undefined where resources are created. */
      readonly id: Uint8Array | undefined;
      readonly query: URLSearchParams;
    };

const KINDS: readonly string[] = ['aggregation_jobs', 'collection_jobs', 'aggregate_shares'];

/**
 * Reads a path.
 *
 * @param path - path and query as received; attacker-controlled
 * @param basePath - below which everything is
 * @returns undefined when it names nothing
 */
export function routeOf(path: string, basePath: string): Route | undefined {
  const at = path.indexOf('?');
  const plain = at < 0 ? path : path.slice(0, at);
  if (!plain.startsWith(`${basePath}/`)) return undefined;
  const [first, task = '', kind = '', id, ...rest] = plain.slice(basePath.length + 1).split('/');
  if (first === 'hpke_config' && task === '' && !plain.endsWith('/')) return { resource: 'hpke_config' };
  const taskId = parseTaskId(task);
  if (first !== 'tasks' || taskId === undefined || rest.length > 0) return undefined;
  if (kind === 'reports' && id === undefined) return { resource: 'reports', taskId };
  if (!isKind(kind)) return undefined;
  const resourceId = id === undefined ? undefined : parseResourceId(id);
  if (id !== undefined && (resourceId === undefined || resourceId.length === 0)) return undefined;
  const query = new URLSearchParams(at < 0 ? '' : path.slice(at + 1));
  return { resource: kind, taskId, id: resourceId, query };
}

function isKind(text: string): text is ResourceKind {
  return KINDS.includes(text);
}
