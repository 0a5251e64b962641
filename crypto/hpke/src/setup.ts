/** What the two sides of a context share, and what senders do. RFC 9180 §5.1. */
import { type Awaitable, andThen } from '@privacy-edge/bytes';
import { senderContext } from './context.ts';
import { keyInvalid } from './kem.ts';
import { type KeySchedule, prepareKeySchedule } from './key-schedule.ts';
import { type Platform, senderKem, suiteFrom } from './platform.ts';
import { PublicKey } from './public-key.ts';
import { kemById } from './rows.ts';
import type { SenderSetup, Suite } from './types.ts';

/** `importPublicKey`. */
export function importPublic(platform: Platform, kemId: number, bytes: Uint8Array): Awaitable<PublicKey> {
  const kem = kemById(kemId);
  if (bytes.length !== kem.Npk) throw keyInvalid(kem);
  const copy = new Uint8Array(bytes);
  return andThen(senderKem(platform, kem), (algorithm) =>
    andThen(algorithm.checkPublic(copy), () => new PublicKey(kem, copy)),
  );
}

/**
 * Checks that a key fits, and does what depends on suite and `info` only.
 *
 * @param key - the recipient's
 */
export function prepare(
  platform: Platform,
  { kem, kdf, aead }: Suite,
  key: PublicKey,
  info: Uint8Array,
): Awaitable<KeySchedule> {
  // The rows of this platform, whatever object the caller put the identifiers in.
  const own = suiteFrom(platform, kem.id, kdf.id, aead.id);
  if (!PublicKey.is(key)) throw new TypeError('A key comes from this package');
  if (key.kem.id !== kem.id) throw new TypeError(`A key for ${key.kem.name} does not fit ${kem.name}`);
  return prepareKeySchedule(platform.backend, own, info);
}

/** `prepareSender`. */
export function senderSetup(
  platform: Platform,
  suite: Suite,
  publicKey: PublicKey,
  info: Uint8Array,
): Awaitable<SenderSetup> {
  return andThen(prepare(platform, suite, publicKey, info), (schedule) =>
    andThen(senderKem(platform, publicKey.kem), (algorithm) => ({
      suite,
      publicKey,
      setup: (random) =>
        andThen(algorithm.encap(publicKey.bytes, random), ({ sharedSecret, enc }) =>
          andThen(schedule(sharedSecret), (keys) => ({ enc, context: senderContext(keys) })),
        ),
    })),
  );
}
