/** A task configuration as people read it. The encoded one is what counts: both stand in a task document and must agree. */
import { toBase64Url } from '@privacy-edge/bytes';
import {
  BATCH_MODE_LEADER_SELECTED,
  type DpParameters,
  type Interval,
  intervalEnd,
  type Task,
} from '@privacy-edge/dap';
import { invalidTask } from './fields.ts';

/** Whether batches are intervals of time, or chosen by the leader. */
export type BatchMode = 'time-interval' | 'leader-selected';

/** An interval of time, ISO 8601. */
export interface IntervalDocument {
  readonly from: string;
  /** Not included. */
  readonly to: string;
}

/** The noise that each aggregator adds; a fraction such as `1/2` is the budget of one collection. */
export interface NoiseDocument {
  readonly mechanism: 'laplace' | 'gaussian';
  /** Of pure differential privacy, with Laplace noise. */
  readonly epsilon?: string;
  /** Of zero-concentrated differential privacy, with Gaussian noise. */
  readonly rho?: string;
  readonly adjacency: DpParameters['adjacency'];
}

/** A task configuration, readable. */
export interface ParametersDocument {
  /** SHA-256 of title and statistic, base64url. */
  readonly taskInfo: string;
  readonly leader: string;
  readonly helper: string;
  readonly timePrecisionSeconds: number;
  readonly minBatchSize: number;
  readonly batchMode: BatchMode;
  /** Kind and parameters; integers above 2^53 are strings. */
  readonly vdaf: Readonly<Record<string, unknown>>;
  /** Reports from outside of it are refused. */
  readonly taskInterval?: IntervalDocument;
  /** How often a batch may be collected, where that is more than once. */
  readonly maxCollections?: number;
  readonly noise?: NoiseDocument;
}

/**
 * The readable form of a task's configuration.
 *
 * @throws {@link AnalyticsError} `TASK_INVALID` for an interval beyond the dates there are
 */
export function formatParameters({ configuration, extensions, vdafConfiguration }: Task): ParametersDocument {
  const { taskInterval, multiCollection, dp } = extensions;
  const { timePrecision } = configuration;
  return {
    taskInfo: toBase64Url(configuration.taskInfo),
    leader: configuration.leaderAggregatorEndpoint,
    helper: configuration.helperAggregatorEndpoint,
    timePrecisionSeconds: timePrecision,
    minBatchSize: configuration.minBatchSize,
    batchMode: configuration.batchMode === BATCH_MODE_LEADER_SELECTED ? 'leader-selected' : 'time-interval',
    vdaf: Object.fromEntries(Object.entries(vdafConfiguration).map(([name, value]) => [name, readable(value)])),
    ...(taskInterval !== undefined && { taskInterval: formatInterval(taskInterval, timePrecision) }),
    ...(multiCollection !== undefined && { maxCollections: multiCollection.maxCollections }),
    ...(dp !== undefined && { noise: formatNoise(dp) }),
  };
}

/** The readable form of a promise of differential privacy. */
export function formatNoise({ mechanism, adjacency }: DpParameters): NoiseDocument {
  const { numerator, denominator } = mechanism.kind === 'laplace' ? mechanism.epsilon : mechanism.rho;
  const budget = denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
  return mechanism.kind === 'laplace'
    ? { mechanism: 'laplace', epsilon: budget, adjacency }
    : { mechanism: 'gaussian', rho: budget, adjacency };
}

/**
 * Checks that what people read is what the encoded configuration says.
 *
 * @param stated - member of a document, from anywhere
 * @throws {@link AnalyticsError} `TASK_INVALID` at the first place where it is not
 */
export function requireAgreement(stated: unknown, task: Task, path: string): void {
  const place = difference(stated, formatParameters(task), path);
  if (place !== undefined) throw invalidTask(place, 'is not what the encoded configuration says');
}

/** Where two values of JSON differ first; undefined when they are the same. */
function difference(stated: unknown, actual: unknown, path: string): string | undefined {
  if (typeof actual !== 'object' || actual === null) return Object.is(stated, actual) ? undefined : path;
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated) !== Array.isArray(actual)) return path;
  const [a, b] = [new Map(Object.entries(stated)), new Map(Object.entries(actual))];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const place = Array.isArray(actual) ? `${path}[${name}]` : `${path}.${name}`;
    if (a.has(name) !== b.has(name)) return place;
    const found = difference(a.get(name), b.get(name), place);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  return typeof value === 'bigint' ? String(value) : value;
}

function formatInterval(interval: Interval, timePrecision: number): IntervalDocument {
  return { from: isoDate(interval.start * timePrecision), to: isoDate(intervalEnd(interval) * timePrecision) };
}

function isoDate(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw invalidTask('configuration', 'has an interval beyond all dates');
  return date.toISOString();
}
