/** What all handlers and steps of one aggregator share. */
import { type AggregatorRole, DapError, type FindOpener } from '@privacy-edge/dap';
import { type AggregatorConfig, type AggregatorSettings, readConfig } from './config.ts';
import { KeyRing } from './key-ring.ts';
import type { ObserveAggregator } from './observation.ts';
import type { AggregatorPorts } from './ports.ts';
import type { TaskRow } from './store-rows.ts';
import { type TaskContext, TaskContexts } from './task-context.ts';

/** One aggregator. */
export interface AggregatorContext extends AggregatorPorts {
  readonly observe: ObserveAggregator;
  readonly onFault: (error: unknown) => void;
  readonly settings: AggregatorSettings;
  readonly keys: KeyRing;
  readonly tasks: TaskContexts;
}

/** @throws {RangeError} for a configuration that cannot work */
export function createAggregatorContext(ports: AggregatorPorts, config: AggregatorConfig): AggregatorContext {
  const settings = readConfig(config);
  return {
    ...ports,
    observe: ports.observe ?? (() => {}),
    onFault: ports.onFault ?? (() => {}),
    settings,
    keys: new KeyRing(ports.store, settings.keyRefreshMs),
    tasks: new TaskContexts(settings.reportExtensions),
  };
}

/** The time as a Date. */
export function nowOf({ clock }: AggregatorContext): Date {
  return new Date(clock());
}

/**
 * A task from the store, as it is now.
 *
 * @throws {@link DapError} `UNRECOGNIZED_TASK`
 */
export async function readTaskContext(context: AggregatorContext, taskId: Uint8Array): Promise<TaskContext> {
  const row = await context.store.readTask(taskId);
  if (row === undefined) throw new DapError('UNRECOGNIZED_TASK', 'Cannot find task: it does not exist');
  return context.tasks.of(row);
}

/** The openers for a task. */
export function openersOf({ keys, clock }: AggregatorContext, { task }: TaskContext): Promise<FindOpener> {
  return keys.openers(task.version, task.role, clock());
}

/** All tasks of one role that can be used, page by page. */
export async function* tasksOf(context: AggregatorContext, role?: AggregatorRole): AsyncGenerator<TaskContext> {
  let after: Uint8Array | undefined;
  for (;;) {
    const rows = await context.store.listTasks(after, TASKS_PER_PAGE);
    for (const row of rows) {
      if (role !== undefined && row.task.role !== role) continue;
      const taskContext = await usable(context, row);
      if (taskContext !== undefined) yield taskContext;
    }
    after = rows.at(-1)?.task.taskId;
    if (after === undefined || rows.length < TASKS_PER_PAGE) return;
  }
}

/** One task that cannot be used does not keep the others from being worked on. */
async function usable(context: AggregatorContext, row: TaskRow): Promise<TaskContext | undefined> {
  try {
    return await context.tasks.of(row);
  } catch (error) {
    if (!(error instanceof DapError)) throw error;
    context.onFault(error);
    return undefined;
  }
}

const TASKS_PER_PAGE = 100;
