/**
 * The Oblivious Relay Resource. RFC 9458 §2 and §6.2.
 *
 * The relay knows who asks and must not learn what; the gateway must not learn who. What is forwarded is therefore built
 * from nothing but the body and the media type: no field, no address and no name of the client has a way into a
 * `ForwardRequest`. The answer is filtered in the same way. Nothing is logged; what may be counted is in
 * `relay-observation.ts`.
 */

import type { Field } from '@privacy-edge/bhttp';
import {
  BodyError,
  type Cancellation,
  cancellationOf,
  type RoleRequest,
  type RoleResponse,
} from '@privacy-edge/http-exchange';
import { acceptsMediaType } from '@privacy-edge/http-fields';
import { MEDIA_TYPE_KEYS } from '@privacy-edge/ohttp';
import { type Clock, type Forward, ForwardError, type ForwardRequest, type ForwardResponse } from './ports.ts';
import { ClientLimits } from './rate-limit.ts';
import { type OutgoingBody, type ResponseEnd, startRequestBody } from './relay-body.ts';
import type { RelayConfig } from './relay-config.ts';
import { CorsPolicy } from './relay-cors.ts';
import { keepsMethod, MAX_REDIRECTS, redirectTarget } from './relay-discovery.ts';
import {
  FORWARD_FAILURES,
  REQUEST_BODY_FAILURES,
  RelayError,
  type RelayErrorAnswers,
  relayErrorAnswers,
} from './relay-error.ts';
import { discard, keysFields } from './relay-keys.ts';
import { type MessageForm, messageForm } from './relay-message.ts';
import { type ObserveRelay, type RelayEvent, type RelayOutcome, sizeBucket } from './relay-observation.ts';
import { type RelayedGateway, type RelayResource, relayResources } from './relay-resource.ts';
import { passResponse } from './relay-response.ts';

/** What a relay may know about who asks, and keeps for as long as one call. */
export interface RelayClient {
  /** IP address of the connection's other end; used for the rate limit and nothing else. */
  readonly address: string;
}

/** A relay, seen from an adapter. */
export type RelayHandler = (request: RoleRequest, client: RelayClient) => Promise<RoleResponse>;

/** A relay, and what its operator can ask of it while it serves. */
export interface RelayRole extends RelayHandler {
  /** Has the key configurations of every gateway fetched again before they are served again. */
  renewKeys(): void;
}

/** What an admission hook sees: neither the address nor the message. */
export type AdmissionRequest = Pick<RoleRequest, 'method' | 'path' | 'header' | 'signal'>;

/** Decides whether a message may use the relay, for instance by a token in a field; called before the body is read. */
export interface Admission {
  /** @param request - client-controlled */
  admit(request: AdmissionRequest): Promise<'admit' | { readonly refuse: RoleResponse }>;
}

/** What a relay needs from the world. */
export interface RelayPorts {
  readonly forward: Forward;
  readonly clock: Clock;
  readonly admission?: Admission | undefined;
  readonly observe?: ObserveRelay | undefined;
  /** What a relay before this one knows of its clients, with the same `rateLimit`; default a new one that knows nothing. */
  readonly limits?: ClientLimits | undefined;
}

/**
 * Makes a relay.
 *
 * @param ports - the way to the gateways and the time
 * @param config - from the operator
 * @throws {RangeError} for a configuration that cannot work
 */
export function createRelay(ports: RelayPorts, config: RelayConfig): RelayRole {
  const relay = new Relay(ports, config);
  const handler: RelayHandler = (request, client) => relay.handle(request, client);
  return Object.assign(handler, { renewKeys: () => relay.renewKeys() });
}

/** What became of one request; becomes an event when the answer is complete. */
interface Exchange {
  gateway: string;
  resource: RelayEvent['resource'];
  outcome: RelayOutcome;
  requestBytes: number;
  streaming: boolean;
  /** Gives the client's place back. */
  leave: (() => void) | undefined;
}

class Relay {
  readonly #ports: RelayPorts;
  readonly #resources: ReadonlyMap<string, RelayResource>;
  readonly #cors: CorsPolicy;
  readonly #limits: ClientLimits | undefined;
  readonly #answers: RelayErrorAnswers;

  constructor(ports: RelayPorts, config: RelayConfig) {
    this.#ports = ports;
    this.#resources = relayResources(config, ports.forward, ports.clock);
    this.#cors = new CorsPolicy(config.corsOrigins);
    this.#limits = config.rateLimit === undefined ? undefined : (ports.limits ?? new ClientLimits(config.rateLimit));
    this.#answers = relayErrorAnswers(config.name ?? 'oblivious-relay');
  }

