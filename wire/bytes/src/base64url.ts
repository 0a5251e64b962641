/** URL-safe Base64. RFC 4648 §5. */
import { DecodeError } from './decode-error.ts';
import { latin1 } from './text.ts';

/** URL-safe Base64 without padding, RFC 4648 §5. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(latin1(bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * Bytes of URL-safe Base64 without padding, RFC 4648 §5. Strict: no padding, no white space, no unused bits.
 *
 * @throws {@link DecodeError} `INVALID`
 */
export function fromBase64Url(text: string): Uint8Array {
  if (/[^A-Za-z0-9_-]/.test(text) || text.length % 4 === 1)
    throw new DecodeError('INVALID', 'The text is not base64url');
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  // Two texts for one value would let a peer tag a value without changing it.
  if (toBase64Url(bytes) !== text) throw new DecodeError('INVALID', 'The base64url text has unused bits set');
  return bytes;
}
