/** Diffie-Hellman KEMs: the recipient's side. RFC 9180 §4.1 and §7.1.3. */
import { type Awaitable, andThen, replaceErrors } from '@privacy-edge/bytes';
import type { Backend, GroupName } from './backend.ts';
import type { DhGroup, DhKem } from './dhkem.ts';
import { openFailed } from './error.ts';
import { expand, extract } from './hkdf.ts';
import type { RecipientKem } from './kem.ts';
import { EMPTY, kemSuiteId, labeledIkm, labeledInfo } from './steps.ts';
import type { Kem } from './types.ts';

/** One LabeledExpand of DeriveKeyPair: label and `info` in, Nsk bytes out. */
export type LabeledDerivation = (label: string, info: Uint8Array) => Awaitable<Uint8Array>;

/**
 * The recipient's side of a DH KEM.
 *
 * @param kem - its row
 * @param group - its group
 * @param dh - the steps that both sides take
 * @param derivePrivate - the end of DeriveKeyPair, in which the groups differ
 */
export function dhRecipient<G extends GroupName>(
  backend: Backend<G>,
  kem: Kem,
  group: DhGroup<G>,
  dh: DhKem,
  derivePrivate: (labeled: LabeledDerivation) => Awaitable<Uint8Array>,
): RecipientKem {
  const suiteId = kemSuiteId(kem.id);
  const { dhKemDecap } = backend;
  return {
    importPrivate: dh.importPrivate,
    generate: dh.generate,
    derive: (ikm) =>
      andThen(extract(backend.hmac, group.hash, EMPTY, labeledIkm(suiteId, 'dkp_prk', ikm)), (prk) =>
        derivePrivate((label, info) =>
          expand(backend.hmac, group.hash, prk, labeledInfo(suiteId, label, info, kem.Nsk), kem.Nsk),
        ),
      ),
    decap: (handle, publicBytes, enc) => {
      if (dhKemDecap === undefined) {
        return andThen(dh.exchange(handle, enc, openFailed), (shared) => dh.extractAndExpand(shared, enc, publicBytes));
      }
      if (!group.isPublic(enc)) throw openFailed();
      return replaceErrors(() => dhKemDecap(handle, enc), openFailed);
    },
  };
}
