/**
 * Every name that a package offers has a doc comment where it is declared: functions (the first overload), classes with
 * their public methods, interfaces, types, constants. Follows re-exports from the entry points of `exports`.
 *
 * node scripts/check-docs.ts
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { isExported, type ModuleShape, shapeOf } from './lib/exported.ts';
import { type Finding, lineAt, report } from './lib/finding.ts';
import { conditionTargets, type Package, ROOT, readPackages } from './lib/workspace.ts';

/** A parsed file. */
interface Module extends ModuleShape {
  readonly path: string;
  readonly text: string;
}

/** Reads a file by its path from the root; undefined when there is none. */
export type ReadText = (path: string) => string | undefined;

/** Undocumented names reachable from one entry file. */
export function checkEntry(entry: string, read: ReadText): Finding[] {
  return new DocCheck(read).entry(entry);
}

/** Runs over all packages. */
export function checkDocs(root: string): Finding[] {
  const check = new DocCheck((path) => {
    const absolute = join(root, path);
    return existsSync(absolute) ? readFileSync(absolute, 'utf8') : undefined;
  });
  return readPackages(root).flatMap((item) => entriesOf(item).flatMap((entry) => check.entry(entry)));
}

function entriesOf(item: Package): string[] {
  const targets = conditionTargets(item.manifest.exports).filter((target) => target.endsWith('.ts'));
  return [...new Set(targets)].map((target) => posix.join(item.dir, target));
}

class DocCheck {
  readonly #read: ReadText;
  readonly #modules = new Map<string, Module | undefined>();
  /** `path#name` of everything looked at, so that a name offered twice is reported once. */
  readonly #seen = new Set<string>();
  #findings: Finding[] = [];

  constructor(read: ReadText) {
    this.#read = read;
  }

  entry(path: string): Finding[] {
    this.#findings = [];
    const module = this.#module(path);
    if (module === undefined) return [{ file: path, line: 0, message: 'is named by exports and does not exist' }];
    for (const star of module.stars) this.#fail(module, star, 'export * hides what the package offers');
    for (const declaration of module.declarations) {
      if (isExported(module.text, declaration.offset)) this.#name(module, declaration.name, declaration.offset);
    }
    for (const item of module.reExports) this.#reExport(module, item.specifier, item.original, item.offset);
    return this.#findings;
  }

  #module(path: string): Module | undefined {
    if (!this.#modules.has(path)) {
      const text = this.#read(path);
      this.#modules.set(path, text === undefined ? undefined : { path, text, ...shapeOf(text) });
    }
    return this.#modules.get(path);
  }

  #fail(module: Module, offset: number, message: string): void {
    this.#findings.push({ file: module.path, line: lineAt(module.text, offset), message });
  }

  #reExport(from: Module, specifier: string | undefined, name: string, offset: number): void {
    if (specifier === undefined) {
      this.#name(from, name, offset);
      return;
    }
    // Names of other packages are documented at home.
    if (!specifier.startsWith('.')) return;
    const target = this.#module(posix.join(posix.dirname(from.path), specifier));
    if (target === undefined) this.#fail(from, offset, `re-exports ${name} from ${specifier}, which does not exist`);
    else this.#name(target, name, offset, from);
  }

  #name(module: Module, name: string, offset: number, askedBy: Module = module): void {
    const key = `${module.path}#${name}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const declarations = module.declarations.filter((declaration) => declaration.name === name);
    if (declarations.length === 0) {
      const further = module.reExports.find((item) => item.name === name && item.specifier !== undefined);
      const imported = module.imported.get(name);
      if (further !== undefined) this.#reExport(module, further.specifier, further.original, further.offset);
      else if (imported !== undefined) this.#reExport(module, imported.specifier, imported.original, offset);
      else this.#fail(askedBy, offset, `${name} is not declared in ${module.path}`);
      return;
    }
    // Overloads share the comment of the first; a type and a value of one name have one each.
    const kinds = new Set<string>();
    for (const declaration of declarations) {
      if (kinds.has(declaration.kind)) continue;
      kinds.add(declaration.kind);
      if (!declaration.documented)
        this.#fail(module, declaration.offset, `${declaration.kind} ${name} has no doc comment`);
      for (const member of declaration.members.filter((candidate) => !candidate.documented)) {
        this.#fail(module, member.offset, `${name}.${member.name}() has no doc comment`);
      }
    }
  }
}

if (import.meta.main) report('docs', checkDocs(ROOT), 'every exported name is documented');
