/** The request inside, as the options say it. */
import { buffer } from 'node:stream/consumers';
import { CliError } from '../cli-error.ts';
import { type FetchOptions, readLocal } from './options.ts';

/** Method, header fields and content that the options ask for. */
export async function requestInit(options: FetchOptions): Promise<RequestInit> {
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
