/** A larger set of good and bad messages, when it lies beside the repository. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type BinaryRequest,
  type BinaryResponse,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  RequestDecoder,
  ResponseDecoder,
} from '@privacy-edge/bhttp';
import { DecodeError, fromHex, toHex } from '@privacy-edge/bytes';
import { collectRequest, collectResponse } from './collect.ts';

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly expect: 'ok' | 'invalid';
  readonly context?: string;
  readonly decoded?: {
    readonly type: 'request' | 'response';
    readonly content: string;
    readonly headers: unknown;
    readonly trailers: unknown;
    readonly method?: string;
    readonly scheme?: string;
    readonly authority?: string;
    readonly path?: string;
    readonly status?: number;
    readonly informational?: readonly { readonly status: number; readonly headers: unknown }[];
  };
}

const path = fileURLToPath(new URL('../../../../shared/vectors/ohttp/bhttp.json', import.meta.url));
const vectors: Vector[] = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Vector[]) : [];

test('every vector decodes as expected, whole and streamed', { skip: vectors.length === 0 }, () => {
  let passed = 0;
  for (const vector of vectors) {
    const bytes = fromHex(vector.hex);
    if (isResponse(vector)) checkResponse(vector, bytes);
    else checkRequest(vector, bytes);
    passed++;
  }
  assert.equal(passed, 61);
});

function isResponse({ context, decoded, hex }: Vector): boolean {
  if (context !== undefined) return context === 'decode as response';
  return decoded === undefined ? /^0[13]/.test(hex) : decoded.type === 'response';
}

function checkRequest({ name, expect, decoded }: Vector, bytes: Uint8Array): void {
  for (const decode of [decodeRequest, (input: Uint8Array) => collectRequest(new RequestDecoder(), [input])]) {
    if (expect === 'invalid') assert.throws(() => decode(bytes), DecodeError, name);
    else assert.deepEqual(requestAsVector(decode(bytes)), decoded, name);
  }
  if (expect === 'invalid') return;
  const request = decodeRequest(bytes);
  assert.deepEqual(decodeRequest(encodeRequest(request)), request, name);
}

function checkResponse({ name, expect, decoded }: Vector, bytes: Uint8Array): void {
  for (const decode of [decodeResponse, (input: Uint8Array) => collectResponse(new ResponseDecoder(), [input])]) {
    if (expect === 'invalid') assert.throws(() => decode(bytes), DecodeError, name);
    else assert.deepEqual(responseAsVector(decode(bytes)), decoded, name);
  }
  if (expect === 'invalid') return;
  const response = decodeResponse(bytes);
  assert.deepEqual(decodeResponse(encodeResponse(response)), response, name);
}

function requestAsVector({ fields, body, ...rest }: BinaryRequest): unknown {
  return { type: 'request', ...rest, headers: fields, content: toHex(body) };
}

function responseAsVector({ fields, body, informational, ...rest }: BinaryResponse): unknown {
  const early = informational.map((response) => ({ status: response.status, headers: response.fields }));
  return { type: 'response', ...rest, headers: fields, content: toHex(body), informational: early };
}
