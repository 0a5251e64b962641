/** The example of Chunked OHTTP §A, typed in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, fromHex, toHex } from '@privacy-edge/bytes';
import { chunkNonce } from '../src/chunked-response.ts';
import {
  CHUNKED_LABELS,
  encapsulateChunked,
  KeyConfig,
  prepareEncapsulator,
  receiveChunkedRequest,
} from '../src/index.ts';
import { encodeHeader, requestInfo } from '../src/labels.ts';
import { fixedRandom, keyOf, receive } from './fixture.ts';

const GATEWAY_SECRET = '1c190d72acdbe4dbc69e680503bb781a932c70a12c8f3754434c67d8640d8698';
const CONFIG = '010020668eb21aace159803974a4c67f08b4152d29bed10735fd08f98ccdd6fe' + '09570800080001000100010003';
const REQUEST = '00034745540568747470730b6578616d706c652e636f6d012f';
const CLIENT_SECRET = 'b26d565f3f875ed480d1abced3d665159650c99174fd0b124ac4bda0c64ae324';
const ENC = '8811eb457e100811c40a0aa71340a1b81d804bb986f736f2f566a7199761a032';
const INFO = '6d6573736167652f6268747470206368756e6b65642072657175657374000100' + '2000010001';
const REQUEST_HEADER = `01002000010001${ENC}`;
const REQUEST_CHUNKS = [
  '1c2ad24942d4d692563012f2980c8fef437a336b9b2fc938ef77a5834f',
  '1d2e33d8fd25577afe31bd1c79d094f76b6250ae6549b473ecd950501311',
  '001c6c1395d0ef7c1022297966307b8a7f',
];
const RESPONSE_NONCE = 'bcce7f4cb921309ba5d62edf1769ef09';
const BASE_NONCE = 'fead854635d2d5527d64f546';
const CHUNK_NONCES = ['fead854635d2d5527d64f546', 'fead854635d2d5527d64f547', 'fead854635d2d5527d64f544'];
const RESPONSE_CHUNKS = [
  '1179bf1cc87fa0e2c02de4546945aa3d1e48',
  '12b348b5bd4c594c16b6170b07b475845d1f32',
  '00ed9d8a796617a5b27265f4d73247f639',
];
const SUITES = [
  { kdfId: 1, aeadId: 1 },
  { kdfId: 1, aeadId: 3 },
] as const;

describe('Chunked OHTTP appendix A', () => {
  it('requestInfo() gives the info parameter', () => {
    assert.equal(toHex(requestInfo(CHUNKED_LABELS.request, encodeHeader(1, 0x20, SUITES[0]))), INFO);
  });

  it('a client makes the three chunks of the request and opens those of the response', async () => {
    const client = await prepareEncapsulator(KeyConfig.decode(fromHex(CONFIG)), SUITES[0]);
    const exchange = await encapsulateChunked(client, fixedRandom(CLIENT_SECRET));
    assert.equal(toHex(exchange.header), REQUEST_HEADER);
    const request = fromHex(REQUEST);
    assert.equal(toHex(await exchange.request.seal(request.subarray(0, 12))), REQUEST_CHUNKS[0]);
    assert.equal(toHex(await exchange.request.seal(request.subarray(12))), REQUEST_CHUNKS[1]);
    assert.equal(toHex(await exchange.request.sealFinal(new Uint8Array(0))), REQUEST_CHUNKS[2]);
    const response = fromHex(RESPONSE_NONCE + RESPONSE_CHUNKS.join(''));
    assert.deepEqual(await receive(exchange.response, [response]), ['01', '40c8']);
    assert.equal(exchange.response.complete, true);
  });

  it('a gateway opens the request and makes the response', async () => {
    const key = await keyOf(0x20, GATEWAY_SECRET, 1, SUITES);
    const message = fromHex(REQUEST_HEADER + REQUEST_CHUNKS.join(''));
    const received = receiveChunkedRequest(message, (keyId) => (keyId === 1 ? key : undefined));
    assert.ok(received !== undefined);
    assert.equal(toHex(received.enc), ENC);
    const opened = await received.open();
    assert.deepEqual(await receive(opened.request, [received.rest]), [REQUEST.slice(0, 24), REQUEST.slice(24)]);
    const { nonce, sealer } = await opened.startResponse(fixedRandom(RESPONSE_NONCE));
    const made = concatBytes(
      nonce,
      await sealer.seal(fromHex('01')),
      await sealer.seal(fromHex('40c8')),
      await sealer.sealFinal(new Uint8Array(0)),
    );
    assert.equal(toHex(made), RESPONSE_NONCE + RESPONSE_CHUNKS.join(''));
  });

  it('chunkNonce() gives the printed nonces', () => {
    assert.deepEqual(
      CHUNK_NONCES,
      [0, 1, 2].map((counter) => toHex(chunkNonce(fromHex(BASE_NONCE), counter))),
    );
  });
});
