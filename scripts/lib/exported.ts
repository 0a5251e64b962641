/** Exported declarations of TypeScript sources, found in their text: names, places, doc comments, re-exports. */
import { closingBracket, mask } from './mask.ts';

/** A declaration or a class member. */
export interface Declaration {
  readonly name: string;
  readonly kind: string;
  /** Offset of its first character, modifiers included. */
  readonly offset: number;
  readonly documented: boolean;
  /** Public methods and accessors, for classes. */
  readonly members: readonly Declaration[];
}

/** What a module offers under one name. */
export interface ReExport {
  /** Name outside. */
  readonly name: string;
  /** Name in the module it comes from. */
  readonly original: string;
  /** Undefined when it is declared or imported in the same file. */
  readonly specifier: string | undefined;
  readonly offset: number;
}

/** Everything the doc check needs to know of one file. */
export interface ModuleShape {
  readonly declarations: readonly Declaration[];
  readonly reExports: readonly ReExport[];
  /** Offsets of `export *`. */
  readonly stars: readonly number[];
  /** Local name to where it was imported from. */
  readonly imported: ReadonlyMap<string, { readonly specifier: string; readonly original: string }>;
}

const DECLARATION =
  /^(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(function\s*\*?|class|interface|type|const|let|var|enum|namespace)\s+([A-Za-z_$][\w$]*)/gm;
const BRACES = /^(import|export)\s+(?:type\s+)?\{([^}]*)\}(?:\s*from\s*(['"])([^'"\n]+)\3)?/gm;
const STAR = /^export\s+(?:type\s+)?\*/gm;
const MEMBER =
  /\s*((?:(?:public|static|async|override|abstract|get|set)\s+)*)\*?\s*([A-Za-z_$][\w$]*)\s*\??\s*(?:<[^(){}]*>)?\(/y;

/** Reads a file; only statements at the start of a line count, which the formatter guarantees for the top level. */
export function shapeOf(source: string): ModuleShape {
  const code = mask(source, { strings: true });
  const withStrings = mask(source, { strings: false });
  const declarations: Declaration[] = [];
  for (const match of code.matchAll(DECLARATION)) {
    const [, keyword = '', name = ''] = match;
    if (keyword === 'type' && /^\s*[,}]/.test(code.slice(match.index + match[0].length))) continue;
    declarations.push({
      name,
      kind: keyword.replace(/[\s*]/g, ''),
      offset: match.index,
      documented: hasDocComment(source, match.index),
      members: keyword === 'class' ? membersOf(source, code, match.index + match[0].length) : [],
    });
  }
  const reExports: ReExport[] = [];
  const imported = new Map<string, { specifier: string; original: string }>();
  for (const match of withStrings.matchAll(BRACES)) {
    if (code[match.index] === ' ') continue;
    const [, keyword, list = '', , specifier] = match;
    for (const entry of list.split(',')) {
      const [original = '', name = original] = entry
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/);
      if (original === '') continue;
      if (keyword === 'export') reExports.push({ name, original, specifier, offset: match.index });
      else if (specifier !== undefined) imported.set(name, { specifier, original });
    }
  }
  return { declarations, reExports, imported, stars: [...code.matchAll(STAR)].map((match) => match.index) };
}

/** Whether the declaration at `offset` says `export` itself. */
export function isExported(source: string, offset: number): boolean {
  return source.startsWith('export', offset);
}

/** Whether a comment that starts with two asterisks stands directly above; lint directives may stand between. */
function hasDocComment(source: string, offset: number): boolean {
  let before = source.slice(0, offset).trimEnd();
  for (let line = lastLine(before); /^\s*\/\/ biome-ignore/.test(line); line = lastLine(before)) {
    before = before.slice(0, before.length - line.length).trimEnd();
  }
  if (!before.endsWith('*/')) return false;
  const comment = before.slice(before.lastIndexOf('/*'));
  return comment.startsWith('/**') && /[\p{L}\p{N}]/u.test(comment);
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1);
}

/** Methods and accessors of the class whose name ends at `from`, without constructor, private, protected, overriding ones. */
function membersOf(source: string, code: string, from: number): Declaration[] {
  const open = code.indexOf('{', skipTypeArguments(code, from));
  const end = closingBracket(code, open) - 1;
  const members: Declaration[] = [];
  const seen = new Set<string>();
  let at = open + 1;
  while (at < end) {
    MEMBER.lastIndex = at;
    const match = MEMBER.exec(code);
    if (match !== null && match.index === at) {
      const [text, modifiers = '', name = ''] = match;
      const offset = at + text.length - text.trimStart().length;
      const inherited = name === 'constructor' || /\boverride\b/.test(modifiers);
      if (!inherited && !seen.has(name)) {
        members.push({ name, kind: 'method', offset, documented: hasDocComment(source, offset), members: [] });
      }
      seen.add(name);
    }
    at = nextMember(code, at, end);
  }
  return members;
}

/** Offset after the member that starts at `from`: after its `;`, or after a `}` that ends it. */
function nextMember(code: string, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const char = code[at] as string;
    if (char === ';') return at + 1;
    if (!'([{'.includes(char)) continue;
    at = closingBracket(code, at) - 1;
    if (char === '{' && /^\s*\n/.test(code.slice(at + 1))) return at + 1;
  }
  return end;
}

/** `class A<T extends { a: 1 }>`: braces between angle brackets are not the body. */
function skipTypeArguments(code: string, from: number): number {
  if (code[from] !== '<') return from;
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    if (code[at] === '<') depth++;
    if (code[at] === '>' && code[at - 1] !== '=' && --depth === 0) return at + 1;
  }
  return from;
}
