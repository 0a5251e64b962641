/**
 * Keeps the direction of dependencies and the purity of the lower layers.
 *
 * node scripts/check-layers.ts            checks
 * node scripts/check-layers.ts --graph    prints the graph of packages as Mermaid
 * node scripts/check-layers.ts --write    also puts the graph between the markers in ARCHITECTURE.md
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Finding, report } from './lib/finding.ts';
import { allowedSections, graphOf, spliceGraph } from './lib/graph.ts';
import { importsOf } from './lib/imports.ts';
import { worldUses } from './lib/purity.ts';
import {
  type Layer,
  type Layers,
  listFiles,
  type Manifest,
  matchesFolder,
  type Package,
  ROOT,
  readFiles,
  readJson,
  readPackages,
  type SourceFile,
} from './lib/workspace.ts';

const SCOPE = '@privacy-edge/';
const TESTING = '@privacy-edge/testing';
const MAP = 'ARCHITECTURE.md';

/** A package together with the position of its layer, lowest first. */
interface Placed extends Package {
  readonly layer: Layer;
  readonly rank: number;
}

/** Runs every rule over the tree at `root`. */
export function checkLayers(root: string): Finding[] {
  const layers = readJson<Layers>(root, 'layers.json');
  const rootManifest = readJson<Manifest>(root, 'package.json');
  const { placed, findings } = place(layers, readPackages(root));
  for (const item of placed) {
    findings.push(...checkDependencies(item, placed, rootManifest.version));
    for (const file of readFiles(root, item.dir, ['.ts'])) findings.push(...checkFile(file, item, layers));
  }
  for (const path of [...layers.nodeBackends, ...(layers.ambientDefaults ?? [])]) {
    // Until a package is written its exceptions may already be listed; a package with sources must have them.
    const owner = placed.find((item) => path.startsWith(`${item.dir}/`));
    const started = owner !== undefined && listFiles(root, `${owner.dir}/src`, ['.ts']).length > 1;
    if (started && !existsSync(join(root, path))) findings.push(at('layers.json', `${path} does not exist`));
  }
  findings.push(...checkOutside(root, placed), ...packageCycles(placed), ...fileCycles(root, placed));
  findings.push(...checkMap(root, placed));
  return findings;
}

function at(file: string, message: string, line = 0): Finding {
  return { file, line, message };
}

function place(layers: Layers, packages: readonly Package[]): { placed: Placed[]; findings: Finding[] } {
  const placed: Placed[] = [];
  const findings: Finding[] = [];
  for (const item of packages) {
    const rank = layers.layers.findIndex((layer) => layer.packages.some((pattern) => matchesFolder(pattern, item.dir)));
    const layer = layers.layers[rank];
    if (layer === undefined) findings.push(at(`${item.dir}/package.json`, 'belongs to no layer of layers.json'));
    else placed.push({ ...item, layer, rank });
  }
  return { placed: placed.sort((a, b) => a.rank - b.rank), findings };
}

function checkDependencies(item: Placed, all: readonly Placed[], version: string): Finding[] {
  const file = `${item.dir}/package.json`;
  const findings: Finding[] = [];
  if (item.manifest.version !== version)
    findings.push(at(file, `has version ${item.manifest.version}, not ${version}`));
  for (const section of allowedSections) {
    for (const [name, range] of Object.entries(item.manifest[section] ?? {})) {
      const target = all.find((other) => other.manifest.name === name);
      if (target === undefined) {
        if (name.startsWith(SCOPE)) findings.push(at(file, `${section} name ${name}, which is no package here`));
        continue;
      }
      if (range !== version) findings.push(at(file, `pins ${name} to ${range} instead of ${version}`));
      if (section === 'devDependencies' && name === TESTING) continue;
      const problem = direction(item, target);
      if (problem !== undefined) findings.push(at(file, `${section}: ${name} ${problem}`));
    }
  }
  return findings;
}

function direction(from: Placed, to: Placed): string | undefined {
  if (to.manifest.name === TESTING) return 'may only be a devDependency';
  if (to.rank < from.rank) return undefined;
  const relation = to.rank === from.rank ? 'is a sibling in' : 'is above, in';
  return `${relation} layer "${to.layer.name}"; ${from.manifest.name} is in "${from.layer.name}"`;
}

