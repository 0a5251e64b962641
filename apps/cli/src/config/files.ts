/** Whether the files that a configuration names are there, and its secrets are closed to others. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemCode } from '../cli-error.ts';
import { formatKey, type KeyPath, type Problem } from './problem.ts';
import { AGGREGATOR_SECTIONS, type DeploymentConfig, SECTION_NAMES } from './types.ts';
import type { Locate } from './validate.ts';

/** A file that must be there before a role starts. */
interface NamedFile {
  readonly at: KeyPath;
  readonly name: string;
  readonly kind: 'plain' | 'secret' | 'folder';
}

/**
 * Looks at every file that a role reads when it starts. What a role makes itself, such as its replay window, may be absent.
 *
 * @param config - every key is right by itself
 * @param folder - that relative names start from
 * @param locate - finds the place of a key
 * @returns an error for each file that a start would fail on
 */
export async function checkFiles(
  config: DeploymentConfig,
  folder: string,
  locate: Locate,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const { at, name, kind } of namedFiles(config)) {
    const message = await whatIsWrong(resolve(folder, name), kind);
    if (message !== undefined)
      problems.push({ severity: 'error', source: locate(at, 'value'), key: formatKey(at), message });
  }
  return problems;
}

function namedFiles(config: DeploymentConfig): readonly NamedFile[] {
  const files: NamedFile[] = [];
  const add = (at: KeyPath, name: string | undefined, secret: boolean): void => {
    if (name !== undefined) files.push({ at, name, kind: secret ? 'secret' : 'plain' });
  };
  for (const section of SECTION_NAMES) {
    const role = config[section];
    add([section, 'tls', 'certFile'], role?.tls?.certFile, false);
    add([section, 'tls', 'keyFile'], role?.tls?.keyFile, true);
    add([section, 'caFile'], role?.caFile, false);
  }
  add(['gateway', 'keys', 'file'], config.gateway?.keys.file, true);
  add(['gateway', 'keys', 'seedFile'], config.gateway?.keys.seedFile, true);
  add(['gateway', 'replay', 'redisUrlFile'], config.gateway?.replay.redisUrlFile, true);
  for (const section of AGGREGATOR_SECTIONS) {
    const role = config[section];
    add([section, 'secretFile'], role?.secretFile, true);
    add([section, 'storage', 'postgresUrlFile'], role?.storage.postgresUrlFile, true);
    add([section, 'storage', 'columnKeysFile'], role?.storage.columnKeysFile, true);
    if (role !== undefined) files.push({ at: [section, 'tasksFolder'], name: role.tasksFolder, kind: 'folder' });
  }
  return files;
}

async function whatIsWrong(path: string, kind: NamedFile['kind']): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (kind === 'folder') return found.isDirectory() ? undefined : 'is no folder';
    if (!found.isFile()) return 'is no regular file';
    const mode = found.mode & 0o777;
    if (kind === 'secret' && process.platform !== 'win32' && (mode & 0o077) !== 0)
      return `names a secret that others may read, mode ${mode.toString(8)}; run chmod 600 on it`;
    await access(path, constants.R_OK);
    return undefined;
  } catch (cause) {
    return systemCode(cause) === 'ENOENT'
      ? `names a ${kind === 'folder' ? 'folder' : 'file'} that does not exist`
      : `names a file that cannot be read; the system says ${systemCode(cause) ?? 'no'}`;
  }
}
