/** What makes a field line valid, on the bytes and on the name. RFC 9292 §3.6. */

/** Result of {@link scanName}. */
export const NAME_INVALID = 0;
const NAME_LOWER_CASE = 1;
export const NAME_MIXED_CASE = 2;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether a text is a token. RFC 9110 §5.6.2. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Per byte: 0 not allowed in a token, 1 allowed, 2 an upper-case letter. */
const TOKEN_BYTES = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (!isToken(character)) return 0;
  return character === character.toLowerCase() ? NAME_LOWER_CASE : NAME_MIXED_CASE;
});

/**
 * Judges a field name, or the name of a pseudo-field, which is a colon and a token.
 *
 * @param bytes - attacker-controlled
 * @param start - first byte of the name
 * @param end - after its last byte
 */
export function scanName(bytes: Uint8Array, start: number, end: number): 0 | 1 | 2 {
  const first = bytes[start] === COLON ? start + 1 : start;
  if (first >= end) return NAME_INVALID;
  let seen = 0;
  for (let i = first; i < end; i++) {
    const kind = TOKEN_BYTES[bytes[i] as number] as number;
    if (kind === 0) return NAME_INVALID;
    seen |= kind;
  }
  return seen === 1 ? NAME_LOWER_CASE : NAME_MIXED_CASE;
}

/**
 * Whether HTTP/2 would accept a field value: no NUL, CR or LF, and no space or tab at either end. RFC 9113 §8.2.1.
 * Other control characters pass, as they do there.
 *
 * @param bytes - attacker-controlled
 * @param start - first byte of the value
 * @param end - after its last byte
 */
export function isFieldValue(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  if (isBlank(bytes[start] as number) || isBlank(bytes[end - 1] as number)) return false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte <= 0x0d && (byte === 0x0d || byte === 0x0a || byte === 0)) return false;
  }
  return true;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}

const COLON = 0x3a;
const CONTROL_DATA = new Set([':method', ':scheme', ':authority', ':path', ':status']);

/** Which section a field line stands in: pseudo-fields of extensions are allowed in headers only. */
export type FieldSection = 'header' | 'trailer';

/**
 * What is wrong with a pseudo-field at its place, or undefined. RFC 9292 §3.6.
 *
 * @param name - lower case, starts with a colon
 * @param section - where it was found
 * @param afterRegular - whether a regular field came before it
 */
export function pseudoFieldProblem(name: string, section: FieldSection, afterRegular: boolean): string | undefined {
  if (CONTROL_DATA.has(name)) return 'control data is repeated as a pseudo-field';
  if (section === 'trailer') return 'a pseudo-field is in the trailer section';
  if (afterRegular) return 'a pseudo-field follows a regular field';
  return undefined;
}
