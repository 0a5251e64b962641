/** From a shared secret to a context. RFC 9180 §5.1. */
import { type Awaitable, andThen, concatBytes } from '@privacy-edge/bytes';
import type { Backend, HkdfOutput } from './backend.ts';
import { type ContextKeys, exporter } from './context.ts';
import { extract } from './hkdf.ts';
import { MODE_BASE } from './registry.ts';
import { EMPTY, hpkeSuiteId, labeledIkm, labeledInfo } from './steps.ts';
import type { KdfRow } from './suites.ts';
import type { Suite } from './types.ts';

/** The part of KeySchedule that is left once the shared secret is there. */
export type KeySchedule = (sharedSecret: Uint8Array) => Awaitable<ContextKeys>;

/** A suite whose KDF is known to be a row of this package. */
export interface OwnSuite extends Suite {
  readonly kdf: KdfRow;
}

/**
 * Does the part of KeySchedule that depends on the suite and on `info` only.
 *
 * @param suite - of rows over this backend
 * @param info - public
 */
export function prepareKeySchedule(backend: Backend, suite: OwnSuite, info: Uint8Array): Awaitable<KeySchedule> {
  const { hash } = suite.kdf;
  const suiteId = hpkeSuiteId(suite.kem.id, suite.kdf.id, suite.aead.id);
  // In base mode psk and psk_id are empty.
  const pskIdHash = extract(backend.hmac, hash, EMPTY, labeledIkm(suiteId, 'psk_id_hash', EMPTY));
  const secretIkm = labeledIkm(suiteId, 'secret', EMPTY);
  const infoIkm = labeledIkm(suiteId, 'info_hash', info);
  return andThen(pskIdHash, (pskId) =>
    andThen(extract(backend.hmac, hash, EMPTY, infoIkm), (infoHash) => {
      const context = concatBytes(Uint8Array.of(MODE_BASE), pskId, infoHash);
      const outputs = outputsOf(suite, suiteId, context);
      const exportWith = exporter(suite.kdf, suiteId);
      return (sharedSecret) =>
        andThen(backend.hkdf(hash, sharedSecret, secretIkm, outputs), ([exporterSecret, key, baseNonce]) => {
          const exported = exportWith(exporterSecret as Uint8Array);
          if (key === undefined || baseNonce === undefined) return { export: exported };
          return andThen(suite.aead.importKey(key), (aeadKey) => ({
            export: exported,
            aead: { key: aeadKey, baseNonce },
          }));
        });
    }),
  );
}

/** `exporter_secret` first; key and nonce only where there is an AEAD. */
function outputsOf(suite: Suite, suiteId: Uint8Array, context: Uint8Array): readonly HkdfOutput[] {
  const output = (label: string, length: number): HkdfOutput => ({
    info: labeledInfo(suiteId, label, context, length),
    length,
  });
  const { Nk, Nn } = suite.aead;
  const exp = output('exp', suite.kdf.Nh);
  return Nk === 0 ? [exp] : [exp, output('key', Nk), output('base_nonce', Nn)];
}
