/** The folder with an aggregator's tasks: one document each, put there by an operator. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AnalyticsError, parseHelperTask, parseLeaderTask } from '@privacy-edge/analytics/task';
import { hashToken, type TaskAccess, type TaskRow } from '@privacy-edge/analytics-roles';
import { fromUtf8, type Secret } from '@privacy-edge/bytes';
import { type AggregatorRole, HpkeConfig, ROLE_HELPER, ROLE_LEADER, type Task } from '@privacy-edge/dap';
import { CliError, systemCode } from '../cli-error.ts';
import { readSecret } from '../keys/key-file.ts';

/** How the tasks of a folder are taken up. */
export interface TaskTerms {
  readonly role: 'leader' | 'helper';
  readonly processing: TaskRow['processing'];
  readonly clockToleranceSeconds: number;
  readonly now: Date;
}

/** One task and the file that it came from. */
export interface FoundTask {
  readonly file: string;
  readonly row: TaskRow;
}

/**
 * Reads every document of a folder.
 *
 * @param folder - absolute
 * @throws {@link CliError} `USAGE` for the first one that cannot be used
 */
export async function readTasks(folder: string, terms: TaskTerms): Promise<readonly FoundTask[]> {
  const found: FoundTask[] = [];
  for (const name of await documentsOf(folder)) {
    const file = join(folder, name);
    found.push({ file, row: await readTask(file, terms) });
  }
  return found;
}

/** Names, sizes and times of the documents: the same for as long as nobody touches them. */
export async function signatureOf(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const name of await documentsOf(folder)) {
    const { size, mtimeMs, ino } = await stat(join(folder, name));
    lines.push(`${name} ${size} ${mtimeMs} ${ino}`);
  }
  return lines.join('\n');
}

async function documentsOf(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such folder' : `the system says ${systemCode(cause)}`;
    const fix = 'make it, and put the documents of the tasks there';
    throw new CliError(
      'USAGE',
      { place: { path: folder }, what: `Cannot read the tasks in ${folder}`, why, fix },
      { cause },
    );
  }
}

async function readTask(file: string, terms: TaskTerms): Promise<TaskRow> {
  const refuse = (why: string, entry: string | undefined, cause: unknown): CliError => {
    const place = { path: file, ...(entry === undefined ? {} : { entry }) };
    const fix = 'take the file that was made for this role, unchanged';
    return new CliError('USAGE', { place, what: `Cannot use the task in ${file}`, why, fix }, { cause });
  };
  const bytes = await readSecret(file, 'put the document of the task there, mode 600');
  let document: unknown;
  try {
    document = JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw refuse('it is no JSON', undefined, cause);
  }
  try {
    return terms.role === 'leader' ? await leaderRow(document, terms) : await helperRow(document, terms);
  } catch (error) {
    // Its message names places in the document, and no value of it.
    if (error instanceof AnalyticsError) throw refuse(error.message, error.path, error);
    throw error;
  }
}

async function leaderRow(document: unknown, terms: TaskTerms): Promise<TaskRow> {
  const { task, verifyKey, aggregatorToken, collectorToken } = await parseLeaderTask(document);
  const access = {
    ...NOBODY,
    peerAuthorization: `Bearer ${aggregatorToken.reveal()}`,
    collectorTokenHashes: [hashToken(collectorToken.reveal())],
  };
  return rowOf(task.task, task.collectorConfig, verifyKey, ROLE_LEADER, access, terms);
}

async function helperRow(document: unknown, terms: TaskTerms): Promise<TaskRow> {
  const { task, verifyKey, aggregatorToken } = await parseHelperTask(document);
  const access = { ...NOBODY, peerTokenHashes: [hashToken(aggregatorToken.reveal())] };
  return rowOf(task.task, task.collectorConfig, verifyKey, ROLE_HELPER, access, terms);
}

const NOBODY: TaskAccess = {
  peerAuthorization: undefined,
  peerTokenHashes: [],
  collectorTokenHashes: [],
  peerNames: [],
  collectorNames: [],
};

function rowOf(
  { taskId, version, configuration }: Task,
  collectorConfig: HpkeConfig,
  verifyKey: Secret<Uint8Array>,
  role: AggregatorRole,
  access: TaskAccess,
  { processing, clockToleranceSeconds, now }: TaskTerms,
): TaskRow {
  return {
    task: {
      taskId,
      version,
      role,
      configuration: configuration.encoded,
      verifyKey: verifyKey.reveal(),
      collectorConfig: HpkeConfig.encode(collectorConfig),
      clockToleranceSeconds,
    },
    access,
    processing,
    isAdvertised: false,
    rememberedSince: 0,
    createdAt: now,
  };
}
