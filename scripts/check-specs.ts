/**
 * Looks every citation up: "RFC 9458 §4.3" must be a document of docs/specs.json and a section it has. Prose forms (the word
 * "section" with a number beside the name) are refused, because nobody checks those.
 *
 * node scripts/check-specs.ts
 */
import { type Finding, lineAt, report } from './lib/finding.ts';
import { ROOT, readFiles, readJson, type SourceFile } from './lib/workspace.ts';

/** One document of docs/specs.json. */
export interface SpecDocument {
  readonly title: string;
  /** Month of an RFC, name with number of a draft. */
  readonly version: string;
  readonly url: string;
  /** Where the headings come from when the published text was not at hand. */
  readonly headingsFrom?: string;
  /** Section number to its title. */
  readonly sections: Readonly<Record<string, string>>;
}

/** docs/specs.json: the name used in citations to the document. */
export type Specs = Readonly<Record<string, SpecDocument>>;

const SIGN = '\u00a7';
const SECTION = /\u00a7\s?([0-9A-Z]+(?:\.[0-9]+)*)/y;
const CONTINUES = /^(?:,| and| or|,? and|\/| to|–)? ?$/;
const PROSE = /\b[Ss](?:ection|ec\.?)s? +[0-9A-Z]+(?:\.[0-9]+)* +of +(?:RFC|\[RFC)|\bRFC *\d+,? +\(?[Ss]ec(?:tion|\.)/g;

/** Citations of one file that do not resolve. */
export function checkCitations(file: SourceFile, specs: Specs): Finding[] {
  // A citation may wrap in a comment: line ends and comment leaders become spaces, offsets stay.
  const text = file.text.replace(/\n[ \t]*(?:\*(?!\/)|\/\/|>)?[ \t]*/g, (gap) => ' '.repeat(gap.length));
  const names = Object.keys(specs).sort((a, b) => b.length - a.length);
  const findings: Finding[] = [];
  const fail = (offset: number, message: string): void => {
    findings.push({ file: file.path, line: lineAt(file.text, offset), message });
  };
  let last: { readonly name: string; readonly end: number } | undefined;
  for (let offset = text.indexOf(SIGN); offset !== -1; offset = text.indexOf(SIGN, offset + 1)) {
    SECTION.lastIndex = offset;
    const section = SECTION.exec(text)?.[1];
    if (section === undefined) {
      fail(offset, 'A section sign without a number');
      continue;
    }
    const before = text.slice(Math.max(0, offset - 120), offset).replace(/\s+/g, ' ');
    const continued = last !== undefined && CONTINUES.test(text.slice(last.end, offset).replace(/\s+/g, ' '));
    const name = names.find((candidate) => before.endsWith(`${candidate} `)) ?? (continued ? last?.name : undefined);
    if (name === undefined) {
      fail(offset, `"${lastWords(before)} ${SIGN}${section}" names no document of docs/specs.json`);
    } else {
      last = { name, end: SECTION.lastIndex || offset + 1 + section.length };
      if (specs[name]?.sections[section] === undefined) fail(offset, `${name} has no section ${section}`);
    }
  }
  for (const match of text.matchAll(/\bRFC +(\d+)\b/g)) {
    const name = `RFC ${match[1]}`;
    if (specs[name] === undefined) fail(match.index, `${name} is not in docs/specs.json`);
  }
  for (const match of text.matchAll(PROSE))
    fail(match.index, `Write "RFC n ${SIGN}s" instead of "${match[0].replace(/ +/g, ' ')} ..."`);
  return findings;
}

/** Runs over all TypeScript and Markdown of the repository, tests of the checkers aside. */
export function checkSpecs(root: string): Finding[] {
  const specs = readJson<Specs>(root, 'docs/specs.json');
  return readFiles(root, '', ['.ts', '.md', '.cjs'])
    .filter((file) => !file.path.startsWith('scripts/test/') && !file.path.startsWith('testing/vectors/'))
    .flatMap((file) => checkCitations(file, specs));
}

function lastWords(before: string): string {
  return before.trim().split(' ').slice(-2).join(' ');
}

if (import.meta.main) report('specs', checkSpecs(ROOT), 'every citation resolves');
