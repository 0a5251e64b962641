/** A received body in pieces, as they arrive: in time, and in no more objects than its consumer takes. */

import type { Readable } from 'node:stream';
import { Gatherer } from '@privacy-edge/bytes';
import { BodyError } from '@privacy-edge/http-exchange';

/** What the owner of the stream adds. */
export interface IncomingStreamOptions {
  /** Milliseconds of one wait. */
  readonly timeoutMs: number;
  /**
   * Bytes per second below which a body is too slow, once it has been waited for `timeoutMs`; undefined leaves only the
   * limit of each wait.
   */
  readonly minBytesPerSecond: number | undefined;
  /** Called before the first byte is waited for. */
  readonly onFirstRead: () => void;
  /** Called once when the body is given up before its end, by its consumer or because it broke off. */
  readonly onGivenUp: () => void;
}

/** Bytes held for a consumer that is busy; above it the peer waits. */
const HELD_BYTES = 65_536;
/** A piece below this waits for the end of the turn, because others usually come with it. */
const SMALL_PIECE_BYTES = 1024;
/** How much longer a wait may be when the sender is trusted to have a reason. */
const RELAXED_WAITS = 10;

type Result = IteratorResult<Uint8Array, undefined>;

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: BodyError) => void;
}

/**
 * Reads a Node stream once, without destroying it. Pieces that arrive while the consumer is busy, or in one turn of the event
 * loop, come as one: a peer decides how it cuts its bytes, but not how many objects they become here.
 *
 * Time is an account. It begins with `timeoutMs`, waiting spends it, every byte buys some back, and it never holds more than
 * `timeoutMs`. So a body may pause, but not drip; and only time in which the consumer waits is spent.
 */
export class IncomingStream implements AsyncIterableIterator<Uint8Array> {
  readonly #stream: Readable;
  readonly #options: IncomingStreamOptions;
  readonly #held = new Gatherer();
  #begun = false;
  #ended = false;
  #failure: BodyError | undefined;
  #waiting: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #leftMs: number;
  /** Up to when waiting is paid for. */
  #paidMs = 0;
  #relaxed = false;

  /** @param stream - peer-controlled */
  constructor(stream: Readable, options: IncomingStreamOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#leftMs = options.timeoutMs;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (!this.#begun) this.#begin();
    if (this.#held.length > 0 && this.#turn === undefined) return Promise.resolve(this.#take());
    const failure = this.#failure;
    if (failure !== undefined) {
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#ended && this.#held.length === 0) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#paidMs = performance.now();
      this.#arm();
    });
  }

  return(): Promise<Result> {
    this.#stop();
    this.#wake()?.resolve({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  /** From now on only a long silence ends the body. */
  relax(): void {
    this.#relaxed = true;
    if (this.#waiting !== undefined) this.#arm();
  }

  #begin(): void {
    this.#begun = true;
    // Closed before it was read.
    if (this.#ended) return;
    this.#options.onFirstRead();
    const stream = this.#stream;
    stream
      .on('data', this.#onData)
      .on('end', () => this.#end())
      .on('error', (cause) => this.#fail(aborted(cause)))
      .on('close', () => (stream.readableEnded ? this.#end() : this.#fail(aborted())));
    if (stream.readableEnded) this.#end();
    else if (stream.destroyed) this.#fail(aborted());
  }

  readonly #onData = (piece: Uint8Array): void => {
    this.#pay();
    this.#earn(piece.length);
    const atOnce = this.#held.length === 0 && this.#turn === undefined && piece.length >= SMALL_PIECE_BYTES;
    if (this.#waiting !== undefined) this.#turn ??= setImmediate(() => this.#deliver());
    if (this.#waiting !== undefined && atOnce) {
      // Once in each turn: what a consumer does with a piece may be dear, and others are to have their turn.
      this.#wake()?.resolve({ done: false, value: piece });
      return;
    }
    this.#held.push(piece);
    if (this.#held.length >= HELD_BYTES) this.#stream.pause();
  };

  #deliver(): void {
    this.#turn = undefined;
    if (this.#held.length > 0) this.#wake()?.resolve(this.#take());
  }

  /** What is held, which makes room for more. */
  #take(): Result {
    const full = this.#held.length >= HELD_BYTES;
    const value = this.#held.take();
    if (full && !this.#ended) this.#stream.resume();
    return { done: false, value };
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#held.length > 0) this.#deliver();
    else this.#wake()?.resolve({ done: true, value: undefined });
  }

  #fail(error: BodyError): void {
    if (this.#ended) return;
    this.#stop();
    const waiting = this.#wake();
    if (waiting === undefined) this.#failure = error;
    else waiting.reject(error);
  }

  /** What is still coming is left in the socket: the peer waits. */
  #stop(): void {
    clearImmediate(this.#turn);
    this.#held.take();
    if (this.#ended) return;
    this.#ended = true;
    if (this.#begun) this.#stream.off('data', this.#onData).pause();
    this.#options.onGivenUp();
  }

  #wake(): Waiting | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    this.#pay();
    this.#waiting = undefined;
    clearTimeout(this.#timer);
    return waiting;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail(timedOut()), this.#waitMs());
  }

  #waitMs(): number {
    const { timeoutMs, minBytesPerSecond } = this.#options;
    if (minBytesPerSecond === undefined) return timeoutMs;
    return this.#relaxed ? RELAXED_WAITS * timeoutMs : Math.max(0, this.#leftMs);
  }

  #pay(): void {
    if (this.#waiting === undefined || this.#relaxed) return;
    const nowMs = performance.now();
    this.#leftMs -= nowMs - this.#paidMs;
    this.#paidMs = nowMs;
  }

  #earn(bytes: number): void {
    const { timeoutMs, minBytesPerSecond = 0 } = this.#options;
    if (minBytesPerSecond > 0) this.#leftMs = Math.min(timeoutMs, this.#leftMs + (1000 * bytes) / minBytesPerSecond);
  }
}

/** The peer left before the end. */
export function aborted(cause?: unknown): BodyError {
  return new BodyError('ABORTED', 'The body ended early', { cause });
}

/** The peer is too slow. */
export function timedOut(): BodyError {
  return new BodyError('TIMEOUT', 'The body did not arrive in time');
}
