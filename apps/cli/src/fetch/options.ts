/** Options of `privacy-edge gateway fetch`, and the values that they take. */
import { readFile } from 'node:fs/promises';
import { CliError, systemCode } from '../cli-error.ts';

/** Options of the command. */
export interface FetchOptions {
  readonly relay: string;
  readonly gateway?: string;
  readonly keys?: string;
  readonly pin?: string;
  readonly request?: string;
  readonly header?: readonly string[];
  readonly data?: string;
  readonly output?: string;
  readonly include?: boolean;
  readonly fail?: boolean;
  readonly chunked?: boolean;
  readonly cacert?: string;
  readonly maxTime: string;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

/** Certificates of a PEM file, for the TLS of this process to read. */
export async function readRoots(file: string | undefined): Promise<readonly string[]> {
  return file === undefined ? [] : [Buffer.from(await readLocal(file)).toString('utf8')];
}

/**
 * A file that an option names.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function readLocal(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : `the system says ${systemCode(cause)}`;
    throw new CliError('USAGE', { what: `Cannot read ${file}`, why }, { cause });
  }
}

/**
 * An http or https URL.
 *
 * @param where - the option that it was given for
 * @throws {@link CliError} `USAGE`
 */
export function parseUrl(text: string, where: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new CliError('USAGE', { what: `Cannot use "${text}" as ${where}`, why: 'it is no http or https URL' });
}

/**
 * A number of seconds above 0, with or without its unit, in milliseconds.
 *
 * @throws {@link CliError} `USAGE`
 */
export function readSeconds(text: string): number {
  const seconds = /^[0-9]+(?:\.[0-9]+)?s?$/.test(text) ? Number.parseFloat(text) : 0;
  if (seconds > 0) return Math.ceil(seconds * 1000);
  throw new CliError('USAGE', {
    what: `Cannot use --max-time ${text}`,
    why: 'it is no number of seconds above 0, such as 30 or 30s',
  });
}
