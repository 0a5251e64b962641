/** Task files as people keep them: JSON or YAML, of any party. */
import { AnalyticsError, type PrivateTask, parseTask } from '@privacy-edge/analytics';
import {
  type CollectorTask,
  parseCollectorTask,
  parseHelperTask,
  parseLeaderTask,
  TASK_FORMAT,
} from '@privacy-edge/analytics/task';
import { toBase64Url } from '@privacy-edge/bytes';
import { CliError } from '../cli-error.ts';
import { parseConfigDocument } from '../config/document.ts';
import { readLocal } from '../fetch/options.ts';
import { readSecret } from '../keys/key-file.ts';

/** Whom a task file is for. */
export type Party = 'everybody' | 'leader' | 'helper' | 'collector';

/** A task file that was read. */
export interface TaskFile {
  readonly file: string;
  readonly party: Party;
  readonly task: PrivateTask;
  /** What is secret in it, in words; never the secrets. */
  readonly secrets: readonly string[];
  /** Only of a collector's file. */
  readonly collector?: CollectorTask;
}

type Contents = Omit<TaskFile, 'file' | 'party'>;

const VERIFY_KEY = 'verification key, which both aggregators share and clients must not have';
const AGGREGATOR_TOKEN = 'token that the leader shows to the helper';
const COLLECTOR_TOKEN = 'token that the collector shows to the leader';

const PARTIES: Readonly<Record<string, { readonly party: Party; read(document: unknown): Promise<Contents> }>> = {
  [TASK_FORMAT]: {
    party: 'everybody',
    read: async (document) => ({ task: await parseTask(document), secrets: [] }),
  },
  'privacy-edge-task-leader': {
    party: 'leader',
    read: async (document) => ({
      task: (await parseLeaderTask(document)).task,
      secrets: [VERIFY_KEY, AGGREGATOR_TOKEN, COLLECTOR_TOKEN],
    }),
  },
  'privacy-edge-task-helper': {
    party: 'helper',
    read: async (document) => ({
      task: (await parseHelperTask(document)).task,
      secrets: [VERIFY_KEY, AGGREGATOR_TOKEN],
    }),
  },
  'privacy-edge-task-collector': {
    party: 'collector',
    read: async (document) => {
      const collector = await parseCollectorTask(document);
      const key = collector.key === undefined ? [] : ['private key that results are sealed to'];
      return { task: collector.task, secrets: [COLLECTOR_TOKEN, ...key], collector };
    },
  },
};

/**
 * Reads a task file. One with secrets must be readable by its owner only.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function readTaskFile(file: string): Promise<TaskFile> {
  const found = await readIfTask(file);
  if (found !== undefined) return found;
  const fix = 'name a file that "privacy-edge analytics task new" has written';
  throw new CliError('USAGE', { what: `Cannot use ${file}`, why: 'it is no task file', fix });
}

/**
 * Reads a file that may be a task file.
 *
 * @returns undefined when it is something else
 * @throws {@link CliError} `USAGE` when it cannot be read, or is a task file that cannot be used
 */
export async function readIfTask(file: string): Promise<TaskFile | undefined> {
  const kind = PARTIES[formatOf(documentOf(file, await readLocal(file))) ?? ''];
  if (kind === undefined) return undefined;
  const bytes = kind.party === 'everybody' ? await readLocal(file) : await readSecret(file, 'name another file');
  try {
    return { file, party: kind.party, ...(await kind.read(documentOf(file, bytes))) };
  } catch (cause) {
    if (!(cause instanceof AnalyticsError)) throw cause;
    const why = cause.message.replace(/^Cannot use task: /, '');
    throw new CliError('USAGE', { place: { path: file }, what: `Cannot use the task in ${file}`, why }, { cause });
  }
}

/** The identifier of a task as it stands in URLs. */
export function taskIdOf({ task }: PrivateTask): string {
  return toBase64Url(task.taskId);
}

/**
 * Plain data of a JSON or YAML file.
 *
 * @throws {@link CliError} `USAGE`; tells the line and not what stands there, which may be a secret
 */
export function documentOf(file: string, bytes: Uint8Array): unknown {
  const { value, problems } = parseConfigDocument(file, new TextDecoder().decode(bytes));
  const [problem] = problems;
  if (problem === undefined) return value;
  const line = problem.source.kind === 'file' ? ` (line ${problem.source.line})` : '';
  throw new CliError('USAGE', { what: `Cannot use ${file}`, why: `it is neither JSON nor YAML${line}` });
}

function formatOf(document: unknown): string | undefined {
  const format = (document as { format?: unknown } | null | undefined)?.format;
  return typeof format === 'string' ? format : undefined;
}