  renewKeys(): void {
    for (const { gateway } of this.#resources.values()) gateway.keys?.renew();
  }

  async handle(request: RoleRequest, client: RelayClient): Promise<RoleResponse> {
    const exchange: Exchange = {
      gateway: 'none',
      resource: 'none',
      outcome: 'failed',
      requestBytes: 0,
      streaming: false,
      leave: undefined,
    };
    let response: RoleResponse;
    try {
      response = await this.#answer(request, client, exchange);
    } catch (cause) {
      const error = cause instanceof RelayError ? cause : new RelayError('INTERNAL', 'Cannot relay message', { cause });
      exchange.outcome = this.#answers.outcome(error);
      response = this.#answers.response(error);
    }
    const cors = this.#cors.fields(request, exchange.resource === 'keys');
    // A body that is passed on as it arrives reports by itself when it has ended.
    if (!exchange.streaming) this.#ended(exchange, response.body instanceof Uint8Array ? response.body.length : 0);
    return cors.length === 0 ? response : { ...response, fields: [...response.fields, ...cors] };
  }

  async #answer(request: RoleRequest, client: RelayClient, exchange: Exchange): Promise<RoleResponse> {
    const resource = this.#resources.get(request.path);
    if (resource === undefined) {
      if (isPreflight(request)) {
        // A browser lets its page see that nothing is here, but only after a preflight that succeeds.
        exchange.outcome = 'preflight';
        return this.#cors.preflight(request, ['POST']);
      }
      throw new RelayError('NOT_FOUND', 'Cannot relay message: no resource has this path');
    }
    exchange.gateway = resource.gateway.config.name;
    exchange.resource = resource.kind;
    const methods = methodsOf(resource);
    if (request.method === 'OPTIONS') {
      exchange.outcome = 'preflight';
      return this.#cors.preflight(request, methods);
    }
    if (!methods.includes(request.method)) {
      const fields: Field[] = [['allow', [...methods, 'OPTIONS'].join(', ')]];
      throw new RelayError('METHOD_NOT_ALLOWED', 'Cannot relay message: wrong method', { fields });
    }
    this.#limit(client, exchange);
    if (request.method === 'GET') return this.#answerKeys(resource.gateway, request, exchange);
    exchange.resource = 'messages';
    return this.#answerMessage(resource.gateway, request, exchange);
  }

  #limit(client: RelayClient, exchange: Exchange): void {
    if (this.#limits === undefined) return;
    const waitMs = this.#limits.take(client.address, this.#ports.clock());
    if (waitMs > 0) throw rateLimited(waitMs);
    exchange.leave = this.#limits.enter(client.address);
    // When a place becomes free is not known.
    if (exchange.leave === undefined) throw rateLimited(1000);
  }

  async #answerKeys(gateway: RelayedGateway, request: RoleRequest, exchange: Exchange): Promise<RoleResponse> {
    exchange.resource = 'keys';
    const { keys } = gateway;
    if (keys === undefined || !acceptsMediaType(request.header('accept'), MEDIA_TYPE_KEYS)) {
      throw new RelayError('NOT_ACCEPTABLE', `Cannot answer: the only representation is ${MEDIA_TYPE_KEYS}`);
    }
    const copy = await keys.get();
    exchange.outcome = 'answered';
    return { status: 200, fields: keysFields(copy, this.#ports.clock()), body: copy.bytes };
  }

  async #answerMessage(gateway: RelayedGateway, request: RoleRequest, exchange: Exchange): Promise<RoleResponse> {
    const form = messageForm(request);
    if (form === undefined) throw new RelayError('MEDIA_TYPE_UNSUPPORTED', 'Cannot relay message: wrong media type');
    if (form.incremental && gateway.config.incremental === 'refuse') {
      // RFC 10036 §3: an intermediary that will not forward incrementally says so instead of buffering.
      throw new RelayError('INCREMENTAL_REFUSED', 'Cannot relay message: incremental forwarding is off');
    }
    const { admission } = this.#ports;
    const refusal = admission === undefined ? undefined : await askAdmission(admission, request);
    if (refusal !== undefined) {
      exchange.outcome = 'not-admitted';
      return refusal;
    }
    const body = await this.#takeBody(gateway, request, form);
    // How long it may be silent is for the gateway to say, which has to answer within `timeoutMs` to keep it.
    if (form.incremental) request.body.relax?.();
    try {
      const response = await this.#send(gateway, form, body, request);
      const ended = ({ bytes, complete }: ResponseEnd): void => {
        if (!complete) exchange.outcome = 'cut-short';
        this.#ended(exchange, bytes);
      };
      const passed = await passResponse(response, form, gateway.config.maxResponseBytes, ended);
      exchange.streaming = passed.body !== null && !(passed.body instanceof Uint8Array);
      exchange.outcome = passed.status === 200 ? 'answered' : 'gateway-refused';
      return passed;
    } finally {
      exchange.requestBytes = body.count();
    }
  }

