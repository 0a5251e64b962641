/** Steps that several kinds of Oblivious HTTP vectors share. */
import { concatBytes, utf8 } from '@privacy-edge/bytes';
import {
  deriveKeyPair,
  exportPrivateKey,
  importPrivateKey,
  type PrivateKey,
  type RecipientContext,
  type Suite,
  setupBaseRecipient,
  suiteOf,
} from '@privacy-edge/hpke';
import { createGatewayKey, type FindKey, KeyConfig, type Labels } from '@privacy-edge/ohttp';
import type { SuiteIds } from './suites.ts';
import { expectBytes, expectSame, type Vector } from './vector.ts';

/** Length of the header of an encapsulated request. */
const HEADER_LENGTH = 7;

/** The gateway's private key, from its bytes or from the seed it was derived from. */
export async function gatewayPrivateKey(vector: Vector, kemId: number): Promise<PrivateKey> {
  if (!vector.has('skRm')) return deriveKeyPair(kemId, vector.hex('seed'));
  const key = await importPrivateKey(kemId, vector.hex('skRm'));
  if (vector.has('pkRm')) expectBytes('pkRm', key.publicKey.bytes, vector.hex('pkRm'));
  if (vector.has('ikmR')) {
    const derived = await deriveKeyPair(kemId, vector.hex('ikmR'));
    expectBytes('skRm derived from ikmR', exportPrivateKey(derived), vector.hex('skRm'));
  }
  return key;
}

/** The recorded key configuration, compared with the rest of the vector. */
export function readKeyConfig(vector: Vector, ids: SuiteIds, privateKey: PrivateKey): KeyConfig {
  const config = KeyConfig.decode(vector.hex('key_config'));
  expectSame('key id', config.keyId, vector.integer('key_id'));
  expectSame('KEM', config.kemId, ids.kemId);
  expectBytes('public key', config.publicKey, privateKey.publicKey.bytes);
  const offered = config.suites.some((suite) => suite.kdfId === ids.kdfId && suite.aeadId === ids.aeadId);
  expectSame('suite is offered', offered, true);
  expectBytes('key configuration encoded again', KeyConfig.encode(config), vector.hex('key_config'));
  return config;
}

/** A gateway that has this one key. */
export async function gatewayWith(
  keyId: number,
  privateKey: PrivateKey,
  ids: SuiteIds,
  labels?: Labels,
): Promise<FindKey> {
  const suites = [{ kdfId: ids.kdfId, aeadId: ids.aeadId }];
  const key = await createGatewayKey({ keyId, privateKey, suites, ...(labels === undefined ? {} : { labels }) });
  return (id) => (id === keyId ? key : undefined);
}

/** The HPKE context of a message on the gateway's side, to look at what the protocol package keeps to itself. */
export interface RecordedContext {
  readonly suite: Suite;
  readonly context: RecipientContext;
  readonly enc: Uint8Array;
}

/** Sets up that context. RFC 9458 §4.3. */
export async function recipientContext(
  message: Uint8Array,
  privateKey: PrivateKey,
  ids: SuiteIds,
  requestLabel: string,
): Promise<RecordedContext & { readonly info: Uint8Array }> {
  const suite = suiteOf(ids.kemId, ids.kdfId, ids.aeadId);
  const info = concatBytes(utf8(requestLabel), Uint8Array.of(0), message.subarray(0, HEADER_LENGTH));
  const enc = message.subarray(HEADER_LENGTH, HEADER_LENGTH + suite.kem.Nenc);
  return { suite, enc, info, context: await setupBaseRecipient(suite, privateKey, enc, info) };
}

/** Compares the values between request and response, where the vector has them. RFC 9458 §4.4. */
export async function checkResponseSecrets(
  vector: Vector,
  { suite, context, enc }: RecordedContext,
  responseLabel: string,
): Promise<void> {
  const length = Math.max(suite.aead.Nn, suite.aead.Nk);
  const secret = await context.export(utf8(responseLabel), length);
  expectBytes('exported secret', secret, vector.hex('export_secret'));
  const nonce = vector.hex('response_nonce');
  expectSame('length of the response nonce', nonce.length, length);
  const prk = await suite.kdf.extract(concatBytes(enc, nonce), secret);
  expectBytes('prk', prk, vector.hex('prk'));
  expectBytes('AEAD key', await suite.kdf.expand(prk, utf8('key'), suite.aead.Nk), vector.hex('aead_key'));
  expectBytes('AEAD nonce', await suite.kdf.expand(prk, utf8('nonce'), suite.aead.Nn), vector.hex('aead_nonce'));
}
