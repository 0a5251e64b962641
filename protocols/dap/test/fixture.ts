/** What the tests of this package share: tasks, keys, and a storage that is a few maps. */
import assert from 'node:assert/strict';
import { type Awaitable, DecodeError, toHex } from '@privacy-edge/bytes';
import { systemRandom } from '@privacy-edge/hpke';
import {
  type AggregatorRole,
  type AggregatorTask,
  accumulate,
  BATCH_MODE_TIME_INTERVAL,
  type Batch,
  type Bucket,
  bucketOf,
  bucketRange,
  type CollectedBatch,
  commitRefusal,
  compareKeys,
  createTask,
  createTaskConfiguration,
  DapError,
  type DapErrorCode,
  type Extension,
  type FindOpener,
  type FinishedReport,
  generateHpkeKey,
  type HpkeKey,
  inputShareInfo,
  prepareOpener,
  prepareReports,
  type RandomSource,
  REPORT_EXTENSION_ADMISSION,
  type ReportError,
  type ReportMaker,
  ROLE_HELPER,
  ROLE_LEADER,
  type TaskExtensions,
  type TaskParameters,
  type VersionTag,
  writeTaskExtensions,
} from '../src/index.ts';
import { type ToyMeasurement, toyVdaf } from './toy-vdaf.ts';

/** Runs of each property. */
export const numRuns: number = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 1000);

export const random: RandomSource = systemRandom;

export const NOTHING: Uint8Array = new Uint8Array(0);

/** 2026-01-01T00:00:00Z. */
export const NOW: Date = new Date(1767225600000);

const TIME_PRECISION = 60;

/** {@link NOW} in units of the tasks here. */
export const NOW_TIME: number = NOW.getTime() / 1000 / TIME_PRECISION;

export const TASK_ID: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => i);

/** Parameters of a task for the toy VDAF. */
export function parameters(changes: Partial<TaskParameters> = {}, extensions: TaskExtensions = {}): TaskParameters {
  return {
    taskInfo: Uint8Array.of(1, 2, 3),
    leaderAggregatorEndpoint: 'https://leader.example/dap/',
    helperAggregatorEndpoint: 'https://helper.example',
    timePrecision: TIME_PRECISION,
    minBatchSize: 2,
    batchMode: BATCH_MODE_TIME_INTERVAL,
    batchConfig: NOTHING,
    vdafType: 0xffff50ee,
    vdafConfiguration: NOTHING,
    extensions: writeTaskExtensions(extensions),
    ...changes,
  };
}

export interface Setup {
  readonly rounds?: 1 | 2;
  readonly changes?: Partial<TaskParameters>;
  readonly extensions?: TaskExtensions;
  readonly version?: VersionTag;
}

/** One aggregator with its key and memory. */
export interface Aggregator {
  readonly task: AggregatorTask;
  readonly key: HpkeKey;
  readonly findOpener: FindOpener;
  readonly store: Store;
}

export interface Parties {
  readonly leader: Aggregator;
  readonly helper: Aggregator;
  readonly collectorKey: HpkeKey;
  readonly maker: ReportMaker<ToyMeasurement>;
}

/** All parties of one task. */
export async function parties({ rounds = 1, changes, extensions, version }: Setup = {}): Promise<Parties> {
  const task = createTask(TASK_ID, createTaskConfiguration(parameters(changes, extensions)), version);
  const aggregator = async (role: AggregatorRole, id: number): Promise<Aggregator> => {
    const key = await generateHpkeKey(id, random);
    const opener = await prepareOpener(key, inputShareInfo(task.version, role));
    const aggregatorTask: AggregatorTask = {
      ...task,
      role,
      vdaf: toyVdaf(rounds),
      verifyKey: new Uint8Array(32),
      clockToleranceSeconds: 300,
      reportExtensions: new Set([REPORT_EXTENSION_ADMISSION]),
    };
    return {
      task: aggregatorTask,
      key,
      findOpener: (configId) => (configId === id ? opener : undefined),
      store: new Store(aggregatorTask),
    };
  };
  const leader = await aggregator(ROLE_LEADER, 11);
  const helper = await aggregator(ROLE_HELPER, 22);
  const collectorKey = await generateHpkeKey(33, random);
  const maker = await prepareReports(task, toyVdaf(rounds), leader.key.config, helper.key.config);
  return { leader, helper, collectorKey, maker };
}

/** The records that must not be forgotten, and the commitment that a storage makes a transaction of. */
export class Store {
  readonly #task: AggregatorTask;
  readonly aggregated: Map<string, Uint8Array[]> = new Map();
  readonly buckets: Bucket[] = [];
  readonly collected: CollectedBatch[] = [];

  constructor(task: AggregatorTask) {
    this.#task = task;
  }

  /** Commits to what may be committed to; says why the others may not. */
  commit(
    parameter: Uint8Array,
    batchId: Uint8Array | undefined,
    reports: readonly FinishedReport[],
  ): ReadonlyMap<string, ReportError> {
    const refused = new Map<string, ReportError>();
    const accepted = reports.filter((report) => {
      const error = this.refusal(parameter, batchId, report);
      if (error !== undefined) refused.set(toHex(report.reportId), error);
      return error === undefined;
    });
    for (const update of accumulate(this.#task.vdaf, parameter, batchId, accepted)) {
      this.buckets.push(update);
      for (const id of update.reportIds) {
        this.aggregated.set(toHex(id), [...(this.aggregated.get(toHex(id)) ?? []), parameter]);
      }
    }
    return refused;
  }

  refusal(
    parameter: Uint8Array,
    batchId: Uint8Array | undefined,
    { reportId, time }: { readonly reportId: Uint8Array; readonly time: number },
  ): ReportError | undefined {
    const key = bucketOf(time, batchId);
    const collected = this.collected
      .filter(({ batch }) => contains(batch, key))
      .map(({ aggregationParameter }) => aggregationParameter);
    return commitRefusal(this.#task, parameter, {
      aggregated: this.aggregated.get(toHex(reportId)) ?? [],
      collected,
    });
  }

  bucketsOf(batch: Batch): Bucket[] {
    return this.buckets.filter(({ bucket }) => contains(batch, bucket));
  }
}

function contains(batch: Batch, key: Uint8Array): boolean {
  const { first, last } = bucketRange(batch);
  return compareKeys(first, key) <= 0 && compareKeys(key, last) <= 0;
}

/** The error code of a {@link DapError} that a step throws or rejects with; fails for any other outcome. */
export async function codeOf(step: () => Awaitable<unknown>): Promise<DapErrorCode> {
  try {
    await step();
  } catch (error) {
    assert.ok(error instanceof DapError, `expected a DapError, got ${String(error)}`);
    return error.code;
  }
  return assert.fail('expected a DapError');
}

/** The value, or undefined when a decoder refused its input; anything else is a fault. */
export function mayDecode<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** A copy with one bit changed. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** An extension without meaning. */
export function extension(extensionType: number, ...data: readonly number[]): Extension {
  return { extensionType, extensionData: Uint8Array.from(data) };
}
