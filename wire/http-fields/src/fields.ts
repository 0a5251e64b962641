/** Lexical parts that HTTP fields share. RFC 9110 §5.6. */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const QUOTED = /^"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"$/;

/** Whether a text is a token. RFC 9110 §5.6.2. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether a text is one quoted string, quotes included. RFC 9110 §5.6.4. */
export function isQuotedString(text: string): boolean {
  return QUOTED.test(text);
}

/**
 * The members of a comma-separated list, without white space around them and without empty ones. Commas inside of quoted
 * strings do not separate.
 *
 * @param value - attacker-controlled; need not be well-formed
 * @see RFC 9110 §5.6.1
 */
export function splitList(value: string): string[] {
  return splitOutsideQuotes(value, ',').filter((member) => member !== '');
}

/**
 * Cuts a text at a separator, except inside of quoted strings, and removes white space around the pieces. A quote that
 * is never closed reaches to the end.
 *
 * @param text - attacker-controlled
 * @param separator - one character, not a quote
 */
export function splitOutsideQuotes(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') quoted = !quoted;
    else if (quoted && character === '\\') i++;
    else if (!quoted && character === separator) {
      pieces.push(trimBlank(text.slice(start, i)));
      start = i + 1;
    }
  }
  pieces.push(trimBlank(text.slice(start)));
  return pieces;
}

/** Removes spaces and tabs at both ends; no other white space is optional in HTTP. RFC 9110 §5.6.3. */
function trimBlank(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** What a quoted string stands for; any other text is returned as it is. */
export function unquote(text: string): string {
  return isQuotedString(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}
