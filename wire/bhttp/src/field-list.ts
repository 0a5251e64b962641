/** Work on lists of field lines. */
import { DecodeError } from '@privacy-edge/bytes';
import { isWebAuthority } from './control-data.ts';
import type { Field } from './field.ts';
import type { RequestHead } from './message.ts';

/**
 * The value of a field: all its lines in order, joined with ", ", or with "; " for `cookie`. Not for `set-cookie`,
 * whose lines must stay apart: see {@link getFieldLines}.
 *
 * @param fields - names in lower case, as decoders give them
 * @param name - lower case
 * @returns undefined when there is no such line
 * @see RFC 9110 §5.3
 * @see RFC 9113 §8.2.3
 */
export function getField(fields: readonly Field[], name: string): string | undefined {
  let joined: string | undefined;
  for (const [candidate, value] of fields) {
    if (candidate === name) joined = joined === undefined ? value : joined + (name === 'cookie' ? '; ' : ', ') + value;
  }
  return joined;
}

/**
 * The values of all lines of a field.
 *
 * @param fields - names in lower case, as decoders give them
 * @param name - lower case
 */
export function getFieldLines(fields: readonly Field[], name: string): string[] {
  return fields.filter(([candidate]) => candidate === name).map(([, value]) => value);
}

/**
 * The same fields with all `cookie` lines joined into the first, as HTTP/1.1 wants them.
 *
 * @param fields - names in lower case
 * @see RFC 9292 §3.6
 */
export function combineCookies(fields: readonly Field[]): Field[] {
  const cookie = getField(fields, 'cookie');
  let placed = false;
  const combined: Field[] = [];
  for (const field of fields) {
    if (field[0] !== 'cookie') combined.push(field);
    else if (!placed && cookie !== undefined) {
      combined.push(['cookie', cookie]);
      placed = true;
    }
  }
  return combined;
}

/** Fields about one connection, whether or not Connection lists them. RFC 9110 §7.6.1 and RFC 9113 §8.2.2. */
const CONNECTION_FIELDS = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The fields that may travel on from here: without connection-specific fields, those that Connection names, and TE
 * unless it says just "trailers".
 *
 * @param fields - names in lower case; may be attacker-controlled
 * @see RFC 9292 §3.6
 */
export function stripConnectionFields(fields: readonly Field[]): Field[] {
  const listed = new Set<string>();
  for (const value of getFieldLines(fields, 'connection')) {
    for (const option of value.split(',')) listed.add(option.trim().toLowerCase());
  }
  return fields.filter(([name, value]) => {
    if (CONNECTION_FIELDS.has(name) || listed.has(name)) return false;
    return name !== 'te' || value.toLowerCase() === 'trailers';
  });
}

/**
 * The authority that a request is for: its control data, or else its Host field. A request that names two is refused,
 * because whoever checks one and connects to the other can be fooled.
 *
 * @param head - attacker-controlled
 * @returns host and optional port as the client wrote them, never empty
 * @throws {@link DecodeError} `INVALID` when there is none, or more than one, or they differ
 * @see RFC 9113 §8.3.1
 */
export function effectiveAuthority(head: Pick<RequestHead, 'authority' | 'fields'>): string {
  const hosts = getFieldLines(head.fields, 'host');
  const [host] = hosts;
  if (hosts.length > 1) throw new DecodeError('INVALID', 'Cannot tell the authority: there are several Host fields');
  if (head.authority === '') {
    if (host === undefined || !isWebAuthority(host)) {
      throw new DecodeError('INVALID', 'Cannot tell the authority: there is no valid one');
    }
    return host;
  }
  if (host !== undefined && host.toLowerCase() !== head.authority.toLowerCase()) {
    throw new DecodeError('INVALID', 'Cannot tell the authority: Host names another one');
  }
  return head.authority;
}
