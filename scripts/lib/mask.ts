/**
 * TypeScript source with comments, and on request the content of strings, replaced by spaces. Offsets and lines stay as
 * they were, so that a search in the masked text points at the real place.
 */

/** What {@link mask} blanks out. */
export interface MaskOptions {
  /** Also blank the characters between quotes, template text and regular expressions. */
  readonly strings: boolean;
}

const REGEX_MAY_FOLLOW = /(?:^|[(,=:[!&|?{};~^+\-*%<>]|\b(?:return|typeof|case|in|of|void|throw|await|yield))\s*$/;

/** Scans once from front to back; templates nest, so their closing braces are kept on a stack. */
export function mask(source: string, options: MaskOptions): string {
  const out: string[] = [];
  const templateDepths: number[] = [];
  let braces = 0;
  let at = 0;

  const keep = (end: number): void => {
    out.push(source.slice(at, end));
    at = end;
  };
  const blank = (end: number, really = true): void => {
    out.push(really ? source.slice(at, end).replace(/[^\n]/g, ' ') : source.slice(at, end));
    at = end;
  };
  /** Template text up to its end or the next `${`. */
  const template = (): void => {
    let end = at;
    while (end < source.length && source[end] !== '`' && !source.startsWith('${', end))
      end += source[end] === '\\' ? 2 : 1;
    blank(Math.min(end, source.length), options.strings);
    if (source[at] === '`') {
      keep(at + 1);
      return;
    }
    templateDepths.push(braces);
    keep(at + 2);
  };

  while (at < source.length) {
    const char = source[at] as string;
    if (source.startsWith('//', at)) {
      blank(endOr(source, source.indexOf('\n', at)));
    } else if (source.startsWith('/*', at)) {
      blank(endOr(source, source.indexOf('*/', at), 2));
    } else if (char === "'" || char === '"') {
      const end = quoteEnd(source, at, char);
      keep(at + 1);
      blank(end, options.strings);
      keep(Math.min(end + 1, source.length));
    } else if (char === '`') {
      keep(at + 1);
      template();
    } else if (char === '/' && REGEX_MAY_FOLLOW.test(out.slice(-8).join('').slice(-200))) {
      const end = regexEnd(source, at);
      keep(at + 1);
      blank(end, options.strings);
    } else if (char === '}' && templateDepths.at(-1) === braces) {
      templateDepths.pop();
      keep(at + 1);
      template();
    } else {
      if (char === '{') braces++;
      if (char === '}') braces--;
      keep(at + 1);
    }
  }
  return out.join('');
}

/**
 * Offset after the bracket that closes the one at `open`, in text without strings and comments.
 *
 * @returns the length of the text when it never closes
 */
export function closingBracket(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    const char = code[at] as string;
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth === 0) return at + 1;
  }
  return code.length;
}

function endOr(source: string, found: number, extra = 0): number {
  return found === -1 ? source.length : found + extra;
}

function quoteEnd(source: string, open: number, quote: string): number {
  let end = open + 1;
  while (end < source.length && source[end] !== quote && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1;
  return Math.min(end, source.length);
}

function regexEnd(source: string, open: number): number {
  let inClass = false;
  for (let end = open + 1; end < source.length; end++) {
    const char = source[end];
    if (char === '\\') end++;
    else if (char === '\n') return open + 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return end;
  }
  return source.length;
}
