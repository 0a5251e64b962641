/** Worker threads that all run one role: started together, restarted when they die, drained together. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { RuntimeError } from './error.ts';
import { errorFields, type LogEvent } from './log.ts';
import type { MetricsSnapshot } from './metrics.ts';

/** What to run. */
export interface WorkerOptions<Data> {
  /** Module that calls {@link joinWorkers}. */
  readonly module: URL;
  /** Threads, 1 or more. */
  readonly count: number;
  /** Makes what a thread is given when it starts, or starts again; structured-cloneable, SharedArrayBuffers are shared. */
  readonly data: () => Data;
  readonly log: LogEvent;
  /** Messages a thread sends with `tell`. */
  readonly onMessage?: (message: unknown, worker: number) => void;
}

/** Running threads. */
export interface Workers {
  /** Threads that are ready. */
  readonly ready: number;
  /** Sends a message to every thread that runs; one that starts later learns the state from its data. */
  broadcast(message: unknown): void;
  /** Metrics of every thread that answers within `timeoutMs`. */
  metrics(timeoutMs?: number): Promise<readonly MetricsSnapshot[]>;
  /** Asks every thread to finish, and ends those that have not after `graceMs`. True when none had to be ended. */
  close(graceMs: number): Promise<boolean>;
}

/** One thread's side. */
export interface WorkerHost<Data> {
  readonly data: Data;
  /** Number of this thread, from 0. */
  readonly worker: number;
  /** Says that this thread serves. */
  ready(): void;
  /** Sends a message to the main thread. */
  tell(message: unknown): void;
}

/** What a thread does for its main thread. */
export interface WorkerDuties {
  /** Stop accepting and finish within `graceMs`; the thread ends when this settles. */
  readonly drain: (graceMs: number) => Promise<unknown>;
  readonly metrics?: () => Promise<MetricsSnapshot>;
  readonly onMessage?: (message: unknown) => void;
}

type Down =
  | { readonly kind: 'message'; readonly message: unknown }
  | { readonly kind: 'drain'; readonly graceMs: number }
  | { readonly kind: 'metrics'; readonly id: number };
type Up =
  | { readonly kind: 'message'; readonly message: unknown }
  | { readonly kind: 'ready' }
  | { readonly kind: 'metrics'; readonly id: number; readonly snapshot: MetricsSnapshot };

interface Envelope {
  readonly worker: number;
  readonly data: unknown;
}

interface Slot {
  thread: Worker | undefined;
  ready: boolean;
  failures: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

/**
 * Starts the threads and waits until all are ready.
 *
 * @throws {@link RuntimeError} `WORKER_FAILED` when one ends before it was ready the first time
 */
export async function startWorkers<Data>(options: WorkerOptions<Data>): Promise<Workers> {
  const pool = new WorkerPool(options);
  await pool.start();
  return pool;
}

class WorkerPool<Data> implements Workers {
  readonly #options: WorkerOptions<Data>;
  readonly #slots: Slot[];
  readonly #collecting = new Map<number, (snapshot: MetricsSnapshot) => void>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #nextId = 0;
  #closing = false;

  constructor(options: WorkerOptions<Data>) {
    this.#options = options;
    this.#slots = Array.from({ length: options.count }, () => ({ thread: undefined, ready: false, failures: 0 }));
  }

  get ready(): number {
    return this.#slots.filter((slot) => slot.ready).length;
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#slots.map((_slot, worker) => this.#start(worker)));
    } catch (error) {
      await this.close(0);
      throw error;
    }
  }

