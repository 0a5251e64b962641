/**
 * Sends one request exactly as a test says, good or bad, on a connection of its own: HTTP/1.1 written byte by byte on a
 * socket, and HTTP/2 frames from node:http2.
 */
import { once } from 'node:events';
import { type ClientHttp2Stream, connect as connectHttp2, constants, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { within } from './until.ts';

/** Where a role listens. */
export interface Endpoint {
  /** `http:` or `https:` and host and port. */
  readonly origin: string;
  /** PEM of the authority to trust. */
  readonly ca: string | undefined;
  /** Own address to connect from, one of 127.0.0.0/8. */
  readonly localAddress?: string;
}

/** A request to send. */
export interface Send {
  readonly method?: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Pieces in order. A piece can be a promise, to be waited for before anything after it is sent. */
  readonly body?: Iterable<Uint8Array | Promise<Uint8Array>>;
  /** Value of Content-Length; default the true one. `none` for chunked transfer, or DATA frames without a length. */
  readonly announce?: number | 'none';
  /** `cut` breaks the connection after the last piece, `open` leaves the request unfinished. */
  readonly ending?: 'complete' | 'cut' | 'open';
}

/** What came back. */
export interface Answer {
  readonly status: number;
  /** Field lines without `date`, in order. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** One way to talk HTTP. */
export type Transport = (endpoint: Endpoint, send: Send) => Promise<Answer | undefined>;

/** Value of a response field. */
export function field(answer: Answer | undefined, name: string): string | undefined {
  return answer?.fields.find(([key]) => key === name)?.[1];
}

/** Status, fields and content as one comparable text. */
export function fingerprint(answer: Answer | undefined): string {
  if (answer === undefined) return 'no answer';
  return JSON.stringify([answer.status, answer.fields, Buffer.from(answer.body).toString('hex')]);
}

/** Opens a connection that speaks HTTP/1.1. */
export async function openSocket({ origin, ca, localAddress }: Endpoint): Promise<Socket> {
  const { hostname, port, protocol } = new URL(origin);
  const place = { host: hostname, port: Number(port), ...(localAddress === undefined ? {} : { localAddress }) };
  const socket =
    protocol === 'https:'
      ? connectTls({ ...place, ALPNProtocols: ['http/1.1'], ...(ca === undefined ? {} : { ca }) })
      : connectTcp(place);
  await within(once(socket, protocol === 'https:' ? 'secureConnect' : 'connect'), 'a connection');
  socket.setNoDelay(true);
  return socket;
}

/** HTTP/1.1. Undefined when the connection ended without an answer. */
export const http1: Transport = async (endpoint, send) => {
  const socket = await openSocket(endpoint);
  const answer = readAnswer(socket);
  try {
    await writeRequest(socket, endpoint, send, answer);
    return await within(answer, 'an answer over HTTP/1.1');
  } finally {
    socket.destroy();
  }
};

/** Bytes as they are, then the answer. */
export async function rawText(endpoint: Endpoint, text: string): Promise<Answer | undefined> {
  const socket = await openSocket(endpoint);
  const answer = readAnswer(socket);
  socket.write(text, 'latin1');
  try {
    return await within(answer, 'an answer to raw bytes');
  } finally {
    socket.destroy();
  }
}

async function writeRequest(
  socket: Socket,
  endpoint: Endpoint,
  { method = 'POST', path, fields, body = [], announce, ending = 'complete' }: Send,
  answered: Promise<unknown>,
): Promise<void> {
  const length = announce ?? lengthOf(body);
  const framing = length === 'none' ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const host = new URL(endpoint.origin).host;
  socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${framing}\r\n${lines.join('')}\r\n`, 'latin1');
  // An answer may come before we are done; whoever has it stops reading what we send.
  let over = false;
  const note = (): void => {
    over = true;
  };
  answered.then(note, note);
  for (const pending of body) {
    const piece = await pending;
    if (over || socket.destroyed) return;
    const framed = length === 'none' ? chunk(piece) : piece;
    if (!socket.write(framed)) await drained(socket);
  }
  if (ending === 'cut') socket.destroy();
  else if (ending === 'complete' && length === 'none') socket.write('0\r\n\r\n');
}

/** Bytes of a body whose pieces are all there. */
function lengthOf(body: Iterable<Uint8Array | Promise<Uint8Array>>): number {
  let length = 0;
  for (const piece of body) {
    if (!(piece instanceof Uint8Array)) throw new TypeError('A body that is made while it is sent has to be announced');
    length += piece.length;
  }
  return length;
}

/** Until more can be written, or nothing ever again. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    if (stream.destroyed) resolve();
    else stream.on('drain', done).on('close', done).on('error', done);
  });
}

function chunk(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Reads one final response; undefined when the connection ends before its header. */
export function readAnswer(socket: Socket): Promise<Answer | undefined> {
  let held = Buffer.alloc(0);
  return new Promise((resolve) => {
    const take = (ended: boolean): void => {
      const answer = parseAnswer(held, ended);
      if (answer !== undefined || ended) resolve(answer);
    };
    socket.on('data', (data: Buffer) => {
      held = Buffer.concat([held, data]);
      take(false);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => take(true));
    socket.once('end', () => take(true));
  });
}

function parseAnswer(bytes: Buffer, ended: boolean): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [start = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(start)?.[1]);
  if (status < 200) return parseAnswer(bytes.subarray(end + 4), ended);
  const fields = lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
  });
  const body = parseBody(bytes.subarray(end + 4), status, fields, ended);
  // A connection's own fields say nothing about the role's answer.
  return (
    body && { status, fields: fields.filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name)), body }
  );
}

function parseBody(
  bytes: Buffer,
  status: number,
  fields: readonly (readonly [string, string])[],
  ended: boolean,
): Buffer | undefined {
  if (status === 204 || status === 304) return Buffer.alloc(0);
  const length = fields.find(([name]) => name === 'content-length')?.[1];
  if (length !== undefined) return bytes.length >= Number(length) ? bytes.subarray(0, Number(length)) : undefined;
  if (fields.every(([name]) => name !== 'transfer-encoding')) return ended ? bytes : undefined;
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (bytes.length < line + 4 + size) return undefined;
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
}

/** HTTP/2. Undefined when the stream or the connection ended without an answer. */
export const http2: Transport = async (endpoint, send) => {
  const session = connectHttp2(endpoint.origin, endpoint.ca === undefined ? {} : { ca: endpoint.ca });
  session.on('error', () => undefined);
  try {
    await within(once(session, 'connect'), 'an HTTP/2 connection');
    const { method = 'POST', path, fields, body = [], announce, ending = 'complete' } = send;
    const length = announce ?? lengthOf(body);
    const headers: OutgoingHttpHeaders = { ':method': method, ':path': path, ...fields };
    if (length !== 'none') headers['content-length'] = String(length);
    const stream = session.request(headers, { endStream: false });
    const answer = readStream(stream);
    let over = false;
    void answer.then(() => {
      over = true;
    });
    for (const pending of body) {
      const piece = await pending;
      if (over || stream.destroyed) break;
      if (!stream.write(piece)) await drained(stream);
    }
    if (ending === 'cut') stream.close(constants.NGHTTP2_CANCEL);
    else if (ending === 'complete' && !stream.destroyed) stream.end();
    return await within(answer, 'an answer over HTTP/2');
  } finally {
    session.destroy();
  }
};

function readStream(stream: ClientHttp2Stream): Promise<Answer | undefined> {
  let status = 0;
  let fields: (readonly [string, string])[] = [];
  const pieces: Buffer[] = [];
  return new Promise((resolve) => {
    const finish = (): void => resolve(status === 0 ? undefined : { status, fields, body: Buffer.concat(pieces) });
    stream.on('response', (headers) => {
      status = headers[':status'] ?? 0;
      fields = Object.entries(headers)
        .filter(([name]) => !name.startsWith(':') && name !== 'date')
        .flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one] as const));
    });
    stream.on('data', (data: Buffer) => pieces.push(data));
    stream.on('error', () => undefined);
    stream.once('end', finish).once('close', finish);
  });
}
