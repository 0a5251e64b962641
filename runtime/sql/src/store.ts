/** The port over an engine. */
import type { AggregatorStore, PutOutcome } from '@privacy-edge/analytics-roles';
import { toHex } from '@privacy-edge/bytes';
import { Batcher } from './batcher.ts';
import type { Engine } from './engine.ts';
import type { Upload } from './operations/reports.ts';
import { type AnalyticsOperations, portOperations } from './operations.ts';
import { SqlError } from './sql-error.ts';

/** A store that holds a file or connections. */
export interface SqlStore extends AggregatorStore {
  /** Finishes what was asked for, then lets go of the database. Later calls are refused. */
  close(): Promise<void>;
}

const MAX_REPORTS_AT_ONCE = 1000;
const UPLOADS_ON_THE_WAY = 2;

/** Makes a store of an engine. */
export function createStore(engine: Engine<AnalyticsOperations>): SqlStore {
  const uploads = new Uploads(engine);
  let isClosed = false;
  const call = engine.call.bind(engine) as (name: string, ...args: readonly unknown[]) => Promise<unknown>;
  const unlessClosed = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (isClosed) throw new SqlError('CLOSED', 'Cannot use the database: it was closed');
    return ask();
  };
  // `portOperations` has every other method of the port, with its arguments and result: its type says so.
  const methods = Object.fromEntries(
    Object.keys(portOperations).map((name) => [
      name,
      (...args: readonly unknown[]) => unlessClosed(() => call(name, ...args)),
    ]),
  ) as unknown as Omit<AggregatorStore, 'putReports'>;
  return {
    ...methods,
    putReports: (taskId, reports, uploadedAt, timesAreBuckets, counters) =>
      unlessClosed(() => uploads.put(taskId, timesAreBuckets, { reports, uploadedAt, counters })),
    async close() {
      isClosed = true;
      await uploads.settled();
      await engine.close();
    },
  };
}

/** Uploads to the same task share a transaction: most are of one report. */
class Uploads {
  readonly #engine: Engine<AnalyticsOperations>;
  readonly #batchers = new Map<string, Batcher<Upload, readonly PutOutcome[]>>();
  readonly #pending = new Set<Promise<unknown>>();

  constructor(engine: Engine<AnalyticsOperations>) {
    this.#engine = engine;
  }

  async put(taskId: Uint8Array, timesAreBuckets: boolean, upload: Upload): Promise<readonly PutOutcome[]> {
    const key = `${toHex(taskId)} ${timesAreBuckets}`;
    const batcher = this.#batchers.get(key) ?? this.#batcher(taskId.slice(), timesAreBuckets);
    this.#batchers.set(key, batcher);
    const outcome = batcher.add(upload);
    this.#pending.add(outcome);
    try {
      return await outcome;
    } finally {
      this.#pending.delete(outcome);
      if (batcher.isIdle) this.#batchers.delete(key);
    }
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  #batcher(taskId: Uint8Array, timesAreBuckets: boolean): Batcher<Upload, readonly PutOutcome[]> {
    return new Batcher({
      run: (uploads) => this.#engine.call('putUploads', taskId, timesAreBuckets, uploads),
      weigh: (upload) => upload.reports.length,
      maxWeight: MAX_REPORTS_AT_ONCE,
      concurrency: UPLOADS_ON_THE_WAY,
    });
  }
}
