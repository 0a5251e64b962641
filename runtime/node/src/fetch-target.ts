/** The gateway's way to its targets: the {@link FetchTarget} port on pooled connections. */

import {
  type FetchTarget,
  TargetError,
  type TargetInformational,
  type TargetRequest,
  type TargetResponse,
} from '@privacy-edge/gateway-roles';
import { asAbortSignal } from '@privacy-edge/http-exchange';
import { OutboundError } from './outbound-error.ts';
import type { OutboundExchange } from './outbound-exchange.ts';
import { OutboundPools } from './outbound-pool.ts';
import type { OriginRoute, OutboundOptions } from './outbound-route.ts';
import { fieldList } from './raw-fields.ts';
import { sendWithTrailers } from './trailer-request.ts';

/** A {@link FetchTarget} and its connections. */
export interface TargetFetcher {
  readonly fetchTarget: FetchTarget;
  /** Requests under way. */
  readonly inFlight: number;
  /** Lets requests under way finish for `graceMs`, then breaks them. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Opens the way to targets. Redirects are answers, nothing is ever sent twice, and addresses are judged as
 * {@link connectGuarded} describes.
 *
 * A request with trailers, or for `*`, takes a slower path over HTTP/1.1, a connection of its own, because undici has neither;
 * over HTTP/2 it is a request like any other.
 */
export function createFetchTarget(options: OutboundOptions = {}): TargetFetcher {
  const pools = new OutboundPools(options);
  const fetchTarget: FetchTarget = async (request, cancellation, onInformational) => {
    try {
      const unusual = (request.trailers !== undefined && request.body !== null) || request.path === '*';
      if (unusual && !(await speaksHttp2(pools, request))) {
        const route = routeOf(request);
        const signal = asAbortSignal(cancellation);
        const leave = await pools.enterAlone(keyOf(request), () => route, {
          timeoutMs: request.route.timeoutMs,
          signal,
        });
        return await sendWithTrailers(request, route, options, { signal, leave, onInformational });
      }
      const exchange = pools.send(keyOf(request), () => routeOf(request), request, {
        timeoutMs: request.route.timeoutMs,
        signal: cancellation,
        onInformational: informational(onInformational),
      });
      const head = await exchange.head;
      if (request.method === 'HEAD') exchange.announcedLength = undefined;
      return new Answer(head.status, fieldList(head.rawHeaders), exchange);
    } catch (error) {
      throw targetError(error);
    }
  };
  return {
    fetchTarget,
    get inFlight() {
      return pools.inFlight;
    },
    close: (graceMs) => pools.close(graceMs),
  };
}

class Answer implements TargetResponse {
  readonly status: number;
  readonly fields: TargetResponse['fields'];
  readonly body: OutboundExchange;
  constructor(status: number, fields: TargetResponse['fields'], body: OutboundExchange) {
    this.status = status;
    this.fields = fields;
    this.body = body;
  }
  trailers(): TargetResponse['fields'] {
    return fieldList(this.body.rawTrailers);
  }
}

/** The port's error for a failure below it. */
function targetError(error: unknown): TargetError {
  if (error instanceof TargetError) return error;
  if (!(error instanceof OutboundError)) return new TargetError('BROKEN', 'Cannot send the request', { cause: error });
  const code = error.code === 'NOT_PROCESSED' ? 'BROKEN' : error.code;
  return new TargetError(code, error.message, { cause: error.cause });
}

function informational(
  tell: ((informational: TargetInformational) => void) | undefined,
): ((status: number, rawHeaders: Parameters<typeof fieldList>[0]) => void) | undefined {
  return tell && ((status, rawHeaders) => tell({ status, fields: fieldList(rawHeaders) }));
}

async function speaksHttp2(pools: OutboundPools, request: TargetRequest): Promise<boolean> {
  const route = routeOf(request);
  return route.protocols.includes('h2') && (await pools.speaksHttp2(keyOf(request), () => route));
}

function keyOf({ scheme, host, port, route }: TargetRequest): string {
  return `${scheme} ${host} ${port} ${route.protocol} ${route.allowPrivate} ${route.socketPath ?? ''}`;
}

function routeOf({ scheme, host, port, route }: TargetRequest): OriginRoute {
  const secure = scheme === 'https';
  const { socketPath, allowPrivate, protocol } = route;
  return { host, port, secure, socketPath, allowPrivate, protocols: PROTOCOLS[protocol][secure ? 'secure' : 'clear'] };
}

const PROTOCOLS = {
  auto: { secure: ['h2', 'http/1.1'], clear: ['http/1.1'] },
  http1: { secure: ['http/1.1'], clear: ['http/1.1'] },
  http2: { secure: ['h2'], clear: ['h2'] },
} as const;
