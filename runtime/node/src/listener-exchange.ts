/**
 * One request and its answer on either protocol. The object is the {@link RoleRequest} itself, and makes bodies and signals
 * only when asked: most of what a small request costs is allocation.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Writable } from 'node:stream';
import {
  asAbortSignal,
  type BodySource,
  type Cancellation,
  type CancellationListener,
  type RoleRequest,
  type RoleResponse,
} from '@privacy-edge/http-exchange';
import { pump } from './answer-stream.ts';
import { contentLength, dropRest, IncomingBody } from './incoming-body.ts';

/** Limits of a listener. */
export interface ListenerLimits {
  /** Bytes of a request's header; above it 431. */
  readonly maxHeaderBytes: number;
  /** Field lines of a request's header; above it 431. */
  readonly maxHeaderFields: number;
  /** Milliseconds until a request's header, or a TLS handshake, is complete. */
  readonly headersTimeoutMs: number;
  /** Milliseconds for a body read whole, and for each wait while it is streamed. */
  readonly bodyTimeoutMs: number;
  /**
   * Bytes per second that a streamed body must have delivered once it was waited for `bodyTimeoutMs`, until the role relaxes
   * the limit. Without it a peer could hold a place by one byte at a time.
   */
  readonly minBodyBytesPerSecond: number;
  /** Milliseconds an answer may wait for a peer that does not read. */
  readonly writeTimeoutMs: number;
  /** Milliseconds an idle connection is kept. */
  readonly keepAliveTimeoutMs: number;
  /** Requests on one HTTP/1.1 connection before it is closed; 0 is no limit. */
  readonly maxRequestsPerSocket: number;
  readonly maxConnections: number;
  /** Requests under way; above it 503 with Retry-After. */
  readonly maxInFlight: number;
  /** Concurrent HTTP/2 streams of one connection. */
  readonly maxStreamsPerConnection: number;
}

/** What the listener needs of an exchange. */
export interface Exchange extends RoleRequest {
  /** Set when the request is refused without asking the handler. */
  readonly refusal: RoleResponse | undefined;
  /** Closes the connection after this answer. */
  closeAfter(): void;
  /** Writes the answer; a promise only when it has to wait. */
  write(response: RoleResponse): Promise<void> | undefined;
  /** Answers 500 if nothing was sent yet, otherwise makes the truncation visible. */
  break(): void;
}

/** Largest body that is cheaper to send as a string. */
const SMALL_BODY_BYTES = 8192;
/** Milliseconds given to a peer that still sends a body nobody wants, so that it reads our answer before a reset. */
const LINGER_MS = 1000;
const HEADER_TOO_LARGE: RoleResponse = { status: 431, fields: [], body: null };
const FAILED: RoleResponse = { status: 500, fields: [], body: null };

