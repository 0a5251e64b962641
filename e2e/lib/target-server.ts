/** A target that remembers what reached it, answers late where asked, and redirects. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

/** One request that reached the target. */
export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly httpVersion: string;
  readonly remoteAddress: string | undefined;
  readonly body: Buffer;
}

/** How to listen. */
export interface TargetOptions {
  /** Serve HTTPS, HTTP/1.1 and HTTP/2. */
  readonly tls?: boolean;
  readonly socketPath?: string;
}

/** A running target. Paths that start with `/held` are answered only after {@link TargetServer.release}. */
export class TargetServer {
  readonly arrivals: Arrival[] = [];
  readonly url: string;
  #held: { readonly path: string; readonly send: () => void }[] = [];

  constructor(url: string) {
    this.url = url;
  }

  /** How many requests with this path arrived. */
  count(path: string): number {
    return this.arrivals.filter((arrival) => arrival.path === path).length;
  }

  /** Waits until a path was asked for. */
  arrived(path: string): Promise<void> {
    return until(() => this.count(path) > 0, `${path} to reach the target`);
  }

  /** Answers everything that is held for a path or a path that continues it. */
  release(prefix: string): void {
    for (const { path, send } of this.#held) if (path.startsWith(prefix)) send();
    this.#held = this.#held.filter(({ path }) => !path.startsWith(prefix));
  }

  readonly answer: RequestListener = (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => undefined);
    request.on('end', () => {
      const { method = '', url: path = '', headers, httpVersion } = request;
      const { remoteAddress } = request.socket;
      this.arrivals.push({ method, path, headers, httpVersion, remoteAddress, body: Buffer.concat(pieces) });
      const send = (): void => {
        if (path.startsWith('/redirect')) response.writeHead(302, { location: 'http://127.0.0.1:9/elsewhere' }).end();
        else response.writeHead(200, { 'content-type': 'text/plain' }).end(`${method} ${path}`);
      };
      if (path.startsWith('/held')) this.#held.push({ path, send });
      else send();
    });
  };
}

/** Starts a target on a free loopback port, or on a unix socket. */
export async function startTarget(stage: Stage, options: TargetOptions = {}): Promise<TargetServer> {
  let handler: RequestListener = () => undefined;
  const listener: RequestListener = (request, response) => handler(request, response);
  const server = options.tls === true ? await secureServer(stage, listener) : createServer(listener);
  server.listen(options.socketPath === undefined ? { port: 0, host: '127.0.0.1' } : { path: options.socketPath });
  await once(server, 'listening');
  stage.later(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  const port = options.socketPath === undefined ? (server.address() as AddressInfo).port : 80;
  const target = new TargetServer(`${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}`);
  handler = target.answer;
  return target;
}

async function secureServer(stage: Stage, listener: RequestListener): Promise<Server> {
  const { certificatePem, keyPem } = await (await stage.authority()).issue('target');
  const server = createSecureServer({ cert: certificatePem, key: keyPem.reveal(), allowHTTP1: true });
  server.on('request', listener as never);
  // Connections of HTTP/2 do not end with the server: they must not keep the test running.
  server.on('session', (session) => stage.later(async () => session.destroy()));
  return server as unknown as Server;
}
