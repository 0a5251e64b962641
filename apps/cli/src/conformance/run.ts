/** Runs a folder of vector files. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { DivergenceRule, VectorKind, Verdict } from './kind.ts';
import { kindOf } from './kinds.ts';
import { describe, Vector } from './vector.ts';

/** How one vector came out. */
export interface CaseResult {
  /** File, number in the file, and name where it has one. */
  readonly id: string;
  readonly verdict: Verdict | { readonly kind: 'failed'; readonly why: string };
}

/** How a file came out. */
export interface FileResult {
  /** Path below the folder. */
  readonly path: string;
  /** What was checked; undefined for a file of no known kind. */
  readonly title: string | undefined;
  readonly cases: readonly CaseResult[];
}

/** Sums of a run. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** Always 0: nothing is left out silently. */
  readonly skipped: number;
  /** How many of the passed ones passed by being refused as they should be. */
  readonly refused: number;
  readonly divergences: ReadonlyMap<DivergenceRule, number>;
}

/**
 * Runs every vector file in a folder and below it. `*.md` is ignored, any other file of no known kind is a failure.
 *
 * @param area - name of the area, the first part of every pattern
 * @param folder - where the files are
 */
export async function* runVectors(area: string, folder: string): AsyncGenerator<FileResult> {
  for (const path of await listFiles(folder)) {
    if (path.endsWith('.md')) continue;
    yield await runFile(area, folder, path);
  }
}

/** Adds up. A run over no files at all is a failure by itself, which the caller has to say. */
export function totalsOf(files: readonly FileResult[]): Totals {
  const all = files.flatMap((file) => file.cases);
  const count = (kind: CaseResult['verdict']['kind']): number => all.filter((one) => one.verdict.kind === kind).length;
  const divergences = new Map<DivergenceRule, number>();
  for (const { verdict } of all)
    if (verdict.kind === 'diverged') divergences.set(verdict.rule, (divergences.get(verdict.rule) ?? 0) + 1);
  const failed = count('failed');
  return { passed: all.length - failed, failed, skipped: 0, refused: count('refused'), divergences };
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')).sort();
}

async function runFile(area: string, folder: string, path: string): Promise<FileResult> {
  const kind = kindOf(`${area}/${path}`);
  const fail = (why: string): FileResult => ({
    path,
    title: kind?.title,
    cases: [{ id: path, verdict: { kind: 'failed', why } }],
  });
  if (kind === undefined) return fail('no kind of vector file has this path');
  let values: unknown;
  try {
    const content: unknown = JSON.parse(await readFile(join(folder, path), 'utf8'));
    values = kind.single === true ? [content] : content;
  } catch (error) {
    return fail(`cannot be read: ${describe(error)}`);
  }
  if (!Array.isArray(values)) return fail('is no JSON array');
  if (values.length === 0) return fail('has no vectors in it');
  const cases: CaseResult[] = [];
  for (const [i, value] of values.entries()) cases.push(await runCase(kind, `${path}#${i}`, value));
  return { path, title: kind.title, cases };
}

async function runCase(kind: VectorKind, place: string, value: unknown): Promise<CaseResult> {
  try {
    const vector = new Vector(value);
    const name = ['name', 'title'].find((member) => vector.has(member));
    const id = name === undefined ? place : `${place} ${vector.text(name)}`;
    try {
      return { id, verdict: await kind.check(vector) };
    } catch (error) {
      return { id, verdict: { kind: 'failed', why: describe(error) } };
    }
  } catch (error) {
    return { id: place, verdict: { kind: 'failed', why: describe(error) } };
  }
}
