/** Keys of the NIST curves in WebCrypto. */
import { concatBytes, fromBase64Url, fromHex, toBase64Url } from '@privacy-edge/bytes';
import type { NistGroupName, PrivateHandle } from './backend.ts';
import { deriveBits, importRaw } from './web-crypto.ts';

/** How a private key without its public one is written, and how long a shared secret is. */
interface Curve {
  /** PKCS #8 up to the private key. */
  readonly pkcs8: Uint8Array;
  readonly sharedBits: number;
}

const CURVES: Readonly<Record<NistGroupName, Curve>> = {
  'P-256': curve('3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420', 256),
  'P-384': curve('304e020100301006072a8648ce3d020106052b81040022043730350201010430', 384),
  'P-521': curve('3060020100301006072a8648ce3d020106052b81040023044930470201010442', 528),
};

function curve(pkcs8: string, sharedBits: number): Curve {
  return { pkcs8: fromHex(pkcs8), sharedBits };
}

function algorithm(namedCurve: NistGroupName): EcKeyImportParams {
  return { name: 'ECDH', namedCurve };
}

/** @param secret - a scalar between 1 and the order minus 1 */
export async function nistPrivate(group: NistGroupName, secret: Uint8Array): Promise<PrivateHandle> {
  let publicBytes: Uint8Array;
  try {
    const encoded = concatBytes(CURVES[group].pkcs8, secret);
    const handle = await crypto.subtle.importKey('pkcs8', encoded as BufferSource, algorithm(group), true, [
      'deriveBits',
    ]);
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
  const handle = await crypto.subtle.importKey('jwk', jwk, algorithm(group), false, ['deriveBits']);
  return { handle, publicBytes };
}

/** The x-coordinate of the shared point; importing the peer's refuses one that is not on the curve. */
export async function nistShared(group: NistGroupName, handle: CryptoKey, peer: Uint8Array): Promise<Uint8Array> {
  const publicKey = await importRaw(peer, algorithm(group), []);
  return deriveBits({ name: 'ECDH', public: publicKey }, handle, CURVES[group].sharedBits);
}

async function nistPublic(group: NistGroupName, secret: Uint8Array): Promise<Uint8Array> {
  const { p256, p384, p521 } = await import('@noble/curves/nist.js');
  const noble = group === 'P-256' ? p256 : group === 'P-384' ? p384 : p521;
  return noble.getPublicKey(secret, false);
}
