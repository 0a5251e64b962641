/** How long one call may go on: until its caller aborts it, or its time is over. */
import { ObliviousError } from './oblivious-error.ts';

/** The life of one call. */
export class Scope {
  readonly #controller = new AbortController();
  /** Aborted when the call must end. */
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #outer: AbortSignal | null | undefined;
  readonly #timer: AbortSignal;
  readonly #follow = (): void => this.#controller.abort(this.#outer?.reason);
  readonly #expire = (): void => {
    this.#controller.abort(new ObliviousError('TIMEOUT', 'Cannot complete exchange: its time is over'));
  };

  /**
   * @param outer - the caller's signal
   * @param timeoutMs - see {@link Scope.settle}
   * @throws the signal's reason, if it is aborted already
   */
  constructor(outer: AbortSignal | null | undefined, timeoutMs: number) {
    outer?.throwIfAborted();
    this.#outer = outer;
    outer?.addEventListener('abort', this.#follow);
    this.#timer = AbortSignal.timeout(timeoutMs);
    this.#timer.addEventListener('abort', this.#expire);
  }

  /** The head has arrived: from now on only the caller ends the call. */
  settle(): void {
    this.#timer.removeEventListener('abort', this.#expire);
  }

  /** The call is over; lets go of the caller's signal. */
  close(): void {
    this.settle();
    this.#outer?.removeEventListener('abort', this.#follow);
  }

  /**
   * Waits for something that does not know about this scope, but no longer than the scope lasts.
   *
   * @param work - goes on by itself when the scope ends first
   * @throws the reason why the scope ended
   */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    let stop = (): void => {};
    const ended = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop);
    });
    try {
      return await Promise.race([work, ended]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
