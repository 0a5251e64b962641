/** Tasks that arrive with a request about them. Taskprov §3. */
import { equalBytes } from '@privacy-edge/bytes';
import {
  type AggregatorRole,
  createTask,
  createTaskVdaf,
  DapError,
  DEFAULT_VERSION,
  parseTaskprov,
  ROLE_LEADER,
  type Task,
  type TaskConfiguration,
  taskprovTaskId,
  taskprovVerifyKey,
} from '@privacy-edge/dap';
import type { TaskAccess, TaskRow } from './store-rows.ts';

/** Under which conditions advertised tasks are taken part in: always between the same parties. */
export interface AdvertisedTasks {
  /** 32 bytes, secret of both aggregators. */
  readonly verifyKeyInit: Uint8Array;
  /** The part that this aggregator takes. */
  readonly role: AggregatorRole;
  /** Endpoint that a task must name for this role, byte by byte. */
  readonly ownEndpoint: string;
  /** Endpoint that a task must name for the other role. */
  readonly peerEndpoint: string;
  /** Encoded `HpkeConfig` of the collector. */
  readonly collectorConfig: Uint8Array;
  readonly access: TaskAccess;
  readonly processing: TaskRow['processing'];
  readonly clockToleranceSeconds: number;
  /**
   * Whether the parameters of a task are good enough, for privacy and for what they cost: minimum batch size, noise, VDAF and
   * its lengths. Asked before anything is stored. Whoever can reach this aggregator may be the author of a task, so that
   * there is no safe default.
   */
  accept(task: Task): boolean;
}

/**
 * The task that a request advertises.
 *
 * @param taskId - from the path of the request
 * @param field - value of the field; attacker-controlled
 * @returns undefined when the field is absent or must be ignored
 * @throws {@link DapError} `INVALID_TASK` when it is another task than the request is about, or one that this aggregator
 *   does not take part in
 * @see Taskprov §3.2 and §3.5
 */
export function advertisedTask(
  advertised: AdvertisedTasks,
  taskId: Uint8Array,
  field: string | undefined,
  now: Date,
): TaskRow | undefined {
  const configuration = parseTaskprov(field);
  if (configuration === undefined) return undefined;
  if (!equalBytes(taskprovTaskId(configuration), taskId)) throw optOut('it is not the one that the request is about');
  const task = readTask(taskId, configuration);
  checkEndpoints(advertised, configuration);
  const end = task.extensions.taskInterval;
  const nowTime = now.getTime() / 1000 / configuration.timePrecision;
  if (end !== undefined && end.start + end.duration <= nowTime) throw optOut('it has ended');
  if (!advertised.accept(task)) throw optOut('its parameters are not accepted');
  const { role, collectorConfig, clockToleranceSeconds, access, processing } = advertised;
  const verifyKey = taskprovVerifyKey(advertised.verifyKeyInit, taskId, createTaskVdaf(task).verifyKeySize);
  return {
    task: {
      taskId,
      version: task.version,
      role,
      configuration: configuration.encoded,
      verifyKey,
      collectorConfig,
      clockToleranceSeconds,
    },
    access,
    processing,
    isAdvertised: true,
    rememberedSince: 0,
    createdAt: now,
  };
}

function readTask(taskId: Uint8Array, configuration: TaskConfiguration): Task {
  try {
    const task = createTask(taskId, configuration, DEFAULT_VERSION);
    createTaskVdaf(task);
    return task;
  } catch (error) {
    throw error instanceof DapError ? optOut('its parameters are not supported', error) : error;
  }
}

function checkEndpoints({ role, ownEndpoint, peerEndpoint }: AdvertisedTasks, configuration: TaskConfiguration): void {
  const { leaderAggregatorEndpoint: leader, helperAggregatorEndpoint: helper } = configuration;
  const [own, peer] = role === ROLE_LEADER ? [leader, helper] : [helper, leader];
  if (own !== ownEndpoint || peer !== peerEndpoint) throw optOut('it is between other aggregators');
}

function optOut(state: string, cause?: unknown): DapError {
  return new DapError('INVALID_TASK', `Cannot take part in advertised task: ${state}`, { cause });
}
