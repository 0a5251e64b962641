/** The task file: one document that a second party joins with, and nothing else. It holds no secret. */
import { DecodeError, toBase64Url } from '@privacy-edge/bytes';
import { TASK_ID_BYTES, TaskConfiguration } from '@privacy-edge/dap';
import { Fields, invalidTask } from './fields.ts';
import { formatHpkeConfig, type HpkeConfigDocument, readHpkeConfig } from './hpke-document.ts';
import { formatParameters, type ParametersDocument, requireAgreement } from './parameters-document.ts';
import { joinTask, type PrivateTask } from './private-task.ts';
import type { Statistic } from './statistic.ts';
import { readStatistic } from './statistic-document.ts';

/** What `format` says in the public form of a task. */
export const TASK_FORMAT = 'privacy-edge-task';

/** Version of all documents here. */
export const DOCUMENT_VERSION = 1;

/** A task as JSON or YAML. */
export interface TaskDocument {
  readonly format: typeof TASK_FORMAT;
  readonly version: typeof DOCUMENT_VERSION;
  readonly title: string;
  /** Draft of the protocol, such as `dap-18`. */
  readonly protocol: string;
  /** base64url */
  readonly taskId: string;
  readonly statistic: Statistic;
  /** What `configuration` says, for people. */
  readonly parameters: ParametersDocument;
  /** The TaskConfiguration that everything is bound to, base64url. DAP §4.2 */
  readonly configuration: string;
  readonly collector: { readonly hpke: HpkeConfigDocument };
}

/** The document of a task, for `JSON.stringify` or a YAML writer. */
export function formatTask<S extends Statistic>({
  title,
  task,
  statistic,
  collectorConfig,
}: PrivateTask<S>): TaskDocument {
  return {
    format: TASK_FORMAT,
    version: DOCUMENT_VERSION,
    title,
    protocol: task.version,
    taskId: toBase64Url(task.taskId),
    statistic,
    parameters: formatParameters(task),
    configuration: toBase64Url(task.configuration.encoded),
    collector: { hpke: formatHpkeConfig(collectorConfig) },
  };
}

/**
 * Reads a task. What stands in it twice must agree, and nothing may stand in it that nobody reads.
 *
 * @param document - parsed JSON or YAML, from anywhere; its members may be in any order
 * @throws {@link AnalyticsError} `TASK_INVALID` with the `path` of what is wrong
 */
export async function parseTask(document: unknown): Promise<PrivateTask> {
  return readTask(document, '');
}

/** Reads a task that may stand inside of another document. */
export async function readTask(document: unknown, path: string): Promise<PrivateTask> {
  const fields = new Fields(document, path);
  fields.choice('format', [TASK_FORMAT]);
  fields.integer('version', DOCUMENT_VERSION, DOCUMENT_VERSION);
  const title = fields.string('title');
  const protocol = fields.choice('protocol', ['dap-18', 'dap-19']);
  const taskId = fields.bytes('taskId', TASK_ID_BYTES);
  const statistic = readStatistic(fields.any('statistic'), fields.pathOf('statistic'));
  const stated = fields.any('parameters');
  const encoded = fields.bytes('configuration');
  const collector = fields.object('collector');
  const collectorConfig = readHpkeConfig(collector.any('hpke'), collector.pathOf('hpke'));
  collector.end();
  fields.end();
  const configuration = decodeConfiguration(encoded, fields.pathOf('configuration'));
  const parts = { title, taskId, configuration, protocol, statistic, collectorConfig };
  const task = await joinTask(parts, fields.pathOf(''));
  requireAgreement(stated, task.task, fields.pathOf('parameters'));
  return task;
}

function decodeConfiguration(encoded: Uint8Array, path: string): TaskConfiguration {
  try {
    return TaskConfiguration.decode(encoded);
  } catch (error) {
    throw error instanceof DecodeError ? invalidTask(path, 'is not a task configuration', error) : error;
  }
}
