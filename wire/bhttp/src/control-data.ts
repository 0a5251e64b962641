/** Rules for method, scheme, authority, path and status. RFC 9292 §3.4 and §3.5. */
import { DecodeError } from '@privacy-edge/bytes';
import type { Field } from './field.ts';
import { isToken } from './field-rules.ts';
import type { RequestHead } from './message.ts';

/** Framing indicators. RFC 9292 §3.3. */
const KNOWN_LENGTH_REQUEST = 0;
const KNOWN_LENGTH_RESPONSE = 1;
const INDETERMINATE_LENGTH_REQUEST = 2;
const INDETERMINATE_LENGTH_RESPONSE = 3;

/** What a decoder was asked to decode. */
export type MessageKind = 'request' | 'response';

/**
 * Judges a framing indicator.
 *
 * @returns whether the message has known length
 * @throws {@link DecodeError} `INVALID` for an unknown indicator or the other kind of message
 */
export function isKnownLength(indicator: number, wanted: MessageKind): boolean {
  if (indicator > INDETERMINATE_LENGTH_RESPONSE) {
    throw new DecodeError('INVALID', 'Cannot decode the message: its framing indicator is unknown');
  }
  const kind = indicator % 2 === 0 ? 'request' : 'response';
  if (kind !== wanted) throw new DecodeError('INVALID', `Cannot decode a ${wanted}: the message is a ${kind}`);
  return indicator < INDETERMINATE_LENGTH_REQUEST;
}

/** The framing indicator for an encoder. */
export function framingIndicator(kind: MessageKind, known: boolean): number {
  const indicator = kind === 'request' ? KNOWN_LENGTH_REQUEST : KNOWN_LENGTH_RESPONSE;
  return known ? indicator : indicator + INDETERMINATE_LENGTH_REQUEST;
}

/** Whether a status code is informational (true) or final (false). `INVALID` for anything outside of 100 to 599. */
export function isInformational(status: number): boolean {
  if (status < 100 || status > 599) throw new DecodeError('INVALID', 'Cannot decode the response: no such status code');
  return status < 200;
}

/** The four values of request control data. */
type RequestControl = Pick<RequestHead, 'method' | 'scheme' | 'authority' | 'path'>;

/**
 * What is wrong with request control data, or undefined. The rules are those of the pseudo-header fields of HTTP/2,
 * RFC 9113 §8.3.1, and of CONNECT, RFC 9113 §8.5 and RFC 8441 §4.
 *
 * @param control - byte strings; may be attacker-controlled
 * @param fields - the header section; an extended CONNECT names its protocol there
 */
export function requestProblem(control: RequestControl, fields: readonly Field[]): string | undefined {
  const { method, scheme, authority, path } = control;
  if (!isToken(method)) return invalid('method');
  if (method === 'CONNECT' && !fields.some(([name]) => name === ':protocol')) {
    if (scheme !== '' || path !== '') return 'CONNECT has a scheme or a path';
    return isWebAuthority(authority) ? undefined : invalid('authority');
  }
  if (!SCHEME.test(scheme)) return invalid('scheme');
  return /^https?$/i.test(scheme) ? webTargetProblem(method, authority, path) : otherTargetProblem(authority, path);
}

function webTargetProblem(method: string, authority: string, path: string): string | undefined {
  if (authority !== '' && !isWebAuthority(authority)) return invalid('authority');
  if (path === '*') return method === 'OPTIONS' ? undefined : 'only OPTIONS has the path *';
  return path.startsWith('/') && ANY_PATH.test(path) ? undefined : invalid('path');
}

function otherTargetProblem(authority: string, path: string): string | undefined {
  if (!ANY_AUTHORITY.test(authority)) return invalid('authority');
  return ANY_PATH.test(path) ? undefined : invalid('path');
}

function invalid(what: string): string {
  return `the ${what} is not valid`;
}

/** Whether a text is a host with an optional port: what http and https allow as authority, and as Host. */
export function isWebAuthority(text: string): boolean {
  return WEB_AUTHORITY.test(text);
}

// None of these can backtrack: each alternative starts with characters that the others do not have.
/** RFC 3986 §3.1. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
/** Host and optional port without user information, RFC 3986 §3.2; a host is never empty, RFC 9110 §4.2.1. */
const WEB_AUTHORITY = /^(?:\[[0-9A-Za-z:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/;
/** Adds user information and any shape for schemes that this kit does not know. */
const ANY_AUTHORITY = /^[A-Za-z0-9\-._~!$&'()*+,;=%:@[\]]*$/;
/** No fragment, white space, control or non-ASCII bytes: the places where two parsers of one target disagree. */
const ANY_PATH = /^[!"$-~]*$/;