/** An exchange on HTTP/1.1. */
export class Http1Exchange implements Exchange, Cancellation {
  readonly method: string;
  readonly path: string;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #limits: ListenerLimits;
  readonly #expectsContinue: boolean;
  #body: BodySource | undefined;
  #signal: AbortSignal | undefined;
  /** Who is told when the peer goes; one is the rule. */
  #listeners: CancellationListener[] | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, limits: ListenerLimits, expectsContinue: boolean) {
    this.method = req.method ?? '';
    this.path = req.url ?? '';
    this.#req = req;
    this.#res = res;
    this.#limits = limits;
    this.#expectsContinue = expectsContinue;
  }

  get refusal(): RoleResponse | undefined {
    return this.#req.rawHeaders.length > 2 * this.#limits.maxHeaderFields ? HEADER_TOO_LARGE : undefined;
  }

  header(name: string): string | undefined {
    // node:http keeps only the first of some repeated fields; a duplicate must not hide here.
    const lines = this.#req.rawHeaders;
    let value: string | undefined;
    for (let at = 0; at < lines.length; at += 2) {
      const candidate = lines[at] ?? '';
      if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
      const line = lines[at + 1] ?? '';
      value = value === undefined ? line : `${value}, ${line}`;
    }
    return value;
  }

  get body(): BodySource {
    this.#body ??= new IncomingBody(this.#req, {
      announcedLength: this.#announcedLength(),
      timeoutMs: this.#limits.bodyTimeoutMs,
      minBytesPerSecond: this.#limits.minBodyBytesPerSecond,
      onFirstRead: this.#expectsContinue ? () => this.#res.writeContinue() : undefined,
    });
    return this.#body;
  }

  get signal(): AbortSignal {
    this.#signal ??= asAbortSignal(this);
    return this.#signal;
  }

  get cancellation(): Cancellation {
    return this;
  }

  get aborted(): boolean {
    return isCut(this.#res);
  }

  addEventListener(_type: 'abort', listener: CancellationListener): void {
    if (this.#listeners !== undefined) {
      this.#listeners.push(listener);
      return;
    }
    this.#listeners = [listener];
    this.#res.on('close', () => this.#closed());
  }

  removeEventListener(_type: 'abort', listener: CancellationListener): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.#listeners?.splice(at, 1);
  }

  #closed(): void {
    const listeners = this.#listeners;
    if (listeners === undefined || listeners.length === 0 || this.#res.writableFinished) return;
    for (const listener of listeners.splice(0)) listener.handleEvent();
  }

  closeAfter(): void {
    this.#res.shouldKeepAlive = false;
  }

  write(response: RoleResponse): Promise<void> | undefined {
    const res = this.#res;
    if (res.destroyed) return closeUnwritten(response);
    if (!this.#req.complete && this.#announcedLength() !== 0) this.#leaveUnread();
    // node:http announces the close after the last request allowed, but leaves the closing to the peer.
    if ('maxRequestsOnConnectionReached' in res && res.maxRequestsOnConnectionReached) this.closeAfter();
    const { status, body } = response;
    const lines: string[] = [];
    const streamed = body !== null && !(body instanceof Uint8Array);
    for (const [name, value] of response.fields) {
      if (streamed || name !== 'content-length' || this.method === 'HEAD') lines.push(name, value);
    }
    if (!streamed) {
      if (!hasNoContent(status) && this.method !== 'HEAD') lines.push('content-length', String(body?.length ?? 0));
      res.writeHead(status, lines);
      if (body === null) res.end();
      // As one string, node:http sends header and body in one write; as bytes it takes two, which costs more than the copy.
      else if (body.length <= SMALL_BODY_BYTES) res.end(asLatin1(body), 'latin1');
      else res.end(body);
      return undefined;
    }
    res.writeHead(status, lines);
    if (this.method === 'HEAD' || hasNoContent(status)) return discard(body, res);
    return pump(body, res, this.#limits.writeTimeoutMs, () => res.flushHeaders());
  }

  break(): void {
    // After what was written in this turn.
    if (this.#res.headersSent) setImmediate(() => this.#res.destroy());
    else void this.write(FAILED);
  }

  /**
   * The handler answered without reading all of the body: the connection cannot be used again. Closing it with bytes unread
   * would reset it, and our answer could be lost with it, so what the peer still sends is dropped for a moment.
   */
  #leaveUnread(): void {
    const { socket } = this.#req;
    this.#res.shouldKeepAlive = false;
    // What node:http calls after the last answer of a connection; it would close with bytes unread.
    socket.destroySoon = () => {
      socket.end();
      dropRest(this.#req);
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once('close', () => clearTimeout(timer));
    };
  }

  #announcedLength(): number | undefined {
    const announced = contentLength(this.header('content-length'));
    if (announced !== undefined) return announced;
    // No length and no transfer coding is an empty body, RFC 9112 §6.3.
    return this.header('transfer-encoding') === undefined ? 0 : undefined;
  }
}

/** An exchange on one HTTP/2 stream. */
export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #limits: ListenerLimits;
  #body: BodySource | undefined;
  #abort: AbortController | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, limits: ListenerLimits) {
    this.method = headers[':method'] ?? '';
    this.path = headers[':path'] ?? '';
    this.#stream = stream;
    this.#headers = headers;
    this.#limits = limits;
    // A stream that the peer resets reports an error; without a listener it would end the process.
    stream.on('error', ignore);
  }

  /** node:http2 announces the limit but does not keep it. */
  get refusal(): RoleResponse | undefined {
    return headerListBytes(this.#headers) > this.#limits.maxHeaderBytes ? HEADER_TOO_LARGE : undefined;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name === 'host' ? (this.#headers.host === undefined ? ':authority' : name) : name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get body(): BodySource {
    this.#body ??= new IncomingBody(this.#stream, {
      announcedLength: contentLength(this.#headers['content-length']) ?? (this.#stream.readableEnded ? 0 : undefined),
      timeoutMs: this.#limits.bodyTimeoutMs,
      minBytesPerSecond: this.#limits.minBodyBytesPerSecond,
      onFirstRead:
        this.#headers.expect?.toLowerCase() === '100-continue'
          ? () => this.#stream.additionalHeaders(CONTINUE)
          : undefined,
    });
    return this.#body;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      // Not by 'close': a reset finishes the writing side too, and nothing then tells an answer from none.
      if (this.#stream.aborted) abort.abort();
      else this.#stream.once('aborted', () => abort.abort());
    }
    return this.#abort.signal;
  }

  closeAfter(): void {
    this.#stream.session?.close();
  }

  write(response: RoleResponse): Promise<void> | undefined {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) {
      this.#dropUnread();
      return closeUnwritten(response);
    }
    const { body } = response;
    const streamed = body !== null && !(body instanceof Uint8Array);
    const headers = http2Headers(response, streamed || this.method === 'HEAD');
    const empty = this.method === 'HEAD' || hasNoContent(response.status) || (!streamed && (body?.length ?? 0) === 0);
    if (!empty && !streamed) headers['content-length'] = String(body?.length ?? 0);
    if (!streamed) {
      stream.respond(headers, { endStream: empty });
      if (!empty) stream.end(body);
      this.#closeUnread();
      return undefined;
    }
    stream.respond(headers, { endStream: empty });
    if (empty) return discard(body, stream);
    return pump(body, stream, this.#limits.writeTimeoutMs, ignore).then(() => this.#closeUnread());
  }

  break(): void {
    if (!this.#stream.headersSent) void this.write(FAILED);
    else {
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      this.#dropUnread();
    }
  }

  /** A stream that was read in part does not end by itself, and one that has not ended keeps its connection for ever. */
  #dropUnread(): void {
    if (this.#body !== undefined && !this.#stream.readableEnded) dropRest(this.#stream);
  }

  /**
   * Tells a peer that still sends a body to stop, once the answer is out (RFC 9113 §8.1). node:http2 does so by itself only
   * for a body that nobody began to read.
   */
  #closeUnread(): void {
    const stream = this.#stream;
    if (this.#body === undefined || stream.readableEnded || stream.destroyed) return;
    // Not only once the answer is out: the peer may go before, and nothing else would be told.
    this.#dropUnread();
    const close = (): void => {
      setImmediate(() => (stream.readableEnded ? undefined : stream.close(constants.NGHTTP2_NO_ERROR)));
    };
    if (stream.writableFinished) close();
    else stream.once('finish', close);
  }
}

