/** Vector files, where a checkout has them: exchanges of this and other implementations, key configurations, bad streams. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { concatBytes, DecodeError, fromHex, toHex } from '@privacy-edge/bytes';
import { deriveKeyPair, isKemSupported } from '@privacy-edge/hpke';
import {
  CHUNKED_LABELS,
  createGatewayKey,
  encapsulateChunked,
  type GatewayKey,
  KeyConfig,
  KeyConfigList,
  type Labels,
  OhttpError,
  prepareEncapsulator,
  receiveChunkedRequest,
  receiveRequest,
  selectSuite,
  WHOLE_LABELS,
} from '../src/index.ts';
import { encodeHeader, requestInfo } from '../src/labels.ts';
import { cut, fixedRandom, keyOf, mayFail, random, receive } from './fixture.ts';

/** The sets of this repository, and further ones beside a checkout. */
const FOLDERS = ['../../../testing/vectors/ohttp/', '../../../../shared/vectors/ohttp/'];

/** Declares a suite for each folder that has the file, and a test for each case in it. */
function eachVector<T extends { readonly name: string }>(
  file: string,
  test: (vector: T) => Promise<void>,
  skip: (vector: T) => boolean = () => false,
): void {
  for (const folder of FOLDERS) {
    const url = new URL(folder + file, import.meta.url);
    if (!existsSync(url)) continue;
    describe(`${file} of ${folder.replaceAll('../', '')}`, () => {
      for (const vector of JSON.parse(readFileSync(url, 'utf8')) as T[]) {
        it(vector.name, { skip: skip(vector) }, () => test(vector));
      }
    });
  }
}

interface Suite {
  readonly key_id: number;
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
}

interface Exchange extends Suite {
  readonly name: string;
  readonly seed?: string;
  readonly skRm?: string;
  readonly skEm?: string;
  readonly key_config?: string;
  readonly ohttp_keys?: string;
  readonly request?: string;
  readonly request_label?: string;
  readonly response_label?: string;
  readonly info?: string;
  readonly encapsulated_request: string;
  readonly response?: string;
  readonly response_nonce?: string;
  readonly encapsulated_response?: string;
}

function labelsOf({ request_label, response_label }: Exchange): Labels {
  return { request: request_label ?? WHOLE_LABELS.request, response: response_label ?? WHOLE_LABELS.response };
}

async function gatewayKeyOf(vector: Exchange): Promise<GatewayKey> {
  const suites = [{ kdfId: vector.kdf_id, aeadId: vector.aead_id }];
  if (vector.skRm !== undefined) return keyOf(vector.kem_id, vector.skRm, vector.key_id, suites, labelsOf(vector));
  const privateKey = await deriveKeyPair(vector.kem_id, fromHex(vector.seed!));
  return createGatewayKey({ keyId: vector.key_id, privateKey, suites, labels: labelsOf(vector) });
}

eachVector<Exchange>('ohttp-messages.json', async (vector) => {
  const key = await gatewayKeyOf(vector);
  const received = receiveRequest(fromHex(vector.encapsulated_request), (id) =>
    id === vector.key_id ? key : undefined,
  );
  const opened = await received.open();
  if (vector.request === undefined) return;
  assert.equal(toHex(opened.request), vector.request);
  const suite = { kdfId: vector.kdf_id, aeadId: vector.aead_id };
  assert.equal(
    toHex(requestInfo(labelsOf(vector).request, encodeHeader(vector.key_id, vector.kem_id, suite))),
    vector.info,
  );
  const sealed = await opened.response.seal(fromHex(vector.response!), fixedRandom(vector.response_nonce!));
  assert.equal(toHex(sealed), vector.encapsulated_response);

  const client = await prepareEncapsulator(KeyConfig.decode(fromHex(vector.key_config!)), suite, labelsOf(vector));
  const made = await client.encapsulate(fromHex(vector.request), fixedRandom(vector.skEm!));
  assert.equal(toHex(made.message), vector.encapsulated_request);
  assert.equal(toHex(await made.response.open(sealed)), vector.response);
});

