/**
 * Locks of tasks, where an engine has several writers. What adds facts about a task holds it together with others; what
 * concludes from the absence of facts holds it alone. With that, and with the locks that rows have anyway, transactions have
 * the effect of running one after another.
 */
import { type Operation, type Row, type Statement, statement } from '../operation.ts';
import { integerOf } from './columns.ts';

/** A task that is locked until the transaction ends. */
export interface LockedTask {
  /** What it is called in the other tables. */
  readonly task: number;
  readonly rememberedSince: number;
  /** Rows that further statements gave, which went along. */
  readonly rows: readonly (readonly Row[])[];
}

/** SQL that names the task with the identifier `:task_id`. */
export const TASK = '(SELECT task_key FROM tasks WHERE task_id = :task_id)';

/**
 * Holds a task together with others.
 *
 * @param statements - further ones, carried out after it is held
 * @returns undefined when there is no such task
 */
export function shareTask(taskId: Uint8Array, ...statements: readonly Statement[]): Operation<LockedTask | undefined> {
  return lock('SELECT @share_task AS locked FROM tasks WHERE task_id = :task_id', taskId, statements);
}

/** Holds a task alone; see {@link shareTask}. */
export function ownTask(taskId: Uint8Array, ...statements: readonly Statement[]): Operation<LockedTask | undefined> {
  return lock('SELECT @own_task AS locked FROM tasks WHERE task_id = :task_id', taskId, statements);
}

function* lock(sql: string, taskId: Uint8Array, statements: readonly Statement[]): Operation<LockedTask | undefined> {
  const [, found, ...rows] = yield [
    statement(sql, { task_id: taskId }),
    // Read again: it may have been deleted while this transaction waited.
    statement('SELECT task_key, remembered_since FROM tasks WHERE task_id = :task_id', { task_id: taskId }),
    ...statements,
  ];
  const row = found?.[0];
  if (row === undefined) return undefined;
  return { task: integerOf(row, 'task_key'), rememberedSince: integerOf(row, 'remembered_since'), rows };
}
