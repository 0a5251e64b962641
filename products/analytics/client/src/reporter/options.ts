/** Options of the reporter. */
import type { Awaitable } from '@privacy-edge/bytes';
import { type RandomSource, systemRandom } from '@privacy-edge/dap';
import type { Network } from '../exchange.ts';
import { type Fetch, platformFetch, platformNow, platformWait, type Wait } from '../platform.ts';
import type { WorkerLike } from './worker-like.ts';

/**
 * What a client shows to be admitted, opaque to everybody on the way. A report cannot carry one where everybody sees it
 * and one for a single aggregator at the same time: an aggregator must not see two.
 */
export type Admission =
  /** Everybody on the way sees it. */
  | { readonly public: Uint8Array }
  /** Sealed, each for its aggregator. */
  | { readonly leader?: Uint8Array; readonly helper?: Uint8Array };

/** Something that happened on the way of reports; for logs and tests. Holds no value, identifier or address. */
export type ReporterEvent =
  /** HPKE configurations were fetched. */
  | { readonly type: 'keys'; readonly from: 'leader' | 'helper' }
  /** The leader did not know a key: so many reports are made anew with newer ones. */
  | { readonly type: 'outdated'; readonly reports: number }
  /** The worker is of no use; reports are made in this thread from now on. */
  | { readonly type: 'worker-lost' };

/** Options of `createReporter`. */
export interface ReporterOptions {
  /**
   * Reaches both aggregators; default the global one. With a `fetch` that goes through a relay, all requests of a reporter
   * do, and nobody who sees a report sees who sent it.
   */
  readonly fetch?: Fetch | undefined;
  /** What each report shows to be admitted; asked anew for each report, also when one is made again. */
  readonly admission?: (() => Awaitable<Admission>) | undefined;
  /**
   * Starts a worker in which reports that are much work are made, once it is needed: `() => new Worker(new URL(...), { type: 'module' })`
   * on a module that is, or imports, `@privacy-edge/analytics/worker`. Without one, or when it fails, they are made here.
   */
  readonly worker?: (() => WorkerLike) | undefined;
  /**
   * Elements of the measurements of one upload from which the worker is used: buckets, flags, bits. Default 10000, a few
   * milliseconds of work.
   */
  readonly workerThreshold?: number | undefined;
  /** Most bytes of one upload of many reports; default 1 MiB. A single report may be larger. */
  readonly maxUploadBytes?: number | undefined;
  /** Milliseconds until an answer must be there; default 30000. */
  readonly timeoutMs?: number | undefined;
  /** How often the same bytes are sent again when an answer is lost, or the server is overloaded; default 2. */
  readonly retries?: number | undefined;
  /** Milliseconds since the epoch; default the system's clock. */
  readonly now?: (() => number) | undefined;
  /** Default the runtime's timer. */
  readonly wait?: Wait | undefined;
  /** Cryptographic generator; default the runtime's. Not used for reports that are made in a worker. */
  readonly random?: RandomSource | undefined;
  /** Called at once; must not throw. */
  readonly onEvent?: ((event: ReporterEvent) => void) | undefined;
}

/** The options with all defaults in place. */
export interface ReporterSettings {
  readonly network: Network;
  readonly admission: ReporterOptions['admission'];
  readonly worker: ReporterOptions['worker'];
  readonly workerThreshold: number;
  readonly maxUploadBytes: number;
  readonly random: RandomSource;
  readonly onEvent: (event: ReporterEvent) => void;
}

/** Fills the defaults in. */
export function reporterSettings(options: ReporterOptions): ReporterSettings {
  return {
    network: {
      fetch: options.fetch ?? platformFetch,
      now: options.now ?? platformNow,
      wait: options.wait ?? platformWait,
      timeoutMs: options.timeoutMs ?? 30_000,
      retries: options.retries ?? 2,
    },
    admission: options.admission,
    worker: options.worker,
    workerThreshold: options.workerThreshold ?? 10_000,
    maxUploadBytes: options.maxUploadBytes ?? 2 ** 20,
    random: options.random ?? systemRandom,
    onEvent: options.onEvent ?? (() => {}),
  };
}
