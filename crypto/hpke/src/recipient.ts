/** Private keys, and what recipients do. RFC 9180 §5.1.1 and §7.1. */
import { type Awaitable, andThen } from '@privacy-edge/bytes';
import { recipientContext } from './context.ts';
import { openFailed } from './error.ts';
import { keyInvalid, type RecipientKem } from './kem.ts';
import type { Platform } from './platform.ts';
import { PrivateKey, privateMaterial } from './private-key.ts';
import { PublicKey } from './public-key.ts';
import { kemById, X25519 } from './rows.ts';
import { prepare } from './setup.ts';
import type { Kem, RandomSource, RecipientSetup, Suite } from './types.ts';
import { x25519Recipient } from './x25519.ts';

function recipientKem({ backend, x25519 }: Platform, kem: Kem): Awaitable<RecipientKem> {
  return kem === X25519 ? x25519Recipient(backend, x25519) : backend.moreKem(kem.id);
}

/** `importPrivateKey`. */
export function importPrivate(platform: Platform, kemId: number, bytes: Uint8Array): Awaitable<PrivateKey> {
  const kem = kemById(kemId);
  if (bytes.length !== kem.Nsk) throw keyInvalid(kem);
  const secret = new Uint8Array(bytes);
  return andThen(recipientKem(platform, kem), (algorithm) => privateKey(kem, algorithm, secret));
}

/** `deriveKeyPair`. */
export function derivePair(platform: Platform, kemId: number, ikm: Uint8Array): Awaitable<PrivateKey> {
  const kem = kemById(kemId);
  return andThen(recipientKem(platform, kem), (algorithm) =>
    andThen(algorithm.derive(ikm), (secret) => privateKey(kem, algorithm, secret)),
  );
}

/** `generateKeyPair`. */
export function generatePair(platform: Platform, kemId: number, random: RandomSource): Awaitable<PrivateKey> {
  const kem = kemById(kemId);
  return andThen(recipientKem(platform, kem), (algorithm) => privateKey(kem, algorithm, algorithm.generate(random)));
}

function privateKey(kem: Kem, algorithm: RecipientKem, secret: Uint8Array): Awaitable<PrivateKey> {
  return andThen(
    algorithm.importPrivate(secret),
    ({ handle, publicBytes }) => new PrivateKey(new PublicKey(kem, publicBytes), { secret, handle }),
  );
}

/** `prepareRecipient`. */
export function recipientSetup(
  platform: Platform,
  suite: Suite,
  privateKey: PrivateKey,
  info: Uint8Array,
): Awaitable<RecipientSetup> {
  const { handle } = privateMaterial(privateKey);
  const { kem, bytes } = privateKey.publicKey;
  return andThen(prepare(platform, suite, privateKey.publicKey, info), (schedule) =>
    andThen(recipientKem(platform, kem), (algorithm) => ({
      suite,
      privateKey,
      setup: (enc) => {
        if (enc.length !== kem.Nenc) throw openFailed();
        // A copy of our own: the bytes are read twice, and the caller's could change between the two.
        return andThen(algorithm.decap(handle, bytes, new Uint8Array(enc)), (sharedSecret) =>
          andThen(schedule(sharedSecret), (keys) => recipientContext(keys)),
        );
      },
    })),
  );
}
