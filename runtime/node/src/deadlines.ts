/** Time limits of many short exchanges on few timers: a timer of the runtime's costs more than looking after ten of these. */

/** What happens when a time limit has passed. */
export interface Overdue {
  timeOut(): void;
}

/** Limits of one length. They fall due in the order in which they were set, so the oldest is all that needs a timer. */
class Deadlines {
  readonly #lengthMs: number;
  /** When each falls due; in that order. */
  readonly #due = new Map<Overdue, number>();
  #running = false;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  set(overdue: Overdue): void {
    this.#due.set(overdue, performance.now() + this.#lengthMs);
    if (!this.#running) this.#wait(this.#lengthMs);
  }

  clear(overdue: Overdue): void {
    this.#due.delete(overdue);
  }

  #wait(ms: number): void {
    this.#running = true;
    // Whatever has a limit also holds a socket, and that keeps the process.
    setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    this.#running = false;
    const now = performance.now();
    for (const [overdue, due] of this.#due) {
      // Timers may be early by a fraction of their unit.
      if (due > now + 1) {
        this.#wait(due - now);
        return;
      }
      this.#due.delete(overdue);
      overdue.timeOut();
    }
  }
}

const byLength = new Map<number, Deadlines>();

/**
 * Calls `timeOut` once, unless {@link clearDeadline} comes first.
 *
 * @param lengthMs - milliseconds; from a configuration, because every length is remembered
 */
export function setDeadline(overdue: Overdue, lengthMs: number): void {
  let deadlines = byLength.get(lengthMs);
  if (deadlines === undefined) {
    deadlines = new Deadlines(lengthMs);
    byLength.set(lengthMs, deadlines);
  }
  deadlines.set(overdue);
}

/** @param lengthMs - as given to {@link setDeadline} */
export function clearDeadline(overdue: Overdue, lengthMs: number): void {
  byLength.get(lengthMs)?.clear(overdue);
}
