/** `privacy-edge gateway fetch`: one request through a relay and a gateway. */

import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { DecodeError, fromHex, toBase64Url } from '@privacy-edge/bytes';
import {
  chunkedResponse,
  createObliviousFetch,
  type KeySource,
  ObliviousError,
  type ObliviousErrorCode,
  type ObliviousEvent,
} from '@privacy-edge/gateway';
import { encodeKeyConfig, type KeyConfig, KeyConfigList } from '@privacy-edge/ohttp';
import { CliError, type CliErrorCode, type CliErrorParts, messageOf, systemCode } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { digestOf } from '../keys/commands.ts';
import { printable, writeJson, writeNote, writeOut } from '../output.ts';
import { withProgress } from '../progress.ts';
import { createOuterFetch, type OuterFetch } from './outer-fetch.ts';

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

/** Sends the request and prints the answer. */
export async function gatewayFetch(url: string, options: FetchOptions): Promise<ExitCode> {
  const target = parseUrl(url, 'URL');
  const relay = parseUrl(options.relay, '--relay');
  const note = options.verbose === true ? (line: string): void => writeNote(`* ${line}\n`) : (): void => undefined;
  const send = createOuterFetch({
    extraRoots: await readRoots(options.cacert),
    onAnswer: ({ status, sentBytes }) =>
      note(`outer answer ${status}${sentBytes ? `, ${sentBytes} sealed bytes sent` : ''}`),
  });
  const keys = await keySource(options, send, note);
  const timeoutMs = readSeconds(options.maxTime);
  note(`relay ${relay.origin} learns your address, sizes and times; the gateway learns the request`);
  const fetchObliviously = configured(() =>
    createObliviousFetch({
      relay,
      keys,
      fetch: send,
      // The person who runs the command names target and gateway together, which is the rule that others write down.
      gateway: () => true,
      timeoutMs,
      ...(options.chunked === true ? { chunked: chunkedResponse } : {}),
      onEvent: (event) => note(describeEvent(event)),
    }),
  );
  const init = await requestInit(options);
  try {
    const response = await withProgress('Waiting for the answer', () => fetchObliviously(target, init));
    note(`target answered ${response.status}`);
    await print(response, options);
    return options.fail === true && response.status >= 400 ? ExitCode.FAILED : ExitCode.OK;
  } catch (cause) {
    throw explain(cause);
  }
}

