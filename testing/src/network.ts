/** A whole oblivious network in memory: client, relay, gateway and target in one process, and a record of who saw what. */

import { randomBytes } from 'node:crypto';
import {
  type ApplicationHandler,
  type Clock,
  createGateway,
  createRelay,
  defaultGatewayConfig,
  fetchFromApplication,
  type GatewayConfig,
  KeySchedule,
  streamFromIterable,
  targetRule,
} from '@privacy-edge/gateway-roles';
import { AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import {
  asAbortSignal,
  type BodySource,
  type RoleHandler,
  type RoleRequest,
  type RoleResponse,
} from '@privacy-edge/http-exchange';
import { MemoryReplayStore } from './memory-replay-store.ts';

/** What one party got hold of, as text, in order. */
export type Sightings = readonly string[];

/** How a network is made; everything has a default. */
export interface NetworkOptions {
  /** The target behind the gateway. */
  readonly application: ApplicationHandler;
  /** Origins the gateway serves; default `https://app.example`. */
  readonly targets?: readonly string[];
  /** Address that the relay sees; default `198.51.100.7`. */
  readonly clientAddress?: string;
  readonly clock?: Clock;
  readonly gateway?: Partial<GatewayConfig>;
}

/** A running network. */
export interface Network {
  /** Reaches the relay, and nothing else: give it to `createObliviousFetch`. */
  readonly fetch: (input: string, init: RequestInit) => Promise<Response>;
  /** URL of the relay resource. */
  readonly relay: string;
  /** The gateway's key configurations, as an application would ship them. */
  readonly keys: Uint8Array;
  readonly seen: { readonly relay: Sightings; readonly gateway: Sightings; readonly target: Sightings };
}

/** Makes a network. Nothing in it opens a socket. */
export async function createNetwork(options: NetworkOptions): Promise<Network> {
  const { application, targets = ['https://app.example'], clientAddress = '198.51.100.7', clock = Date.now } = options;
  const seen = { relay: [] as string[], gateway: [] as string[], target: [] as string[] };
  const schedule = new KeySchedule({
    segments: [{ secret: randomBytes(32), epoch: 0, fromMs: clock() - 1000 }],
    epochMs: 86_400_000,
    publishAheadMs: 3_600_000,
    retainMs: 3_600_000,
    kemIds: [KEM_X25519_HKDF_SHA256],
    suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
  });
  const watched: ApplicationHandler = async (request) => {
    seen.target.push(`${request.method} ${request.url}`, ...headerLines(request.headers), await request.clone().text());
    return application(request);
  };
  const fetchTarget = fetchFromApplication(watched);
  const gateway = createGateway(
    {
      keys: schedule,
      fetchTarget: (request, signal) => {
        // What the gateway decapsulated is known to it, whatever it does with it.
        seen.gateway.push(
          `${request.method} ${request.scheme}://${request.authority}${request.path}`,
          ...fieldLines(request.fields),
        );
        return fetchTarget(request, signal);
      },
      replay: new MemoryReplayStore(),
      clock,
      random: (length) => randomBytes(length),
    },
    { ...defaultGatewayConfig, targets: targets.map((origin) => targetRule(`${origin}/`)), ...options.gateway },
  );
  const relay = createRelay(
    {
      clock,
      forward: async (request, signal) => {
        seen.gateway.push(`${request.method} ${request.url}`, ...fieldLines(request.fields));
        return toForwardResponse(
          await gateway(
            new PlainRequest(
              request.method,
              new URL(request.url).pathname,
              new Map(request.fields),
              request.body,
              asAbortSignal(signal),
            ),
          ),
        );
      },
    },
    {
      gateways: [
        {
          name: 'example',
          path: '/example',
          url: `https://gateway.example${defaultGatewayConfig.gatewayPath}`,
          keysUrl: undefined,
          allowPrivate: false,
          incremental: 'forward',
          timeoutMs: 10_000,
          maxRequestBytes: 1 << 22,
          maxResponseBytes: 1 << 26,
        },
      ],
      rateLimit: undefined,
      corsOrigins: ['*'],
    },
  );
  const ring = await schedule.ringAt(clock());
  return {
    relay: 'https://relay.example/example',
    keys: ring.published,
    seen,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const body = new Uint8Array(await request.arrayBuffer());
      seen.relay.push(clientAddress, ...headerLines(request.headers), Buffer.from(body).toString('latin1'));
      const fields = new Map(request.headers);
      const handler: RoleHandler = (role) => relay(role, { address: clientAddress });
      return toResponse(
        await handler(new PlainRequest(request.method, new URL(input).pathname, fields, body, request.signal)),
      );
    },
  };
}

function fieldLines(fields: readonly (readonly [string, string])[]): string[] {
  return fields.map(([name, value]) => `${name}: ${value}`);
}

function headerLines(headers: Headers): string[] {
  return fieldLines([...headers]);
}

class PlainRequest implements RoleRequest {
  readonly method: string;
  readonly path: string;
  readonly body: BodySource;
  readonly signal: AbortSignal;
  readonly #fields: ReadonlyMap<string, string>;

  constructor(
    method: string,
    path: string,
    fields: ReadonlyMap<string, string>,
    body: Uint8Array | AsyncIterable<Uint8Array> | null,
    signal: AbortSignal,
  ) {
    this.method = method;
    this.path = path;
    this.#fields = fields;
    this.body = bodySource(body ?? new Uint8Array(0));
    this.signal = signal;
  }

  header(name: string): string | undefined {
    return this.#fields.get(name);
  }
}

function bodySource(body: Uint8Array | AsyncIterable<Uint8Array>): BodySource {
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    if (body instanceof Uint8Array) yield body;
    else yield* body;
  };
  return {
    announcedLength: body instanceof Uint8Array ? body.length : undefined,
    read: async () => {
      const pieces: Uint8Array[] = [];
      for await (const piece of stream()) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    stream,
  };
}

function toForwardResponse(response: RoleResponse): {
  status: number;
  header(name: string): string | undefined;
  body: BodySource;
} {
  const fields = new Map(response.fields);
  return {
    status: response.status,
    header: (name) => fields.get(name),
    body: bodySource(response.body ?? new Uint8Array(0)),
  };
}

function toResponse({ status, fields, body }: RoleResponse): Response {
  const headers = new Headers(fields.map(([name, value]): [string, string] => [name, value]));
  const content = body === null || body instanceof Uint8Array ? body : streamFromIterable(body);
  return new Response(content as BodyInit | null, { status, headers });
}
