/** Identifiers of the HPKE registries that this package implements. RFC 9180 §7. */

/** DHKEM(X25519, HKDF-SHA256). */
export const KEM_X25519_HKDF_SHA256 = 0x0020;
/** DHKEM(P-256, HKDF-SHA256). */
export const KEM_P256_HKDF_SHA256 = 0x0010;
/** DHKEM(P-384, HKDF-SHA384). */
export const KEM_P384_HKDF_SHA384 = 0x0011;
/** DHKEM(P-521, HKDF-SHA512). */
export const KEM_P521_HKDF_SHA512 = 0x0012;
/** MLKEM768-X25519, also called X-Wing. */
export const KEM_MLKEM768_X25519 = 0x647a;

/** HKDF-SHA256. */
export const KDF_HKDF_SHA256 = 0x0001;
/** HKDF-SHA384. */
export const KDF_HKDF_SHA384 = 0x0002;
/** HKDF-SHA512. */
export const KDF_HKDF_SHA512 = 0x0003;

/** AES-128-GCM. */
export const AEAD_AES_128_GCM = 0x0001;
/** AES-256-GCM. */
export const AEAD_AES_256_GCM = 0x0002;
/** ChaCha20Poly1305. */
export const AEAD_CHACHA20_POLY1305 = 0x0003;
/** No AEAD: contexts of such a suite can only export secrets. */
export const AEAD_EXPORT_ONLY = 0xffff;

/** Base mode, the only one there is here. RFC 9180 §5. */
export const MODE_BASE = 0x00;
