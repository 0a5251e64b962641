/** The files of a task, one for each party. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  createTaskSecrets,
  type HpkeKey,
  type PrivateTask,
  splitTask,
  systemRandom,
} from '@privacy-edge/analytics/task';
import { makePrivateFolder, RuntimeError, writeFileAtomic, writeSecretFile } from '@privacy-edge/node';
import { CliError, systemCode } from '../cli-error.ts';
import { taskIdOf } from './task-file.ts';

/** Names of the files in a folder. */
export const FILE_NAMES = {
  everybody: 'task.json',
  leader: 'leader.json',
  helper: 'helper.json',
  collector: 'collector.json',
} as const;

/** Folders in which aggregators look for tasks. */
export interface PublishOptions {
  readonly publishLeader?: string;
  readonly publishHelper?: string;
}

/**
 * Writes the files of a new task: secrets for their owner only, and nothing over a file that is there.
 *
 * @param key - of the collector, where it was made for this task
 * @throws {@link CliError} `USAGE`, `FAILED`
 */
export async function writeTaskFolder(
  folder: string,
  task: PrivateTask,
  key: HpkeKey | undefined,
  publish: PublishOptions,
): Promise<void> {
  const documents = splitTask(task, createTaskSecrets(task, systemRandom), key);
  const there = Object.values(FILE_NAMES).find((name) => existsSync(join(folder, name)));
  if (there !== undefined) {
    const why = 'the folder has a task already';
    throw new CliError('USAGE', { what: `Cannot write ${join(folder, there)}`, why, fix: 'name another folder' });
  }
  await writing(async () => {
    await makePrivateFolder(folder);
    await writeFileAtomic(join(folder, FILE_NAMES.everybody), textOf(documents.public));
    await writeSecretFile(join(folder, FILE_NAMES.leader), textOf(documents.leader));
    await writeSecretFile(join(folder, FILE_NAMES.helper), textOf(documents.helper));
    await writeSecretFile(join(folder, FILE_NAMES.collector), textOf(documents.collector));
    const name = `${taskIdOf(task)}.json`;
    // The helper first: it must know a task when the leader begins to work on it.
    await publishTo(publish.publishHelper, name, textOf(documents.helper));
    await publishTo(publish.publishLeader, name, textOf(documents.leader));
  });
}

/** Text of a document as it stands in files. */
export function textOf(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/**
 * Does something that writes files.
 *
 * @throws {@link CliError} `FAILED` in place of errors of the file system
 */
export async function writing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof RuntimeError)) throw cause;
    const why = `the system says ${systemCode(cause.cause) ?? 'no'}`;
    throw new CliError('FAILED', { what: cause.message, why, fix: 'name another place' }, { cause });
  }
}

async function publishTo(folder: string | undefined, name: string, text: string): Promise<void> {
  if (folder === undefined) return;
  await makePrivateFolder(folder);
  await writeSecretFile(join(folder, name), text);
}
