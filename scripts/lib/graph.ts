/** The graph of packages as a Mermaid diagram. */
import type { Layer, Package } from './workspace.ts';

/** Sections of a package.json whose entries become edges or are checked like edges. */
export const allowedSections = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

const START = '<!-- layers:start -->';
const END = '<!-- layers:end -->';

/** Packages grouped by layer, one arrow for each dependency that no other path implies. */
export function graphOf(packages: readonly (Package & { readonly layer: Layer })[]): string {
  const names = new Set(packages.map((item) => item.manifest.name));
  const edges = new Map(
    packages.map((item) => [
      item.manifest.name,
      Object.keys(item.manifest.dependencies ?? {}).filter((name) => names.has(name)),
    ]),
  );
  const lines = ['```mermaid', 'graph LR', '  %% arrows implied by others are left out'];
  for (const layer of new Set(packages.map((item) => item.layer))) {
    lines.push(`  subgraph ${layer.name}`);
    for (const item of packages.filter((candidate) => candidate.layer === layer)) {
      lines.push(`    ${id(item.manifest.name)}["${item.dir}"]`);
    }
    lines.push('  end');
  }
  for (const [from, targets] of edges) {
    const direct = targets.filter((to) => !targets.some((other) => other !== to && reaches(edges, other, to)));
    for (const to of direct.sort()) lines.push(`  ${id(from)} --> ${id(to)}`);
  }
  return [...lines, '```'].join('\n');
}

/**
 * The document with the graph between its two markers.
 *
 * @returns undefined when the document has no markers
 */
export function spliceGraph(document: string, graph: string): string | undefined {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start === -1 || end < start) return undefined;
  return `${document.slice(0, start + START.length)}\n\n${graph}\n\n${document.slice(end)}`;
}

function id(name: string): string {
  return name.replace('@privacy-edge/', '');
}

function reaches(edges: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const search = (node: string): boolean => {
    if (node === to) return true;
    if (seen.has(node)) return false;
    seen.add(node);
    return (edges.get(node) ?? []).some(search);
  };
  return search(from);
}
