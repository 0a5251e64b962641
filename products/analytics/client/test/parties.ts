/** What the tests of this package share: a task with all of its parties in memory, and a clock. */
import assert from 'node:assert/strict';
import {
  type Collector,
  type CollectorEvent,
  type CollectorOptions,
  createCollector,
  generateCollectorKey,
} from '../src/collector/index.ts';
import {
  AnalyticsError,
  type AnalyticsErrorCode,
  createReporter,
  type Reporter,
  type ReporterEvent,
  type ReporterOptions,
} from '../src/index.ts';
import {
  createPrivateTask,
  formatTask,
  type HpkeKey,
  type PrivateTask,
  type PrivateTaskOptions,
  parseTask,
  type Statistic,
  type StatisticKind,
  type StatisticOf,
  systemRandom,
  taskOf,
} from '../src/task/index.ts';
import { FakeAggregators } from './fake-aggregators.ts';

/** Fuzz cases for properties. */
export const FUZZ_RUNS: number = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 200);

/** 2026-05-01T00:00:00Z, milliseconds. */
export const MAY: number = Date.UTC(2026, 4, 1);

export const HOUR_MS = 3_600_000;

/** The whole hour around {@link MAY}. */
export const FIRST_HOUR: { readonly from: Date; readonly to: Date } = {
  from: new Date(MAY),
  to: new Date(MAY + HOUR_MS),
};

/** A task with its parties. */
export interface Parties<S extends Statistic> {
  readonly task: PrivateTask<S>;
  readonly key: HpkeKey;
  readonly aggregators: FakeAggregators;
  readonly reporter: Reporter<S>;
  readonly collector: Collector<S>;
  readonly reporterEvents: ReporterEvent[];
  readonly collectorEvents: CollectorEvent[];
  /** What was waited for, milliseconds. */
  readonly pauses: number[];
  readonly clock: { nowMs: number };
}

export interface PartiesOptions {
  readonly task?: Partial<PrivateTaskOptions<never>>;
  readonly reporter?: ReporterOptions;
  readonly collector?: Partial<CollectorOptions>;
}

export const COUNT = { kind: 'count' } as const;

/** Options of a task. */
export function taskOptions<const S extends Statistic>(statistic: S, key: HpkeKey): PrivateTaskOptions<S> {
  return {
    title: 'Test',
    statistic,
    leader: 'https://leader.example/dap',
    helper: 'https://helper.example',
    collectorConfig: key.config,
    timePrecisionSeconds: 3600,
    minBatchSize: 2,
  };
}

/** All parties, each with what it reads out of the task file. */
export async function parties<const K extends StatisticKind>(
  statistic: StatisticOf<K>,
  options: PartiesOptions = {},
): Promise<Parties<StatisticOf<K>>> {
  const key = await generateCollectorKey(33);
  const made = await createPrivateTask({ ...taskOptions(statistic, key), ...options.task }, systemRandom);
  const document: unknown = JSON.parse(JSON.stringify(formatTask(made)));
  const task = taskOf(await parseTask(document), statistic.kind as K);
  const clock = { nowMs: MAY + 1000 };
  const now = (): number => clock.nowMs;
  const aggregators = await FakeAggregators.create(task, now);
  const pauses: number[] = [];
  const wait = (ms: number, signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted();
    pauses.push(ms);
    return Promise.resolve();
  };
  const reporterEvents: ReporterEvent[] = [];
  const collectorEvents: CollectorEvent[] = [];
  const common = { fetch: aggregators.fetch, now, wait };
  const reporter = createReporter(task, {
    ...common,
    onEvent: (event) => reporterEvents.push(event),
    ...options.reporter,
  });
  const collector = createCollector(task, {
    ...common,
    key,
    onEvent: (event) => collectorEvents.push(event),
    ...options.collector,
  });
  return { task, key, aggregators, reporter, collector, reporterEvents, collectorEvents, pauses, clock };
}

/** What a step fails with; anything but an {@link AnalyticsError} is a fault. */
export async function failure(step: () => Promise<unknown>, code: AnalyticsErrorCode): Promise<AnalyticsError> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof AnalyticsError)) throw error;
    assert.equal(error.code, code);
    return error;
  }
  return assert.fail(`expected ${code}`);
}
