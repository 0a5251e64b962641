/** A node:http application as the target of a gateway in the same process, and the gateway as middleware in front of it. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Field } from '@privacy-edge/bhttp';
import {
  createGateway,
  type FetchTarget,
  type GatewayConfig,
  type GatewayPorts,
  TargetError,
  type TargetRequest,
} from '@privacy-edge/gateway-roles';
import { asAbortSignal } from '@privacy-edge/http-exchange';
import inject from 'light-my-request';
import { IncomingBody } from './incoming-body.ts';
import { Http1Exchange, type ListenerLimits } from './listener-exchange.ts';

/**
 * Makes the requests of a gateway by calling a node:http request listener, such as an Express application.
 *
 * The application gets a request without a connection behind it: `socket.remoteAddress` is `127.0.0.1` for everyone.
 */
export function fetchFromNodeApplication(application: RequestListener): FetchTarget {
  return async (request, cancellation) => {
    const response = await callApplication(application, request, asAbortSignal(cancellation));
    const stream = response.stream();
    return {
      status: response.statusCode,
      fields: rawFields(response.raw.res),
      body: new IncomingBody(stream, { announcedLength: undefined, timeoutMs: request.route.timeoutMs }),
      trailers: () => Object.entries(response.trailers).map(([name, value]): Field => [name.toLowerCase(), value]),
    };
  };
}

async function callApplication(
  application: RequestListener,
  request: TargetRequest,
  signal: AbortSignal,
): Promise<inject.Response> {
  const { method, authority, path, fields, body, route } = request;
  const timeout = AbortSignal.timeout(route.timeoutMs);
  const cancel = AbortSignal.any([timeout, signal]);
  const hasUserAgent = fields.some(([name]) => name === 'user-agent');
  const listener: RequestListener = (req, res) => {
    // The library would name itself, and read the path as a URL, where the application should see what the client sent.
    if (!hasUserAgent) delete req.headers['user-agent'];
    req.url = path;
    application(req, res);
  };
  const answered = inject(listener, {
    method,
    url: '/',
    authority,
    headers: groupFields(fields),
    ...(body === null ? {} : { payload: body instanceof Uint8Array ? Buffer.from(body) : Readable.from(body) }),
    payloadAsStream: true,
  });
  try {
    return await Promise.race([answered, rejectOn(cancel)]);
  } catch (error) {
    if (timeout.aborted) throw new TargetError('TIMEOUT', 'The application did not answer in time');
    throw new TargetError('BROKEN', 'The application failed', { cause: error });
  }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function groupFields(fields: readonly Field[]): Record<string, string | string[]> {
  const grouped: Record<string, string | string[]> = {};
  for (const [name, value] of fields) {
    const before = grouped[name];
    grouped[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return grouped;
}

function rawFields(response: ServerResponse): Field[] {
  const fields: Field[] = [];
  for (const [name, value] of Object.entries(response.getHeaders())) {
    for (const line of Array.isArray(value) ? value : [value]) {
      if (line !== undefined) fields.push([name.toLowerCase(), String(line)]);
    }
  }
  return fields;
}

/** What comes after the middleware in a chain. */
export type NextHandler = () => void;

/** Limits of requests to the gateway itself; those to the application are the server's business. */
const LIMITS: Pick<ListenerLimits, 'maxHeaderFields' | 'bodyTimeoutMs' | 'writeTimeoutMs'> = {
  maxHeaderFields: 128,
  bodyTimeoutMs: 30_000,
  writeTimeoutMs: 30_000,
};

/**
 * Middleware for node:http, Express, Connect and the like: answers the gateway's paths, and calls `next` for all others.
 *
 * @param application - gets the decapsulated requests; usually the application that this middleware is part of
 * @param ports - without `fetchTarget`, which is the application
 */
export function gatewayMiddleware(
  application: RequestListener,
  ports: Omit<GatewayPorts, 'fetchTarget'>,
  config: GatewayConfig,
): (req: IncomingMessage, res: ServerResponse, next: NextHandler) => void {
  const gateway = createGateway({ ...ports, fetchTarget: fetchFromNodeApplication(application) }, config);
  return (req, res, next) => {
    const path = (req.url ?? '').split('?', 1)[0];
    if (path !== config.gatewayPath && path !== config.keysPath) return next();
    const exchange = new Http1Exchange(req, res, LIMITS as ListenerLimits, false);
    gateway(exchange)
      .then((response) => exchange.write(response))
      .catch(() => exchange.break());
  };
}
