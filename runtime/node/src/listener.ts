/**
 * Serves a role on HTTP/1.1, and on HTTP/2 where there is TLS. A role gets a request without any trace of the connection;
 * only {@link serveRelay} hands out the client's address, because a relay limits rates by it.
 */

import { chmod, unlink } from 'node:fs/promises';
import { createServer as createClearServer, type IncomingMessage, type Server } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { BodyError, type RoleHandler, type RoleRequest, type RoleResponse } from '@privacy-edge/http-exchange';
import { RuntimeError } from './error.ts';
import { type Exchange, Http1Exchange, Http2Exchange, type ListenerLimits } from './listener-exchange.ts';
import { errorFields, type LogEvent } from './log.ts';
import { systemRandom } from './random.ts';
import type { Certificate } from './tls.ts';
import { writeOncePerTurn } from './turn-writes.ts';

/** What a relay, and nobody else, may know of the connection. */
export interface RelayClient {
  /** IPv4 or IPv6 literal; `unix` for a unix socket. Never from a header field. */
  readonly address: string;
}

/** A handler that limits rates by client address. */
export type RelayHandler = (request: RoleRequest, client: RelayClient) => Promise<RoleResponse>;

/** Where and how to listen. */
export interface ListenerOptions {
  /** Address to bind; default `127.0.0.1`. */
  readonly host?: string;
  /** 0 (the default) lets the system choose. */
  readonly port?: number;
  /** Absolute path of a unix socket, instead of host and port. */
  readonly socketPath?: string;
  /** Lets several threads and processes listen on one port; the kernel spreads connections. */
  readonly reusePort?: boolean;
  /** Serve TLS with this certificate. 0-RTT data is never accepted. */
  readonly certificate?: Certificate;
  /** Offer HTTP/2 in the TLS handshake; default true. */
  readonly http2?: boolean;
  readonly limits?: Partial<ListenerLimits>;
  readonly log: LogEvent;
}

/** A running listener. */
export interface Listener {
  /** Base URL; for a unix socket `unix:` and its path. */
  readonly url: string;
  /** Port that was bound; 0 for a unix socket. */
  readonly port: number;
  /** Requests whose handler or answer is not finished. */
  readonly inFlight: number;
  /** Uses another certificate for new connections. */
  setCertificate(certificate: Certificate): void;
  /**
   * Stops accepting, tells peers to go (`connection: close`, GOAWAY), waits for requests under way, and after `graceMs`
   * breaks what is left.
   *
   * @returns true when nothing had to be broken
   */
  close(graceMs: number): Promise<boolean>;
}

const DEFAULT_LIMITS: ListenerLimits = {
  maxHeaderBytes: 16_384,
  maxHeaderFields: 128,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  minBodyBytesPerSecond: 512,
  writeTimeoutMs: 30_000,
  keepAliveTimeoutMs: 30_000,
  maxRequestsPerSocket: 0,
  maxConnections: 16_384,
  maxInFlight: 4096,
  maxStreamsPerConnection: 100,
};

/**
 * Serves a role that must not know its clients.
 *
 * @throws {@link RuntimeError} `LISTEN_FAILED` or `CERTIFICATE_INVALID`
 */
export function serve(handler: RoleHandler, options: ListenerOptions): Promise<Listener> {
  return new RoleListener((exchange) => handler(exchange), options).listen();
}

/**
 * Serves a relay, which sees the address of the connection.
 *
 * @throws {@link RuntimeError} `LISTEN_FAILED` or `CERTIFICATE_INVALID`
 */
export function serveRelay(handler: RelayHandler, options: ListenerOptions): Promise<Listener> {
  return new RoleListener((exchange, source) => handler(exchange, { address: addressOf(source) }), options).listen();
}

/** What a request came in on; handed beside the request and never inside of it, so that only the relay sees it. */
type Source = IncomingMessage | ServerHttp2Stream;

