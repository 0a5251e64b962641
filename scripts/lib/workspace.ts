/** The repository as the checkers see it: packages in their layers, and files as text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository. */
export const ROOT: string = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Folders that hold nothing written by hand. */
const SKIPPED = new Set(['node_modules', 'dist', 'target', 'coverage', '.git', '.cache', '.privacy-edge']);

/** One row of layers.json. */
export interface Layer {
  readonly name: string;
  /** Folders, `*` standing for one path segment; the first layer that matches a package owns it. */
  readonly packages: readonly string[];
  /** Whether its sources must not touch the world. */
  readonly pure: boolean;
  /** Uses of the world that are fine in this layer all the same, named as lib/purity.ts names them. */
  readonly allows?: readonly string[];
}

/** layers.json. */
export interface Layers {
  /** Lowest first. */
  readonly layers: readonly Layer[];
  /** Sources of pure packages that may import Node modules: the `node` side of a conditional import. */
  readonly nodeBackends: readonly string[];
  /** Sources of pure packages that may read clock, randomness or `fetch` of the platform, to offer them as defaults. */
  readonly ambientDefaults?: readonly string[];
}

/** What the scripts read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: boolean | readonly string[];
  readonly engines?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Conditions;
  readonly imports?: Conditions;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly keywords?: readonly string[];
}

/** Nested conditions of `exports` and `imports`. */
export type Conditions = string | null | { readonly [condition: string]: Conditions };

/** A workspace package. */
export interface Package {
  /** Path from the root, such as `wire/bytes`. */
  readonly dir: string;
  readonly manifest: Manifest;
}

/** A text file. */
export interface SourceFile {
  /** Path from the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Parses a JSON file of the repository. */
export function readJson<T>(root: string, path: string): T {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as T;
}

/** All files below `dir` whose name ends with one of `endings`, sorted, as paths from the root. */
export function listFiles(root: string, dir: string, endings: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    const absolute = join(root, folder);
    if (!existsSync(absolute)) return;
    for (const entry of readdirSync(absolute, { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(path);
      else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
    }
  };
  walk(dir);
  return found.sort();
}

/** {@link listFiles} with their text. */
export function readFiles(root: string, dir: string, endings: readonly string[]): SourceFile[] {
  return listFiles(root, dir, endings).map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The packages named by `workspaces` of the root package.json, sorted by folder. */
export function readPackages(root: string): Package[] {
  const patterns = readJson<Manifest>(root, 'package.json').workspaces ?? [];
  return patterns
    .flatMap((pattern) => expand(root, pattern))
    .filter((dir) => existsSync(join(root, dir, 'package.json')))
    .sort()
    .map((dir) => ({ dir, manifest: readJson<Manifest>(root, `${dir}/package.json`) }));
}

/** Whether `dir` is what `pattern` describes; `*` is one path segment. */
export function matchesFolder(pattern: string, dir: string): boolean {
  const wanted = pattern.split('/');
  const segments = dir.split('/');
  return wanted.length === segments.length && wanted.every((part, i) => part === '*' || part === segments[i]);
}

/** Every file that a conditions object can resolve to. */
export function conditionTargets(conditions: Conditions | undefined): string[] {
  if (conditions === undefined || conditions === null) return [];
  if (typeof conditions === 'string') return [conditions];
  return Object.values(conditions).flatMap(conditionTargets);
}

function expand(root: string, pattern: string): string[] {
  let dirs = [''];
  for (const segment of pattern.split('/')) {
    dirs = dirs.flatMap((dir) => {
      if (segment !== '*') return [dir === '' ? segment : `${dir}/${segment}`];
      const absolute = join(root, dir);
      if (!existsSync(absolute)) return [];
      return readdirSync(absolute, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name))
        .map((entry) => `${dir}/${entry.name}`);
    });
  }
  return dirs;
}
