/** An HTTP/2 peer that sends exactly the frames a test writes, at the moment the test says. RFC 9113 §4.1. */
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { listenOn } from './support.ts';

const DATA = 0x0;
const HEADERS = 0x1;
const RST_STREAM = 0x3;
const SETTINGS = 0x4;
const PING = 0x6;
const GOAWAY = 0x7;
const ACK = 0x1;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const PREFACE_BYTES = 24;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

function frame(type: number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** A HEADERS frame whose fields are all written out as literals; short ones only. */
export function headers(id: number, fields: readonly (readonly [string, string])[], end = false): Buffer {
  const literal = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')]);
  const block = fields.flatMap(([name, value]) => [Buffer.of(0x10), literal(name), literal(value)]);
  return frame(HEADERS, END_HEADERS | (end ? END_STREAM : 0), id, Buffer.concat(block));
}

export function ok(id: number, fields: readonly (readonly [string, string])[] = [], end = false): Buffer {
  return headers(id, [[':status', '200'], ...fields], end);
}

export function data(id: number, body: string, end = false): Buffer {
  return frame(DATA, end ? END_STREAM : 0, id, Buffer.from(body, 'latin1'));
}

export function reset(id: number, code: number): Buffer {
  return frame(RST_STREAM, 0, id, Buffer.of(0, 0, 0, code));
}

export function goaway(last: number, code: number): Buffer {
  return frame(GOAWAY, 0, 0, Buffer.of(0, 0, 0, last, 0, 0, 0, code));
}

/** One connection, seen from the peer. */
export class Peer {
  readonly socket: Socket;
  /** When false, nothing is acknowledged any more. */
  polite: boolean;
  /** Codes of streams that the client reset. */
  readonly resets: Map<number, number> = new Map();
  readonly #onRequest: (peer: Peer, id: number, ended: boolean) => void;
  readonly #waiters = new Map<number, () => void>();
  #bytes: Buffer = Buffer.alloc(0);
  #greeted = false;

  constructor(socket: Socket, settings: Uint8Array, onRequest: (peer: Peer, id: number, ended: boolean) => void) {
    this.socket = socket;
    this.polite = true;
    this.#onRequest = onRequest;
    socket
      .setNoDelay()
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => this.#take(chunk));
    socket.write(frame(SETTINGS, 0, 0, settings));
  }

  send(...frames: Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The code with which the client resets a stream. */
  async resetOf(id: number): Promise<number> {
    if (!this.resets.has(id)) await new Promise<void>((resolve) => this.#waiters.set(id, resolve));
    return this.resets.get(id) ?? -1;
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (!this.#greeted) {
      if (this.#bytes.length < PREFACE_BYTES) return;
      this.#bytes = this.#bytes.subarray(PREFACE_BYTES);
      this.#greeted = true;
    }
    while (this.#bytes.length >= 9) {
      const length = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + length) return;
      const [type = 0, flags = 0] = this.#bytes.subarray(3, 5);
      const id = this.#bytes.readUInt32BE(5);
      const payload = this.#bytes.subarray(9, 9 + length);
      this.#bytes = this.#bytes.subarray(9 + length);
      this.#handle({ type, flags, id, payload });
    }
  }

  #handle({ type, flags, id, payload }: Frame): void {
    const ended = (flags & END_STREAM) !== 0;
    if (type === SETTINGS && (flags & ACK) === 0 && this.polite) this.send(frame(SETTINGS, ACK, 0));
    if (type === PING && (flags & ACK) === 0 && this.polite) this.send(frame(PING, ACK, 0, payload));
    if (type === HEADERS || (type === DATA && ended)) this.#onRequest(this, id, ended);
    if (type === RST_STREAM) {
      this.resets.set(id, payload.readUInt32BE(0));
      this.#waiters.get(id)?.();
    }
  }
}

interface FramePeers {
  readonly port: number;
  readonly peers: readonly Peer[];
}

/**
 * Listens with prior knowledge, or on the TLS server given.
 *
 * @param onRequest - called when the header of a request came, and again when its body ended, if it has one
 */
export async function framePeer(
  t: TestContext,
  onRequest: (peer: Peer, id: number, ended: boolean) => void,
  { server, settings = Buffer.alloc(0) }: { server?: Server; settings?: Uint8Array } = {},
): Promise<FramePeers> {
  const peers: Peer[] = [];
  const listening = server ?? createServer();
  listening.on(server === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    peers.push(new Peer(socket, settings, onRequest));
  });
  const port = await listenOn(t, listening);
  t.after(() => {
    for (const { socket } of peers) socket.destroy();
  });
  return { port, peers };
}
