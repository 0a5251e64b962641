/** Small steps that every part of the protocol takes. */
import { type Awaitable, concatBytes, isPromiseLike, utf8 } from '@privacy-edge/bytes';
import type { HpkeError } from './error.ts';

/** No bytes. */
export const EMPTY: Uint8Array = new Uint8Array(0);

const VERSION = utf8('HPKE-v1');

/** I2OSP(value, 2). */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** `suite_id` of a KEM, RFC 9180 §4.1. */
export function kemSuiteId(kemId: number): Uint8Array {
  return concatBytes(utf8('KEM'), uint16(kemId));
}

/** `suite_id` of a context, RFC 9180 §5.1. */
export function hpkeSuiteId(kemId: number, kdfId: number, aeadId: number): Uint8Array {
  return concatBytes(utf8('HPKE'), uint16(kemId), uint16(kdfId), uint16(aeadId));
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
  const labeled = new Uint8Array(2 + prefix.length + info.length);
  labeled[0] = length >> 8;
  labeled[1] = length;
  labeled.set(prefix, 2);
  labeled.set(info, 2 + prefix.length);
  return labeled;
}

/** Input of the one-stage LabeledDerive with an empty context, which X-Wing uses to derive key pairs. HPKE-BIS §4.4. */
export function labeledDeriveInput(suiteId: Uint8Array, ikm: Uint8Array, label: string, length: number): Uint8Array {
  const name = utf8(label);
  return concatBytes(ikm, VERSION, suiteId, uint16(name.length), name, uint16(length));
}

/**
 * Runs a primitive and replaces whatever it throws by one error of this package.
 *
 * @param step - calls one primitive and nothing else, so that no programming error is hidden
 * @param failure - makes the error; gets no cause, because causes differ between failures
 */
export function orFail<T>(step: () => Awaitable<T>, failure: () => HpkeError): Awaitable<T> {
  try {
    const value = step();
    if (!isPromiseLike(value)) return value;
    return value.then(undefined, () => {
      throw failure();
    });
  } catch {
    throw failure();
  }
}

/** Whether all bytes are zero, in time that depends on the length only. */
export function isAllZero(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) bits |= bytes[i] as number;
  return bits === 0;
}
