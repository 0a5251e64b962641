/** Places for connections that carry one request each, outside of a pool. */
import { OutboundError } from './outbound-error.ts';

/** Gives out a bounded number of places, first come first served. */
export class LoneConnections {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /** @param most - at least 1 */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Waits for a place.
   *
   * @param timeoutMs - the longest wait
   * @returns gives the place back; to be called once
   * @throws OutboundError `OVERLOADED` when the time is up, `BROKEN` when the signal fires
   */
  enter(timeoutMs: number, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(givenUp());
    if (this.#taken < this.#most) return Promise.resolve(this.#take());
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(enter);
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      const enter = (): void => {
        settle();
        resolve(this.#take());
      };
      const abort = (): void => {
        settle();
        reject(givenUp());
      };
      const timer = setTimeout(() => {
        settle();
        reject(new OutboundError('OVERLOADED', 'No connection became free in time'));
      }, timeoutMs);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(enter);
    });
  }

  #take(): () => void {
    this.#taken++;
    return () => {
      this.#taken--;
      for (const enter of this.#waiting) {
        enter();
        return;
      }
    };
  }
}

function givenUp(): OutboundError {
  return new OutboundError('BROKEN', 'The request was given up');
}