function addressOf(source: Source): string {
  const address = 'session' in source ? source.session?.socket.remoteAddress : source.socket.remoteAddress;
  if (address === undefined) return 'unix';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

class RoleListener implements Listener {
  url = '';
  port = 0;
  inFlight = 0;
  readonly #handle: (exchange: Exchange, source: Source) => Promise<RoleResponse>;
  readonly #options: ListenerOptions;
  readonly #limits: ListenerLimits;
  readonly #server: Server | SecureServer;
  readonly #http2: Http2Server | undefined;
  readonly #sessions = new Set<ServerHttp2Session>();
  #draining = false;
  #idle: (() => void) | undefined;

  constructor(handle: (exchange: Exchange, source: Source) => Promise<RoleResponse>, options: ListenerOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#server = this.#makeServer();
    this.#http2 = options.certificate && options.http2 !== false ? this.#makeHttp2() : undefined;
    if (this.#http2 !== undefined) routeByProtocol(this.#server, this.#http2);
    this.#server.on(options.certificate === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      // HTTP/2 gathers what it writes by itself.
      if (!('alpnProtocol' in socket) || socket.alpnProtocol !== 'h2') this.#writeOncePerTurn(socket);
    });
    this.#server.maxConnections = this.#limits.maxConnections;
    this.#server.maxHeadersCount = this.#limits.maxHeaderFields + 1;
    this.#server.maxRequestsPerSocket = this.#limits.maxRequestsPerSocket;
    this.#server.on('request', (req, res) => this.#serve(new Http1Exchange(req, res, this.#limits, false), req));
    this.#server.on('checkContinue', (req, res) => this.#serve(new Http1Exchange(req, res, this.#limits, true), req));
  }

  async listen(): Promise<Listener> {
    const { host = '127.0.0.1', port = 0, socketPath, reusePort = false } = this.#options;
    if (socketPath !== undefined) await removeStaleSocket(socketPath);
    const where = socketPath === undefined ? { host, port, reusePort } : { path: socketPath };
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error): void => {
        const name = socketPath ?? `${host} port ${port}`;
        reject(new RuntimeError('LISTEN_FAILED', `Cannot listen on ${name}: ${codeOf(cause)}`, { cause }));
      };
      this.#server.once('error', fail).listen({ ...where, backlog: 1024 }, () => {
        this.#server.off('error', fail);
        resolve();
      });
    });
    // Accept errors (too many open files) must not end the process.
    this.#server.on('error', (error) => this.#options.log('error', 'listener_failed', errorFields(error)));
    if (socketPath !== undefined) {
      await chmod(socketPath, 0o600);
      this.url = `unix:${socketPath}`;
    } else {
      this.port = (this.#server.address() as AddressInfo).port;
      const scheme = this.#options.certificate === undefined ? 'http' : 'https';
      this.url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
    }
    return this;
  }

  setCertificate(certificate: Certificate): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(secureOptions(certificate));
  }

  async close(graceMs: number): Promise<boolean> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    this.#server.closeIdleConnections();
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), graceMs);
    const outcome = await Promise.race([this.#settled().then(() => closed), late.promise]);
    clearTimeout(timer);
    if (outcome === 'late') {
      for (const session of this.#sessions) session.destroy();
      this.#server.closeAllConnections();
    }
    return outcome !== 'late';
  }

  /** When every request under way is answered; connections kept alive by then are idle and are closed. */
  async #settled(): Promise<void> {
    if (this.inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    // The last answer is written at the end of this turn.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#server.closeIdleConnections();
  }

  #makeServer(): Server | SecureServer {
    const { headersTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes } = this.#limits;
    const settings = {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      // Bodies have their own time limit, which does not end a long stream that keeps moving.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.max(100, Math.min(5000, headersTimeoutMs / 2)),
      insecureHTTPParser: false,
      noDelay: true,
    };
    const { certificate, http2 } = this.#options;
    if (certificate === undefined) return createClearServer(settings);
    const ALPNProtocols = http2 === false ? ['http/1.1'] : ['h2', 'http/1.1'];
    try {
      return createSecureServer({
        ...settings,
        ...secureOptions(certificate),
        ALPNProtocols,
        handshakeTimeout: headersTimeoutMs,
      });
    } catch (cause) {
      throw new RuntimeError('CERTIFICATE_INVALID', 'Cannot use the certificate and key', { cause });
    }
  }

  #makeHttp2(): Http2Server {
    const { maxHeaderBytes, maxHeaderFields, maxStreamsPerConnection, keepAliveTimeoutMs } = this.#limits;
    const server = createHttp2Server({
      settings: {
        enablePush: false,
        maxConcurrentStreams: maxStreamsPerConnection,
        maxHeaderListSize: maxHeaderBytes,
      },
      maxHeaderListPairs: maxHeaderFields + 4,
      maxSessionMemory: 16,
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.setTimeout(keepAliveTimeoutMs, () => session.close());
      if (this.#draining) session.close();
    });
    server.on('sessionError', () => undefined);
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
      this.#serve(new Http2Exchange(stream, headers, this.#limits), stream),
    );
    return server;
  }

  #writeOncePerTurn(socket: Socket): void {
    // An answer that the peer does not take ends with its connection; node:http sets another time when it is taken.
    writeOncePerTurn(socket, () => socket.setTimeout(this.#limits.writeTimeoutMs));
  }

  #serve(exchange: Exchange, source: Source): void {
    if (this.#draining) exchange.closeAfter();
    const refusal = exchange.refusal ?? (this.inFlight >= this.#limits.maxInFlight ? OVERLOADED : undefined);
    if (refusal !== undefined) {
      void exchange.write(refusal);
      return;
    }
    this.inFlight++;
    let pending: Promise<RoleResponse>;
    try {
      pending = this.#handle(exchange, source);
    } catch (error) {
      pending = Promise.reject(error as Error);
    }
    pending.then(
      (response) => this.#answer(exchange, response),
      (error: unknown) => this.#failed(exchange, error),
    );
  }

  #answer(exchange: Exchange, response: RoleResponse): void {
    try {
      const writing = exchange.write(response);
      if (writing === undefined) this.#over();
      else
        writing.then(
          () => this.#over(),
          (error: unknown) => (error instanceof BodyError ? this.#cut(exchange, error) : this.#failed(exchange, error)),
        );
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  /** A handler, or the stream it gave us, threw: the peer learns nothing, the operator gets a line, the process lives. */
  #failed(exchange: Exchange, error: unknown): void {
    const id = Buffer.from(systemRandom(8)).toString('hex');
    this.#options.log('error', 'request_failed', { id, ...errorFields(error) });
    exchange.break();
    this.#over();
  }

  /** The source of an answer that was under way broke off, which its peers decide and an operator cannot mend. */
  #cut(exchange: Exchange, error: BodyError): void {
    this.#options.log('debug', 'answer_cut', { code: error.code });
    exchange.break();
    this.#over();
  }

  #over(): void {
    this.inFlight--;
    if (this.inFlight === 0) this.#idle?.();
  }
}

const OVERLOADED: RoleResponse = { status: 503, fields: [['retry-after', '1']], body: null };

function secureOptions(certificate: Certificate): { cert: string; key: string; minVersion: 'TLSv1.2' } {
  return { cert: certificate.certificatePem, key: certificate.keyPem.reveal(), minVersion: 'TLSv1.2' };
}

/** Connections that chose `h2` in the handshake go to the HTTP/2 server, all others stay. */
function routeByProtocol(server: Server | SecureServer, http2: Http2Server): void {
  const http1 = server.listeners('secureConnection') as ((this: unknown, socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') http2.emit('connection', socket);
    else for (const listener of http1) listener.call(server, socket);
  });
}

/** A socket file that nobody answers on is left over from a crash. */
async function removeStaleSocket(path: string): Promise<void> {
  const answered = await new Promise<boolean>((resolve) => {
    const probe = connect({ path })
      .once('connect', () => resolve(true))
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
    probe.once('connect', () => probe.destroy());
  });
  if (!answered) await unlink(path);
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.name;
}
