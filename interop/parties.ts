/** The clients, gateways and relays of the matrix behind one interface each. */

import { runTool, type Server, startServer } from './processes.ts';

/** KEMs of the matrix by the names the peers use, with their registry numbers. */
export const KEMS = { x25519: 0x0020, p256: 0x0010, xwing: 0x647a } as const;
export type Kem = keyof typeof KEMS;
export type Media = 'whole' | 'chunked';

/** One inner request of the matrix. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  /** Sent as field `x-probe`; the far end repeats it. */
  readonly probe: string;
  /** Bytes of content, a repeated pattern. */
  readonly size: number;
}

/** Where a client sends it. */
export interface Route {
  readonly keys: string;
  readonly post: string;
  readonly kem: Kem;
  readonly media: Media;
}

/** What the client got back. */
export interface Answer {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  /** At least the first 4096 bytes of the content, as text. */
  readonly text: string;
  readonly bytes: number;
}

/** A client of the matrix. */
export interface Client {
  readonly name: string;
  readonly kems: readonly Kem[];
  readonly media: readonly Media[];
  /** False when it loses the query of a URL on its way into binary HTTP. */
  readonly keepsQuery: boolean;
  send(exchange: Exchange, route: Route): Promise<Answer>;
}

/** A gateway of the matrix; `start` gives it a target to ask, which a reflecting gateway ignores. */
export interface Gateway {
  readonly name: string;
  readonly kems: readonly Kem[];
  readonly media: readonly Media[];
  readonly keysPath: string;
  readonly path: string;
  start(target: string): Promise<Server>;
}

/** A relay of the matrix; forwards `POST /relay` to one gateway resource. */
export interface Relay {
  readonly name: string;
  readonly path: string;
  start(gatewayResource: string): Promise<Server>;
}

/** The content of an exchange. */
export function contentOf(size: number): string {
  return '0123456789abcdef'.repeat(Math.ceil(size / 16)).slice(0, size);
}

/** ohttp-go as a client. */
export function goClient(program: string): Client {
  return {
    name: 'ohttp-go',
    kems: ['x25519', 'p256', 'xwing'],
    media: ['whole'],
    keepsQuery: false,
    send: async (exchange, route) => fromTool(await runTool(program, ['client', ...clientArgs(exchange, route)])),
  };
}

/** The Rust crate as a client. */
export function rustClient(program: string): Client {
  return {
    name: 'rust ohttp',
    kems: ['x25519', 'p256', 'xwing'],
    media: ['whole', 'chunked'],
    keepsQuery: true,
    send: async (exchange, route) => {
      const chunked =
        route.media === 'chunked' ? ['--chunked', '--indeterminate', '--chunk-size', '777', '--aead', '1'] : [];
      return fromTool(await runTool(program, ['client', ...clientArgs(exchange, route), ...chunked]));
    },
  };
}

function clientArgs({ method, url, probe, size }: Exchange, { keys, post, kem }: Route): string[] {
  const date = new Date().toUTCString();
  const fields = ['--header', `x-probe: ${probe}`, '--header', `date: ${date}`];
  const request = ['--method', method, '--url', url, '--body-size', String(size)];
  return ['--keys', keys, '--post', post, '--kem', kem, ...request, ...fields];
}

function fromTool(result: Record<string, unknown>): Answer {
  const fields = new Map((result['headers'] as [string, string][]).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    status: Number(result['status']),
    fields,
    text: String(result['body']),
    bytes: Number(result['bodyBytes']),
  };
}

/** ohttp-go as a gateway on net/http, reflecting or in front of a target. */
export function goGateway(program: string, mode: 'reflect' | 'target'): Gateway {
  return {
    name: mode === 'reflect' ? 'ohttp-go' : 'ohttp-go + target',
    kems: ['x25519', 'p256', 'xwing'],
    media: ['whole'],
    keysPath: '/ohttp-keys',
    path: '/gateway',
    start: (target) => {
      const forward = mode === 'target' ? ['--target', target] : [];
      return startServer(program, ['gateway', '--parent-pipe', '--kems', 'x25519,p256,xwing', ...forward]);
    },
  };
}

/** The Rust crate as a gateway that reflects. */
export function rustGateway(program: string): Gateway {
  return {
    name: 'rust ohttp',
    kems: ['x25519', 'p256', 'xwing'],
    media: ['whole', 'chunked'],
    keysPath: '/ohttp-keys',
    path: '/gateway',
    start: () =>
      startServer(program, ['server', '--parent-pipe', '--kems', 'x25519,p256,xwing', '--chunk-size', '900']),
  };
}

/** net/http's reverse proxy in the place of a relay: forwards everything, hides nothing. */
export function goRelay(program: string): Relay {
  return {
    name: 'ReverseProxy',
    path: '/relay',
    start: (resource) => {
      const { origin, pathname } = new URL(resource);
      return startServer(program, ['reverseproxy', '--parent-pipe', '--upstream', origin, '--path', pathname]);
    },
  };
}

/** The target behind gateways that have one. */
export function startTarget(program: string): Promise<Server> {
  return startServer(program, ['target', '--parent-pipe']);
}
