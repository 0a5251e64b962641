/** What is in a message, by media type. Everything here is decoded from bytes that nobody has vouched for. */
import { createHash } from 'node:crypto';
import {
  type BinaryRequest,
  type BinaryResponse,
  decodeRequest,
  decodeResponse,
  type Field,
} from '@privacy-edge/bhttp';
import { concatBytes, DecodeError, Reader, toHex } from '@privacy-edge/bytes';
import { isKemSupported, kemById } from '@privacy-edge/hpke';
import {
  type FindKey,
  isSuiteUsable,
  KeyConfigList,
  MEDIA_TYPE_CHUNKED_REQUEST,
  MEDIA_TYPE_KEYS,
  MEDIA_TYPE_REQUEST,
  receiveChunkedRequest,
  receiveRequest,
  selectSuite,
} from '@privacy-edge/ohttp';
import { aeadName, kdfName, kemName } from '../keys/algorithms.ts';
import { DAP_TYPES, type DapType, describeDap, isDapType } from './describe-dap.ts';
import { branch, leaf, type TreeNode } from './tree.ts';

const OHTTP_TYPES = [
  'application/ohttp-keys',
  'message/bhttp',
  'message/ohttp-req',
  'message/ohttp-chunked-req',
] as const;

/** A media type that can be decoded. */
export type InspectedType = (typeof OHTTP_TYPES)[number] | DapType;

/** All of them. */
export const MEDIA_TYPES: readonly InspectedType[] = [...OHTTP_TYPES, ...DAP_TYPES];

/**
 * Describes a message.
 *
 * @param findKey - opens encapsulated requests; without it only what travels in clear is shown
 * @throws DecodeError, OhttpError for bytes that are no such message, or that do not open
 */
export async function describeMessage(type: InspectedType, bytes: Uint8Array, findKey?: FindKey): Promise<TreeNode> {
  if (isDapType(type)) return describeDap(type, bytes);
  switch (type) {
    case 'application/ohttp-keys':
      return describeKeys(bytes);
    case 'message/bhttp':
      return describeBinaryMessage(bytes);
    case 'message/ohttp-req':
      return describeRequest(bytes, findKey);
    case 'message/ohttp-chunked-req':
      return describeChunkedRequest(bytes, findKey);
  }
}

