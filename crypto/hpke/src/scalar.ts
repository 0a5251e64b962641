/** Private keys of the NIST curves. RFC 9180 §7.1.3. */
import { fromHex } from '@privacy-edge/bytes';
import type { GroupName } from './backend.ts';
import { HpkeError } from './error.ts';
import type { RandomSource } from './types.ts';

const ORDERS: Readonly<Partial<Record<GroupName, Uint8Array>>> = {
  'P-256': fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  'P-384': fromHex(`${'ff'.repeat(24)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`),
  'P-521': fromHex(`01${'ff'.repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
};

/** How many candidates are tried before the source is given up, RFC 9180 §7.1.3. */
export const MAX_CANDIDATES = 256;

/**
 * Whether `secret` is between 1 and the order minus 1. X25519 takes any string.
 *
 * @param secret - Nsk bytes; the time does not depend on its value
 */
export function isScalar(group: GroupName, secret: Uint8Array): boolean {
  const order = ORDERS[group];
  if (order === undefined) return true;
  let bits = 0;
  let borrow = 0;
  for (let i = order.length - 1; i >= 0; i--) {
    const byte = secret[i] as number;
    bits |= byte;
    // The borrow of a subtraction: 1 when secret[i..] is below order[i..].
    borrow = ((byte - (order[i] as number) - borrow) >> 8) & 1;
  }
  return bits !== 0 && borrow === 1;
}

/** Clears the bits that a candidate for the curve's order must not have, in place. */
export function maskCandidate(group: GroupName, candidate: Uint8Array): Uint8Array {
  if (group === 'P-521') candidate[0] = (candidate[0] as number) & 0x01;
  return candidate;
}

/**
 * A private key from a generator; a candidate out of range is dropped.
 *
 * @throws {@link HpkeError} `KEY_INVALID` when the generator never gives a usable one
 */
export function randomScalar(group: GroupName, length: number, random: RandomSource): Uint8Array {
  for (let i = 0; i < MAX_CANDIDATES; i++) {
    const candidate = maskCandidate(group, drawBytes(random, length));
    if (isScalar(group, candidate)) return candidate;
  }
  throw new HpkeError('KEY_INVALID', 'Cannot make private key: the random source gives no usable one');
}

/**
 * Bytes from the caller's generator, as an own copy.
 *
 * @throws RangeError when the generator gives another number of bytes
 */
export function drawBytes(random: RandomSource, length: number): Uint8Array {
  const bytes = random(length);
  if (bytes.length !== length) throw new RangeError(`A random source gave ${bytes.length} bytes instead of ${length}`);
  return new Uint8Array(bytes);
}
