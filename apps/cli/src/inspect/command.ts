/** `privacy-edge inspect`. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { DecodeError, fromHex, fromUtf8 } from '@privacy-edge/bytes';
import { MEDIA_TYPE, messageNameOf } from '@privacy-edge/dap';
import { isMediaType } from '@privacy-edge/http-fields';
import { type FindKey, OhttpError } from '@privacy-edge/ohttp';
import { CliError, systemCode } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { openNamedKeys } from '../keys/source.ts';
import { nearest } from '../nearest.ts';
import { writeJson, writeOut } from '../output.ts';
import { describeMessage, guessType, type InspectedType, MEDIA_TYPES } from './describe.ts';
import { renderTree } from './tree.ts';

/** Options of the command. */
export interface InspectOptions {
  readonly mediaType?: string;
  readonly keyFile?: string;
  readonly hex?: boolean;
  readonly json?: boolean;
}

/** Decodes a message and prints it. */
export async function inspect(file: string, options: InspectOptions): Promise<ExitCode> {
  const bytes = await readInput(file, options.hex === true);
  const type = options.mediaType === undefined ? requireGuess(bytes) : knownType(options.mediaType);
  const findKey = options.keyFile === undefined ? undefined : await keysOf(options.keyFile);
  try {
    const tree = await describeMessage(type, bytes, findKey);
    if (options.json === true) writeJson(tree);
    else writeOut(renderTree(tree));
    return ExitCode.OK;
  } catch (cause) {
    throw explain(type, cause);
  }
}

async function keysOf(file: string): Promise<FindKey> {
  const ring = await (await openNamedKeys(file, undefined)).ringAt(Date.now());
  return (keyId) => ring.find(keyId);
}

async function readInput(file: string, hex: boolean): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : `the system says ${systemCode(cause)}`;
    throw new CliError(
      'USAGE',
      { what: `Cannot read ${file}`, why, fix: 'name a file, or - for standard input' },
      { cause },
    );
  }
  if (!hex) return bytes;
  try {
    return fromHex(fromUtf8(bytes).replaceAll(/\s/g, ''));
  } catch (cause) {
    throw new CliError(
      'USAGE',
      { what: `Cannot read ${file}`, why: 'it is not hexadecimal', fix: 'leave out --hex' },
      { cause },
    );
  }
}

function knownType(text: string): InspectedType {
  const message = messageNameOf(text);
  const wanted = message === undefined ? text : `${MEDIA_TYPE};message=${message}`;
  const type = MEDIA_TYPES.find((one) => one === wanted || isMediaType(text, one));
  if (type !== undefined) return type;
  const guess = nearest(text, MEDIA_TYPES);
  throw new CliError('USAGE', {
    what: `Cannot decode ${text}`,
    why: `it is not one of ${MEDIA_TYPES.join(', ')}`,
    fix: guess === undefined ? 'name one of these' : `did you mean ${guess}?`,
  });
}

function requireGuess(bytes: Uint8Array): InspectedType {
  const type = guessType(bytes);
  if (type !== undefined) return type;
  throw new CliError('FAILED', {
    what: 'Cannot tell what this is',
    why: `the ${bytes.length} bytes are no message of ours`,
    fix: 'name the format with --media-type to see what is wrong with it',
  });
}

function explain(type: InspectedType, cause: unknown): unknown {
  if (cause instanceof DecodeError)
    return new CliError(
      'FAILED',
      { what: `Cannot decode as ${type}`, why: cause.message, fix: 'check --media-type' },
      { cause },
    );
  if (cause instanceof OhttpError)
    return new CliError(
      'UNTRUSTED',
      { what: 'Cannot open the message', why: cause.message, fix: 'check --key-file' },
      { cause },
    );
  return cause;
}
