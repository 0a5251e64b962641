/** Labels that separate the uses of one HPKE key. RFC 9458 §4.6, Chunked OHTTP §6. */
import { concatBytes, uint16, utf8 } from '@privacy-edge/bytes';
import type { SymmetricSuite } from './key-config.ts';

/** The media types whose names go into the key schedule, for requests and for responses. */
export interface Labels {
  readonly request: string;
  readonly response: string;
}

/** Labels of `message/ohttp-req` and `message/ohttp-res` that carry Binary HTTP. */
export const WHOLE_LABELS: Labels = { request: 'message/bhttp request', response: 'message/bhttp response' };

/** Labels of the chunked message types that carry Binary HTTP. */
export const CHUNKED_LABELS: Labels = {
  request: 'message/bhttp chunked request',
  response: 'message/bhttp chunked response',
};

/** Bytes of the header of every encapsulated request. */
export const HEADER_LENGTH = 7;

/** Key Identifier (8), HPKE KEM ID (16), HPKE KDF ID (16), HPKE AEAD ID (16). RFC 9458 §4.1. */
export function encodeHeader(keyId: number, kemId: number, suite: SymmetricSuite): Uint8Array {
  return concatBytes(Uint8Array.of(keyId), uint16(kemId, suite.kdfId, suite.aeadId));
}

/** `info` of the HPKE context: label, a zero byte, header. RFC 9458 §4.3. */
export function requestInfo(label: string, header: Uint8Array): Uint8Array {
  return concatBytes(utf8(label), Uint8Array.of(0), header);
}
