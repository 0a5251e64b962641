/** The servers of this process: the target, and decoys that are no relay. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '@privacy-edge/node';

/** A server that listens. */
export interface Listening {
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * The target. Paths are a word and the run that it is about:
 *
 * - `echo` answers with what it got, `upload` too;
 * - `words` says one word, and the second one after `release`; `held` says nothing;
 * - `arrived`, `uploading` and `gone` are answered when a request of the run has arrived, its first piece has, or its
 *   connection has ended; `count` with how many arrived;
 * - `rotate` is answered when the gateway has new keys.
 */
export class Target {
  readonly #rotate: () => Promise<void>;
  readonly #moments = new Map<string, PromiseWithResolvers<void>>();
  readonly #counts = new Map<string, number>();

  /** @param rotate - gives the gateway new keys */
  constructor(rotate: () => Promise<void>) {
    this.#rotate = rotate;
  }

  readonly listener: RequestListener = (request, response) => {
    this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, word = '', run = ''] = (request.url ?? '').split('?', 1)[0]!.split('/');
    switch (word) {
      case 'arrived':
      case 'uploading':
      case 'gone':
        await this.#moment(word, run).promise;
        break;
      case 'release':
        this.#moment('release', run).resolve();
        break;
      case 'rotate':
        await this.#rotate();
        break;
      case 'count':
        response.end(String(this.#counts.get(run) ?? 0));
        return;
      default:
        await this.#exchange(word, run, request, response);
        return;
    }
    response.end();
  }

  /** An exchange under test. */
  async #exchange(word: string, run: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#counts.set(run, (this.#counts.get(run) ?? 0) + 1);
    this.#moment('arrived', run).resolve();
    response.on('close', () => this.#moment('gone', run).resolve());
    if (word === 'held') return;
    if (word === 'words') {
      response.write('one ');
      await Promise.race([this.#moment('release', run).promise, this.#moment('gone', run).promise]);
      response.end('two');
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of request) {
      pieces.push(piece as Buffer);
      this.#moment('uploading', run).resolve();
    }
    response.setHeader('x-seen-method', request.method ?? '');
    response.setHeader('x-seen-url', request.url ?? '');
    response.setHeader('x-probe', request.headers['x-probe'] ?? '');
    response.end(Buffer.concat(pieces));
  }

  #moment(word: string, run: string): PromiseWithResolvers<void> {
    const name = `${word} ${run}`;
    const moment = this.#moments.get(name) ?? Promise.withResolvers<void>();
    this.#moments.set(name, moment);
    return moment;
  }
}

/** Where a relay could be: `/away` leads to the relay, everything else is a page in clear. */
export function decoy(relay: () => string): RequestListener {
  return (request, response) => {
    request.resume();
    // What it answers must not be hidden from pages: they are to see it and refuse it.
    response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*');
    if (request.method === 'OPTIONS') response.writeHead(204).end();
    else if (request.url === '/away') response.writeHead(307, { location: relay() }).end();
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in to the hotel network</h1>');
  };
}

/** Listens on a free port, with TLS where there is a certificate. */
export async function listen(listener: RequestListener, certificate?: Certificate): Promise<Listening> {
  const server: Server =
    certificate === undefined
      ? createServer(listener)
      : createSecureServer({ cert: certificate.certificatePem, key: certificate.keyPem.reveal() }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
