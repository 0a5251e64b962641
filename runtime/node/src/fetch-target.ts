/** The gateway's way to its targets: the {@link FetchTarget} port on undici pools. */
import {
  type FetchTarget,
  TargetError,
  type TargetInformational,
  type TargetRequest,
  type TargetResponse,
} from '@privacy-edge/gateway-roles';
import { OutboundError } from './outbound-error.ts';
import { fieldList, type OutboundExchange } from './outbound-exchange.ts';
import { type OriginRoute, type OutboundOptions, OutboundPools } from './outbound-pool.ts';
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
 * A request with trailers, or for `*`, takes a slower path over HTTP/1.1 with a connection of its own, because undici has
 * neither. Over HTTP/2, repeated fields of an answer arrive joined with ", " (set-cookie excepted), as node:http2 gives them.
 */
export function createFetchTarget(options: OutboundOptions = {}): TargetFetcher {
  const pools = new OutboundPools(options);
  const fetchTarget: FetchTarget = async (request, signal, onInformational) => {
    if ((request.trailers !== undefined && request.body !== null) || request.path === '*') {
      return sendWithTrailers(request, routeOf(request), options, signal, onInformational);
    }
    try {
      const exchange = pools.send(keyOf(request), () => routeOf(request), wireRequest(request), {
        timeoutMs: request.route.timeoutMs,
        signal,
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

function wireRequest(request: TargetRequest): {
  method: string;
  path: string;
  headers: string[];
  body: TargetRequest['body'];
} {
  const headers = ['host', request.authority];
  const streamed = request.body !== null && !(request.body instanceof Uint8Array);
  for (const [name, value] of request.fields) {
    // undici writes the length of a body it knows, and refuses to be told.
    if (name === 'content-length' && !streamed) continue;
    if (!SKIPPED.has(name)) headers.push(name, value);
  }
  return { method: request.method, path: request.path, headers, body: request.body };
}

/** Fields that belong to one connection; the gateway removed them, and undici refuses them. */
const SKIPPED = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
