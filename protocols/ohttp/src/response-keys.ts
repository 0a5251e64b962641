/** Keys for the answer to one request, derived alike by client and gateway. RFC 9458 §4.4. */
import { type Awaitable, andThen, concatBytes, utf8 } from '@privacy-edge/bytes';
import type { AeadKey, Suite } from '@privacy-edge/hpke';

const KEY = utf8('key');
const NONCE = utf8('nonce');

/** The exporting half of an HPKE context, which is all that a response needs of it. */
export interface Exporter {
  export(exporterContext: Uint8Array, length: number): Awaitable<Uint8Array>;
}

/** AEAD key and nonce of a response; each pair of request and response nonce gives its own. */
export interface ResponseKeys {
  readonly key: AeadKey;
  /** `Nn` bytes. */
  readonly nonce: Uint8Array;
}

/** Length of the secret and of the response nonce: max(Nn, Nk). RFC 9458 §4.4. */
export function responseNonceLength(suite: Suite): number {
  return Math.max(suite.aead.Nn, suite.aead.Nk);
}

/**
 * @param enc - the request's encapsulated key
 * @param label - the response label, UTF-8
 * @param responseNonce - `responseNonceLength(suite)` bytes
 */
export function deriveResponseKeys(
  suite: Suite,
  exporter: Exporter,
  label: Uint8Array,
  enc: Uint8Array,
  responseNonce: Uint8Array,
): Awaitable<ResponseKeys> {
  const { kdf, aead } = suite;
  const secret = exporter.export(label, responseNonceLength(suite));
  const prk = andThen(secret, (ikm) => kdf.extract(concatBytes(enc, responseNonce), ikm));
  return andThen(prk, (prk) =>
    andThen(kdf.expand(prk, KEY, aead.Nk), (keyBytes) =>
      andThen(kdf.expand(prk, NONCE, aead.Nn), (nonce) => andThen(aead.importKey(keyBytes), (key) => ({ key, nonce }))),
    ),
  );
}