/** The type that the bytes look like; undefined when they look like none. */
export function guessType(bytes: Uint8Array): InspectedType | undefined {
  if (succeeds(() => describeBinaryMessage(bytes))) return 'message/bhttp';
  if (bytes.length > 0 && succeeds(() => describeKeys(bytes))) return MEDIA_TYPE_KEYS;
  if (!succeeds(() => readHeader(bytes))) return undefined;
  return succeeds(() => describeChunks(bytes)) ? MEDIA_TYPE_CHUNKED_REQUEST : MEDIA_TYPE_REQUEST;
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

function describeKeys(bytes: Uint8Array): TreeNode {
  const { usable, skipped } = KeyConfigList.decode(bytes);
  const selected = selectSuite(usable);
  const configs = usable.map((config) =>
    branch('key configuration', [
      leaf('key id', config.keyId),
      leaf('kem', kemName(config.kemId)),
      leaf('public key', `${toHex(config.publicKey.subarray(0, 32))}${config.publicKey.length > 32 ? '…' : ''}`),
      leaf('public key bytes', config.publicKey.length),
      branch(
        'suites',
        config.suites.map((suite) => {
          const chosen = selected?.config === config && selected.suite === suite;
          const usableHere = isSuiteUsable(config.kemId, suite);
          const note = chosen ? ' (a client takes this one)' : usableHere ? '' : ' (not usable here)';
          return leaf('suite', `${kdfName(suite.kdfId)}, ${aeadName(suite.aeadId)}${note}`);
        }),
      ),
    ]),
  );
  return branch(MEDIA_TYPE_KEYS, [
    leaf('bytes', bytes.length),
    leaf('sha256', createHash('sha256').update(bytes).digest('hex')),
    leaf('usable', usable.length),
    leaf('skipped, KEM unknown here', skipped),
    ...configs,
  ]);
}

function describeBinaryMessage(bytes: Uint8Array): TreeNode {
  const indicator = new Reader(bytes, 'binary message').varint();
  const framing = leaf('framing', indicator < 2 ? 'known length' : 'indeterminate length');
  const parts =
    indicator % 2 === 0 ? describeBinaryRequest(decodeRequest(bytes)) : describeBinaryResponse(decodeResponse(bytes));
  return branch('message/bhttp', [leaf('bytes', bytes.length), framing, ...parts]);
}

function describeBinaryRequest(request: BinaryRequest): readonly TreeNode[] {
  return [
    leaf('method', request.method),
    leaf('scheme', request.scheme),
    leaf('authority', request.authority),
    leaf('path', request.path),
    ...describeRest(request),
  ];
}

function describeBinaryResponse(response: BinaryResponse): readonly TreeNode[] {
  const informational = response.informational.map((one) =>
    branch('informational', [leaf('status', one.status), ...describeFields('fields', one.fields)]),
  );
  return [...informational, leaf('status', response.status), ...describeRest(response)];
}

function describeRest(message: BinaryRequest | BinaryResponse): readonly TreeNode[] {
  return [
    ...describeFields('fields', message.fields),
    leaf('content bytes', message.body.length),
    ...(message.body.length === 0 ? [] : [leaf('content', preview(message.body))]),
    ...describeFields('trailers', message.trailers),
  ];
}

function describeFields(label: string, fields: readonly Field[]): readonly TreeNode[] {
  if (fields.length === 0) return [];
  return [
    branch(
      label,
      fields.map(([name, value]) => leaf(name, value)),
    ),
  ];
}

interface Header {
  readonly keyId: number;
  readonly kemId: number;
  readonly kdfId: number;
  readonly aeadId: number;
  readonly enc: Uint8Array;
  readonly rest: Uint8Array;
}

/** The part that travels in clear. RFC 9458 §4.1. */
function readHeader(bytes: Uint8Array): Header {
  const reader = new Reader(bytes, 'encapsulated request');
  const [keyId, kemId, kdfId, aeadId] = [reader.u8(), reader.u16(), reader.u16(), reader.u16()];
  if (!isKemSupported(kemId)) throw new DecodeError('INVALID', 'The encapsulated request uses an unknown KEM');
  const enc = reader.bytes(kemById(kemId).Nenc);
  return { keyId, kemId, kdfId, aeadId, enc, rest: reader.rest() };
}

function describeHeader(header: Header): readonly TreeNode[] {
  return [
    leaf('key id', header.keyId),
    leaf('kem', kemName(header.kemId)),
    leaf('kdf', kdfName(header.kdfId)),
    leaf('aead', aeadName(header.aeadId)),
    leaf('enc bytes', header.enc.length),
    leaf('enc', `${toHex(header.enc.subarray(0, 32))}${header.enc.length > 32 ? '…' : ''}`),
  ];
}

async function describeRequest(bytes: Uint8Array, findKey: FindKey | undefined): Promise<TreeNode> {
  const header = readHeader(bytes);
  const parts = [leaf('bytes', bytes.length), ...describeHeader(header), leaf('ciphertext bytes', header.rest.length)];
  if (findKey === undefined) return branch(MEDIA_TYPE_REQUEST, [...parts, CLOSED]);
  const { request } = await receiveRequest(bytes, findKey).open();
  return branch(MEDIA_TYPE_REQUEST, [...parts, describeBinaryMessage(request)]);
}

async function describeChunkedRequest(bytes: Uint8Array, findKey: FindKey | undefined): Promise<TreeNode> {
  const parts = [leaf('bytes', bytes.length), ...describeHeader(readHeader(bytes)), describeChunks(bytes)];
  if (findKey === undefined) return branch(MEDIA_TYPE_CHUNKED_REQUEST, [...parts, CLOSED]);
  const received = receiveChunkedRequest(bytes, findKey);
  if (received === undefined) throw new DecodeError('TRUNCATED', 'The encapsulated request ends inside of its head');
  const opened = await received.open();
  const chunks = [...(await opened.request.push(received.rest)), ...(await opened.request.end())];
  return branch(MEDIA_TYPE_CHUNKED_REQUEST, [...parts, describeBinaryMessage(concatBytes(...chunks))]);
}

const CLOSED = leaf('content', 'sealed; name the key file of the gateway with --key-file to open it');

/** Lengths of sealed chunks; they are not authenticated. Chunked OHTTP §6. */
function describeChunks(bytes: Uint8Array): TreeNode {
  const reader = new Reader(readHeader(bytes).rest, 'chunked request');
  const chunks: TreeNode[] = [];
  for (;;) {
    const length = reader.varint();
    if (length === 0) break;
    reader.bytes(length);
    chunks.push(leaf('sealed bytes', length));
  }
  chunks.push(leaf('sealed bytes of the final chunk', reader.remaining));
  return branch('chunks', chunks, chunks.length);
}

/** Longest content that is shown, bytes. */
const PREVIEW_BYTES = 512;

function preview(content: Uint8Array): string {
  const shown = content.subarray(0, PREVIEW_BYTES);
  const more = content.length > shown.length ? '…' : '';
  const text = new TextDecoder('utf-8').decode(shown);
  return text.includes('\uFFFD') ? `0x${toHex(shown)}${more}` : `${JSON.stringify(text)}${more}`;
}