async function openForeign(vector: Exchange): Promise<void> {
  const key = await gatewayKeyOf(vector);
  assert.equal(toHex(key.config.publicKey), toHex(KeyConfig.decode(fromHex(vector.key_config!)).publicKey));
  const received = receiveRequest(fromHex(vector.encapsulated_request), (id) =>
    id === vector.key_id ? key : undefined,
  );
  const opened = await received.open();
  assert.equal(toHex(opened.request), vector.request);
  const nonceLength = { 1: 16, 2: 32, 3: 32 }[vector.aead_id]!;
  const nonce = vector.encapsulated_response!.slice(0, 2 * nonceLength);
  const sealed = await opened.response.seal(fromHex(vector.response!), fixedRandom(nonce));
  assert.equal(toHex(sealed), vector.encapsulated_response);
}

// X448, which one of these peers has, is not in this kit.
const unknownKem = (vector: Exchange): boolean => !isKemSupported(vector.kem_id);
eachVector<Exchange>('ohttp-go-peer.json', openForeign, unknownKem);
eachVector<Exchange>('ohttp-rust-peer.json', openForeign, unknownKem);

interface Chunked extends Exchange {
  readonly skRm: string;
  readonly skEm: string;
  readonly request_chunks: readonly string[];
  readonly response_chunks: readonly string[];
  readonly decapsulate_only?: boolean;
}

eachVector<Chunked>('ohttp-chunked-valid.json', async (vector) => {
  const suite = { kdfId: vector.kdf_id, aeadId: vector.aead_id };
  const key = await keyOf(vector.kem_id, vector.skRm, vector.key_id, [suite]);
  const message = fromHex(vector.encapsulated_request);
  assert.equal(
    toHex(requestInfo(CHUNKED_LABELS.request, encodeHeader(vector.key_id, vector.kem_id, suite))),
    vector.info,
  );
  const received = receiveChunkedRequest(message, (id) => (id === vector.key_id ? key : undefined));
  const opened = await received!.open();
  const requestChunks = vector.request_chunks.filter((chunk) => chunk !== '');
  assert.deepEqual(await receive(opened.request, [received!.rest]), requestChunks);

  const client = await prepareEncapsulator(KeyConfig.decode(fromHex(vector.key_config!)), suite);
  const made = await encapsulateChunked(client, fixedRandom(vector.skEm));
  const bytes = fromHex(vector.encapsulated_response!);
  const everySeven = Array.from({ length: Math.ceil(bytes.length / 7) - 1 }, (_, i) => 7 * (i + 1));
  assert.deepEqual(
    await receive(made.response, cut(bytes, everySeven)),
    vector.response_chunks.filter((chunk) => chunk !== ''),
  );
  if (vector.decapsulate_only === true) return;

  const { nonce, sealer } = await opened.startResponse(fixedRandom(vector.response_nonce!));
  const parts = [nonce];
  for (const chunk of vector.response_chunks.slice(0, -1)) parts.push(await sealer.seal(fromHex(chunk)));
  parts.push(await sealer.sealFinal(fromHex(vector.response_chunks.at(-1)!)));
  assert.equal(toHex(concatBytes(...parts)), vector.encapsulated_response);

  const sent = [made.header];
  for (const chunk of vector.request_chunks.slice(0, -1)) sent.push(await made.request.seal(fromHex(chunk)));
  sent.push(await made.request.sealFinal(fromHex(vector.request_chunks.at(-1)!)));
  assert.equal(toHex(concatBytes(...sent)), vector.encapsulated_request);
});

interface BadStream {
  readonly name: string;
  readonly direction: 'request' | 'response';
  readonly skRm: string;
  readonly skEm: string;
  readonly key_config: string;
  readonly message: string;
  readonly why: string;
}

