/** Secrets of an aggregator: what names of resources follow from, and what seals columns of its database. */
import { hkdfSync } from 'node:crypto';
import { resolve } from 'node:path';
import { fromUtf8 } from '@privacy-edge/bytes';
import { COLUMN_KEY_BYTES } from '@privacy-edge/sql';
import { CliError } from '../cli-error.ts';
import { type Environment, SECRET_VARIABLES } from '../config/environment.ts';
import type { AggregatorSection, AggregatorSectionName } from '../config/types.ts';
import { readSecret } from '../keys/key-file.ts';
import { parseSeed, parseSeedFile } from '../keys/seed.ts';

/** Secrets of one aggregator; can be given to another thread. */
export interface AggregatorSecrets {
  /** 32 bytes. */
  readonly resourceKey: Uint8Array;
  /** 32 bytes each; the first seals, all open. */
  readonly columnKeys: readonly Uint8Array[];
  /** URL of the database, perhaps with a password; undefined for SQLite. */
  readonly postgresUrl: string | undefined;
}

/**
 * Reads the secrets that a section names.
 *
 * @param folder - that relative file names start from
 * @throws {@link CliError} `USAGE`; the message never quotes a secret
 */
export async function readAggregatorSecrets(
  name: AggregatorSectionName,
  section: AggregatorSection,
  folder: string,
  environment: Environment,
): Promise<AggregatorSecrets> {
  const seed = await readSeed(name, section, folder, environment);
  return {
    resourceKey: derive(seed, 'names of resources'),
    columnKeys: [...(await readColumnKeys(section, folder)), derive(seed, 'columns')],
    postgresUrl: await readUrl(name, section, folder, environment),
  };
}

async function readSeed(
  name: AggregatorSectionName,
  { secretFile }: AggregatorSection,
  folder: string,
  environment: Environment,
): Promise<Uint8Array> {
  const variable = SECRET_VARIABLES[`${name}Secret`];
  if (secretFile === undefined) return parseSeed(environment[variable] ?? '', variable);
  const file = resolve(folder, secretFile);
  return parseSeedFile(await readSecret(file, 'make one with "openssl rand -hex 32", mode 600'), file);
}

async function readColumnKeys({ storage }: AggregatorSection, folder: string): Promise<readonly Uint8Array[]> {
  if (storage.columnKeysFile === undefined) return [];
  const file = resolve(folder, storage.columnKeysFile);
  const fix = 'make one with "openssl rand -hex 32", mode 600';
  const lines = fromUtf8(await readSecret(file, fix)).split('\n');
  const keys = lines.filter((line) => line.trim() !== '').map((line) => parseSeed(line, file));
  if (keys.length > 0 && keys.every((key) => key.length === COLUMN_KEY_BYTES)) return keys;
  throw new CliError('USAGE', {
    what: `Cannot use the column keys in ${file}`,
    why: `expected one or more lines of ${COLUMN_KEY_BYTES} bytes each`,
    fix,
  });
}

async function readUrl(
  name: AggregatorSectionName,
  { storage }: AggregatorSection,
  folder: string,
  environment: Environment,
): Promise<string | undefined> {
  if (storage.sqliteFile !== undefined) return undefined;
  const file = storage.postgresUrlFile;
  const variable = SECRET_VARIABLES[`${name}PostgresUrl`];
  const text =
    file === undefined
      ? (storage.postgresUrl ?? environment[variable] ?? '')
      : fromUtf8(await readSecret(resolve(folder, file), 'write the URL of the database there, mode 600'));
  const url = text.trim();
  if (/^postgres(?:ql)?:\/\/\S+$/.test(url)) return url;
  throw new CliError('USAGE', {
    what: `Cannot use the URL of the database in ${file ?? variable}`,
    why: 'it does not begin with postgres://',
    fix: 'write it as postgres://user:password@host/database',
  });
}

function derive(seed: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', seed, 'privacy-edge aggregator', purpose, COLUMN_KEY_BYTES));
}
