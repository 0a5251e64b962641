/** Small steps that every part of the protocol takes. RFC 9180 §4. */
import { concatBytes, uint16, utf8 } from '@privacy-edge/bytes';

/** No bytes. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** What every labeled input begins with. */
export const VERSION: Uint8Array = utf8('HPKE-v1');

/** `suite_id` of a KEM, RFC 9180 §4.1. */
export function kemSuiteId(kemId: number): Uint8Array {
  return concatBytes(utf8('KEM'), uint16(kemId));
}

/** `suite_id` of a context, RFC 9180 §5.1. */
export function hpkeSuiteId(kemId: number, kdfId: number, aeadId: number): Uint8Array {
  return concatBytes(utf8('HPKE'), uint16(kemId, kdfId, aeadId));
}

/** What stands before `ikm` or `info` in every labeled input, made once for each label. RFC 9180 §4. */
export function labelPrefix(suiteId: Uint8Array, label: string): Uint8Array {
  return concatBytes(VERSION, suiteId, utf8(label));
}

/** `labeled_ikm` of LabeledExtract, RFC 9180 §4. */
export function labeledIkm(suiteId: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return concatBytes(labelPrefix(suiteId, label), ikm);
}

/** `labeled_info` of LabeledExpand, RFC 9180 §4. */
export function labeledInfo(suiteId: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  return prefixedInfo(labelPrefix(suiteId, label), info, length);
}

/** {@link labeledInfo} from a prefix that is there already. */
export function prefixedInfo(prefix: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return concatBytes(uint16(length), prefix, info);
}
