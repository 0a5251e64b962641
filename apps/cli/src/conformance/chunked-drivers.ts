/** Vectors of chunked Oblivious HTTP messages. */
import { concatBytes } from '@privacy-edge/bytes';
import {
  CHUNKED_LABELS,
  type ChunkSealer,
  type EncapsulatedChunkedRequest,
  encapsulateChunked,
  type FindKey,
  KeyConfig,
  OhttpError,
  type OpenedChunkedRequest,
  prepareEncapsulator,
  receiveChunkedRequest,
} from '@privacy-edge/ohttp';
import { SAME, type Verdict } from './kind.ts';
import {
  checkResponseSecrets,
  gatewayPrivateKey,
  gatewayWith,
  readKeyConfig,
  recipientContext,
} from './ohttp-parts.ts';
import { expectedRefusal, type SuiteIds, suiteIds } from './suites.ts';
import { expectBytes, expectFailure, expectSame, recordedRandom, type Vector, VectorError } from './vector.ts';

/** What opens a message piece by piece. */
interface Opener {
  push(bytes: Uint8Array): PromiseLike<readonly Uint8Array[]> | readonly Uint8Array[];
  end(): PromiseLike<readonly Uint8Array[]> | readonly Uint8Array[];
}

/** Sizes of the pieces that a message arrives in. */
const PIECES: readonly number[] = [Number.POSITIVE_INFINITY, 1, 97];

/** A whole chunked exchange, made and opened, cut in several ways. Chunked OHTTP §6. */
export async function checkChunkedValid(vector: Vector): Promise<Verdict> {
  const ids = suiteIds(vector);
  const refusal = await expectedRefusal(ids);
  if (refusal !== undefined) return refusal;
  const privateKey = await gatewayPrivateKey(vector, ids.kemId);
  const config = readKeyConfig(vector, ids, privateKey);
  const message = vector.hex('encapsulated_request');
  const recorded = await recipientContext(message, privateKey, ids, CHUNKED_LABELS.request);
  expectBytes('info', recorded.info, vector.hex('info'));
  await checkResponseSecrets(vector, recorded, CHUNKED_LABELS.response);
  checkNonces(vector);
  const findKey = await gatewayWith(vector.integer('key_id'), privateKey, ids);
  for (const size of PIECES) {
    await checkGateway(vector, findKey, size);
    await checkClient(vector, ids, config, size);
  }
  return SAME;
}

async function checkGateway(vector: Vector, findKey: FindKey, size: number): Promise<void> {
  const { opened, chunks } = await openRequest(vector.hex('encapsulated_request'), findKey, size);
  expectChunks('request', chunks, vector.hexList('request_chunks'));
  const { nonce, sealer } = await opened.startResponse(recordedRandom(vector.hex('response_nonce')));
  const sealed = await sealAll(sealer, vector.hexList('response_chunks'));
  // Lengths of chunks need not be in their shortest form, which is the only one that we write.
  if (vector.flag('decapsulate_only')) return;
  expectBytes('encapsulated response', concatBytes(nonce, ...sealed), vector.hex('encapsulated_response'));
}

async function checkClient(vector: Vector, ids: SuiteIds, config: KeyConfig, size: number): Promise<void> {
  const client = await startRequest(vector, ids, config);
  const sealed = await sealAll(client.request, vector.hexList('request_chunks'));
  if (!vector.flag('decapsulate_only')) {
    expectBytes('encapsulated request', concatBytes(client.header, ...sealed), vector.hex('encapsulated_request'));
  }
  const chunks = await openAll(client.response, vector.hex('encapsulated_response'), size);
  expectChunks('response', chunks, vector.hexList('response_chunks'));
}

/** The nonce of chunk i is the response nonce XOR i. */
function checkNonces(vector: Vector): void {
  const base = vector.hex('aead_nonce');
  for (const [i, wanted] of vector.hexList('chunk_nonces').entries()) {
    const nonce = base.slice();
    const view = new DataView(nonce.buffer, nonce.length - 4);
    view.setUint32(0, (view.getUint32(0) ^ i) >>> 0);
    expectBytes(`nonce of chunk ${i}`, nonce, wanted);
  }
}

