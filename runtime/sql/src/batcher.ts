/** Calls that are carried out together when several wait. */
import { SqlError } from './sql-error.ts';

/** How calls are put together. */
export interface BatcherOptions<Item, Outcome> {
  /** Carries out several; outcomes in their order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  /** How much of a batch an item takes. */
  readonly weigh: (item: Item) => number;
  /** Largest weight of a batch; an item that is heavier goes alone. */
  readonly maxWeight: number;
  /** Batches that are on their way at once; calls that come meanwhile make up the next. */
  readonly concurrency: number;
}

interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Puts calls together: a lone one starts at once, and the more there are, the more of them share a transaction. */
export class Batcher<Item, Outcome> {
  readonly #options: BatcherOptions<Item, Outcome>;
  #waiting: Waiting<Item, Outcome>[] = [];
  #running = 0;
  #scheduled = false;

  constructor(options: BatcherOptions<Item, Outcome>) {
    this.#options = options;
  }

  /** True when nothing waits or is on its way. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#running === 0;
  }

  /** Outcome of one item; an item that cannot be carried out fails alone. */
  add(item: Item): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#scheduled || this.#running >= this.#options.concurrency) return;
      this.#scheduled = true;
      // Calls of the same turn go together.
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#next();
      });
    });
  }

  #next(): void {
    if (this.#waiting.length === 0 || this.#running >= this.#options.concurrency) return;
    const batch = this.#take();
    this.#running += 1;
    void this.#carryOut(batch).finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }

  #take(): Waiting<Item, Outcome>[] {
    const { weigh, maxWeight } = this.#options;
    let weight = 0;
    const full = this.#waiting.findIndex(({ item }, at) => {
      weight += weigh(item);
      return at > 0 && weight > maxWeight;
    });
    return this.#waiting.splice(0, full === -1 ? this.#waiting.length : full);
  }

  async #carryOut(batch: readonly Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#options.run(batch.map(({ item }) => item));
      for (const [at, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[at];
        if (outcome === undefined) reject(new SqlError('REFUSED', 'Cannot use the database: an outcome is missing'));
        else resolve(outcome);
      }
    } catch (error) {
      // What is wrong with one of them is no reason for the others to fail.
      if (batch.length > 1 && error instanceof SqlError && error.code === 'REFUSED') {
        for (const waiting of batch) await this.#carryOut([waiting]);
        return;
      }
      for (const { reject } of batch) reject(error);
    }
  }
}
