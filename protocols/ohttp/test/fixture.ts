/** What the tests of this package share: keys, exchanges and the collecting of chunks. */
import assert from 'node:assert/strict';
import { type Awaitable, concatBytes, DecodeError, fromHex, toHex } from '@privacy-edge/bytes';
import {
  AEAD_AES_128_GCM,
  AEAD_AES_256_GCM,
  AEAD_CHACHA20_POLY1305,
  deriveKeyPair,
  importPrivateKey,
  KDF_HKDF_SHA256,
  KEM_MLKEM768_X25519,
  KEM_P256_HKDF_SHA256,
  KEM_P384_HKDF_SHA384,
  KEM_P521_HKDF_SHA512,
  KEM_X25519_HKDF_SHA256,
  systemRandom,
} from '@privacy-edge/hpke';
import {
  createGatewayKey,
  type Encapsulator,
  type FindKey,
  type GatewayKey,
  type Labels,
  OhttpError,
  type OhttpErrorCode,
  prepareEncapsulator,
  type RandomSource,
  type SymmetricSuite,
} from '../src/index.ts';

export const FUZZ_RUNS: number = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

export const KEM_IDS: readonly number[] = [
  KEM_X25519_HKDF_SHA256,
  KEM_P256_HKDF_SHA256,
  KEM_P384_HKDF_SHA384,
  KEM_P521_HKDF_SHA512,
  KEM_MLKEM768_X25519,
];
export const SUITE: SymmetricSuite = { kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM };
export const SUITES: readonly SymmetricSuite[] = [AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305].map(
  (aeadId) => ({ kdfId: KDF_HKDF_SHA256, aeadId }),
);

/** A gateway with one key, and a client that knows it. */
export interface Pair {
  readonly key: GatewayKey;
  readonly findKey: FindKey;
  readonly client: Encapsulator;
}

/** A pair for one KEM; the key depends on `seed` only. */
export async function makePair(
  options: { kemId?: number; suite?: SymmetricSuite; keyId?: number; seed?: number; labels?: Labels } = {},
): Promise<Pair> {
  const { kemId = KEM_X25519_HKDF_SHA256, suite = SUITE, keyId = 7, seed = 1, labels } = options;
  const privateKey = await deriveKeyPair(kemId, new Uint8Array(66).fill(seed));
  const key = await createGatewayKey({ keyId, privateKey, suites: SUITES, ...(labels && { labels }) });
  const client = await prepareEncapsulator(key.config, suite, labels);
  return { key, client, findKey: (id) => (id === keyId ? key : undefined) };
}

/** A gateway key from a serialised private key. */
export async function keyOf(
  kemId: number,
  skRm: string,
  keyId: number,
  suites: readonly SymmetricSuite[],
  labels?: Labels,
): Promise<GatewayKey> {
  const privateKey = await importPrivateKey(kemId, fromHex(skRm));
  return createGatewayKey({ keyId, privateKey, suites, ...(labels && { labels }) });
}

/** The random source of a vector: gives exactly this value, once. */
export function fixedRandom(...values: readonly string[]): RandomSource {
  const left = values.map((value) => fromHex(value));
  return (length) => {
    const value = left.shift();
    assert.ok(value !== undefined, 'more randomness was asked for than the vector has');
    assert.equal(value.length, length);
    return value;
  };
}

export const random: RandomSource = systemRandom;

/** Bytes that differ along their length. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);
}

/** The error code of an {@link OhttpError} that a step throws or rejects with; fails for any other outcome. */
export async function codeOf(step: () => Awaitable<unknown>): Promise<OhttpErrorCode> {
  return (await errorOf(step)).code;
}

/** The {@link OhttpError} that a step ends with. */
export async function errorOf(step: () => Awaitable<unknown>): Promise<OhttpError> {
  try {
    await step();
  } catch (error) {
    assert.ok(error instanceof OhttpError, `expected an OhttpError, got ${String(error)}`);
    return error;
  }
  return assert.fail('expected an OhttpError');
}

/** Runs a step that may fail only with this package's errors or `DecodeError`. */
export async function mayFail<T>(step: () => Awaitable<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof OhttpError || error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Anything that opens a chunked message. */
export interface Opener {
  push(bytes: Uint8Array): Awaitable<readonly Uint8Array[]>;
  end(): Awaitable<readonly Uint8Array[]>;
}

/** What a receiver makes of a message that arrives in these pieces: all chunks, or the error. */
export async function receive(opener: Opener, pieces: readonly Uint8Array[]): Promise<string[] | OhttpErrorCode> {
  const chunks: string[] = [];
  try {
    for (const piece of pieces) for (const chunk of await opener.push(piece)) chunks.push(toHex(chunk));
    for (const chunk of await opener.end()) chunks.push(toHex(chunk));
    return chunks;
  } catch (error) {
    assert.ok(error instanceof OhttpError, `expected an OhttpError, got ${String(error)}`);
    return error.code;
  }
}

/** Cuts bytes at ascending offsets. */
export function cut(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const at = [0, ...offsets, bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

/** Seals plaintext chunks, the last of them as the final one. */
export async function sealAll(
  sealer: {
    seal(plaintext: Uint8Array): Awaitable<Uint8Array>;
    sealFinal(plaintext: Uint8Array): Awaitable<Uint8Array>;
  },
  chunks: readonly Uint8Array[],
): Promise<Uint8Array> {
  const sealed: Uint8Array[] = [];
  for (const chunk of chunks.slice(0, -1)) sealed.push(await sealer.seal(chunk));
  sealed.push(await sealer.sealFinal(chunks.at(-1) ?? new Uint8Array(0)));
  return concatBytes(...sealed);
}

/** A copy with one bit changed. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