const BAD_STREAM: readonly unknown[] = ['OPEN_FAILED', 'TRUNCATED', 'LIMIT', 'MALFORMED', 'KEY_UNKNOWN'];

eachVector<BadStream>('ohttp-chunked-invalid.json', async (vector) => {
  const message = fromHex(vector.message);
  const whole = await outcomeOf(vector, [message]);
  assert.ok(BAD_STREAM.includes(whole), `${vector.why}: ${JSON.stringify(whole)}`);
  const byteByByte = [...message].map((byte) => Uint8Array.of(byte));
  assert.equal(await outcomeOf(vector, byteByByte), whole);
});

async function outcomeOf(vector: BadStream, pieces: readonly Uint8Array[]): Promise<unknown> {
  const config = KeyConfig.decode(fromHex(vector.key_config));
  if (vector.direction === 'response') {
    const client = await prepareEncapsulator(config, config.suites[0]!);
    const exchange = await encapsulateChunked(client, fixedRandom(vector.skEm));
    return receive(exchange.response, pieces);
  }
  const key = await keyOf(config.kemId, vector.skRm, config.keyId, config.suites);
  try {
    let beginning: Uint8Array = new Uint8Array(0);
    for (const [index, piece] of pieces.entries()) {
      beginning = concatBytes(beginning, piece);
      const received = receiveChunkedRequest(beginning, (id) => (id === config.keyId ? key : undefined));
      if (received === undefined) continue;
      const opened = await received.open();
      return await receive(opened.request, [received.rest, ...pieces.slice(index + 1)]);
    }
    return 'TRUNCATED';
  } catch (error) {
    return error instanceof OhttpError ? error.code : error;
  }
}

interface KeyConfigVector {
  readonly name: string;
  readonly hex: string;
  readonly expect: 'ok' | 'discard-collection' | 'parses-but-refused';
  readonly skipped_unknown?: number;
  readonly usable?: readonly {
    readonly key_id: number;
    readonly kem_id: number;
    readonly public_key: string;
    readonly suites: readonly { readonly kdf_id: number; readonly aead_id: number }[];
  }[];
}

eachVector<KeyConfigVector>('key-configs.json', async (vector) => {
  const bytes = fromHex(vector.hex);
  if (vector.expect === 'discard-collection') {
    assert.throws(() => KeyConfigList.decode(bytes), DecodeError);
    return;
  }
  const { usable, skipped } = KeyConfigList.decode(bytes);
  if (vector.expect === 'ok') {
    assert.deepEqual(
      usable.map((config) => ({
        key_id: config.keyId,
        kem_id: config.kemId,
        public_key: toHex(config.publicKey),
        suites: config.suites.map(({ kdfId, aeadId }) => ({ kdf_id: kdfId, aead_id: aeadId })),
      })),
      vector.usable,
    );
    assert.equal(skipped, vector.skipped_unknown);
    if (skipped === 0) assert.equal(toHex(KeyConfigList.encode(usable)), vector.hex);
    assert.ok(selectSuite(usable) !== undefined);
    // One file has a placeholder for its post-quantum key, so any entry that works will do.
    const sizes = await Promise.all(usable.map((config) => encapsulatedSize(config, bytes)));
    assert.ok(sizes.some((size) => size > bytes.length));
    return;
  }
  const selected = selectSuite(usable);
  if (selected === undefined) return;
  await assert.rejects(
    async () => {
      const client = await prepareEncapsulator(selected.config, selected.suite);
      await client.encapsulate(bytes, random);
    },
    (error: unknown) => error instanceof OhttpError && error.code === 'CONFIG_UNUSABLE',
  );
});

/** Length of a message for this configuration; 0 when it cannot be used. */
async function encapsulatedSize(config: KeyConfig, request: Uint8Array): Promise<number> {
  const selected = selectSuite([config]);
  if (selected === undefined) return 0;
  const client = await mayFail(() => prepareEncapsulator(selected.config, selected.suite));
  return client === undefined ? 0 : (await client.encapsulate(request, random)).message.length;
}