  async #takeBody(gateway: RelayedGateway, request: RoleRequest, form: MessageForm): Promise<OutgoingBody> {
    try {
      const body = await startRequestBody(request.body, gateway.config.maxRequestBytes, form.incremental);
      if (body.count() === 0) throw new RelayError('EMPTY', 'Cannot relay message: it has no bytes');
      return body;
    } catch (cause) {
      throw cause instanceof BodyError ? requestBodyFailed(cause) : cause;
    }
  }

  async #send(
    gateway: RelayedGateway,
    form: MessageForm,
    body: OutgoingBody,
    request: RoleRequest,
  ): Promise<ForwardResponse> {
    const { name, timeoutMs, allowPrivate } = gateway.config;
    const fields = outgoingFields(form, body, request.body.announcedLength);
    let url = await gateway.locate();
    try {
      for (let hops = 0; ; hops++) {
        const outgoing: ForwardRequest = {
          gateway: name,
          url,
          method: 'POST',
          fields,
          body: body.content,
          timeoutMs,
          allowPrivate,
        };
        const response = await this.#forward(outgoing, cancellationOf(request));
        if (response.status < 300 || response.status >= 400) return response;
        const next = keepsMethod(response.status) ? redirectTarget(url, response.header('location')) : undefined;
        await discard(response);
        if (next === undefined || hops === MAX_REDIRECTS || !isWhole(body) || !gateway.move(url, next)) {
          gateway.lost();
          throw new RelayError('GATEWAY_INVALID', `Cannot relay message: the gateway answered ${response.status}`);
        }
        url = next;
      }
    } catch (cause) {
      throw this.#sendFailed(cause, body);
    }
  }

  /**
   * Sends once, and once more only on proof that nothing was processed. RFC 9458 §6.5 names what is proof, and says
   * that a failed connection is none, so `CONNECT_FAILED` is not repeated either: a port that knows that it never wrote a
   * byte reports `NOT_PROCESSED`.
   */
  async #forward(outgoing: ForwardRequest, signal: Cancellation): Promise<ForwardResponse> {
    try {
      return await this.#ports.forward(outgoing, signal);
    } catch (error) {
      const unprocessed = error instanceof ForwardError && error.code === 'NOT_PROCESSED';
      if (!unprocessed || signal.aborted || !(outgoing.body instanceof Uint8Array)) throw error;
      return await this.#ports.forward(outgoing, signal);
    }
  }

  #sendFailed(cause: unknown, body: OutgoingBody): unknown {
    const failure = body.failure();
    if (failure !== undefined) return requestBodyFailed(failure);
    if (!(cause instanceof ForwardError)) return cause;
    return new RelayError(FORWARD_FAILURES[cause.code], cause.message, { cause });
  }

  #ended(exchange: Exchange, responseBytes: number): void {
    exchange.leave?.();
    this.#ports.observe?.({
      gateway: exchange.gateway,
      resource: exchange.resource,
      outcome: exchange.outcome,
      requestBytes: sizeBucket(exchange.requestBytes),
      responseBytes: sizeBucket(responseBytes),
    });
  }
}

/** CORS preflights, as Fetch defines them; any other OPTIONS asks about the resource. */
function isPreflight(request: RoleRequest): boolean {
  const { method } = request;
  return method === 'OPTIONS' && request.header('access-control-request-method') !== undefined;
}

function methodsOf({ gateway, kind }: RelayResource): readonly string[] {
  if (kind === 'keys') return ['GET'];
  return gateway.keys === undefined ? ['POST'] : ['POST', 'GET'];
}

/** The whole header section that a gateway gets. Nothing in it was written by the client. */
function outgoingFields(form: MessageForm, body: OutgoingBody, announcedLength: number | undefined): readonly Field[] {
  const fields: Field[] = [['content-type', form.requestType]];
  const length = body.content instanceof Uint8Array ? body.content.length : announcedLength;
  if (length !== undefined) fields.push(['content-length', String(length)]);
  if (form.incremental) fields.push(['incremental', '?1']);
  return fields;
}

function rateLimited(waitMs: number): RelayError {
  const fields: Field[] = [['retry-after', String(Math.ceil(waitMs / 1000))]];
  return new RelayError('RATE_LIMITED', 'Cannot relay message: too many requests from this prefix', { fields });
}

async function askAdmission(admission: Admission, request: RoleRequest): Promise<RoleResponse | undefined> {
  const { method, path, signal } = request;
  const decision = await admission.admit({ method, path, signal, header: (name) => request.header(name) });
  return decision === 'admit' ? undefined : decision.refuse;
}

function isWhole(body: OutgoingBody): boolean {
  return body.content instanceof Uint8Array;
}

function requestBodyFailed(cause: BodyError): RelayError {
  return new RelayError(REQUEST_BODY_FAILURES[cause.code], cause.message, { cause });
}
