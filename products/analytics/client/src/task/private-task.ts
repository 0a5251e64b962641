/** A task in the hands of any of its parties: what everybody may know. */
import { equalBytes, utf8 } from '@privacy-edge/bytes';
import {
  BATCH_MODE_LEADER_SELECTED,
  BATCH_MODE_TIME_INTERVAL,
  createTask,
  createTaskConfiguration,
  DapError,
  type DpParameters,
  type EncodedVdafConfiguration,
  encodeVdafConfiguration,
  type HpkeConfig,
  type RandomSource,
  TASK_ID_BYTES,
  type Task,
  type TaskConfiguration,
  type TaskExtensions,
  type VdafConfiguration,
  type VersionTag,
  writeTaskExtensions,
} from '@privacy-edge/dap';
import { createVdaf, VdafError } from '@privacy-edge/vdaf';
import { invalidTask } from './fields.ts';
import type { BatchMode } from './parameters-document.ts';
import type { Statistic, StatisticKind, StatisticOf } from './statistic.ts';
import { readStatistic } from './statistic-document.ts';
import { measures, poplar1Rounds, vdafOf } from './statistic-vdaf.ts';

/** A task with its statistic; made by `createPrivateTask` and `parseTask`. Holds no secret. */
export interface PrivateTask<S extends Statistic = Statistic> {
  /** For people. */
  readonly title: string;
  /** What the protocol knows of it. */
  readonly task: Task;
  /** What is measured, and how values become measurements. */
  readonly statistic: S;
  /** Results are sealed to it. */
  readonly collectorConfig: HpkeConfig;
}

/** What somebody who makes a task decides. */
export interface PrivateTaskOptions<S extends Statistic> {
  /** For people; goes into the fingerprint that every report is bound to. */
  readonly title: string;
  readonly statistic: S;
  /** URL of the leader, as everybody will use it: https, except on loopback. */
  readonly leader: string;
  /** URL of the helper. */
  readonly helper: string;
  /** From the collector, who alone has the private key; see `generateCollectorKey`. */
  readonly collectorConfig: HpkeConfig;
  /** Unit of all times of the task, and smallest batch by time: seconds. Default 3600. */
  readonly timePrecisionSeconds?: number | undefined;
  /** No batch of fewer reports is collected. */
  readonly minBatchSize: number;
  /** Default `time-interval`. */
  readonly batchMode?: BatchMode | undefined;
  /** Reports from outside of it are refused; whole units of the time precision. */
  readonly taskInterval?: { readonly from: Date; readonly to: Date } | undefined;
  /** The noise that each aggregator adds; default none. */
  readonly noise?: DpParameters | undefined;
  /** Draft of the protocol; default `dap-18`. */
  readonly protocol?: VersionTag | undefined;
  /** 32 bytes; default random, so that nobody can guess it (DAP §8.6.1). */
  readonly taskId?: Uint8Array | undefined;
}

/**
 * Makes a task.
 *
 * @param random - cryptographic generator, for the task's identifier
 * @throws {@link AnalyticsError} `TASK_INVALID`, with the place in the document that the task would have
 * @see DAP §4.2
 */
export async function createPrivateTask<const S extends Statistic>(
  options: PrivateTaskOptions<S>,
  random: RandomSource,
): Promise<PrivateTask<S>> {
  const { title, collectorConfig, protocol, taskId = random(TASK_ID_BYTES) } = options;
  // Read as if it came from a document: checked, and its members in the order that everybody hashes.
  const statistic = readStatistic(options.statistic, 'statistic') as S;
  const configuration = configurationOf(options, statistic, await fingerprintOf(title, statistic));
  return joinTask({ title, taskId, configuration, protocol, statistic, collectorConfig });
}

/** The parts of a task, before anybody knows whether they fit. */
export interface TaskParts<S extends Statistic> {
  readonly title: string;
  readonly taskId: Uint8Array;
  readonly configuration: TaskConfiguration;
  readonly protocol: VersionTag | undefined;
  readonly statistic: S;
  readonly collectorConfig: HpkeConfig;
}

/**
 * Checks that the parts of a task fit together. Whether the VDAF accepts its parameters is for whoever runs it to see: those
 * who only read a task need not load it.
 *
 * @param path - what stands before the members of the task in error messages
 * @throws {@link AnalyticsError} `TASK_INVALID`
 */
export async function joinTask<S extends Statistic>(parts: TaskParts<S>, path: string = ''): Promise<PrivateTask<S>> {
  const { title, taskId, configuration, protocol, statistic, collectorConfig } = parts;
  const task = supported(() => createTask(taskId, configuration, protocol), path);
  const { leaderAggregatorEndpoint, helperAggregatorEndpoint, taskInfo } = configuration;
  requireEndpoint(leaderAggregatorEndpoint, `${path}parameters.leader`);
  requireEndpoint(helperAggregatorEndpoint, `${path}parameters.helper`);
  const { vdafConfiguration } = task;
  if (vdafConfiguration.kind === 'unknown' || !measures(vdafConfiguration, statistic)) {
    throw invalidTask(`${path}statistic`, 'is not what the VDAF of the task measures');
  }
  if (!equalBytes(taskInfo, await fingerprintOf(title, statistic))) {
    throw invalidTask(`${path}parameters.taskInfo`, 'is not the fingerprint of title and statistic');
  }
  if (statistic.kind === 'poplar1') requireRounds(task, statistic, path);
  return { title, task, statistic, collectorConfig };
}

