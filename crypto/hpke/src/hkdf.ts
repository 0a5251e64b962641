/** HKDF over any HMAC. RFC 5869. */
import { type Awaitable, andThen, concatBytes } from '@privacy-edge/bytes';
import type { Backend, HashName, HkdfOutput } from './backend.ts';

type Hmac = Backend['hmac'];

/** Output length of each hash, in bytes. */
export const HASH_BYTES: Readonly<Record<HashName, number>> = { 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };

// HMAC pads its key with zeros to a whole block, so one zero byte is the same key as Nh of them.
const ZERO_SALT = new Uint8Array(1);

/** HKDF-Extract. RFC 5869 §2.2. */
export function extract(hmac: Hmac, hash: HashName, salt: Uint8Array, ikm: Uint8Array): Awaitable<Uint8Array> {
  return hmac(hash, salt.length === 0 ? ZERO_SALT : salt, ikm);
}

/**
 * HKDF-Expand. RFC 5869 §2.3.
 *
 * @throws RangeError when `length` is not an integer from 0 to 255 hashes
 */
export function expand(
  hmac: Hmac,
  hash: HashName,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Awaitable<Uint8Array> {
  const size = HASH_BYTES[hash];
  if (!Number.isInteger(length) || length < 0 || length > 255 * size) {
    throw new RangeError(`HKDF gives 0 to ${255 * size} bytes`);
  }
  const nextBlock = (counter: number, before: Uint8Array, input: Uint8Array): Awaitable<Uint8Array> =>
    andThen(hmac(hash, prk, input, counter), (block) => {
      // Almost every output of HPKE fits in the first block, and most of them are all of it.
      const output = counter === 1 ? block : concatBytes(before, block);
      if (output.length === length) return output;
      return output.length > length
        ? output.slice(0, length)
        : nextBlock(counter + 1, output, concatBytes(block, info));
    });
  return nextBlock(1, info, info);
}

/** {@link extract}, then {@link expand} for each output, one after the other. */
export function extractAndExpand(
  hmac: Hmac,
  hash: HashName,
  salt: Uint8Array,
  ikm: Uint8Array,
  outputs: readonly HkdfOutput[],
): Awaitable<readonly Uint8Array[]> {
  return andThen(extract(hmac, hash, salt, ikm), (prk) => {
    const results: Uint8Array[] = [];
    const next = (at: number): Awaitable<readonly Uint8Array[]> => {
      const output = outputs[at];
      if (output === undefined) return results;
      return andThen(expand(hmac, hash, prk, output.info, output.length), (result) => {
        results.push(result);
        return next(at + 1);
      });
    };
    return next(0);
  });
}
