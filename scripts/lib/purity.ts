/** Finds where a source reaches for the world: network, timers, clock, randomness of no quality, the process. */
import { lineAt } from './finding.ts';
import { closingBracket, mask } from './mask.ts';

/** One use of something that pure code must be handed. */
export interface WorldUse {
  readonly what: string;
  readonly line: number;
}

const CALLS = ['fetch', 'setTimeout', 'setInterval', 'setImmediate'];

/** A bare name is the global one; a property of an object that was passed in is not. */
const PATTERNS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ...CALLS.map((name) => [`${name}()`, new RegExp(`(?<![\\w$.#])${name}\\s*\\(`, 'g')] as const),
  [
    'a property of globalThis',
    /(?<![\w$.#])globalThis\s*\??\.\s*(?:fetch|setTimeout|setInterval|setImmediate|Date|performance|process|Deno|Bun)\b/g,
  ],
  ['Date.now', /(?<![\w$.#])Date\s*\.\s*now\b/g],
  ['new Date()', /(?<![\w$.#])new\s+Date(?:\s*\(\s*\)|\b(?!\s*\())/g],
  ['Math.random', /(?<![\w$.#])Math\s*\.\s*random\b/g],
  ['performance', /(?<![\w$.#])performance\s*\./g],
  ['process', /(?<![\w$.#])process\s*(?:\.|\[)/g],
  ['AbortSignal.timeout', /(?<![\w$.#])AbortSignal\s*\.\s*timeout\b/g],
];

/** All uses in a source, in order of line. */
export function worldUses(source: string): WorldUse[] {
  const code = mask(source, { strings: true });
  const uses: WorldUse[] = [];
  for (const [what, pattern] of PATTERNS) {
    for (const match of code.matchAll(pattern)) {
      if (match[0].endsWith('(') && isDeclaration(code, match.index, match.index + match[0].length - 1)) continue;
      uses.push({ what, line: lineAt(source, match.index) });
    }
  }
  return uses.sort((a, b) => a.line - b.line);
}

/** A method of that name in a class, interface or object literal: `fetch(url: string): Promise<Response>`. */
function isDeclaration(code: string, start: number, paren: number): boolean {
  const before = code.slice(code.lastIndexOf('\n', start) + 1, start);
  if (/\bfunction\s*\*?\s*$/.test(before)) return true;
  if (!/^\s*(?:(?:public|async|static|override|readonly)\s+)*$/.test(before)) return false;
  return /^\s*[:{]/.test(code.slice(closingBracket(code, paren)));
}
