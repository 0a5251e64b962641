/**
 * One party in a process of its own, for tests: a relay or a gateway made of the parts that operators run, or a target; with
 * everything that reaches the process, or that it opens, written to a file. Listens in from outside: the roles have no such
 * switch.
 */
import { randomBytes } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import {
  type BodySource,
  createGateway,
  createRelay,
  defaultGatewayConfig,
  type FetchTarget,
  type Forward,
  KeySchedule,
  type RoleRequest,
  type RoleResponse,
  targetRule,
} from '@privacy-edge/gateway-roles';
import { AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import {
  attachReplayTable,
  createFetchTarget,
  createForward,
  createLog,
  createReplayTable,
  endWithParent,
  type ListenerOptions,
  readCertificate,
  serve,
  serveRelay,
  systemClock,
  systemRandom,
} from '@privacy-edge/node';

/** What the process is told. */
export interface PartyTask {
  readonly role: 'relay' | 'gateway' | 'target';
  /** Folder with `ca.pem`, and certificate and key by the name of the role. */
  readonly tls: string;
  /** Where to write what it gets hold of. */
  readonly trace: string;
  /** Of a relay: where the gateway is. */
  readonly gatewayUrl?: string;
  /** Of a gateway: what may be asked for; the name means 127.0.0.1. */
  readonly targetOrigin?: string;
  /** What a target answers with. */
  readonly answers: Readonly<Record<string, Reply>>;
  /** Unix socket of a target, besides its port. */
  readonly socketPath?: string;
}

/** One answer of the target, by path without query. */
export interface Reply {
  readonly fields: Readonly<Record<string, string>>;
  /** Pieces; a target that breaks stops after the first. */
  readonly body: readonly string[];
  readonly breaks?: boolean;
  readonly trailers?: Readonly<Record<string, string>>;
}

const task = JSON.parse(process.argv[2] ?? '{}') as PartyTask;
writeFileSync(task.trace, '');
endWithParent();
recordConnections();
await { relay, gateway, target }[task.role]();

function record(what: string, content: string | Uint8Array): void {
  appendFileSync(task.trace, `${JSON.stringify({ what, base64: Buffer.from(content).toString('base64') })}\n`);
}

/** All that a server can know of a connection and of the head of each request. */
function recordConnections(): void {
  const connection = (socket: Socket | undefined): string => {
    const { remoteAddress, remotePort, localAddress, localPort, servername } = (socket ?? {}) as TLSSocket;
    return `${JSON.stringify({ remoteAddress, remotePort, localAddress, localPort, servername })}\n`;
  };
  subscribe('net.server.socket', (message) => record('connection', connection((message as { socket: Socket }).socket)));
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage };
    record('connection', connection(request.socket));
    record('head', `${[request.method, request.url, ...request.rawHeaders].join('\n')}\n`);
  });
  subscribe('http2.server.stream.start', (message) => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    record('connection', connection(stream.session?.socket as Socket | undefined));
    record('head', `${JSON.stringify(headers)}\n`);
  });
}

async function relay(): Promise<void> {
  const forwarder = createForward({ extraRoots: [authority()] });
  const url = task.gatewayUrl ?? '';
  const gateway = {
    name: 'demo',
    path: '/demo',
    url,
    keysUrl: url,
    allowPrivate: true,
    incremental: 'forward',
    timeoutMs: 10_000,
    maxRequestBytes: 1 << 20,
    maxResponseBytes: 1 << 20,
  } as const;
  const rateLimit = { requestsPerSecond: 0.01, burst: 20, ipv4PrefixBits: 24, ipv6PrefixBits: 56, maxPrefixes: 100 };
  const ports = { forward: recordedForward(forwarder.forward), clock: systemClock };
  const role = createRelay(ports, { gateways: [gateway], rateLimit, corsOrigins: ['*'] });
  const listener = await serveRelay(
    async (request, client) => {
      record('client', `${JSON.stringify(client)}\n`);
      return written(await role(read(request), client));
    },
    await listenerOptions(),
  );
  ready({ url: listener.url });
}

function recordedForward(forward: Forward): Forward {
  return async (request, signal) => {
    record('forwarded', `${JSON.stringify([request.method, request.url, request.fields])}\n`);
    const response = await forward(request, signal);
    return {
      status: response.status,
      header: (name) => response.header(name),
      body: recordedBody('answer of the gateway', response.body),
    };
  };
}

