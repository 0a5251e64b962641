/** One HTTP/2 connection: how many streams it may have, when it is unused, and what its GOAWAY said. RFC 9113. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type ClientSessionRequestOptions,
  connect,
  constants,
} from 'node:http2';
import type { Socket } from 'node:net';

/** What a connection needs to know. */
export interface Http2ConnectionOptions {
  readonly secure: boolean;
  /** Milliseconds without a stream before it is closed. */
  readonly keepAliveMs: number;
  /** Milliseconds for the answer to a PING, when a stream timed out. */
  readonly pingTimeoutMs: number;
  /** Bytes of an answer's field section. */
  readonly maxHeaderBytes: number;
  /** Streams after which another connection is used; identifiers end at 2^31. */
  readonly maxStreams: number;
  /** There may be room for another stream, or need of another connection. */
  readonly onChange: () => void;
  /** The socket is closed. */
  readonly onGone: (connection: Http2Connection) => void;
}

/** Owns the socket it is given. */
export class Http2Connection {
  readonly secure: boolean;
  readonly #options: Http2ConnectionOptions;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  #closing = false;
  #active = 0;
  #opened = 0;
  #limit: number | undefined;
  #doubtful: NodeJS.Timeout | undefined;
  #unused: NodeJS.Timeout | undefined;
  #goaway: { readonly code: number; readonly last: number } | undefined;

  constructor(socket: Socket, options: Http2ConnectionOptions) {
    this.secure = options.secure;
    this.#options = options;
    this.#socket = socket;
    // The authority is only what node:http2 would fill in; every request brings its own.
    this.#session = connect(
      options.secure ? 'https://origin.invalid' : 'http://origin.invalid',
      sessionOptions(socket, options),
    );
    this.#session
      .on('connect', () => this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
      .on('remoteSettings', (peer) => {
        this.#limit = Math.min(peer.maxConcurrentStreams ?? OWN_LIMIT, OWN_LIMIT);
        options.onChange();
      })
      .on('goaway', (code, last) => {
        this.#goaway = { code, last: Math.min(last, this.#goaway?.last ?? last) };
        this.#leave();
      })
      // Its streams are told.
      .on('error', () => undefined)
      .on('close', () => this.#leave());
    socket.once('close', () => {
      clearTimeout(this.#unused);
      clearTimeout(this.#doubtful);
      options.onGone(this);
    });
    this.#rest();
  }

  /** Whether another stream may be opened now. */
  get hasRoom(): boolean {
    return !this.isClosed && this.#doubtful === undefined && this.#active < (this.#limit ?? 1);
  }

  /** True until the peer said how many streams it allows: one is sent at once, more could be refused. */
  get isNew(): boolean {
    return this.#limit === undefined && this.#doubtful === undefined && !this.isClosed;
  }

  /** True when it takes no more streams, whatever becomes of the ones it has. */
  get isClosed(): boolean {
    return this.#closing || this.#session.closed || this.#session.destroyed;
  }

  /**
   * Opens a stream; call only while there is room.
   *
   * @param fields - names and values in turn, pseudo-fields included
   * @throws TypeError for fields that HTTP/2 cannot carry
   */
  open(fields: readonly string[], options: ClientSessionRequestOptions): ClientHttp2Stream {
    const stream = this.#session.request(fields, options);
    if (this.#active++ === 0) this.#session.ref();
    clearTimeout(this.#unused);
    stream.once('close', () => {
      this.#active--;
      if (this.#active === 0) this.#rest();
      this.#options.onChange();
    });
    if (++this.#opened >= this.#options.maxStreams) this.close();
    return stream;
  }

  /**
   * Whether the peer said that it did nothing with a stream: it refused it, or left it out in its GOAWAY.
   *
   * @see RFC 9113 §8.7
   */
  refused(id: number | undefined, code: number): boolean {
    const goaway = this.#goaway;
    if (goaway !== undefined && id !== undefined && id > goaway.last) return true;
    // Node gives the code of a GOAWAY to all streams that it takes along.
    return code === constants.NGHTTP2_REFUSED_STREAM && goaway?.code !== constants.NGHTTP2_REFUSED_STREAM;
  }

  /** A stream timed out: until a PING is answered no other is opened, and without an answer in time all are lost. */
  doubt(): void {
    if (this.#doubtful !== undefined || this.#session.destroyed) return;
    this.#doubtful = setTimeout(() => this.destroy(), this.#options.pingTimeoutMs).unref();
    this.#session.ping((error) => {
      clearTimeout(this.#doubtful);
      if (error !== null) return;
      this.#doubtful = undefined;
      this.#options.onChange();
    });
  }

  /** Takes no more streams; those under way finish. GOAWAY would overtake a request that is about to be sent. */
  close(): void {
    this.#closing = true;
    if (this.#active === 0) this.#rest();
  }

  /** Breaks whatever is under way. */
  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  /** Without a stream: closes now or later, and does not keep the process alive until then. */
  #rest(): void {
    clearTimeout(this.#unused);
    if (this.#closing) this.#session.close();
    this.#session.unref();
    // A peer that does not close its side, after the session has said its last, must not keep the socket.
    this.#unused = this.isClosed
      ? setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
      : setTimeout(() => this.close(), this.#options.keepAliveMs).unref();
  }

  #leave(): void {
    this.#closing = true;
    if (this.#active === 0) this.#rest();
    this.#options.onChange();
  }
}

function sessionOptions(
  socket: Socket,
  { maxHeaderBytes }: Http2ConnectionOptions,
): ClientSessionOptions & { strictSingleValueFields: boolean } {
  return {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES, maxHeaderListSize: maxHeaderBytes },
    // Their bytes are limited; their number is of no interest.
    maxHeaderListPairs: 65_535,
    // What a target makes of a repeated field is not for the client to say.
    strictSingleValueFields: false,
  };
}

/** Streams at most, whatever the peer allows. */
const OWN_LIMIT = 1024;
/** Bytes a peer may send before the reader of a stream took any; also what one stalled reader can hold. */
const STREAM_WINDOW_BYTES = 262_144;
const CONNECTION_WINDOW_BYTES = 8_388_608;
const LINGER_MS = 1000;
