/** Short forms for WebCrypto, whose declared types tell shared memory apart, which nothing here uses. */

/** A key of its raw bytes, which cannot be read back. */
export function importRaw(
  bytes: Uint8Array,
  algorithm: string | HmacImportParams | EcKeyImportParams,
  usages: readonly KeyUsage[],
): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes as BufferSource, algorithm, false, usages as KeyUsage[]);
}

/** @param bits - wanted, a multiple of 8 */
export async function deriveBits(
  algorithm: HkdfParams | EcdhKeyDeriveParams,
  key: CryptoKey,
  bits: number,
): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, bits));
}