async function print(response: Response, options: FetchOptions): Promise<void> {
  if (options.json === true) {
    const content = new Uint8Array(await response.arrayBuffer());
    const document = { status: response.status, fields: [...response.headers], ...contentMembers(content) };
    if (options.output === undefined) writeJson(document);
    else await writeTo(options.output, [Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`)]);
    return;
  }
  if (options.include === true) {
    const fields = [...response.headers].map(([name, value]) => `${printable(`${name}: ${value}`)}\n`).join('');
    writeOut(`${response.status}\n${fields}\n`);
  }
  if (response.body !== null) await writeTo(options.output, response.body);
}

/** Text where it is text, otherwise Base64. */
function contentMembers(content: Uint8Array): Record<string, string> {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content) };
  } catch {
    return { base64: Buffer.from(content).toString('base64') };
  }
}

async function writeTo(
  file: string | undefined,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  if (file === undefined || file === '-') {
    let last: number | undefined;
    for await (const chunk of chunks) {
      writeOut(chunk);
      last = chunk.at(-1) ?? last;
    }
    // A prompt on the same line as the end of the content is hard to read; a program gets exactly the content.
    if (process.stdout.isTTY && last !== undefined && last !== 0x0a) writeOut('\n');
    return;
  }
  const stream: Writable = createWriteStream(file);
  const done = finished(stream);
  done.catch(() => undefined);
  for await (const chunk of chunks) stream.write(chunk);
  stream.end();
  await done.catch((cause: unknown) => {
    const why = `the system says ${systemCode(cause) ?? 'no'}`;
    throw new CliError(
      'FAILED',
      { what: `Cannot write ${file}`, why, fix: 'name another file with --output' },
      { cause },
    );
  });
}

async function requestInit(options: FetchOptions): Promise<RequestInit> {
  const data = await readData(options.data);
  const headers = new Headers();
  for (const line of options.header ?? []) {
    const at = line.indexOf(':');
    try {
      if (at < 1) throw new TypeError('no colon');
      headers.append(line.slice(0, at).trim(), line.slice(at + 1).trim());
    } catch (cause) {
      throw new CliError(
        'USAGE',
        { what: `Cannot use the header field "${line}"`, why: 'it is not "Name: value"' },
        { cause },
      );
    }
  }
  if (data !== undefined && !headers.has('content-type'))
    headers.set('content-type', 'application/x-www-form-urlencoded');
  const method = options.request ?? (data === undefined ? 'GET' : 'POST');
  return {
    method,
    headers,
    redirect: 'manual',
    ...(data === undefined ? {} : { body: data as Uint8Array<ArrayBuffer> }),
  };
}

async function readData(data: string | undefined): Promise<Uint8Array | undefined> {
  if (data === undefined) return undefined;
  if (!data.startsWith('@')) return new TextEncoder().encode(data);
  return data === '@-' ? buffer(process.stdin) : readLocal(data.slice(1));
}

async function keySource(options: FetchOptions, send: OuterFetch, note: (line: string) => void): Promise<KeySource> {
  const { keys, gateway } = options;
  const pin = options.pin === undefined ? undefined : readPin(options.pin);
  if (keys !== undefined && !/^https?:\/\//.test(keys)) {
    const bytes = await readLocal(keys);
    note(`keys from ${keys}, sha256 ${digestOf(bytes)}`);
    return pin === undefined ? bytes : pinnedKeys(keys, bytes, pin);
  }
  const url = keys ?? gateway;
  if (url === undefined)
    throw new CliError('USAGE', {
      what: 'Cannot find the keys of the gateway',
      why: 'neither --keys nor --gateway is given',
      fix: 'add --gateway URL, or --keys with a URL or a file',
    });
  const parsed = parseUrl(url, keys === undefined ? '--gateway' : '--keys');
  note(`keys from ${parsed.origin}${parsed.pathname}`);
  return { url: parsed, fetch: send, ...(pin === undefined ? {} : { pin: [pin] }) };
}

/** What a pin leaves of a file: all of it where it names the list, otherwise the key configurations that it names. */
function pinnedKeys(file: string, bytes: Uint8Array, pin: string): Uint8Array {
  const matches = (content: Uint8Array): boolean => toBase64Url(fromHex(digestOf(content))) === pin;
  if (matches(bytes)) return bytes;
  const pinned = decodedKeys(file, bytes).filter((config) => matches(encodeKeyConfig(config)));
  if (pinned.length > 0) return KeyConfigList.encode(pinned);
  throw new CliError('UNTRUSTED', {
    what: `Cannot use the keys in ${file}`,
    why: 'they are not the pinned ones',
    fix: 'get the right keys, or correct --pin',
  });
}

function decodedKeys(file: string, bytes: Uint8Array): readonly KeyConfig[] {
  try {
    return KeyConfigList.decode(bytes).usable;
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new CliError('FAILED', { what: `Cannot use the keys in ${file}`, why: 'the list is malformed' }, { cause });
  }
}

/** A SHA-256 digest in any form that people write it in; as base64url. */
function readPin(pin: string): string {
  const digest = pin.replace(/^sha-?256-/i, '');
  if (/^[0-9a-f]{64}$/i.test(digest)) return toBase64Url(fromHex(digest.toLowerCase()));
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(digest)) return toBase64Url(Buffer.from(digest, 'base64'));
  throw new CliError('USAGE', {
    what: `Cannot use --pin ${pin}`,
    why: 'it is no SHA-256 digest',
    fix: 'take a pin that "privacy-edge keys export" prints',
  });
}

async function readRoots(file: string | undefined): Promise<readonly string[]> {
  return file === undefined ? [] : [Buffer.from(await readLocal(file)).toString('utf8')];
}

async function readLocal(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : `the system says ${systemCode(cause)}`;
    throw new CliError('USAGE', { what: `Cannot read ${file}`, why }, { cause });
  }
}

function parseUrl(text: string, where: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new CliError('USAGE', { what: `Cannot use "${text}" as ${where}`, why: 'it is no http or https URL' });
}

function readSeconds(text: string): number {
  const seconds = /^[0-9]+(?:\.[0-9]+)?s?$/.test(text) ? Number.parseFloat(text) : 0;
  if (seconds > 0) return Math.ceil(seconds * 1000);
  throw new CliError('USAGE', {
    what: `Cannot use --max-time ${text}`,
    why: 'it is no number of seconds above 0, such as 30 or 30s',
  });
}

function describeEvent(event: ObliviousEvent): string {
  switch (event.type) {
    case 'keys':
      return `${event.usable} usable key configurations, ${event.skipped} skipped`;
    case 'retry':
      return event.reason === 'keys' ? 'sent again with newer keys' : 'sent again with the date of the gateway';
    case 'redirect':
      return `redirect ${event.status} followed through the gateway`;
  }
}

const CODES: Readonly<Record<ObliviousErrorCode, CliErrorCode>> = {
  KEYS_UNAVAILABLE: 'UNREACHABLE',
  KEYS_REFUSED: 'UNTRUSTED',
  KEYS_UNUSABLE: 'FAILED',
  KEYS_REJECTED: 'FAILED',
  TARGET_FORBIDDEN: 'FAILED',
  RELAY_UNREACHABLE: 'UNREACHABLE',
  RELAY_STATUS: 'FAILED',
  UNENCAPSULATED: 'UNTRUSTED',
  OPEN_FAILED: 'UNTRUSTED',
  TRUNCATED: 'UNTRUSTED',
  TOO_LARGE: 'FAILED',
  REDIRECT: 'FAILED',
  TIMEOUT: 'UNREACHABLE',
};

const FIXES: Partial<Readonly<Record<ObliviousErrorCode, string>>> = {
  KEYS_UNAVAILABLE: 'check --gateway or --keys',
  KEYS_REFUSED: 'do not go on; ask the operator of the gateway for the right digest',
  KEYS_REJECTED: 'get the keys again',
  RELAY_UNREACHABLE: 'check --relay',
  RELAY_STATUS: 'check that --relay names the resource for this gateway',
  UNENCAPSULATED: 'check that --relay names an Oblivious HTTP relay',
  OPEN_FAILED: 'check that --keys belong to the gateway behind this relay',
  TIMEOUT: 'try again, or raise --max-time',
};

function explain(cause: unknown): unknown {
  if (!(cause instanceof ObliviousError)) return cause;
  const root = rootCause(cause);
  const untrusted = root !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(root);
  const fix = fixOf(cause, untrusted);
  const { what, why } = reasonOf(cause);
  const parts = { what, why: root === undefined ? why : `${why} (${root})`, ...(fix === undefined ? {} : { fix }) };
  return new CliError(untrusted ? 'UNTRUSTED' : CODES[cause.code], parts, { cause });
}

/** What could not be done is said once: about keys in the words of the client, otherwise in those of the command. */
function reasonOf({ code, status, message }: ObliviousError): Pick<CliErrorParts, 'what' | 'why'> {
  const at = message.indexOf(': ');
  if (code.startsWith('KEYS_') && at > 0) return { what: message.slice(0, at), why: message.slice(at + 2) };
  const what = 'Cannot fetch through the relay';
  if (code === 'RELAY_STATUS' && gatewayWasAway(status))
    return { what, why: `the relay could not reach its gateway, status ${status}` };
  return { what, why: at > 0 ? message.slice(at + 2) : message };
}

function fixOf({ code, status }: ObliviousError, untrusted: boolean): string | undefined {
  if (code === 'RELAY_STATUS' && gatewayWasAway(status)) return 'try again later, or tell the operator of the relay';
  const fix = FIXES[code];
  return untrusted && fix !== undefined ? `${fix}, and --cacert for a private authority` : fix;
}

function gatewayWasAway(status: number | undefined): boolean {
  return status === 502 || status === 504;
}

/** Code of the system error at the bottom, which says what a person can act on. */
function rootCause(error: Error): string | undefined {
  let at: unknown = error.cause;
  let code: string | undefined;
  while (at instanceof Error) {
    code = systemCode(at) ?? code;
    at = at.cause;
  }
  return code;
}

function configured<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CliError('USAGE', { what: 'Cannot use these options', why: messageOf(cause) }, { cause });
  }
}
