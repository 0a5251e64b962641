/**
 * One request on an undici pool and the body of its answer, in one object: below `Pool.request`, because a request object, a
 * Readable and their listeners cost as much as the rest of a small exchange. It also stops undici from sending anything twice.
 */
import { BodyError, type BodySource } from '@privacy-edge/gateway-roles';
import type { Dispatcher } from 'undici';
import { exchangeError, notProcessed, OutboundError } from './outbound-error.ts';

type Controller = Dispatcher.DispatchController;
type RawFields = Controller['rawHeaders'];
type FieldList = (readonly [name: string, value: string])[];

/** What the pool tells an exchange about its connections. */
export interface ConnectionLosses {
  /** Connections of the pool that closed so far. */
  lost: number;
  /** Connections that stand. */
  open: number;
}

/** The header of an answer. */
export interface ExchangeHead {
  readonly status: number;
  /** Fields by lower-case name as undici parsed them. */
  readonly headers: Record<string, string | string[] | undefined>;
  readonly rawHeaders: RawFields;
}

/** How an exchange behaves. */
export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onInformational: ((status: number, rawHeaders: RawFields) => void) | undefined;
  /** Called once when the exchange is over, well or badly. */
  readonly onOver: () => void;
}

/** Bytes held for a body that nobody reads yet, before the peer is made to wait. */
const HIGH_WATER_BYTES = 65_536;
const EMPTY = new Uint8Array(0);

/** Hand it to `dispatch`; `head` settles once. */
export class OutboundExchange implements Dispatcher.DispatchHandler, BodySource {
  announcedLength: number | undefined = undefined;
  readonly head: Promise<ExchangeHead>;
  readonly #options: ExchangeOptions;
  readonly #losses: ConnectionLosses;
  #resolveHead: (head: ExchangeHead) => void;
  #rejectHead: (error: OutboundError) => void;
  #controller: Controller | undefined;
  #lostAtStart = -1;
  #timer: NodeJS.Timeout | undefined;
  #headSettled = false;
  #over = false;
  #ended = false;
  #failure: Error | undefined;
  #chunks: Uint8Array[] = [];
  #held = 0;
  #limit = -1;
  #streaming = false;
  #wake: (() => void) | undefined;
  #rawTrailers: RawFields;

  constructor(options: ExchangeOptions, losses: ConnectionLosses) {
    this.#options = options;
    this.#losses = losses;
    const { promise, resolve, reject } = Promise.withResolvers<ExchangeHead>();
    this.head = promise;
    this.#resolveHead = resolve;
    this.#rejectHead = reject;
    this.#timer = setTimeout(onHeadTimeout, options.timeoutMs, this);
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
    const sent = this.#lostAtStart >= 0;
    if (sent) this.#fail(new OutboundError('TIMEOUT', 'The peer did not answer in time'));
    else if (this.#losses.open > 0) this.#fail(new OutboundError('OVERLOADED', 'No connection became free in time'));
    else this.#fail(new OutboundError('CONNECT_FAILED', 'Cannot connect: time-out'));
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#failure !== undefined) {
      controller.abort(this.#failure);
      return;
    }
    if (this.#lostAtStart < 0) {
      this.#lostAtStart = this.#losses.lost;
      return;
    }
    // undici is about to send the request again. While no connection was lost, it does so only for a stream that the peer
    // refused or left out in its GOAWAY; after a loss nothing is known.
    const refused = this.#lostAtStart === this.#losses.lost;
    controller.abort(refused ? notProcessed() : new OutboundError('BROKEN', 'The connection was lost'));
  }

  onResponseStart(controller: Controller, status: number, headers: ExchangeHead['headers']): void {
    if (status < 200) {
      this.#options.onInformational?.(status, controller.rawHeaders);
      return;
    }
    clearTimeout(this.#timer);
    const announced = headers['content-length'];
    if (typeof announced === 'string' && /^\d{1,15}$/.test(announced)) this.announcedLength = Number(announced);
    this.#headSettled = true;
    this.#resolveHead({ status, headers, rawHeaders: controller.rawHeaders });
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    this.#held += chunk.length;
    if (this.#limit >= 0) {
      if (this.#held > this.#limit) {
        this.#failBody(new BodyError('TOO_LARGE', 'The body is longer than allowed'));
        return;
      }
    } else if (this.#held >= HIGH_WATER_BYTES) {
      controller.pause();
      // A caller that never reads must not hold the connection for ever.
      if (!this.#streaming) this.#timer = setTimeout(onNobodyReads, this.#options.idleTimeoutMs, this);
    }
    this.#chunks.push(chunk);
    if (this.#streaming) this.#wakeUp();
  }

  onResponseEnd(controller: Controller): void {
    this.#rawTrailers = controller.rawTrailers;
    this.#ended = true;
    this.#finish();
    this.#wakeUp();
  }

  onResponseError(_controller: Controller, error: Error): void {
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
    const tooLarge = Math.max(this.announcedLength ?? 0, this.#held) > maxBytes;
    if (tooLarge && this.#failure === undefined) {
      this.#failBody(new BodyError('TOO_LARGE', 'The body is longer than allowed'));
    }
    this.#limit = maxBytes;
    while (!this.#ended && this.#failure === undefined) {
      this.#controller?.resume();
      await this.#woken();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#take();
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
    this.#chunks = [];
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#held -= chunk.length;
        if (this.#chunks.length === 0) this.#controller?.resume();
        return { done: false, value: chunk };
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return { done: true, value: undefined };
      await this.#woken();
    }
  }

  #claim(): void {
    if (this.#streaming || this.#limit >= 0) throw new TypeError('The body was consumed already');
    clearTimeout(this.#timer);
  }

  #take(): Uint8Array {
    const chunks = this.#chunks;
    this.#chunks = [];
    if (chunks.length === 1) return chunks[0] ?? EMPTY;
    return chunks.length === 0 ? EMPTY : Buffer.concat(chunks);
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
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this);
    this.#options.onOver();
  }
}

function onHeadTimeout(exchange: OutboundExchange): void {
  exchange.timeOut();
}

function onNobodyReads(exchange: OutboundExchange): void {
  exchange.cancel();
}

/** Raw fields of either protocol as a list with lower-case names; values keep one character for each byte. */
export function fieldList(raw: RawFields): FieldList {
  if (raw === null || raw === undefined) return [];
  const fields: FieldList = [];
  if (Array.isArray(raw)) {
    for (let at = 0; at + 1 < raw.length; at += 2) fields.push([text(raw[at]).toLowerCase(), text(raw[at + 1])]);
    return fields;
  }
  for (const [name, value] of Object.entries(raw)) {
    if (name.startsWith(':')) continue;
    if (Array.isArray(value)) for (const line of value) fields.push([name, line]);
    else if (value !== undefined) fields.push([name, String(value)]);
  }
  return fields;
}

function text(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
