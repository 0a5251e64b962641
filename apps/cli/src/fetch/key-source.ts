/** The gateway's keys, and the pin that they have to match. */
import { DecodeError, fromHex, toBase64Url } from '@privacy-edge/bytes';
import type { KeySource } from '@privacy-edge/gateway';
import { encodeKeyConfig, type KeyConfig, KeyConfigList } from '@privacy-edge/ohttp';
import { CliError } from '../cli-error.ts';
import { digestOf } from '../keys/commands.ts';
import { type FetchOptions, parseUrl, readLocal } from './options.ts';
import type { OuterFetch } from './outer-fetch.ts';

/** Where the key configurations come from: a file, a URL, or the gateway itself. */
export async function keySource(
  options: FetchOptions,
  send: OuterFetch,
  note: (line: string) => void,
): Promise<KeySource> {
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
