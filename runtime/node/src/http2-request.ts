/**
 * One exchange as one HTTP/2 stream: it waits in a queue until a connection has room, then carries the request, its body and
 * trailers out and drives the {@link OutboundExchange} with what comes back.
 */
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { Http2Connection } from './http2-connection.ts';
import { bodyLength, http2Fields, http2Trailers, sectionBytes } from './http2-fields.ts';
import { OutboundError } from './outbound-error.ts';
import type { ExchangeController, OutboundExchange } from './outbound-exchange.ts';
import type { WireRequest } from './outbound-route.ts';
import { fieldsByName, type RawFields } from './raw-fields.ts';

/** How one exchange behaves. */
export interface Http2RequestOptions {
  /** Milliseconds without a byte of the answer's body. */
  readonly idleTimeoutMs: number;
  /** Bytes of one field section of the answer. */
  readonly maxHeaderBytes: number;
  /** Called when the exchange is over before it started. */
  readonly onGivenUp: (request: Http2Request) => void;
}

/** Begins in a queue; `start` gives it its stream. */
export class Http2Request implements ExchangeController {
  rawHeaders: RawFields = null;
  rawTrailers: RawFields = null;
  readonly wire: WireRequest;
  readonly exchange: OutboundExchange;
  readonly #options: Http2RequestOptions;
  #connection: Http2Connection | undefined;
  #stream: ClientHttp2Stream | undefined;
  #idle: NodeJS.Timeout | undefined;
  #paused = false;
  /** END_STREAM came: the answer is whole, though parts of it may not be delivered yet. */
  #complete = false;
  #over = false;

  constructor(wire: WireRequest, exchange: OutboundExchange, options: Http2RequestOptions) {
    this.wire = wire;
    this.exchange = exchange;
    this.#options = options;
    exchange.attach(this);
  }

  /** Sends the request on a connection that has room. */
  start(connection: Http2Connection): void {
    const { body, trailers } = this.wire;
    this.exchange.onRequestStart(this);
    this.#connection = connection;
    let stream: ClientHttp2Stream;
    try {
      const waitForTrailers = body !== null && trailers !== undefined;
      stream = connection.open(http2Fields(this.wire, connection.secure), {
        endStream: body === null,
        waitForTrailers,
      });
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#stream = stream;
    this.#noteEndStream(stream);
    stream
      .on('headers', (_headers, _flags, raw) => this.#onInformational(raw))
      .once('response', (_headers, _flags, raw) => this.#onResponse(stream, raw))
      .once('trailers', (_headers, _flags, raw) => {
        if (this.#accept(raw)) this.rawTrailers = raw;
      })
      .once('wantTrailers', () => this.#sendTrailers(stream))
      // Its code is read when the stream closes.
      .on('error', () => undefined)
      .once('close', () => this.#onClose(stream));
    if (body !== null) void this.#sendBody(stream, body);
  }

  pause(): void {
    clearTimeout(this.#idle);
    if (this.#complete) return;
    this.#paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream?.resume();
    this.#awaitData();
  }

  /** Gives the request up; the peer is told with CANCEL. */
  abort(reason: Error): void {
    if (this.#over) return;
    if (this.#connection === undefined) this.#options.onGivenUp(this);
    // A connection that died without a word looks exactly like a slow peer.
    else if (reason instanceof OutboundError && reason.code === 'TIMEOUT') this.#connection.doubt();
    this.#stop();
  }

  /**
   * Node ends the readable side alike after END_STREAM and after a reset with NO_ERROR, which may cut a body anywhere. They
   * differ at one moment only: when the end is pushed, a stream that was reset is closed already.
   *
   * @see RFC 9113 §8.1
   */
  #noteEndStream(stream: ClientHttp2Stream): void {
    const push = stream.push;
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !stream.closed) {
        this.#complete = true;
        // All of it is in memory: deliver it before the connection can take it along.
        this.resume();
      }
      return push.call(stream, chunk, encoding);
    };
  }

  /** The limit that was announced holds from when the peer acknowledged it, so it is judged here too. */
  #accept(raw: readonly string[]): boolean {
    if (sectionBytes(raw) > this.#options.maxHeaderBytes) {
      this.#fail(new OutboundError('BROKEN', 'The header of the answer is too long'));
    }
    return !this.#over;
  }

  /** `raw` begins with `:status`, the only pseudo-field an answer has. */
  #onInformational(raw: string[]): void {
    if (!this.#accept(raw)) return;
    this.rawHeaders = raw.slice(2);
    this.exchange.onResponseStart(this, Number(raw[1]), NO_FIELDS);
  }

  #onResponse(stream: ClientHttp2Stream, raw: string[]): void {
    if (!this.#accept(raw)) return;
    const fields = raw.slice(2);
    this.rawHeaders = fields;
    this.exchange.onResponseStart(this, Number(raw[1]), fieldsByName(fields));
    stream
      .on('data', (chunk: Uint8Array) => {
        if (this.#over) return;
        this.#idle?.refresh();
        this.exchange.onResponseData(this, chunk);
      })
      .once('end', () => this.#onEnd(stream));
    this.#awaitData();
  }

  #onEnd(stream: ClientHttp2Stream): void {
    if (this.#over || !this.#complete) return;
    this.#over = true;
    clearTimeout(this.#idle);
    this.exchange.onResponseEnd(this);
    // The peer has answered and does not want the rest of the request.
    if (!stream.writableFinished) stream.close(constants.NGHTTP2_CANCEL);
  }

  #onClose(stream: ClientHttp2Stream): void {
    const refused = this.#connection?.refused(stream.id, stream.rstCode) === true;
    this.#fail(
      refused
        ? new OutboundError('NOT_PROCESSED', 'The peer refused the request unprocessed')
        : new OutboundError('BROKEN', 'The stream ended early'),
    );
  }

  #awaitData(): void {
    clearTimeout(this.#idle);
    if (this.#over) return;
    this.#idle = setTimeout(() => {
      this.#connection?.doubt();
      this.#fail(new OutboundError('TIMEOUT', 'The peer did not answer in time'));
    }, this.#options.idleTimeoutMs);
  }

  async #sendBody(stream: ClientHttp2Stream, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    if (body instanceof Uint8Array) {
      stream.end(body);
      return;
    }
    const announced = bodyLength(this.wire);
    let sent = 0;
    try {
      for await (const chunk of body) {
        if (stream.closed) return;
        sent += chunk.length;
        if (announced !== undefined && sent > announced) break;
        if (!stream.write(chunk)) await drained(stream);
      }
      if (announced !== undefined && sent !== announced) {
        throw new OutboundError('BROKEN', 'The request body is not as long as announced');
      }
      stream.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  #sendTrailers(stream: ClientHttp2Stream): void {
    try {
      stream.sendTrailers(http2Trailers(this.wire.trailers?.() ?? []));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#stop();
    const cause = error instanceof Error ? error : new OutboundError('BROKEN', 'The exchange broke', { cause: error });
    this.exchange.onResponseError(this, cause);
  }

  #stop(): void {
    this.#over = true;
    clearTimeout(this.#idle);
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }
}

const NO_FIELDS = {};

/** Room in the flow-control windows, or the end of the stream. */
function drained(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
