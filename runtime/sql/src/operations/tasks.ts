/** Tasks. */
import type { TaskRow } from '@privacy-edge/analytics-roles';
import { equalBytes, utf8 } from '@privacy-edge/bytes';
import { isVersionTag, ROLE_HELPER, ROLE_LEADER } from '@privacy-edge/dap';
import type { OperationContext } from '../engine.ts';
import { type Operation, query, type Row, statement, touches } from '../operation.ts';
import { TASK_TABLES } from '../schema.ts';
import type { SecretColumns } from '../secret-columns.ts';
import { SqlError } from '../sql-error.ts';
import { bytesOf, dateOf, integerOf, joinIds, maybeBytes, orNull, splitIds, textOf, wordOf } from './columns.ts';
import { ownTask } from './lock.ts';
import { placeOf } from './place.ts';

const HASH_BYTES = 32;

/** See the port. */
export function* putTask(context: OperationContext, row: TaskRow): Operation<'created' | 'same' | 'different'> {
  const columns = taskColumns(context.secrets, row);
  const names = Object.keys(columns);
  const isNew = yield* touches(
    `INSERT INTO tasks (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})
      ON CONFLICT (task_id) DO NOTHING @returning(task_id)`,
    columns,
  );
  if (isNew) return 'created';
  const there = yield* readTask(context, row.task.taskId);
  return there !== undefined && isSameTask(there, row) ? 'same' : 'different';
}

/** See the port. */
export function* readTask({ secrets }: OperationContext, taskId: Uint8Array): Operation<TaskRow | undefined> {
  const [row] = yield* query('SELECT * FROM tasks WHERE task_id = :task_id', { task_id: taskId });
  return row === undefined ? undefined : taskOf(secrets, row);
}

/** See the port. */
export function* listTasks(
  { secrets }: OperationContext,
  after: Uint8Array | undefined,
  limit: number,
): Operation<readonly TaskRow[]> {
  const rows = yield* query('SELECT * FROM tasks WHERE task_id > :after ORDER BY task_id LIMIT :limit', {
    after: after ?? new Uint8Array(),
    limit,
  });
  return rows.map((row) => taskOf(secrets, row));
}

/** See the port. */
export function* deleteTask(_context: OperationContext, taskId: Uint8Array): Operation<boolean> {
  const locked = yield* ownTask(taskId);
  if (locked === undefined) return false;
  const { task } = locked;
  const emptied = [...TASK_TABLES, 'tasks'].map((table) =>
    statement(`DELETE FROM ${table} WHERE task_key = :task`, { task }),
  );
  yield emptied;
  return true;
}

function taskColumns(secrets: SecretColumns, { task, access, processing, isAdvertised, ...row }: TaskRow) {
  const place = (column: string): Uint8Array => placeOf('tasks', column, task.taskId);
  const authorization = access.peerAuthorization;
  return {
    task_id: task.taskId,
    version: task.version,
    role: task.role,
    task_configuration: task.configuration,
    verify_key: secrets.seal(task.verifyKey, place('verify_key')),
    collector_hpke_config: task.collectorConfig,
    clock_tolerance_seconds: task.clockToleranceSeconds,
    peer_authorization: orNull(
      authorization === undefined ? undefined : secrets.seal(utf8(authorization), place('peer_authorization')),
    ),
    peer_token_hashes: joinIds(access.peerTokenHashes),
    collector_token_hashes: joinIds(access.collectorTokenHashes),
    peer_names: JSON.stringify(access.peerNames),
    collector_names: JSON.stringify(access.collectorNames),
    processing,
    is_advertised: isAdvertised ? 1 : 0,
    remembered_since: row.rememberedSince,
    created_at: row.createdAt.getTime(),
  };
}

function taskOf(secrets: SecretColumns, row: Row): TaskRow {
  const taskId = bytesOf(row, 'task_id');
  const version = textOf(row, 'version');
  const role = ([ROLE_LEADER, ROLE_HELPER] as const).find((known) => known === integerOf(row, 'role'));
  if (!isVersionTag(version) || role === undefined) {
    throw new SqlError('CORRUPT', 'Cannot read a task: its version or role is unknown');
  }
  const authorization = maybeBytes(row, 'peer_authorization');
  const open = (sealed: Uint8Array, column: string): Uint8Array =>
    secrets.open(sealed, placeOf('tasks', column, taskId));
  return {
    task: {
      taskId,
      version,
      role,
      configuration: bytesOf(row, 'task_configuration'),
      verifyKey: open(bytesOf(row, 'verify_key'), 'verify_key'),
      collectorConfig: bytesOf(row, 'collector_hpke_config'),
      clockToleranceSeconds: integerOf(row, 'clock_tolerance_seconds'),
    },
    access: {
      peerAuthorization:
        authorization === undefined ? undefined : new TextDecoder().decode(open(authorization, 'peer_authorization')),
      peerTokenHashes: splitIds(bytesOf(row, 'peer_token_hashes'), HASH_BYTES),
      collectorTokenHashes: splitIds(bytesOf(row, 'collector_token_hashes'), HASH_BYTES),
      // Written by `taskColumns` only.
      peerNames: JSON.parse(textOf(row, 'peer_names')) as string[],
      collectorNames: JSON.parse(textOf(row, 'collector_names')) as string[],
    },
    processing: wordOf(row, 'processing', ['synchronous', 'asynchronous']),
    isAdvertised: integerOf(row, 'is_advertised') === 1,
    rememberedSince: integerOf(row, 'remembered_since'),
    createdAt: dateOf(row, 'created_at'),
  };
}

/** What is sealed differs each time, so columns are compared before they are. */
const UNSEALED: SecretColumns = { seal: (secret) => secret, open: (stored) => stored };

function isSameTask(a: TaskRow, b: TaskRow): boolean {
  const there: Readonly<Record<string, unknown>> = taskColumns(UNSEALED, a);
  return Object.entries(taskColumns(UNSEALED, b)).every(([name, value]) => {
    if (name === 'created_at' || name === 'remembered_since') return true;
    const other = there[name];
    return value instanceof Uint8Array && other instanceof Uint8Array ? equalBytes(value, other) : value === other;
  });
}
