/** Counters of tasks. */
import type { CounterName, Counters } from '@privacy-edge/analytics-roles';
import type { OperationContext } from '../engine.ts';
import { type Operation, query, type Statement, statementEach } from '../operation.ts';
import { integerOf, textOf } from './columns.ts';
import { shareTask, TASK } from './lock.ts';

/** Adds to counters; in the order of their names, so that two that wait for each other's rows cannot come about. */
export function countStatement(task: number, counters: Counters): Statement {
  const rows = Object.entries(counters)
    .filter(([, value]) => value > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
  return statementEach(
    `INSERT INTO task_counters (task_key, name, shard, value)
      SELECT CAST(:task AS @integer), batch.name, @shard, batch.value FROM @rows(name text, value integer) WHERE TRUE
      ON CONFLICT (task_key, name, shard) DO UPDATE SET value = task_counters.value + excluded.value`,
    rows,
    { task },
  );
}

/** The sum of several uploads' counters. */
export function sumCounters(all: readonly Counters[]): Counters {
  const sums = new Map<string, number>();
  for (const [name, value] of all.flatMap((counters) => Object.entries(counters))) {
    sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return Object.fromEntries(sums);
}

/** See the port. */
export function* addCounters(_context: OperationContext, taskId: Uint8Array, counters: Counters): Operation<void> {
  const locked = yield* shareTask(taskId);
  if (locked !== undefined) yield [countStatement(locked.task, counters)];
}

/** See the port. */
export function* readCounters(_context: OperationContext, taskId: Uint8Array): Operation<Counters> {
  const rows = yield* query(
    `SELECT name, CAST(SUM(value) AS @integer) AS value FROM task_counters WHERE task_key = ${TASK} GROUP BY name`,
    { task_id: taskId },
  );
  // Only names of counters are ever written.
  return Object.fromEntries(rows.map((row) => [textOf(row, 'name') as CounterName, integerOf(row, 'value')]));
}
