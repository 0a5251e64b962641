/** Options of the collector. */
import type { Secret } from '@privacy-edge/bytes';
import type { HpkeKey } from '@privacy-edge/dap';
import type { Network } from '../exchange.ts';
import { type Fetch, platformFetch, platformNow, platformWait, type Wait } from '../platform.ts';
import type { LinearFitOptions } from '../statistics/index.ts';

/** Something that happened during a collection; for progress bars and logs. */
export type CollectorEvent =
  /** The leader has the job. */
  | { readonly type: 'created' }
  /** The leader is not ready; it is asked again after a pause. */
  | { readonly type: 'waiting'; readonly pauseMs: number }
  /** The leader could not be told to forget a job: the next query for a batch of its choice leads to the same one. */
  | { readonly type: 'kept' }
  /** One level of a search for common strings is done. */
  | { readonly type: 'round'; readonly round: number; readonly rounds: number; readonly followed: number };

/** Options of `createCollector`. */
export interface CollectorOptions {
  /** Never leaves this process or page. */
  readonly key: HpkeKey;
  /** Shown to the leader; absent where `fetch` authenticates in another way. */
  readonly token?: Secret<string> | string | undefined;
  /** Reaches the leader; default the global one. */
  readonly fetch?: Fetch | undefined;
  /** Milliseconds between two questions, where the leader names no time; default 5000. */
  readonly pollMs?: number | undefined;
  /** Milliseconds until one answer must be there; default 60000. How long a collection may take is for its signal. */
  readonly timeoutMs?: number | undefined;
  /** How often the same request is sent again when an answer is lost, or the leader is overloaded; default 5. */
  readonly retries?: number | undefined;
  /** Of regressions. */
  readonly fit?: LinearFitOptions | undefined;
  /** Milliseconds since the epoch; default the system's clock. */
  readonly now?: (() => number) | undefined;
  /** Default the runtime's timer. */
  readonly wait?: Wait | undefined;
  /** Called at once; must not throw. */
  readonly onEvent?: ((event: CollectorEvent) => void) | undefined;
}

/** The options with all defaults in place. */
export interface CollectorSettings {
  readonly network: Network;
  readonly key: HpkeKey;
  /** Value of Authorization. */
  readonly authorization: () => string | undefined;
  readonly pollMs: number;
  readonly fit: LinearFitOptions;
  readonly onEvent: (event: CollectorEvent) => void;
}

/** Fills the defaults in. */
export function collectorSettings(options: CollectorOptions): CollectorSettings {
  const { token } = options;
  return {
    network: {
      fetch: options.fetch ?? platformFetch,
      now: options.now ?? platformNow,
      wait: options.wait ?? platformWait,
      timeoutMs: options.timeoutMs ?? 60_000,
      retries: options.retries ?? 5,
    },
    key: options.key,
    authorization: () => token && `Bearer ${typeof token === 'string' ? token : token.reveal()}`,
    pollMs: options.pollMs ?? 5000,
    fit: options.fit ?? {},
    onEvent: options.onEvent ?? (() => {}),
  };
}
