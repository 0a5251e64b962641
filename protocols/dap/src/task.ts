/** A task as its parties hold it. DAP §4.2. */
import { concatBytes, DecodeError, equalBytes } from '@privacy-edge/bytes';
import type { Vdaf } from '@privacy-edge/vdaf';
import { DapError } from './dap-error.ts';
import type { Extension } from './extension.ts';
import { unknownTypes } from './extension.ts';
import { type AggregatorRole, BATCH_MODE_LEADER_SELECTED, BATCH_MODE_TIME_INTERVAL } from './registry.ts';
import type { TaskConfiguration } from './task-configuration.ts';
import { readTaskExtensions, type TaskExtensions } from './task-extensions.ts';
import { decodeVdafConfiguration, type VdafConfiguration } from './vdaf-configuration.ts';
import { DEFAULT_VERSION, type VersionTag, vdafContext } from './version.ts';

/** A task that this package supports; made by {@link createTask}. */
export interface Task {
  /** 32 bytes. */
  readonly taskId: Uint8Array;
  readonly version: VersionTag;
  readonly configuration: TaskConfiguration;
  /** Read from the configuration. */
  readonly extensions: TaskExtensions;
  /** Read from the configuration. */
  readonly vdafConfiguration: VdafConfiguration;
  /** Application context of the VDAF. */
  readonly context: Uint8Array;
  /** Task identifier and configuration: what every AAD of the task begins with. */
  readonly binding: Uint8Array;
}

/** A VDAF, whatever it measures: all that an aggregator knows. */
export type AggregatedVdaf = Vdaf<never, unknown>;

/** A task in the hands of one of its aggregators. */
export interface AggregatorTask extends Task {
  readonly role: AggregatorRole;
  /** For the configuration's type and parameters. */
  readonly vdaf: AggregatedVdaf;
  /** Secret of both aggregators; never changes while the task lives. DAP §8.6.2. */
  readonly verifyKey: Uint8Array;
  /** How far the clock of a client may be ahead, seconds: usually no more than a few minutes. */
  readonly clockToleranceSeconds: number;
  /**
   * Whether a report of an earlier time was aggregated before is not known any more, in units of the task's time precision:
   * it is refused. Absent while nothing was forgotten. DAP §6.4.1.
   */
  readonly rememberedSince?: number;
  /** Report extensions that this aggregator understands; a report with any other is refused. */
  readonly reportExtensions: ReadonlySet<number>;
}

/** The identifier of the one verification key that a task has. DAP §4.5.3.1. */
export const VERIFICATION_KEY_ID = 0;

const BATCH_MODES: readonly number[] = [BATCH_MODE_TIME_INTERVAL, BATCH_MODE_LEADER_SELECTED];

/**
 * Checks that a task can be taken part in.
 *
 * @param taskId - 32 bytes
 * @param configuration - from whoever makes tasks, who need not be trusted
 * @param version - the same for all parties
 * @throws {@link DapError} `TASK_UNSUPPORTED` for an unknown batch mode or extension, a batch size or time precision of
 *   zero, or an encoded parameter that its owner cannot read
 * @see DAP §4.2
 */
export function createTask(
  taskId: Uint8Array,
  configuration: TaskConfiguration,
  version: VersionTag = DEFAULT_VERSION,
): Task {
  const { batchMode, batchConfig, timePrecision, minBatchSize } = configuration;
  if (!BATCH_MODES.includes(batchMode) || batchConfig.length > 0) throw unsupported('its batch mode is not known');
  if (timePrecision === 0) throw unsupported('its time precision is zero');
  // Everything would be a batch, and a batch of nothing would have a result.
  if (minBatchSize === 0) throw unsupported('its minimum batch size is zero');
  const context = vdafContext(version, taskId);
  const binding = concatBytes(taskId, configuration.encoded);
  return { taskId: taskId.slice(), version, configuration, ...readEncoded(configuration), context, binding };
}

function readEncoded(configuration: TaskConfiguration): Pick<Task, 'extensions' | 'vdafConfiguration'> {
  try {
    return {
      extensions: readTaskExtensions(configuration.extensions),
      vdafConfiguration: decodeVdafConfiguration(configuration.vdafType, configuration.vdafConfiguration),
    };
  } catch (error) {
    throw error instanceof DecodeError ? unsupported('one of its parameters cannot be read', error) : error;
  }
}

function unsupported(state: string, cause?: unknown): DapError {
  return new DapError('TASK_UNSUPPORTED', `Cannot take part in task: ${state}`, { cause });
}

/** Whether two tasks are the same in every byte. */
export function isSameTask(a: Task, b: Task): boolean {
  return a.version === b.version && equalBytes(a.binding, b.binding);
}

/**
 * Time in units of a task.
 *
 * @returns units of the time precision since the epoch, rounded down
 * @see DAP §4.1.1
 */
export function taskTime({ configuration }: Task, now: Date): number {
  return Math.floor(now.getTime() / 1000 / configuration.timePrecision);
}

/**
 * Checks extensions that a whole request carries.
 *
 * @param known - types that are supported
 * @throws {@link DapError} `UNSUPPORTED_EXTENSION`
 */
export function requireKnown(extensions: readonly Extension[], known: ReadonlySet<number>, action: string): void {
  const unsupportedExtensions = unknownTypes(extensions, known);
  if (unsupportedExtensions.length > 0) {
    throw new DapError('UNSUPPORTED_EXTENSION', `Cannot ${action}: an extension is unknown`, { unsupportedExtensions });
  }
}
