/** Private keys of the NIST curves in WebCrypto, loaded only by who uses one. */
import { concatBytes, fromBase64Url, toBase64Url } from '@privacy-edge/bytes';
import type { GroupName, PrivateHandle } from './backend.ts';
import { GROUPS, importPkcs8 } from './web-dh.ts';

/**
 * @param group - one of the NIST curves
 * @param secret - a scalar between 1 and the order minus 1
 */
export async function nistPrivate(group: GroupName, secret: Uint8Array): Promise<PrivateHandle> {
  let publicBytes: Uint8Array;
  try {
    const handle = await importPkcs8(group, secret, true);
    const { x, y } = await crypto.subtle.exportKey('jwk', handle);
    publicBytes = concatBytes(Uint8Array.of(4), fromBase64Url(x as string), fromBase64Url(y as string));
    return { handle, publicBytes };
  } catch {
    // WebKit imports no private key without its public one, and Firefox computes none to export.
    publicBytes = await nistPublic(group, secret);
  }
  const coordinates = (publicBytes.length - 1) / 2;
  const jwk = {
    kty: 'EC',
    crv: group,
    d: toBase64Url(secret),
    x: toBase64Url(publicBytes.subarray(1, 1 + coordinates)),
    y: toBase64Url(publicBytes.subarray(1 + coordinates)),
  };
  const handle = await crypto.subtle.importKey('jwk', jwk, GROUPS[group].algorithm, false, ['deriveBits']);
  return { handle, publicBytes };
}

async function nistPublic(group: GroupName, secret: Uint8Array): Promise<Uint8Array> {
  const { p256, p384, p521 } = await import('@noble/curves/nist.js');
  const curve = group === 'P-256' ? p256 : group === 'P-384' ? p384 : p521;
  return curve.getPublicKey(secret, false);
}
