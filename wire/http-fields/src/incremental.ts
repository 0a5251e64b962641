/** The Incremental field without a general parser: a Boolean Item with parameters to ignore. RFC 10036 §3. */

/** The bare items of RFC 9651 §3.3, each told apart by its first characters. */
const BARE_ITEMS = [
  /-?[0-9]{1,12}\.[0-9]{1,3}/,
  /-?[0-9]{1,15}/,
  /"(?:[ !#-[\]-~]|\\["\\])*"/,
  /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/,
  /:[A-Za-z0-9+/=]*:/,
  /\?[01]/,
  /@-?[0-9]{1,15}/,
  /%"(?:[ !#$&-~]|%[0-9a-f]{2})*"/,
];
const VALUE = BARE_ITEMS.map(({ source }) => source).join('|');
/** RFC 9651 §3.1.2. */
const PARAMETER = new RegExp(`; *[a-z*][a-z0-9_\\-.*]*(?:=(${VALUE}))?`, 'y');

/**
 * Whether a message asks to be forwarded as it arrives.
 *
 * @param value - of Incremental, several lines joined with ", "; attacker-controlled
 * @returns true only for a Boolean true. Its parameters mean nothing, but one that is malformed spoils the field.
 * @see RFC 10036 §3
 * @see RFC 9651 §4.2
 */
export function isIncremental(value: string | undefined): boolean {
  if (value === undefined || value === '?1') return value !== undefined;
  const start = /^ *\?1/.exec(value)?.[0].length;
  if (start === undefined) return false;
  let end = start;
  // A regular expression of its own for each call would be slower; the index is set before every use.
  for (PARAMETER.lastIndex = start; ; end = PARAMETER.lastIndex) {
    const match = PARAMETER.exec(value);
    if (match === null) return onlySpaces(value, end);
    if (!isDecodable(match[1] ?? '')) return false;
  }
}

function onlySpaces(value: string, start: number): boolean {
  for (let i = start; i < value.length; i++) if (value[i] !== ' ') return false;
  return true;
}

/** Byte sequences must be Base64 and display strings UTF-8, which their characters alone do not tell. */
function isDecodable(item: string): boolean {
  try {
    if (item.startsWith(':')) atob(item.slice(1, -1));
    else if (item.startsWith('%')) decodeURIComponent(item.slice(2, -1));
    return true;
  } catch {
    return false;
  }
}