/** A stream that a receiver must not take for a complete message. */
export async function checkChunkedInvalid(vector: Vector): Promise<Verdict> {
  expectSame('expectation', vector.text('expect'), 'error');
  const config = KeyConfig.decode(vector.hex('key_config'));
  const request = vector.hex('encapsulated_request');
  const header = new DataView(request.buffer, request.byteOffset);
  const ids = { mode: 0, kemId: header.getUint16(1), kdfId: header.getUint16(3), aeadId: header.getUint16(5) };
  const refusal = await expectedRefusal(ids);
  if (refusal !== undefined) return refusal;
  const message = vector.hex('message');
  const isRefusal = (error: unknown): boolean => error instanceof OhttpError;
  for (const size of PIECES) {
    if (vector.text('direction') === 'request') {
      const privateKey = await gatewayPrivateKey(vector, ids.kemId);
      const findKey = await gatewayWith(config.keyId, privateKey, ids);
      await expectFailure('the message', () => openRequest(message, findKey, size), isRefusal);
    } else {
      const client = await startRequest(vector, ids, config);
      expectBytes('header', client.header, request.subarray(0, client.header.length));
      await expectFailure('the message', () => openAll(client.response, message, size), isRefusal);
    }
  }
  return SAME;
}

async function startRequest(vector: Vector, ids: SuiteIds, config: KeyConfig): Promise<EncapsulatedChunkedRequest> {
  const encapsulator = await prepareEncapsulator(config, { kdfId: ids.kdfId, aeadId: ids.aeadId });
  return encapsulateChunked(encapsulator, recordedRandom(vector.hex('skEm')));
}

/** Opens a request as a gateway does: the head as soon as enough is there, then piece by piece. */
async function openRequest(
  message: Uint8Array,
  findKey: FindKey,
  size: number,
): Promise<{ opened: OpenedChunkedRequest; chunks: readonly Uint8Array[] }> {
  let seen = Math.min(size, message.length);
  let received = receiveChunkedRequest(message.subarray(0, seen), findKey);
  while (received === undefined) {
    if (seen >= message.length) throw new OhttpError('TRUNCATED', 'Cannot open message: it ends inside of its head');
    seen = Math.min(seen + size, message.length);
    received = receiveChunkedRequest(message.subarray(0, seen), findKey);
  }
  const opened = await received.open();
  const first = await opened.request.push(received.rest);
  const rest = await openAll(opened.request, message.subarray(seen), size);
  return { opened, chunks: [...first, ...rest] };
}

async function openAll(opener: Opener, message: Uint8Array, size: number): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const step = Math.min(size, Math.max(1, message.length));
  for (let at = 0; at < message.length; at += step)
    chunks.push(...(await opener.push(message.subarray(at, at + step))));
  chunks.push(...(await opener.end()));
  return chunks;
}

async function sealAll(sealer: ChunkSealer, chunks: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const final = chunks.at(-1);
  if (final === undefined) throw new VectorError('UNREADABLE', 'Cannot read vector: there is no final chunk');
  const sealed: Uint8Array[] = [];
  for (const chunk of chunks.slice(0, -1)) sealed.push(await sealer.seal(chunk));
  sealed.push(await sealer.sealFinal(final));
  return sealed;
}

/** An empty final chunk is authenticated but not handed out. */
function expectChunks(what: string, actual: readonly Uint8Array[], recorded: readonly Uint8Array[]): void {
  const expected = recorded.at(-1)?.length === 0 ? recorded.slice(0, -1) : recorded;
  expectSame(`number of ${what} chunks`, actual.length, expected.length);
  for (const [i, chunk] of expected.entries()) expectBytes(`${what} chunk ${i}`, actual[i] ?? new Uint8Array(0), chunk);
}
