/** A bar with a rate on stderr, where that is a terminal. */
import { writeNote } from '../output.ts';

const WIDTH = 30;
const INTERVAL_MS = 100;

/** Shows how far a long piece of work is. */
export class ProgressBar {
  readonly #noun: string;
  readonly #startedMs = performance.now();
  #shownMs = 0;
  #isShown = false;

  /** @param noun - of what is counted, such as `reports` */
  constructor(noun: string) {
    this.#noun = noun;
  }

  /** Seconds since the beginning. */
  get seconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  /**
   * Shows the state.
   *
   * @param share - of all the work, from 0 to 1; undefined where that is not known
   */
  show(count: number, share: number | undefined): void {
    const nowMs = performance.now();
    if (process.stderr.isTTY !== true || nowMs - this.#shownMs < INTERVAL_MS) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    const filled = Math.round(WIDTH * Math.min(1, share ?? 0));
    const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] `;
    writeNote(`\r\u001b[K${bar}${count} ${this.#noun}, ${rateText(count, this.seconds)}`);
  }

  /** Takes the bar away, so that something else can be written. */
  clear(): void {
    if (this.#isShown) writeNote('\r\u001b[K');
    this.#isShown = false;
  }
}

/** So many a second. */
export function rateText(count: number, seconds: number): string {
  return `${Math.round(count / Math.max(seconds, 0.001))}/s`;
}
