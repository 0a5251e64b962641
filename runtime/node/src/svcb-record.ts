/** Service binding records: the RDATA of SVCB (type 64) and HTTPS (type 65). RFC 9460 §2.2. */
import { DecodeError, latin1, Reader } from '@privacy-edge/bytes';

/** A decoded record. */
export interface SvcbRecord {
  /** 0 is an alias: go on with `target`. Otherwise lower is better. */
  readonly priority: number;
  /** Name without the final dot; empty means the owner name. */
  readonly target: string;
  /** Values by key number, in ascending order. */
  readonly params: ReadonlyMap<number, Uint8Array>;
}

/** Key of the list of keys that a client must understand. RFC 9460 §8. */
export const SVC_PARAM_MANDATORY = 0;
/** Key that says the service has an Oblivious Gateway. RFC 9540 §4. */
export const SVC_PARAM_OHTTP = 8;

/** Keys a client of ours understands well enough to honour `mandatory`: mandatory, alpn, no-default-alpn, port, hints, ohttp. */
const UNDERSTOOD: ReadonlySet<number> = new Set([SVC_PARAM_MANDATORY, 1, 2, 3, 4, 6, SVC_PARAM_OHTTP]);
const PORT = 3;

/**
 * Reads the RDATA of one record. Names in it are never compressed, keys must ascend, and `mandatory` must name keys that are
 * there.
 *
 * @param data - from a resolver, not authenticated
 * @throws DecodeError for anything RFC 9460 §2.2 and §8 do not allow
 */
export function decodeSvcb(data: Uint8Array): SvcbRecord {
  const reader = new Reader(data, 'service binding');
  const priority = reader.u16();
  const target = readName(reader);
  const params = new Map<number, Uint8Array>();
  let before = -1;
  while (reader.remaining > 0) {
    const key = reader.u16();
    if (key <= before) throw new DecodeError('INVALID', 'The parameters of a service binding are not in order');
    before = key;
    params.set(key, reader.bytes(reader.u16()).slice());
  }
  if (params.get(SVC_PARAM_OHTTP)?.length) throw new DecodeError('INVALID', 'The ohttp parameter has a value');
  if (params.has(PORT) && params.get(PORT)?.length !== 2)
    throw new DecodeError('INVALID', 'The port has a wrong length');
  checkMandatory(params);
  return { priority, target, params };
}

/** True when a client of ours may use the record; an unknown mandatory key makes it unusable (RFC 9460 §8). */
export function isUsable(record: SvcbRecord): boolean {
  return mandatoryKeys(record.params).every((key) => UNDERSTOOD.has(key));
}

/** True when clients that do not understand `key` must not use the record. */
export function isMandatory(record: SvcbRecord, key: number): boolean {
  return mandatoryKeys(record.params).includes(key);
}

/** Port of the alternative endpoint; undefined when the record names none. */
export function portOf(record: SvcbRecord): number | undefined {
  const value = record.params.get(PORT);
  return value === undefined ? undefined : new Reader(value, 'port').u16();
}

function mandatoryKeys(params: SvcbRecord['params']): readonly number[] {
  const value = params.get(SVC_PARAM_MANDATORY) ?? new Uint8Array(0);
  const keys: number[] = [];
  const reader = new Reader(value, 'mandatory keys');
  while (reader.remaining > 0) keys.push(reader.u16());
  return keys;
}

function checkMandatory(params: SvcbRecord['params']): void {
  if (!params.has(SVC_PARAM_MANDATORY)) return;
  const keys = mandatoryKeys(params);
  const ascending = keys.every((key, index) => index === 0 || key > (keys[index - 1] ?? 0));
  const valid = keys.length > 0 && ascending && keys.every((key) => key !== SVC_PARAM_MANDATORY && params.has(key));
  if (!valid) throw new DecodeError('INVALID', 'The mandatory parameter is malformed');
}

function readName(reader: Reader): string {
  const labels: string[] = [];
  let length = 1;
  for (;;) {
    const size = reader.u8();
    if (size === 0) return labels.join('.');
    // The two high bits would be a compression pointer.
    if (size > 63) throw new DecodeError('INVALID', 'The target name is compressed or too long');
    length += size + 1;
    if (length > 255) throw new DecodeError('LIMIT', 'The target name is too long');
    const label = latin1(reader.bytes(size));
    if (!/^[A-Za-z0-9_-]+$/.test(label)) throw new DecodeError('INVALID', 'The target name is not a host name');
    labels.push(label.toLowerCase());
  }
}
