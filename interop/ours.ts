/** This kit in the matrix: its client as a library, its gateway and relay as processes of its command line. */

import { join } from 'node:path';
import { chunkedResponse, createObliviousFetch } from '@privacy-edge/gateway';
import { type Client, contentOf, type Gateway, KEMS, type Relay } from './parties.ts';
import { startProgram, writeSeed } from './program.ts';

/** createObliviousFetch, whole and chunked. */
export function ourClient(): Client {
  return {
    name: 'privacy-edge',
    kems: ['x25519', 'p256', 'xwing'],
    media: ['whole', 'chunked'],
    keepsQuery: true,
    send: async (exchange, { keys, post, kem, media }) => {
      const list = new Uint8Array(await (await fetch(keys)).arrayBuffer());
      const send = createObliviousFetch({
        relay: post,
        gateway: () => true,
        keys: list,
        preference: (kemId) => kemId === KEMS[kem],
        ...(media === 'chunked' ? { chunked: chunkedResponse } : {}),
        timeoutMs: 20_000,
      });
      const response = await send(exchange.url, {
        method: exchange.method,
        headers: { 'x-probe': exchange.probe },
        ...(exchange.size > 0 ? { body: contentOf(exchange.size) } : {}),
      });
      const text = await response.text();
      return { status: response.status, fields: new Map(response.headers), text, bytes: text.length };
    },
  };
}

/** `privacy-edge gateway serve` with keys from a fresh seed and one allowed target. */
export function ourGateway(): Gateway {
  return {
    name: 'privacy-edge',
    kems: ['x25519', 'p256', 'xwing'],
    media: ['whole', 'chunked'],
    keysPath: '/ohttp-keys',
    path: '/.well-known/ohttp-gateway',
    start: (target) =>
      startProgram('serve', (folder) => ({
        gateway: {
          port: 0,
          admin: { enabled: false },
          log: { level: 'warn' },
          keys: { seedFile: writeSeed(join(folder, 'gateway.seed')), kems: ['x25519', 'p-256', 'x-wing'] },
          targets: [{ origin: target, allowPrivate: true }],
          // A gateway that has just started answers 425 to unsafe methods for one window: right, and not this matrix's topic.
          replay: { protect: 'none' },
        },
      })),
  };
}

/** `privacy-edge gateway relay` in front of one gateway. */
export function ourRelay(): Relay {
  return {
    name: 'privacy-edge',
    path: '/relay',
    start: (resource) =>
      startProgram('relay', () => ({
        relay: {
          port: 0,
          admin: { enabled: false },
          log: { level: 'warn' },
          gateways: [{ name: 'matrix', path: '/relay', url: resource, allowPrivate: true }],
        },
      })),
  };
}
