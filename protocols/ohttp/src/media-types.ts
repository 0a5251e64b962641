/** Media types of Oblivious HTTP. RFC 9458 §9, Chunked OHTTP §8. */

/** List of key configurations, RFC 9458 §9.1. */
export const MEDIA_TYPE_KEYS = 'application/ohttp-keys';
/** Encapsulated request, RFC 9458 §9.2. */
export const MEDIA_TYPE_REQUEST = 'message/ohttp-req';
/** Encapsulated response, RFC 9458 §9.3. */
export const MEDIA_TYPE_RESPONSE = 'message/ohttp-res';
/** Chunked encapsulated request, Chunked OHTTP §8.1. */
export const MEDIA_TYPE_CHUNKED_REQUEST = 'message/ohttp-chunked-req';
/** Chunked encapsulated response, Chunked OHTTP §8.2. */
export const MEDIA_TYPE_CHUNKED_RESPONSE = 'message/ohttp-chunked-res';
