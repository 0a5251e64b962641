/** A configuration file as YAML that still knows where everything is. */
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { KeyPath, Problem, Source } from './problem.ts';

/** A parsed file. */
export interface ConfigDocument {
  readonly file: string;
  /** Plain values; undefined when the text is no YAML. */
  readonly value: unknown;
  /** Syntax errors. */
  readonly problems: readonly Problem[];
  /** Place of the value at a path, or of the closest thing above it. */
  locate(path: KeyPath): Source;
  /** Place of a key itself, for keys that should not be there. */
  locateKey(path: KeyPath): Source;
}

/**
 * Parses the text of a configuration file.
 *
 * @param file - name for messages
 * @param text - YAML 1.2; duplicate keys are errors
 */
export function parseConfigDocument(file: string, text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: false });
  const at = (offset: number): Source => {
    const { line, col } = lines.linePos(offset);
    return { kind: 'file', file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = [...document.errors, ...document.warnings].map(
    (error): Problem => ({ severity: 'error', source: at(error.pos[0]), key: '', message: sentence(error.message) }),
  );
  let value: unknown;
  try {
    if (problems.length === 0) value = document.toJS({ maxAliasCount: 100 });
  } catch {
    // Aliases of aliases grow without bound; the library gives up at its limit.
    problems.push({ severity: 'error', source: at(0), key: '', message: 'not usable: its aliases repeat too much' });
  }
  return {
    file,
    value,
    problems,
    locate: (path) => at(valueOffset(document, path)),
    locateKey: (path) => at(keyOffset(document, path) ?? valueOffset(document, path)),
  };
}

function valueOffset(document: Document, path: KeyPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
    const key = keyOffset(document, path.slice(0, length));
    if (key !== undefined) return key;
  }
  return 0;
}

function keyOffset(document: Document, path: KeyPath): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (path.length === 0 || !isMap(parent)) return undefined;
  const wanted = path.at(-1);
  for (const pair of parent.items) {
    if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === String(wanted)) return pair.key.range?.[0];
  }
  return undefined;
}

function sentence(message: string): string {
  const first = message.split('\n')[0] ?? message;
  return `not valid YAML: ${first.charAt(0).toLowerCase()}${first.slice(1).replace(/[.:]$/, '')}`;
}
