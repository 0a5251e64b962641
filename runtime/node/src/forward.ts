/** The relay's way to its gateways: the {@link Forward} port on pooled connections. */

import { type Forward, ForwardError, type ForwardRequest, type ForwardResponse } from '@privacy-edge/gateway-roles';
import type { BodySource } from '@privacy-edge/http-exchange';
import { OutboundError } from './outbound-error.ts';
import { type ExchangeHead, headerValue, type OutboundExchange } from './outbound-exchange.ts';
import { OutboundPools } from './outbound-pool.ts';
import { type OriginRoute, type OutboundOptions, routeToUrl, type WireRequest } from './outbound-route.ts';

/** How to reach gateways. */
export interface ForwardOptions extends OutboundOptions {
  /** Offer HTTP/2 in the TLS handshake; default true. */
  readonly http2?: boolean;
}

/** A {@link Forward} and its connections. */
export interface Forwarder {
  readonly forward: Forward;
  /** Requests under way. */
  readonly inFlight: number;
  /** Lets requests under way finish for `graceMs`, then breaks them. */
  close(graceMs?: number): Promise<void>;
}

interface Resource {
  readonly key: string;
  readonly host: string;
  readonly path: string;
  readonly route: OriginRoute;
}

/**
 * Opens the way to gateways. Nothing is ever sent twice; a failure is `NOT_PROCESSED` only when the gateway refused the
 * stream or left it out in its GOAWAY, and `CONNECT_FAILED` only when nothing was written.
 *
 * @see RFC 9113 §8.7
 */
export function createForward(options: ForwardOptions = {}): Forwarder {
  const pools = new OutboundPools(options);
  // A gateway's URL may be allowed to lead to a private address under one name and not under another.
  const resources = { open: new Map<string, Resource>(), guarded: new Map<string, Resource>() };
  const forward: Forward = async (request, signal) => {
    try {
      const resource = resourceOf(
        request,
        request.allowPrivate ? resources.open : resources.guarded,
        options.http2 ?? true,
      );
      const wire = wireRequest(request, resource);
      const exchange = pools.send(resource.key, () => resource.route, wire, {
        timeoutMs: request.timeoutMs,
        signal,
        onInformational: undefined,
      });
      return new Answer(await exchange.head, exchange);
    } catch (error) {
      throw forwardError(error);
    }
  };
  return {
    forward,
    get inFlight() {
      return pools.inFlight;
    },
    close: (graceMs) => pools.close(graceMs),
  };
}

class Answer implements ForwardResponse {
  readonly status: number;
  readonly body: BodySource;
  readonly #headers: ExchangeHead['headers'];
  constructor(head: ExchangeHead, body: OutboundExchange) {
    this.status = head.status;
    this.body = body;
    this.#headers = head.headers;
  }
  header(name: string): string | undefined {
    return headerValue(this.#headers, name);
  }
}

function forwardError(error: unknown): ForwardError {
  if (error instanceof ForwardError) return error;
  if (!(error instanceof OutboundError)) return new ForwardError('BROKEN', 'Cannot forward', { cause: error });
  return new ForwardError(error.code, error.message, { cause: error.cause });
}

/** A length is written by whoever writes the body. */
function wireRequest({ method, fields, body }: ForwardRequest, { host, path }: Resource): WireRequest {
  return { method, path, authority: host, fields: fields.filter(([name]) => name !== 'content-length'), body };
}

/** URLs come from the relay's configuration, so there are few; parsing one costs as much as looking up fifty. */
function resourceOf(request: ForwardRequest, resources: Map<string, Resource>, http2: boolean): Resource {
  const known = resources.get(request.url);
  if (known !== undefined) return known;
  const url = new URL(request.url);
  const { allowPrivate } = request;
  const made: Resource = {
    key: `${url.origin} ${allowPrivate}`,
    host: url.host,
    path: url.pathname + url.search,
    route: routeToUrl(url, allowPrivate, http2),
  };
  if (resources.size > 4096) resources.clear();
  resources.set(request.url, made);
  return made;
}