async function gateway(): Promise<void> {
  const targets = createFetchTarget({
    extraRoots: [authority()],
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  const window = createReplayTable({ capacity: 4096, windowMs: 120_000, clock: systemClock, random: systemRandom });
  const ports = {
    keys: new KeySchedule({
      segments: [{ secret: randomBytes(32), epoch: 0, fromMs: Date.now() }],
      epochMs: 7 * 86_400_000,
      publishAheadMs: 86_400_000,
      retainMs: 2 * 86_400_000,
      kemIds: [KEM_X25519_HKDF_SHA256],
      suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
    }),
    // Its keys are as new as the window, so there is nothing that it may have forgotten.
    replay: attachReplayTable({ ...window.handle, amnesiaUntilMs: 0 }, systemClock),
    fetchTarget: recordedTarget(targets.fetchTarget),
    clock: systemClock,
    random: systemRandom,
  };
  const rules = [targetRule(`${task.targetOrigin}/`, { allowPrivate: true })];
  const role = createGateway(ports, { ...defaultGatewayConfig, targets: rules });
  const listener = await serve(async (request) => written(await role(read(request))), await listenerOptions());
  ready({ gatewayUrl: listener.url + defaultGatewayConfig.gatewayPath });
}

function recordedTarget(fetchTarget: FetchTarget): FetchTarget {
  return async (request, signal, onInformational) => {
    const { method, scheme, authority, path, fields } = request;
    record('opened request', `${JSON.stringify([method, scheme, authority, path, fields])}\n`);
    const body = recordedContent('opened content', request.body);
    const response = await fetchTarget({ ...request, body }, signal, onInformational);
    record('answer of the target', `${JSON.stringify([response.status, response.fields])}\n`);
    return {
      status: response.status,
      fields: response.fields,
      body: recordedBody('content of the target', response.body),
      trailers: () => {
        const trailers = response.trailers();
        record('trailers of the target', `${JSON.stringify(trailers)}\n`);
        return trailers;
      },
    };
  };
}

async function listenerOptions(): Promise<ListenerOptions> {
  const certificate = await readCertificate({ certificatePath: ownFile('pem'), keyPath: ownFile('key') });
  return { certificate, log: createLog({ level: 'debug', format: 'json' }).event };
}

function authority(): string {
  return readFileSync(join(task.tls, 'ca.pem'), 'utf8');
}

function ownFile(extension: string): string {
  return join(task.tls, `${task.role}.${extension}`);
}

function ready(line: Readonly<Record<string, unknown>>): void {
  process.on('SIGTERM', () => process.exit(0));
  console.log(JSON.stringify({ event: 'ready', ...line }));
}

/** Ends a connection, or a stream of one, in the middle of an answer. */
function breakOff(request: IncomingMessage): void {
  if ('stream' in request) (request.stream as ServerHttp2Stream).close(constants.NGHTTP2_INTERNAL_ERROR);
  else request.socket.destroy();
}

async function target(): Promise<void> {
  const options = { cert: readFileSync(ownFile('pem')), key: readFileSync(ownFile('key')), allowHTTP1: true };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    record('content', await buffer(request).catch(() => Buffer.alloc(0)));
    record('trailers', JSON.stringify(request.trailers));
    const reply = task.answers[(request.url ?? '').split('?', 1)[0] ?? ''];
    if (reply === undefined) return void response.writeHead(404).end();
    record('answer', JSON.stringify(reply));
    response.writeHead(200, reply.fields);
    for (const piece of reply.body) {
      response.write(piece);
      if (reply.breaks === true) return breakOff(request);
    }
    response.addTrailers(reply.trailers ?? {});
    response.end();
  };
  const listen = (where: { port: number; host: string } | { path: string }): Promise<number> =>
    new Promise((resolve) => {
      const server = createSecureServer(options, answer as never).listen(where, () => {
        const address = server.address();
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
      });
    });
  const port = await listen({ port: 0, host: '127.0.0.1' });
  if (task.socketPath !== undefined) await listen({ path: task.socketPath });
  ready({ port });
}

function read(request: RoleRequest): RoleRequest {
  const { method, path, signal } = request;
  const body = recordedBody('message', request.body);
  return { method, path, signal, body, header: (name) => request.header(name) };
}

function written(response: RoleResponse): RoleResponse {
  record('response', `${JSON.stringify([response.status, response.fields])}\n`);
  return { ...response, body: recordedContent('response content', response.body) };
}

function recordedBody(what: string, body: BodySource): BodySource {
  return {
    announcedLength: body.announcedLength,
    read: async (maxBytes) => {
      const bytes = await body.read(maxBytes);
      record(what, bytes);
      return bytes;
    },
    stream: () => tap(what, body.stream()),
  };
}

function recordedContent<Content extends Uint8Array | AsyncIterable<Uint8Array> | null>(
  what: string,
  content: Content,
): Content | AsyncIterable<Uint8Array> {
  if (content === null) return content;
  if (!(content instanceof Uint8Array)) return tap(what, content);
  record(what, content);
  return content;
}

async function* tap(what: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    record(what, piece);
    yield piece;
  }
}
