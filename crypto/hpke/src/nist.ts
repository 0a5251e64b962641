/** The NIST curves. RFC 9180 §7.1. */
import { type Awaitable, andThen, fromHex } from '@privacy-edge/bytes';
import type { HashName, NistGroupName, WideBackend } from './backend.ts';
import { type DhGroup, dhKem } from './dhkem.ts';
import { dhRecipient, type LabeledDerivation } from './dhkem-recipient.ts';
import { HpkeError } from './error.ts';
import { type KemAlgorithm, keyInvalid } from './kem.ts';
import { drawBytes } from './random.ts';
import type { Kem, RandomSource } from './types.ts';

const ORDERS: Readonly<Record<NistGroupName, Uint8Array>> = {
  'P-256': fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  'P-384': fromHex(`${'ff'.repeat(24)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`),
  'P-521': fromHex(`01${'ff'.repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
};

/** How many candidates are tried before the source is given up, RFC 9180 §7.1.3. */
const MAX_CANDIDATES = 256;
const UNCOMPRESSED = 0x04;

/**
 * A DH KEM over one of the curves.
 *
 * @param kem - its row
 * @param name - its curve
 * @param hash - hash of its KDF
 */
export function nistKem(backend: WideBackend, kem: Kem, name: NistGroupName, hash: HashName): KemAlgorithm {
  const group: DhGroup<NistGroupName> = {
    name,
    hash,
    // Same length, other first byte: the hybrid form of X9.62, which OpenSSL would accept.
    isPublic: (bytes) => bytes[0] === UNCOMPRESSED,
    isPrivate: (secret) => isScalar(name, secret),
    isShared: () => true,
    generate: (random, length) => randomScalar(name, length, random),
  };
  const dh = dhKem(backend, kem, group);
  return { ...dh, ...dhRecipient(backend, kem, group, dh, (labeled) => deriveScalar(kem, name, labeled)) };
}

/** The loop of DeriveKeyPair, RFC 9180 §7.1.3. */
function deriveScalar(kem: Kem, name: NistGroupName, labeled: LabeledDerivation): Awaitable<Uint8Array> {
  const candidate = (counter: number): Awaitable<Uint8Array> => {
    if (counter === MAX_CANDIDATES) throw keyInvalid(kem);
    return andThen(labeled('candidate', Uint8Array.of(counter)), (bytes) =>
      isScalar(name, maskCandidate(name, bytes)) ? bytes : candidate(counter + 1),
    );
  };
  return candidate(0);
}

/** Whether `secret` is between 1 and the order minus 1, in time that does not depend on its value. */
function isScalar(name: NistGroupName, secret: Uint8Array): boolean {
  const order = ORDERS[name];
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
function maskCandidate(name: NistGroupName, candidate: Uint8Array): Uint8Array {
  if (name === 'P-521') candidate[0] = (candidate[0] as number) & 0x01;
  return candidate;
}

/** A private key from a generator; a candidate out of range is dropped. */
function randomScalar(name: NistGroupName, length: number, random: RandomSource): Uint8Array {
  for (let i = 0; i < MAX_CANDIDATES; i++) {
    const candidate = maskCandidate(name, drawBytes(random, length));
    if (isScalar(name, candidate)) return candidate;
  }
  throw new HpkeError('KEY_INVALID', 'Cannot make private key: the random source gives no usable one');
}
