/** DHKEM(X25519, HKDF-SHA256), the KEM that is always there. RFC 9180 §7.1. */
import { isAllZero } from '@privacy-edge/bytes';
import type { Backend } from './backend.ts';
import { type DhGroup, type DhKem, dhKem } from './dhkem.ts';
import { dhRecipient } from './dhkem-recipient.ts';
import type { RecipientKem } from './kem.ts';
import { drawBytes } from './random.ts';
import { X25519 } from './rows.ts';
import { EMPTY } from './steps.ts';

/** Any string of 32 bytes is a key, so all that can be wrong with one is a low order, which gives zero. */
const GROUP: DhGroup<'X25519'> = {
  name: 'X25519',
  hash: 'SHA-256',
  isPublic: () => true,
  isPrivate: () => true,
  isShared: (dh) => !isAllZero(dh),
  generate: drawBytes,
};

/** The sender's side, and what the other takes from it. */
export function x25519Kem(backend: Backend): DhKem {
  return dhKem(backend, X25519, GROUP);
}

/** The recipient's side. */
export function x25519Recipient(backend: Backend, dh: DhKem): RecipientKem {
  return dhRecipient(backend, X25519, GROUP, dh, (labeled) => labeled('sk', EMPTY));
}
