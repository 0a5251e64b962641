/** Imports of a TypeScript file, found in its text. */
import { lineAt } from './finding.ts';
import { mask } from './mask.ts';

/** One import, re-export or dynamic import. */
export interface ImportStatement {
  readonly specifier: string;
  readonly line: number;
  /** Gone after type stripping: `import type`, `export type`, or nothing but `type` names inside the braces. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

const STATIC =
  /(?<![\w$.])(import|export)\s+(?:(type)\s+(?!from\b))?(?:([\w$*{][^'"();=]*?)\s*from\s*)?(['"])([^'"\n]+)\4/g;
const DYNAMIC = /(?<![\w$.])import\s*\(\s*(['"`])([^'"`\n]+)\1/g;

/** All imports in order of appearance, static ones first. */
export function importsOf(source: string): ImportStatement[] {
  const code = mask(source, { strings: false });
  // A keyword that disappears together with strings was part of one.
  const real = mask(source, { strings: true });
  const found: ImportStatement[] = [];
  for (const match of code.matchAll(STATIC)) {
    const [, keyword, type, clause, , specifier = ''] = match;
    if ((keyword === 'export' && clause === undefined) || real[match.index] === ' ') continue;
    found.push({
      specifier,
      line: lineAt(source, match.index),
      typeOnly: type !== undefined || onlyTypeNames(clause),
      dynamic: false,
    });
  }
  for (const match of code.matchAll(DYNAMIC)) {
    if (real[match.index] === ' ') continue;
    found.push({ specifier: match[2] ?? '', line: lineAt(source, match.index), typeOnly: false, dynamic: true });
  }
  return found;
}

function onlyTypeNames(clause: string | undefined): boolean {
  const inside = /^\{([^}]*)\}$/.exec(clause?.trim() ?? '')?.[1];
  if (inside === undefined) return false;
  const names = inside.split(',').map((name) => name.trim());
  return names.every((name) => name === '' || name.startsWith('type '));
}