  broadcast(message: unknown): void {
    for (const slot of this.#slots) post(slot, { kind: 'message', message });
  }

  async metrics(timeoutMs = 1000): Promise<readonly MetricsSnapshot[]> {
    const asked = this.#slots.filter((slot) => slot.ready);
    const answers: MetricsSnapshot[] = [];
    const ids: number[] = [];
    const all = asked.map((slot) => {
      const id = this.#nextId++;
      ids.push(id);
      return new Promise<void>((resolve) => {
        this.#collecting.set(id, (snapshot) => {
          answers.push(snapshot);
          resolve();
        });
        post(slot, { kind: 'metrics', id });
      });
    });
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, timeoutMs);
    await Promise.race([Promise.all(all), late.promise]);
    clearTimeout(timer);
    for (const id of ids) this.#collecting.delete(id);
    return answers;
  }

  async close(graceMs: number): Promise<boolean> {
    this.#closing = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    const threads = this.#slots.flatMap((slot) => (slot.thread === undefined ? [] : [slot.thread]));
    const ended = threads.map((thread) => new Promise<void>((resolve) => thread.once('exit', () => resolve())));
    for (const slot of this.#slots) post(slot, { kind: 'drain', graceMs });
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), graceMs);
    const outcome = await Promise.race([Promise.all(ended), late.promise]);
    clearTimeout(timer);
    if (outcome === 'late') await Promise.all(threads.map((thread) => thread.terminate()));
    return outcome !== 'late';
  }

  /** Resolves when the thread is ready for the first time; afterwards it is kept alive. */
  #start(worker: number): Promise<void> {
    const { module, data, log } = this.#options;
    const slot = this.#slots[worker] ?? { thread: undefined, ready: false, failures: 0 };
    const envelope: Envelope = { worker, data: data() };
    const thread = new Worker(module, { workerData: envelope });
    slot.thread = thread;
    return new Promise((resolve, reject) => {
      thread.on('message', (up: Up) => {
        if (up.kind === 'ready') {
          slot.ready = true;
          slot.failures = 0;
          resolve();
        } else if (up.kind === 'metrics') this.#collecting.get(up.id)?.(up.snapshot);
        else this.#options.onMessage?.(up.message, worker);
      });
      thread.on('error', (error) => log('error', 'worker_failed', { worker, ...errorFields(error) }));
      thread.on('exit', (exitCode) => {
        slot.thread = undefined;
        const wasReady = slot.ready;
        slot.ready = false;
        if (this.#closing) {
          resolve();
          return;
        }
        log('warn', 'worker_ended', { worker, exitCode });
        if (!wasReady && slot.failures === 0) {
          reject(new RuntimeError('WORKER_FAILED', `Cannot start worker ${worker}: it ended with code ${exitCode}`));
          return;
        }
        this.#restartLater(worker, slot);
      });
    });
  }

  /** A thread that keeps dying must not take a core; each failure in a row doubles the pause. */
  #restartLater(worker: number, slot: Slot): void {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** slot.failures, LONGEST_PAUSE_MS);
    slot.failures++;
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      void this.#start(worker);
    }, pauseMs);
    this.#pauses.add(pause);
  }
}

function post(slot: Slot, message: Down): void {
  slot.thread?.postMessage(message);
}

/**
 * The thread's side of {@link startWorkers}; call it once, at the top of the module, then serve and say `ready`.
 *
 * @throws {@link RuntimeError} `WORKER_FAILED` in the main thread
 */
export function joinWorkers<Data>(duties: WorkerDuties): WorkerHost<Data> {
  const port = parentPort;
  if (isMainThread || port === null) throw new RuntimeError('WORKER_FAILED', 'Cannot join: not a worker thread');
  const { worker, data } = workerData as { worker: number; data: Data };
  const up = (message: Up): void => port.postMessage(message);
  port.on('message', (down: Down) => {
    if (down.kind === 'message') duties.onMessage?.(down.message);
    else if (down.kind === 'drain') void duties.drain(down.graceMs).finally(() => port.close());
    else {
      const { id } = down;
      void duties.metrics?.().then((snapshot) => up({ kind: 'metrics', id, snapshot }));
    }
  });
  return {
    data,
    worker,
    ready: () => up({ kind: 'ready' }),
    tell: (message) => up({ kind: 'message', message }),
  };
}
