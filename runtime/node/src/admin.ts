/** The operator's side door: metrics, health and readiness on a port of their own. */

import { isIP } from 'node:net';
import type { RoleHandler, RoleResponse } from '@privacy-edge/http-exchange';
import { type Listener, type ListenerOptions, serve } from './listener.ts';
import type { Metrics, MetricsSnapshot } from './metrics.ts';

/** What the admin listener shows. */
export interface AdminOptions extends ListenerOptions {
  readonly metrics: Metrics;
  /** Snapshots of worker threads, to be added to the own ones. */
  readonly otherMetrics?: () => Promise<readonly MetricsSnapshot[]>;
  /** True while the role can serve; false while it starts, drains, or misses something it needs. */
  readonly ready: () => boolean | Promise<boolean>;
  /** Names, besides the one of `host`, by which this listener may be asked. Addresses and `localhost` always may. */
  readonly names?: readonly string[];
  /** More resources by `METHOD /path`; the query is not part of the key. */
  readonly routes?: Readonly<Record<string, RoleHandler>>;
}

const TEXT = ['content-type', 'text/plain; charset=utf-8'] as const;
const NO_STORE = ['cache-control', 'no-store'] as const;

/**
 * Serves `/metrics`, `/healthz` (the process answers) and `/readyz` (it can serve: 200 or 503). Bind it to an address that
 * clients cannot reach; the default is loopback.
 *
 * A request by any other name than its own is refused with 421: a web page whose name is made to resolve to this machine
 * (DNS rebinding) would otherwise read all of it through the operator's browser.
 *
 * @throws RuntimeError `LISTEN_FAILED`
 */
export function serveAdmin(options: AdminOptions): Promise<Listener> {
  const routes = new Map<string, RoleHandler>(Object.entries(options.routes ?? {}));
  routes.set('GET /healthz', async () => text(200, 'ok\n'));
  routes.set('GET /readyz', async () => ((await options.ready()) ? text(200, 'ready\n') : text(503, 'not ready\n')));
  routes.set('GET /metrics', async () => {
    const body = await options.metrics.text(await options.otherMetrics?.());
    return { ...text(200, body), fields: [['content-type', options.metrics.contentType], NO_STORE] };
  });
  const names = new Set([options.host ?? 'localhost', ...(options.names ?? [])].map((name) => name.toLowerCase()));
  return serve(async (request) => {
    if (!isAskedByName(request.header('host'), names)) return text(421, 'not known by this name\n');
    const path = request.path.split('?', 1)[0] ?? '';
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handler = routes.get(`${method} ${path}`);
    return handler === undefined ? text(404, 'not found\n') : handler(request);
  }, options);
}

/**
 * Whether a Host is one of ours. An address cannot be rebound: the page would have to come from here. Nor can a request without
 * Host, which no browser sends.
 */
function isAskedByName(host: string | undefined, names: ReadonlySet<string>): boolean {
  if (host === undefined) return true;
  const [, bracketed, plain = ''] = HOST.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  const name = plain.toLowerCase();
  return isIP(name) === 4 || name === 'localhost' || names.has(name);
}

/** RFC 9110 §7.2: a host and perhaps a port. */
const HOST = /^(?:\[([^\]]+)\]|([^\s:@/?#[\]]+))(?::[0-9]{0,5})?$/;

function text(status: number, body: string): RoleResponse {
  return { status, fields: [TEXT, NO_STORE], body: Buffer.from(body) };
}
