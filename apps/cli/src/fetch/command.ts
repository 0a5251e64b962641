/** `privacy-edge gateway fetch`: one request through a relay and a gateway. */
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { chunkedResponse, createObliviousFetch } from '@privacy-edge/gateway';
import { CliError, messageOf, systemCode } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { printable, writeJson, writeNote, writeOut } from '../output.ts';
import { withProgress } from '../progress.ts';
import { describeEvent, explain } from './explanation.ts';
import { keySource } from './key-source.ts';
import { type FetchOptions, parseUrl, readRoots, readSeconds } from './options.ts';
import { createOuterFetch } from './outer-fetch.ts';
import { requestInit } from './request.ts';

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

function configured<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CliError('USAGE', { what: 'Cannot use these options', why: messageOf(cause) }, { cause });
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
