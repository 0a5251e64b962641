/** In-memory ports around a relay: a request, a gateway that answers as told, and a record of what it was sent. */
import { BodyError, type BodySource, type RoleRequest, type RoleResponse } from '@privacy-edge/http-exchange';
import type { Forward, ForwardRequest, ForwardResponse } from '../src/ports.ts';
import type { ClientLimits } from '../src/rate-limit.ts';
import type { Admission, RelayPorts, RelayRole } from '../src/relay.ts';
import { createRelay } from '../src/relay.ts';
import type { RelayConfig, RelayGateway } from '../src/relay-config.ts';
import type { RelayEvent } from '../src/relay-observation.ts';

/** The client of every test; must never be seen behind the relay. */
export const CLIENT_ADDRESS = '203.0.113.77';

/** A request as a nosy browser would send it. */
export const NOSY_HEADERS: Readonly<Record<string, string>> = {
  'user-agent': 'canary-agent',
  cookie: 'canary-cookie=1',
  'accept-language': 'canary-language',
  referer: 'https://canary-referer.example/',
  'x-forwarded-for': CLIENT_ADDRESS,
  forwarded: `for=${CLIENT_ADDRESS}`,
  via: 'canary-via',
  authorization: 'canary-authorization',
  'content-type': 'message/ohttp-req; canary=parameter',
};

/** A body of these chunks, with or without an announced length. */
export function bodyOf(chunks: readonly Uint8Array[], announced: boolean | number = true): BodySource {
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return {
    announcedLength: announced === true ? total : announced === false ? undefined : announced,
    async read(maxBytes) {
      if (total > maxBytes) throw new BodyError('TOO_LARGE', 'Too large');
      return Buffer.concat(chunks);
    },
    async *stream() {
      yield* chunks;
    },
  };
}

/** Options of {@link post}. */
export interface RequestInit {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: BodySource;
  readonly signal?: AbortSignal;
}

/** A POST of four bytes unless told otherwise. */
export function post(init: RequestInit = {}): RoleRequest {
  const headers: Readonly<Record<string, string | undefined>> = {
    'content-type': 'message/ohttp-req',
    ...init.headers,
  };
  return {
    method: init.method ?? 'POST',
    path: init.path ?? '/app',
    header: (name) => headers[name],
    body: init.body ?? bodyOf([Buffer.from('ping')]),
    signal: init.signal ?? new AbortController().signal,
  };
}

/** A gateway's answer. */
export function answer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: BodySource | string = '',
): ForwardResponse {
  return {
    status,
    header: (name) => headers[name],
    body: typeof body === 'string' ? bodyOf([Buffer.from(body)]) : body,
  };
}

/** An encapsulated response as the relay sees one. */
export function sealed(headers: Readonly<Record<string, string>> = {}): ForwardResponse {
  return answer(200, { 'content-type': 'message/ohttp-res', ...headers }, 'pong');
}

/** What reached the gateway. */
export interface Sent {
  readonly request: ForwardRequest;
  /** The whole body, once it was read. */
  readonly body: string | undefined;
}

/** A relay with everything around it. */
export interface Fixture {
  readonly relay: (request: RoleRequest, address?: string) => Promise<RoleResponse>;
  readonly handler: RelayRole;
  readonly sent: Sent[];
  readonly events: RelayEvent[];
  nowMs: number;
}

/** One gateway named `app` at `/app`. */
export const appGateway: RelayGateway = {
  name: 'app',
  path: '/app',
  url: 'https://gateway.example/ohttp',
  keysUrl: 'https://gateway.example/ohttp-keys',
  allowPrivate: false,
  incremental: 'forward',
  timeoutMs: 1000,
  maxRequestBytes: 1_000_000,
  maxResponseBytes: 1_000_000,
};

/** Builds a relay whose gateway runs `respond` for each attempt, numbered from 0. */
export function fixture(
  respond: (request: ForwardRequest, attempt: number) => ForwardResponse | Promise<ForwardResponse>,
  options: {
    readonly gateways?: readonly RelayGateway[];
    readonly config?: Partial<RelayConfig>;
    readonly admission?: Admission;
    readonly limits?: ClientLimits;
    /** False leaves request bodies unread. */
    readonly consume?: boolean;
  } = {},
): Fixture {
  const sent: Sent[] = [];
  const events: RelayEvent[] = [];
  const forward: Forward = async (request) => {
    const attempt = sent.length;
    const body = options.consume === false ? undefined : await textOf(request.body);
    sent.push({ request, body });
    return respond(request, attempt);
  };
  const ports: RelayPorts = {
    forward,
    clock: () => fixed.nowMs,
    admission: options.admission,
    observe: (event) => events.push(event),
    limits: options.limits,
  };
  const config: RelayConfig = {
    gateways: options.gateways ?? [appGateway],
    rateLimit: undefined,
    corsOrigins: ['*'],
    ...options.config,
  };
  const handler = createRelay(ports, config);
  const fixed: Fixture = {
    handler,
    relay: (request, address = CLIENT_ADDRESS) => handler(request, { address }),
    sent,
    events,
    nowMs: 1_800_000_000_000,
  };
  return fixed;
}

/** Everything of a body as text. */
export async function textOf(body: Uint8Array | AsyncIterable<Uint8Array> | null): Promise<string> {
  if (body === null) return '';
  if (body instanceof Uint8Array) return Buffer.from(body).toString('latin1');
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** Value of a field of an answer. */
export function field(response: RoleResponse, name: string): string | undefined {
  return response.fields.find(([key]) => key === name)?.[1];
}

/** Names of an answer's fields, sorted. */
export function names(response: RoleResponse): string[] {
  return response.fields.map(([name]) => name).sort();
}
