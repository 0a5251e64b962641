/** A task for each of its parties: the public document, and the secrets that this party needs and no other party's. */
import { Secret, toBase64Url, utf8 } from '@privacy-edge/bytes';
import { createTaskVdaf, type HpkeKey, importHpkeKey, type RandomSource } from '@privacy-edge/dap';
import { exportPrivateKey } from '@privacy-edge/hpke';
import { Fields, invalidTask } from './fields.ts';
import type { PrivateTask } from './private-task.ts';
import type { Statistic } from './statistic.ts';
import { DOCUMENT_VERSION, formatTask, readTask, type TaskDocument } from './task-document.ts';

/** Bytes of a token before it is written. */
const TOKEN_BYTES = 32;

/** All secrets of a task, in the hands of whoever makes it. */
export interface TaskSecrets {
  /** Both aggregators; never a client. DAP §8.6.2 */
  readonly verifyKey: Secret<Uint8Array>;
  /** The leader shows it to the helper. */
  readonly aggregatorToken: Secret<string>;
  /** The collector shows it to the leader. */
  readonly collectorToken: Secret<string>;
}

/** What the leader gets. Secret. */
export interface LeaderDocument {
  readonly format: 'privacy-edge-task-leader';
  readonly version: typeof DOCUMENT_VERSION;
  readonly task: TaskDocument;
  readonly leader: { readonly verifyKey: string; readonly aggregatorToken: string; readonly collectorToken: string };
}

/** What the helper gets. Secret. */
export interface HelperDocument {
  readonly format: 'privacy-edge-task-helper';
  readonly version: typeof DOCUMENT_VERSION;
  readonly task: TaskDocument;
  readonly helper: { readonly verifyKey: string; readonly aggregatorToken: string };
}

/** What the collector gets. Secret. */
export interface CollectorDocument {
  readonly format: 'privacy-edge-task-collector';
  readonly version: typeof DOCUMENT_VERSION;
  readonly task: TaskDocument;
  /** The private key is absent where the collector made it and keeps it. */
  readonly collector: { readonly collectorToken: string; readonly privateKey?: string };
}

/** A task, taken apart. */
export interface SplitTask {
  /** For everybody: clients, the public, all parties. */
  readonly public: TaskDocument;
  readonly leader: LeaderDocument;
  readonly helper: HelperDocument;
  readonly collector: CollectorDocument;
}

/** What the leader knows. */
export interface LeaderTask extends TaskSecrets {
  readonly task: PrivateTask;
}

/** What the helper knows. */
export interface HelperTask extends Pick<TaskSecrets, 'verifyKey' | 'aggregatorToken'> {
  readonly task: PrivateTask;
}

/** What the collector knows. */
export interface CollectorTask extends Pick<TaskSecrets, 'collectorToken'> {
  readonly task: PrivateTask;
  /** Absent where it is kept somewhere else. */
  readonly key: HpkeKey | undefined;
}

/**
 * Secrets for a new task.
 *
 * @param random - cryptographic generator
 */
export function createTaskSecrets<S extends Statistic>({ task }: PrivateTask<S>, random: RandomSource): TaskSecrets {
  return {
    verifyKey: new Secret(random(createTaskVdaf(task).verifyKeySize).slice()),
    aggregatorToken: new Secret(toBase64Url(random(TOKEN_BYTES))),
    collectorToken: new Secret(toBase64Url(random(TOKEN_BYTES))),
  };
}

/**
 * The documents for the parties of a task.
 *
 * @param collectorKey - where it is not the collector who made it
 * @returns plain data: whoever writes it down is in charge of the secrets from then on
 */
export function splitTask<S extends Statistic>(
  task: PrivateTask<S>,
  secrets: TaskSecrets,
  collectorKey?: HpkeKey,
): SplitTask {
  const document = formatTask(task);
  const head = { version: DOCUMENT_VERSION, task: document } as const;
  const verifyKey = toBase64Url(secrets.verifyKey.reveal());
  const aggregatorToken = secrets.aggregatorToken.reveal();
  const collectorToken = secrets.collectorToken.reveal();
  const privateKey = collectorKey && toBase64Url(exportPrivateKey(collectorKey.privateKey));
  return {
    public: document,
    leader: { format: 'privacy-edge-task-leader', ...head, leader: { verifyKey, aggregatorToken, collectorToken } },
    helper: { format: 'privacy-edge-task-helper', ...head, helper: { verifyKey, aggregatorToken } },
    collector: {
      format: 'privacy-edge-task-collector',
      ...head,
      collector: { collectorToken, ...(privateKey !== undefined && { privateKey }) },
    },
  };
}

/**
 * Reads the leader's document.
 *
 * @param document - parsed JSON or YAML
 * @throws {@link AnalyticsError} `TASK_INVALID`
 */
export async function parseLeaderTask(document: unknown): Promise<LeaderTask> {
  const { task, own } = await open(document, 'leader');
  const read = {
    task,
    verifyKey: verifyKeyOf(own, task),
    aggregatorToken: tokenOf(own, 'aggregatorToken'),
    collectorToken: tokenOf(own, 'collectorToken'),
  };
  own.end();
  return read;
}

/**
 * Reads the helper's document.
 *
 * @param document - parsed JSON or YAML
 * @throws {@link AnalyticsError} `TASK_INVALID`
 */
export async function parseHelperTask(document: unknown): Promise<HelperTask> {
  const { task, own } = await open(document, 'helper');
  const read = { task, verifyKey: verifyKeyOf(own, task), aggregatorToken: tokenOf(own, 'aggregatorToken') };
  own.end();
  return read;
}

/**
 * Reads the collector's document.
 *
 * @param document - parsed JSON or YAML
 * @throws {@link AnalyticsError} `TASK_INVALID`, also when the private key is not that of the task
 */
export async function parseCollectorTask(document: unknown): Promise<CollectorTask> {
  const { task, own } = await open(document, 'collector');
  const collectorToken = tokenOf(own, 'collectorToken');
  const secret = own.has('privateKey') ? own.bytes('privateKey') : undefined;
  own.end();
  return { task, collectorToken, key: secret && (await keyOf(task, secret)) };
}

async function open(
  document: unknown,
  party: 'leader' | 'helper' | 'collector',
): Promise<{ readonly task: PrivateTask; readonly own: Fields }> {
  const fields = new Fields(document, '');
  fields.choice('format', [`privacy-edge-task-${party}`]);
  fields.integer('version', DOCUMENT_VERSION, DOCUMENT_VERSION);
  const own = fields.object(party);
  const task = await readTask(fields.any('task'), 'task');
  fields.end();
  return { task, own };
}

function verifyKeyOf(own: Fields, { task }: PrivateTask): Secret<Uint8Array> {
  return new Secret(own.bytes('verifyKey', createTaskVdaf(task).verifyKeySize));
}

/** What can stand behind "Bearer" in an Authorization field. */
function tokenOf(own: Fields, name: string): Secret<string> {
  const token = own.string(name);
  if (!/^[A-Za-z0-9._~+/-]{16,}=*$/.test(token) || utf8(token).length > 4096) {
    throw invalidTask(own.pathOf(name), 'is not a token of at least 16 characters');
  }
  return new Secret(token);
}

async function keyOf({ collectorConfig }: PrivateTask, secret: Uint8Array): Promise<HpkeKey> {
  try {
    return await importHpkeKey(collectorConfig, secret);
  } catch (cause) {
    throw invalidTask('collector.privateKey', 'does not belong to the task', cause);
  }
}
