/** Encapsulated requests in numbers: each with an HPKE context of its own, as honest clients make them. */
import { randomBytes } from 'node:crypto';
import { encodeRequest } from '@privacy-edge/bhttp';
import { KeyConfigList, MEDIA_TYPE_REQUEST, prepareEncapsulator, selectSuite } from '@privacy-edge/ohttp';
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
  const response = await fetch(keysUrl);
  const chosen = selectSuite(KeyConfigList.decode(new Uint8Array(await response.arrayBuffer())).usable);
  if (chosen === undefined) throw new Error('The gateway offers nothing that can be used');
  const encapsulator = await prepareEncapsulator(chosen.config, chosen.suite);
  const request = encodeRequest({
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
  const messages: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    messages.push((await encapsulator.encapsulate(request, (length) => randomBytes(length))).message);
  }
  return { contentType: MEDIA_TYPE_REQUEST, messages };
}
