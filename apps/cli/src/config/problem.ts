/** What is wrong with a configuration, where, and what was expected. */

/** Where a value comes from. */
export type Source =
  /** A place in the file; line and column start at 1. */
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  /** An environment variable. */
  | { readonly kind: 'environment'; readonly variable: string };

/** One thing to say about a configuration. */
export interface Problem {
  /** An error stops everything; a warning is for thinking about. */
  readonly severity: 'error' | 'warning';
  readonly source: Source;
  /** The key, such as `gateway.targets[0].origin`; empty for the file as a whole. */
  readonly key: string;
  /** What is wrong, and what was expected. Never repeats a secret. */
  readonly message: string;
}

/** A path into a configuration. */
export type KeyPath = readonly (string | number)[];

/** `gateway.targets[0].origin`. */
export function formatKey(path: KeyPath): string {
  let key = '';
  for (const part of path) key += typeof part === 'number' ? `[${part}]` : key === '' ? part : `.${part}`;
  return key;
}

/** `privacy-edge.yaml:3:9`, or the name of the variable. */
function formatSource(source: Source): string {
  return source.kind === 'file' ? `${source.file}:${source.line}:${source.column}` : source.variable;
}

/** One line for people. */
export function formatProblem(problem: Problem): string {
  const key = problem.key === '' ? '' : `${problem.key}: `;
  return `${formatSource(problem.source)}: ${problem.severity}: ${key}${problem.message}`;
}

/** Longest value that a problem quotes. */
const QUOTED = 60;

/** What was found, for people. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  const text = JSON.stringify(value);
  return text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text;
}
