/**
 * One request and the body of its answer, in one object: below undici's `Pool.request`, because a request object, a Readable and
 * their listeners cost as much as the rest of a small exchange. An undici pool drives it for HTTP/1.1, a stream for HTTP/2.
 */

import { Gatherer } from '@privacy-edge/bytes';
import { BodyError, type BodySource, type Cancellation } from '@privacy-edge/http-exchange';
import type { Dispatcher } from 'undici';
import { type Deadline, setDeadline } from './deadlines.ts';
import { exchangeError, OutboundError } from './outbound-error.ts';
import type { RawFields } from './raw-fields.ts';

/** The connection's side of an exchange, as far as the exchange needs it; undici's has more. */
export interface ExchangeController {
  readonly rawHeaders?: RawFields;
  readonly rawTrailers?: RawFields;
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** What an origin tells its exchanges about its connections. */
export interface ConnectionCount {
  /** Connections that stand. */
  readonly open: number;
}

/** The header of an answer. */
export interface ExchangeHead {
  readonly status: number;
  /** Fields by lower-case name. */
  readonly headers: Record<string, string | string[] | undefined>;
  readonly rawHeaders: RawFields;
}

/** A field of an answer by lower-case name, several lines joined. */
export function headerValue(headers: ExchangeHead['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** How an exchange behaves. */
export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly signal: Cancellation;
  readonly onInformational: ((status: number, rawHeaders: RawFields) => void) | undefined;
  /** Called once when the exchange is over, well or badly. */
  readonly onOver: () => void;
}

/** Bytes held for a body that nobody reads yet, before the peer is made to wait. */
const HIGH_WATER_BYTES = 65_536;
/** A piece below this waits for the end of the turn, because others usually come with it. */
const SMALL_PIECE_BYTES = 1024;

/** Hand it to whoever sends the request; `head` settles once. */
export class OutboundExchange implements Dispatcher.DispatchHandler, BodySource {
  announcedLength: number | undefined = undefined;
  readonly head: Promise<ExchangeHead>;
  readonly #options: ExchangeOptions;
  readonly #connections: ConnectionCount;
  #resolveHead: (head: ExchangeHead) => void;
  #rejectHead: (error: OutboundError) => void;
  #controller: ExchangeController | undefined;
  #started = false;
  readonly #deadline: Deadline;
  #nobodyReads: NodeJS.Timeout | undefined;
  #headSettled = false;
  #over = false;
  #ended = false;
  #failure: Error | undefined;
  /** Bytes, not pieces: how a peer cuts its answer must not decide how many objects it is here. */
  readonly #held = new Gatherer();
  #turn: NodeJS.Immediate | undefined;
  #limit = -1;
  #streaming = false;
  #wake: (() => void) | undefined;
  #rawTrailers: RawFields = null;

  constructor(options: ExchangeOptions, connections: ConnectionCount) {
    this.#options = options;
    this.#connections = connections;
    const { promise, resolve, reject } = Promise.withResolvers<ExchangeHead>();
    this.head = promise;
    this.#resolveHead = resolve;
    this.#rejectHead = reject;
    this.#deadline = setDeadline(this, options.timeoutMs);
    if (options.signal.aborted) this.handleEvent();
    else options.signal.addEventListener('abort', this);
  }

  /** Trailers as received; known after the end. */
  get rawTrailers(): RawFields {
    return this.#rawTrailers;
  }

  /** True when the exchange failed before it was dispatched. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The caller's signal fired. */
  handleEvent(): void {
    this.#fail(new OutboundError('BROKEN', 'The request was given up'));
  }

  /** The time for the header is up. */
  timeOut(): void {
    if (this.#started) this.#fail(new OutboundError('TIMEOUT', 'The peer did not answer in time'));
    else if (this.#connections.open > 0)
      this.#fail(new OutboundError('OVERLOADED', 'No connection became free in time'));
    else this.#fail(new OutboundError('CONNECT_FAILED', 'Cannot connect: time-out'));
  }

  /** Says whom to tell when the exchange is given up before it starts. */
  attach(controller: ExchangeController): void {
    this.#controller = controller;
  }

  onRequestStart(controller: ExchangeController): void {
    this.#controller = controller;
    if (this.#failure !== undefined) {
      controller.abort(this.#failure);
      return;
    }
    // undici never sends a request again that is not idempotent; should it want to, nothing is known about the first time.
    if (this.#started) controller.abort(new OutboundError('BROKEN', 'The connection was lost'));
    this.#started = true;
  }

  onResponseStart(controller: ExchangeController, status: number, headers: ExchangeHead['headers']): void {
    if (status < 200) {
      this.#options.onInformational?.(status, controller.rawHeaders ?? null);
      return;
    }
    this.#deadline.clear();
    const announced = headers['content-length'];
    if (typeof announced === 'string' && /^\d{1,15}$/.test(announced)) this.announcedLength = Number(announced);
    this.#headSettled = true;
    this.#resolveHead({ status, headers, rawHeaders: controller.rawHeaders ?? null });
  }

  onResponseData(controller: ExchangeController, chunk: Uint8Array): void {
    const held = this.#held.length + chunk.length;
    if (this.#limit >= 0) {
      if (held > this.#limit) {
        this.#failBody(new BodyError('TOO_LARGE', 'The body is longer than allowed'));
        return;
      }
    } else if (held >= HIGH_WATER_BYTES) {
      controller.pause();
      // A caller that never reads must not hold the connection for ever.
      if (!this.#streaming) this.#nobodyReads ??= setTimeout(onNobodyReads, this.#options.idleTimeoutMs, this);
    }
    this.#held.push(chunk);
    if (this.#wake === undefined || !this.#streaming) return;
    if (chunk.length >= SMALL_PIECE_BYTES) this.#wakeUp();
    else if (this.#turn === undefined) this.#turn = setImmediate(wakeReader, this);
  }

  onResponseEnd(controller: ExchangeController): void {
    this.#rawTrailers = controller.rawTrailers ?? null;
    this.#ended = true;
    this.#finish();
    this.#wakeUp();
  }

  onResponseError(_controller: ExchangeController, error: Error): void {
    if (!this.#headSettled) this.#fail(exchangeError(error));
    else if (error instanceof BodyError) this.#failBody(error);
    else {
      const late = exchangeError(error).code === 'TIMEOUT';
      const message = late ? 'The body did not arrive in time' : 'The body ended early';
      this.#failBody(new BodyError(late ? 'TIMEOUT' : 'ABORTED', message, { cause: error }));
    }
  }

  async read(maxBytes: number): Promise<Uint8Array> {
    this.#claim();
    const tooLarge = Math.max(this.announcedLength ?? 0, this.#held.length) > maxBytes;
    if (tooLarge && this.#failure === undefined) {
      this.#failBody(new BodyError('TOO_LARGE', 'The body is longer than allowed'));
    }
    this.#limit = maxBytes;
    while (!this.#ended && this.#failure === undefined) {
      this.#controller?.resume();
      await this.#woken();
    }
    if (this.#failure !== undefined) throw this.#failure;
    // A small body may have ended before anybody asked for it, and is then past failing.
    if (this.#held.length > maxBytes) throw new BodyError('TOO_LARGE', 'The body is longer than allowed');
    return this.#held.take();
  }

  stream(): AsyncIterable<Uint8Array> & AsyncIterator<Uint8Array> {
    this.#claim();
    this.#streaming = true;
    const iterator = {
      next: () => this.#next(),
      return: async (): Promise<IteratorResult<Uint8Array>> => {
        this.cancel();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Gives up an answer whose body is not wanted; the connection is closed unless the body was complete. */
  cancel(): void {
    if (!this.#ended) this.#failBody(new BodyError('ABORTED', 'The body was given up'));
    this.#held.take();
  }

  /** The pieces of this turn are there. */
  endTurn(): void {
    this.#turn = undefined;
    this.#wakeUp();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      if (this.#held.length > 0) {
        const value = this.#held.take();
        this.#controller?.resume();
        return { done: false, value };
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return { done: true, value: undefined };
      await this.#woken();
    }
  }

  #claim(): void {
    if (this.#streaming || this.#limit >= 0) throw new TypeError('The body was consumed already');
    clearTimeout(this.#nobodyReads);
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Before the header this rejects `head`; later it ends the body. */
  #fail(error: OutboundError): void {
    if (this.#headSettled) {
      this.#failBody(new BodyError('ABORTED', 'The body was given up', { cause: error }));
      return;
    }
    this.#headSettled = true;
    this.#rejectHead(error);
    this.#stop(error);
  }

  #failBody(error: BodyError): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#stop(error);
    this.#wakeUp();
  }

  #stop(error: Error): void {
    this.#failure = error;
    this.#finish();
    this.#controller?.abort(error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline.clear();
    if (this.#nobodyReads !== undefined) clearTimeout(this.#nobodyReads);
    this.#options.signal.removeEventListener('abort', this);
    this.#options.onOver();
  }
}

function wakeReader(exchange: OutboundExchange): void {
  exchange.endTurn();
}

function onNobodyReads(exchange: OutboundExchange): void {
  exchange.cancel();
}
