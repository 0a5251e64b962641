/** Settings of an aggregator. Every one but the first has a default that suits a small deployment. */
import type { AdvertisedTasks } from './advertised-task.ts';

/** What an operator decides. Times are milliseconds, sizes are bytes. */
export interface AggregatorConfig {
  /** Secret from which identifiers of resources are derived, at least 16 bytes; the same for all instances, for ever. */
  readonly resourceKey: Uint8Array;
  /** Path below which the resources are, without a slash at its end. Default: none. */
  readonly basePath?: string;
  /** Tasks that arrive with requests. Default: none are taken. */
  readonly advertised?: AdvertisedTasks;
  /** Report extensions that are understood. Default: none. */
  readonly reportExtensions?: ReadonlySet<number>;
  /** Origins of pages that may upload, or `*`. Default `['*']`: a page could not be kept from it anyway. */
  readonly corsOrigins?: readonly string[];

  /** How long clients may keep the HPKE configurations. Default: a day. */
  readonly keyCacheMs?: number;
  /** How long a key is published. Default: a week. */
  readonly keyLifetimeMs?: number;
  /** How long a key opens reports after it is not published any more; at least twice `keyCacheMs`. Default: two weeks. */
  readonly keyOverlapMs?: number;
  /** How long this instance goes without reading keys from the store. Default: a minute. */
  readonly keyRefreshMs?: number;

  /** Longest report. Default 1 MiB. */
  readonly maxReportBytes?: number;
  /** Longest upload. Default 32 MiB. */
  readonly maxUploadBytes?: number;
  /** Longest message between aggregators, or from a collector. Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Reports of one upload that are stored in one transaction. Default 100. */
  readonly uploadBatch?: number;

  /** Fewest reports of an aggregation job that nobody waits for. Default 10. */
  readonly minJobSize?: number;
  /** Most reports of an aggregation job; fewer when they could be longer than half of `maxMessageBytes`. Default 100. */
  readonly maxJobSize?: number;
  /**
   * Most reports of an aggregation job that a helper takes from its leader: what a request may cost before it is answered.
   * A leader with a greater `maxJobSize` has its jobs refused. Default 1000.
   */
  readonly maxReportsPerJob?: number;
  /** After which a report gets into a job, however few there are. Default: a minute. */
  readonly maxReportWaitMs?: number;
  /** Reports of a task that one step looks at. Default 5000. */
  readonly jobWindow?: number;
  /** Reports of a batch of the leader's choice, if that is more than the task's minimum. Default: the minimum. */
  readonly targetBatchSize?: number;

  /** How long a driver owns a job. Default: ten minutes. */
  readonly leaseMs?: number;
  /** Jobs that a driver step acquires. Default 10. */
  readonly leaseLimit?: number;
  /** From sending a request to the helper to the end of its answer. Default: a minute. */
  readonly peerTimeoutMs?: number;
  /** First and longest wait before a failed request is repeated. Default: a second, and five minutes. */
  readonly retryMs?: readonly [first: number, longest: number];
  /**
   * Attempts after which a job is divided that the helper refuses without a reason, or given up when it has one report.
   * Default 20.
   */
  readonly maxAttempts?: number;
  /** Abandoned jobs after which a report is dropped. Default 3. */
  readonly maxReportAttempts?: number;

  /** What a peer is asked to wait before it asks again. Default: ten seconds. */
  readonly retryAfterMs?: number;
  /** Longest wait that a helper may ask for. Default: an hour. */
  readonly maxRetryAfterMs?: number;
  /** Collection jobs of a task that may wait for reports at the same time: a collector is asked to come back later. Default 100. */
  readonly maxWaitingCollections?: number;
  /** After which a collection job with too few reports fails. Default: a day. */
  readonly collectionTimeoutMs?: number;
  /** After which a collection job no longer waits for reports that were uploaded after it was asked for. Default: 10 minutes. */
  readonly collectionPatienceMs?: number;

  /** Parts of a bucket that are left apart. Default 32. */
  readonly maxParts?: number;
  /** For how long a task's reports are remembered. Default: for ever. */
  readonly rememberMs?: number;
  /**
   * For how long a job that has ended, and its result, can be asked for: longer than any outage of the peer, who repeats its
   * last request when it is back, and whose reports are refused as replayed when the answer is gone. Default: two weeks.
   */
  readonly keepEndedMs?: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MEBIBYTE = 1 << 20;

/** With every default filled in, except where there is none. */
export type AggregatorSettings = Required<Omit<AggregatorConfig, 'advertised' | 'rememberMs'>> &
  Pick<AggregatorConfig, 'advertised' | 'rememberMs'>;

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} for values that cannot work together
 */
export function readConfig(config: AggregatorConfig): AggregatorSettings {
  const settings: AggregatorSettings = { ...DEFAULTS, ...config };
  const { resourceKey, keyCacheMs, keyOverlapMs, minJobSize, maxJobSize } = settings;
  const { maxReportsPerJob, maxWaitingCollections } = settings;
  if (resourceKey.length < 16) throw new RangeError('The key for identifiers has at least 16 bytes');
  // DAP §4.4.1: a client may seal to a configuration for as long as it may keep it, and upload later.
  if (keyOverlapMs < 2 * keyCacheMs)
    throw new RangeError('A key overlaps for at least twice the time it may be cached');
  if (!(maxReportsPerJob >= 1 && maxWaitingCollections >= 1)) throw new RangeError('A limit is at least 1');
  if (minJobSize > maxJobSize || minJobSize < 1) throw new RangeError('A job has between 1 and its most reports');
  return settings;
}

const DEFAULTS: Omit<AggregatorSettings, 'resourceKey'> = {
  basePath: '',
  reportExtensions: new Set(),
  corsOrigins: ['*'],
  keyCacheMs: DAY,
  keyLifetimeMs: 7 * DAY,
  keyOverlapMs: 14 * DAY,
  keyRefreshMs: MINUTE,
  maxReportBytes: MEBIBYTE,
  maxUploadBytes: 32 * MEBIBYTE,
  maxMessageBytes: 64 * MEBIBYTE,
  uploadBatch: 100,
  minJobSize: 10,
  maxJobSize: 100,
  maxReportsPerJob: 1000,
  maxReportWaitMs: MINUTE,
  jobWindow: 5000,
  targetBatchSize: 0,
  leaseMs: 10 * MINUTE,
  leaseLimit: 10,
  peerTimeoutMs: MINUTE,
  retryMs: [SECOND, 5 * MINUTE],
  maxAttempts: 20,
  maxReportAttempts: 3,
  retryAfterMs: 10 * SECOND,
  maxRetryAfterMs: HOUR,
  maxWaitingCollections: 100,
  collectionTimeoutMs: DAY,
  collectionPatienceMs: 10 * MINUTE,
  maxParts: 32,
  keepEndedMs: 14 * DAY,
};
