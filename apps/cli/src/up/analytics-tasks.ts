/** The three tasks of the demonstration: what is measured, of whom, and what each party is given. */
import { generateCollectorKey } from '@privacy-edge/analytics/collector';
import type { LinearRegressionStatistic } from '@privacy-edge/analytics/task';
import {
  type CommonWordsStatistic,
  createPrivateTask,
  createTaskSecrets,
  type HistogramStatistic,
  type HpkeKey,
  type PrivateTask,
  type Statistic,
  splitTask,
  systemRandom,
  type TaskSecrets,
} from '@privacy-edge/analytics/task';
import { SPORTS } from './athletes.ts';

/** Heights between which is counted, metres. */
export const HEIGHTS: readonly number[] = [1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.1];

const HISTOGRAM: HistogramStatistic = {
  kind: 'histogram',
  buckets: { kind: 'numbers', boundaries: HEIGHTS, outside: 'separate' },
  unit: 'm',
};

const WORDS: CommonWordsStatistic = { kind: 'common-words', words: SPORTS };

const REGRESSION: LinearRegressionStatistic = {
  kind: 'linear-regression',
  features: [{ name: 'height', lo: 1, hi: 2.5, step: 0.01 }],
  target: { name: 'weight', lo: 0, hi: 255, step: 1 },
};

/** A task with everything that its parties know. */
export interface DemoTask<S extends Statistic> {
  readonly task: PrivateTask<S>;
  readonly secrets: TaskSecrets;
}

/** All tasks, with one key of the collector. */
export interface DemoTasks {
  readonly key: HpkeKey;
  readonly histogram: DemoTask<HistogramStatistic>;
  readonly words: DemoTask<CommonWordsStatistic>;
  readonly regression: DemoTask<LinearRegressionStatistic>;
}

/**
 * Makes the tasks.
 *
 * @param people - no batch of fewer is collected
 */
export async function createDemoTasks(leader: string, helper: string, people: number): Promise<DemoTasks> {
  const key = await generateCollectorKey();
  const make = async <S extends Statistic>(title: string, statistic: S): Promise<DemoTask<S>> => {
    const common = { leader, helper, collectorConfig: key.config, minBatchSize: people };
    const task = await createPrivateTask({ title, statistic, ...common }, systemRandom);
    return { task, secrets: createTaskSecrets(task, systemRandom) };
  };
  return {
    key,
    histogram: await make('Height', HISTOGRAM),
    words: await make('Sport', WORDS),
    regression: await make('Weight by height', REGRESSION),
  };
}

/** What goes into the folders of the aggregators. */
export function documentsFor(
  { histogram, words, regression }: DemoTasks,
  party: 'leader' | 'helper',
): readonly object[] {
  return [histogram, words, regression].map(
    ({ task, secrets }: DemoTask<Statistic>) => splitTask(task, secrets)[party],
  );
}
