/** What each party got hold of during the last exchange, listened to from outside: the roles have no such switch. */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** The three parties on the way. */
export type Party = 'relay' | 'gateway' | 'target';

/** One header section that arrived, as it was received. */
export interface Head {
  /** Address and port at the other end of the connection. */
  readonly peer: string;
  readonly method: string;
  readonly path: string;
  /** Names and values in the order received, without pseudo-fields. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Everything that one party got hold of. */
export interface Holdings {
  readonly heads: Head[];
  /** What it read or wrote inside of its own process: messages, and whatever it opened. */
  readonly content: Buffer[];
}

/** Listens to the servers of this process; the local port tells which party a connection belongs to. */
export class Evidence {
  readonly parties: Readonly<Record<Party, Holdings>> = { relay: empty(), gateway: empty(), target: empty() };
  /** Every header section since the start, for counting. */
  readonly all: { readonly party: Party; readonly head: Head }[] = [];
  readonly #ports = new Map<number, Party>();

  constructor() {
    subscribe('http.server.request.start', (message) => {
      const { request } = message as { request: IncomingMessage };
      const { method = '', url = '', rawHeaders, socket } = request;
      const fields = rawHeaders.flatMap((name, i) =>
        i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] ?? ''] as const] : [],
      );
      this.#arrived(socket, { method, path: url, fields });
    });
    subscribe('http2.server.stream.start', (message) => {
      const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
      const fields = Object.entries(headers).flatMap(([name, value]) =>
        name.startsWith(':') ? [] : [[name, String(value)] as const],
      );
      const head = { method: String(headers[':method']), path: String(headers[':path']), fields };
      this.#arrived(stream.session?.socket, head);
    });
  }

  /** From now on, what reaches this port belongs to this party. */
  watch(party: Party, port: number): void {
    this.#ports.set(port, party);
  }

  /** Adds something that a party read or wrote. */
  note(party: Party, bytes: Uint8Array): void {
    this.parties[party].content.push(Buffer.from(bytes));
  }

  /** Whether a party's holdings have a text in them. */
  holds(party: Party, text: string): boolean {
    const { heads, content } = this.parties[party];
    return text !== '' && (JSON.stringify(heads).includes(text) || Buffer.concat(content).includes(text));
  }

  #arrived(socket: Socket | undefined, head: Omit<Head, 'peer'>): void {
    const party = this.#ports.get(socket?.localPort ?? 0);
    if (party === undefined || socket === undefined) return;
    // A new exchange begins where a message reaches the relay.
    if (party === 'relay' && head.method === 'POST')
      for (const holdings of Object.values(this.parties)) clear(holdings);
    const complete = { peer: `${socket.remoteAddress}:${socket.remotePort}`, ...head };
    this.all.push({ party, head: complete });
    this.parties[party].heads.push(complete);
  }
}

function empty(): Holdings {
  return { heads: [], content: [] };
}

function clear({ heads, content }: Holdings): void {
  heads.length = 0;
  content.length = 0;
}
