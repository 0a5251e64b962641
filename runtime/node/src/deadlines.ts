/** Time limits of many short exchanges on few timers: a timer of the runtime's costs more than looking after ten of these. */

/** What happens when a time limit has passed. */
export interface Overdue {
  timeOut(): void;
}

/**
 * A time limit that runs. It is a link of a list, and lets go of its neighbours when it is cleared: what has been promoted to the
 * old generation before it died would otherwise keep everything that was ever linked behind it until the next full collection.
 * The tables of a Map are such a chain, which is why there is none here.
 */
export class Deadline {
  /** When it falls due. */
  readonly dueMs: number;
  /** Undefined once cleared or passed. */
  overdue: Overdue | undefined;
  before: Deadline | undefined;
  after: Deadline | undefined;

  constructor(overdue: Overdue | undefined, dueMs: number) {
    this.overdue = overdue;
    this.dueMs = dueMs;
  }

  /** Takes back the limit; nothing when it has passed or was cleared. */
  clear(): void {
    const { before, after } = this;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    this.before = undefined;
    this.after = undefined;
    this.overdue = undefined;
  }
}

/** Limits of one length. They fall due in the order in which they were set, so the oldest is all that needs a timer. */
class Deadlines {
  readonly #lengthMs: number;
  /** Its neighbour behind is the oldest limit, the one before it the newest: both ends of the list. */
  readonly #ends = new Deadline(undefined, 0);
  #running = false;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
    this.#ends.before = this.#ends;
    this.#ends.after = this.#ends;
  }

  set(overdue: Overdue): Deadline {
    const deadline = new Deadline(overdue, performance.now() + this.#lengthMs);
    const newest = this.#ends.before ?? this.#ends;
    deadline.before = newest;
    deadline.after = this.#ends;
    newest.after = deadline;
    this.#ends.before = deadline;
    if (!this.#running) this.#wait(this.#lengthMs);
    return deadline;
  }

  #wait(ms: number): void {
    this.#running = true;
    // Whatever has a limit also holds a socket, and that keeps the process.
    setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    this.#running = false;
    const now = performance.now();
    for (;;) {
      const oldest = this.#ends.after;
      if (oldest === undefined || oldest === this.#ends) return;
      // Timers may be early by a fraction of their unit. What is set by a limit that passes may have started the timer.
      if (oldest.dueMs > now + 1) {
        if (!this.#running) this.#wait(oldest.dueMs - now);
        return;
      }
      const { overdue } = oldest;
      oldest.clear();
      overdue?.timeOut();
    }
  }
}

const byLength = new Map<number, Deadlines>();

/**
 * Calls `timeOut` once, unless the limit is cleared first.
 *
 * @param lengthMs - milliseconds; from a configuration, because every length is remembered
 */
export function setDeadline(overdue: Overdue, lengthMs: number): Deadline {
  let deadlines = byLength.get(lengthMs);
  if (deadlines === undefined) {
    deadlines = new Deadlines(lengthMs);
    byLength.set(lengthMs, deadlines);
  }
  return deadlines.set(overdue);
}