/**
 * The same task with its statistic known to the compiler.
 *
 * @param kind - that the application was made for
 * @throws {@link AnalyticsError} `TASK_INVALID` when the task measures something else
 */
export function taskOf<K extends StatisticKind>(task: PrivateTask, kind: K): PrivateTask<StatisticOf<K>> {
  if (task.statistic.kind !== kind) throw invalidTask('statistic.kind', `is not ${kind}`);
  return task as PrivateTask<StatisticOf<K>>;
}

/**
 * What is bound into every report through `task_info`: parties that do not read values the same way cannot open each
 * other's shares.
 *
 * @param statistic - as `readStatistic` returns it
 * @returns 32 bytes
 */
async function fingerprintOf(title: string, statistic: Statistic): Promise<Uint8Array> {
  const text = utf8(`privacy-edge task 1\n${JSON.stringify({ title, statistic })}`);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', text as Uint8Array<ArrayBuffer>));
}

function configurationOf<S extends Statistic>(
  options: PrivateTaskOptions<S>,
  statistic: S,
  taskInfo: Uint8Array,
): TaskConfiguration {
  const { leader, helper, timePrecisionSeconds = 3600, minBatchSize, batchMode } = options;
  requireCount(timePrecisionSeconds, 'parameters.timePrecisionSeconds');
  requireCount(minBatchSize, 'parameters.minBatchSize');
  requireEndpoint(leader, 'parameters.leader');
  requireEndpoint(helper, 'parameters.helper');
  return createTaskConfiguration({
    taskInfo,
    leaderAggregatorEndpoint: leader,
    helperAggregatorEndpoint: helper,
    timePrecision: timePrecisionSeconds,
    minBatchSize,
    batchMode: batchMode === 'leader-selected' ? BATCH_MODE_LEADER_SELECTED : BATCH_MODE_TIME_INTERVAL,
    batchConfig: new Uint8Array(0),
    ...encodedVdaf(statistic),
    extensions: writeTaskExtensions(extensionsOf(options, statistic, timePrecisionSeconds)),
  });
}

function encodedVdaf(statistic: Statistic): EncodedVdafConfiguration {
  const choice = vdafOf(statistic);
  const vdaf = supported(() => createVdaf(choice));
  // Whoever reads the configuration must not have to choose.
  const complete = 'chunkLength' in vdaf ? { ...choice, chunkLength: vdaf.chunkLength } : choice;
  return encodeVdafConfiguration(complete as VdafConfiguration);
}

function extensionsOf<S extends Statistic>(
  { taskInterval, noise }: PrivateTaskOptions<S>,
  statistic: S,
  unitSeconds: number,
): TaskExtensions {
  return {
    ...(taskInterval !== undefined && { taskInterval: unitsOf(taskInterval, unitSeconds) }),
    ...(statistic.kind === 'poplar1' && { multiCollection: { maxCollections: poplar1Rounds(statistic) } }),
    ...(noise !== undefined && { dp: noise }),
  };
}

function unitsOf(
  { from, to }: { readonly from: Date; readonly to: Date },
  unitSeconds: number,
): TaskExtensions['taskInterval'] & {} {
  const start = from.getTime() / 1000 / unitSeconds;
  const end = to.getTime() / 1000 / unitSeconds;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end <= start) {
    throw invalidTask('parameters.taskInterval', 'is not made of whole units of the time precision');
  }
  return { start, duration: end - start };
}

/** DAP §4.3: every collection needs a parameter that the batch has not been collected with. */
function requireRounds(task: Task, statistic: StatisticOf<'poplar1'>, path: string): void {
  const most = task.extensions.multiCollection?.maxCollections ?? 1;
  if (most < poplar1Rounds(statistic))
    throw invalidTask(`${path}parameters.maxCollections`, 'does not reach the end of strings');
  // "The next batch" would be another one in every round.
  if (task.configuration.batchMode === BATCH_MODE_LEADER_SELECTED) {
    throw invalidTask(`${path}parameters.batchMode`, 'must be time-interval for poplar1');
  }
}

function requireCount(value: number, path: string): void {
  if (!Number.isSafeInteger(value) || value < 1) throw invalidTask(path, 'is not an integer of 1 or more');
}

/** DAP §3 wants https; what stays on this machine needs none. The text is never changed: every report is bound to it. */
function requireEndpoint(endpoint: string, path: string): void {
  const url = URL.canParse(endpoint) && /^[!-~]+$/.test(endpoint) ? new URL(endpoint) : undefined;
  const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url?.hostname ?? '');
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback);
  if (url === undefined || !isSecure || url.username !== '' || url.password !== '' || /[?#]/.test(endpoint)) {
    throw invalidTask(path, 'is not an https URL without credentials, query and fragment');
  }
}

function supported<T>(step: () => T, path: string = ''): T {
  try {
    return step();
  } catch (error) {
    const isTask = error instanceof DapError || error instanceof VdafError || error instanceof RangeError;
    throw isTask ? invalidTask(`${path}configuration`, `is not supported: ${error.message}`, error) : error;
  }
}