function checkFile(file: SourceFile, item: Placed, layers: Layers): Finding[] {
  const findings: Finding[] = [];
  const shipped = file.path.startsWith(`${item.dir}/src/`);
  const declared = new Set([item.manifest.name, ...Object.keys(item.manifest.dependencies ?? {})]);
  if (!shipped) for (const name of Object.keys(item.manifest.devDependencies ?? {})) declared.add(name);
  const backend = layers.nodeBackends.includes(file.path);
  for (const { specifier, line } of importsOf(file.text)) {
    const problem =
      relativeProblem(file.path, specifier, item.dir) ??
      (specifier.startsWith(SCOPE) && !declared.has(specifier.split('/', 2).join('/'))
        ? `imports ${specifier}, which ${item.dir}/package.json does not declare`
        : undefined) ??
      (shipped && item.layer.pure && !backend && specifier.startsWith('node:')
        ? `imports ${specifier} in pure layer "${item.layer.name}"`
        : undefined);
    if (problem !== undefined) findings.push(at(file.path, problem, line));
  }
  if (shipped && item.layer.pure && !backend && !(layers.ambientDefaults ?? []).includes(file.path)) {
    const uses = worldUses(file.text).filter((use) => item.layer.allows?.includes(use.what) !== true);
    for (const use of uses) {
      findings.push(at(file.path, `uses ${use.what} in pure layer "${item.layer.name}": have it passed in`, use.line));
    }
  }
  return findings;
}

function relativeProblem(path: string, specifier: string, dir: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  return target.startsWith(`${dir}/`) ? undefined : `imports ${specifier}, which leaves ${dir}`;
}

/** Code that belongs to no package (e2e, bench, scripts ...) enters a package by its name only. */
function checkOutside(root: string, placed: readonly Placed[]): Finding[] {
  const inside = (path: string): Placed | undefined => placed.find((item) => path.startsWith(`${item.dir}/`));
  const findings: Finding[] = [];
  for (const file of readFiles(root, '', ['.ts']).filter((candidate) => inside(candidate.path) === undefined)) {
    for (const { specifier, line } of importsOf(file.text).filter((found) => found.specifier.startsWith('.'))) {
      const owner = inside(posix.join(posix.dirname(file.path), specifier));
      if (owner === undefined) continue;
      findings.push(at(file.path, `imports ${specifier}: use ${owner.manifest.name}`, line));
    }
  }
  return findings;
}

function packageCycles(placed: readonly Placed[]): Finding[] {
  const edges = new Map(
    placed.map((item) => {
      const names = Object.keys(item.manifest.dependencies ?? {});
      return [item.manifest.name, names.filter((name) => placed.some((other) => other.manifest.name === name))];
    }),
  );
  return cycles(edges).map((cycle) => at('layers.json', `Packages form a cycle: ${cycle.join(' -> ')}`));
}

function fileCycles(root: string, placed: readonly Placed[]): Finding[] {
  const edges = new Map<string, string[]>();
  for (const file of placed.flatMap((item) => readFiles(root, `${item.dir}/src`, ['.ts']))) {
    const values = importsOf(file.text).filter((found) => !found.typeOnly && !found.dynamic);
    const relative = values.filter((found) => found.specifier.startsWith('.'));
    edges.set(
      file.path,
      relative.map((found) => posix.join(posix.dirname(file.path), found.specifier)),
    );
  }
  return cycles(edges).map((cycle) => at(cycle[0] as string, `is part of a cycle: ${cycle.join(' -> ')}`));
}

/** One path for each cycle met in a depth-first walk. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): void => {
    const start = trail.indexOf(node);
    if (start !== -1) found.push([...trail.slice(start), node]);
    if (start !== -1 || done.has(node)) return;
    trail.push(node);
    for (const next of edges.get(node) ?? []) visit(next);
    trail.pop();
    done.add(node);
  };
  for (const node of edges.keys()) visit(node);
  return found;
}

function checkMap(root: string, placed: readonly Placed[]): Finding[] {
  if (!existsSync(join(root, MAP))) return [];
  const text = readFileSync(join(root, MAP), 'utf8');
  const current = spliceGraph(text, graphOf(placed));
  return current === undefined || current === text
    ? []
    : [at(MAP, 'The graph of packages is out of date: run node scripts/check-layers.ts --write')];
}

function main(args: readonly string[]): void {
  const { placed } = place(readJson<Layers>(ROOT, 'layers.json'), readPackages(ROOT));
  if (args.includes('--graph')) {
    console.log(graphOf(placed));
    return;
  }
  if (args.includes('--write')) {
    const path = join(ROOT, MAP);
    const written = spliceGraph(readFileSync(path, 'utf8'), graphOf(placed));
    if (written === undefined) console.log(`${MAP} has no markers for the graph`);
    else writeFileSync(path, written);
  }
  report('layers', checkLayers(ROOT), `${placed.length} packages point downwards`);
}

if (import.meta.main) main(process.argv.slice(2));
