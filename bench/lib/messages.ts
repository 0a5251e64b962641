/** Encapsulated requests in numbers: each with an HPKE context of its own, as honest clients make them. */
import { randomBytes } from 'node:crypto';
import { decodeResponse, encodeRequest } from '@privacy-edge/bhttp';
import {
  type Encapsulator,
  KeyConfigList,
  MEDIA_TYPE_REQUEST,
  prepareEncapsulator,
  selectSuite,
} from '@privacy-edge/ohttp';
import type { Ammunition } from './load.ts';

/** What the messages ask for. */
export interface Ask {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
  /** Bytes of content; makes it a POST. */
  readonly contentBytes: number;
}

/** Fetches the keys of a gateway and encapsulates `count` requests for it. */
export async function makeMessages(keysUrl: string, ask: Ask, count: number): Promise<Ammunition> {
  const encapsulator = await encapsulatorFor(keysUrl);
  const request = requestOf(ask);
  const messages: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    messages.push((await encapsulator.encapsulate(request, (length) => randomBytes(length))).message);
  }
  return { contentType: MEDIA_TYPE_REQUEST, messages };
}

/** Sends one request and opens its answer: a load generator sees only the outer status, and every refusal inside is a 200 to it. */
export async function askOnce(url: string, keysUrl: string, ask: Ask): Promise<{ status: number; bytes: number }> {
  const encapsulator = await encapsulatorFor(keysUrl);
  const { message, response } = await encapsulator.encapsulate(requestOf(ask), (length) => randomBytes(length));
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPE_REQUEST },
    body: new Uint8Array(message),
  });
  if (answer.status !== 200) return { status: answer.status, bytes: 0 };
  const inner = decodeResponse(await response.open(new Uint8Array(await answer.arrayBuffer())));
  return { status: inner.status, bytes: inner.body.length };
}

async function encapsulatorFor(keysUrl: string): Promise<Encapsulator> {
  const response = await fetch(keysUrl);
  const chosen = selectSuite(KeyConfigList.decode(new Uint8Array(await response.arrayBuffer())).usable);
  if (chosen === undefined) throw new Error('The gateway offers nothing that can be used');
  return prepareEncapsulator(chosen.config, chosen.suite);
}

function requestOf(ask: Ask): Uint8Array {
  return encodeRequest({
    method: 'POST',
    scheme: ask.scheme,
    authority: ask.authority,
    path: ask.path,
    fields: [
      ['content-type', 'application/octet-stream'],
      ['date', new Date().toUTCString()],
    ],
    body: new Uint8Array(ask.contentBytes).fill(0x62),
    trailers: [],
  });
}