/** Size of a header as SETTINGS_MAX_HEADER_LIST_SIZE counts it, RFC 9113 §6.5.2. */
function headerListBytes(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') bytes += name.length + value.length + 32;
    else for (const one of value ?? []) bytes += name.length + one.length + 32;
  }
  return bytes;
}

const CONTINUE: OutgoingHttpHeaders = { ':status': 100 };

function ignore(): void {}

/** Statuses whose answers end with the header, RFC 9110 §6.4.1. */
function hasNoContent(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

/** Fields that HTTP/2 forbids, RFC 9113 §8.2.2. */
const CONNECTION_FIELDS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

function http2Headers(response: RoleResponse, keepLength: boolean): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ':status': response.status };
  for (const [name, value] of response.fields) {
    if (CONNECTION_FIELDS.has(name) || (name === 'content-length' && !keepLength)) continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else headers[name] = [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  return headers;
}

function asLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Closed before the answer was out. */
function isCut(stream: Writable): boolean {
  return stream.destroyed && !stream.writableFinished;
}

/** The peer went before its answer: what the answer would have been streamed from must learn of it. */
function closeUnwritten({ body }: RoleResponse): undefined {
  if (body !== null && !(body instanceof Uint8Array)) body[Symbol.asyncIterator]().return?.().then(ignore, ignore);
}

/** The answer has no body on the wire; the handler's stream is closed unread. */
async function discard(body: AsyncIterable<Uint8Array>, out: Writable): Promise<void> {
  if (!out.writableEnded) out.end();
  await body[Symbol.asyncIterator]().return?.();
}
