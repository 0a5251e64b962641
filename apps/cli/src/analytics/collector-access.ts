/** What somebody needs who collects: task, key and token. */
import { parseCollectorKey } from '@privacy-edge/analytics/collector';
import type { CollectorTask, HpkeKey } from '@privacy-edge/analytics/task';
import { CliError } from '../cli-error.ts';
import { readSecret } from '../keys/key-file.ts';
import { explain } from './explanation.ts';
import { documentOf, readTaskFile } from './task-file.ts';

/** A collector's file with the key that belongs to it. */
export interface CollectorAccess extends CollectorTask {
  readonly key: HpkeKey;
}

/**
 * Reads the file of the collector.
 *
 * @param keyFile - from options, for a collector who keeps the private key in a file of its own
 * @throws {@link CliError} `USAGE`
 */
export async function readCollector(file: string, keyFile: string | undefined): Promise<CollectorAccess> {
  const { collector, party } = await readTaskFile(file);
  if (collector === undefined) {
    const why = `it is the file of ${party}, which has neither key nor token of the collector`;
    throw new CliError('USAGE', { what: `Cannot collect with ${file}`, why, fix: 'name collector.json' });
  }
  const key = keyFile === undefined ? collector.key : await readCollectorKey(keyFile);
  if (key !== undefined) return { ...collector, key };
  const why = 'it does not hold the private key';
  throw new CliError('USAGE', { what: `Cannot collect with ${file}`, why, fix: 'name the key file with --key' });
}

/**
 * Reads a key file of a collector.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function readCollectorKey(file: string): Promise<HpkeKey> {
  const bytes = await readSecret(file, 'make one with "privacy-edge analytics task key"');
  try {
    return await parseCollectorKey(documentOf(file, bytes));
  } catch (cause) {
    throw explain(cause);
  }
}
