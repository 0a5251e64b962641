/**
 * Which nodes of the IDPF tree lead to a set of prefixes. All reports of a call are walked by the same plan, and each
 * node is visited once however many prefixes are below it.
 */
import { ancestors, type PrefixSet, prefixAt } from './poplar1-parameter.ts';

/** The way from some nodes down to the prefixes. */
export interface WalkPlan {
  /** Level of the first nodes to visit; what is before it is known already. */
  readonly from: number;
  /** Level of the last nodes: those of the prefixes. */
  readonly to: number;
  /** Nodes of each level from the parents of the first one on, so that there is one entry more than levels. */
  readonly nodes: Uint32Array;
  /** One byte for each parent, level by level: 1 for its left child, 2 for its right one, 3 for both, 0 for none. */
  readonly children: Uint8Array;
}

/** How many of the first bits two packed strings of one length share. */
function sharedBits(left: Uint8Array, right: Uint8Array): number {
  for (let at = 0; at < left.length; at++) {
    const difference = (left[at] as number) ^ (right[at] as number);
    if (difference !== 0) return at * 8 + Math.clz32(difference) - 24;
  }
  return left.length * 8;
}

/** For each prefix, the first level from `from` on where its node is not one of the prefix before. */
function branches(set: PrefixSet, from: number, firstParents: Uint32Array | undefined): Uint32Array {
  const levels = new Uint32Array(set.count).fill(from);
  for (let index = 1; index < set.count; index++) {
    if (firstParents !== undefined && firstParents[index] !== firstParents[index - 1]) continue;
    levels[index] = Math.max(from, sharedBits(prefixAt(set, index - 1), prefixAt(set, index)));
  }
  return levels;
}

/** Nodes of each level: a prefix has nodes of its own from where it branches off. */
function countNodes(branchLevels: Uint32Array, from: number, to: number, parents: number): Uint32Array {
  const nodes = new Uint32Array(to - from + 2);
  for (const level of branchLevels) nodes[level - from + 1] = (nodes[level - from + 1] as number) + 1;
  for (let at = 2; at < nodes.length; at++) nodes[at] = (nodes[at] as number) + (nodes[at - 1] as number);
  nodes[0] = parents;
  return nodes;
}

/** Where each level's parents begin in the list of all of them. */
function offsets(nodes: Uint32Array): Uint32Array {
  const starts = new Uint32Array(nodes.length);
  for (let at = 1; at < nodes.length; at++) starts[at] = (starts[at - 1] as number) + (nodes[at - 1] as number);
  return starts;
}

/**
 * Plans the walk to a set of prefixes.
 *
 * @param set - where to
 * @param known - prefixes of an earlier level whose nodes are known; without it the walk starts at the root
 * @returns `undefined` when a prefix does not descend from the known ones
 */
export function planWalk(set: PrefixSet, known?: PrefixSet): WalkPlan | undefined {
  const firstParents = known === undefined ? undefined : ancestors(set, known);
  if (known !== undefined && firstParents === undefined) return undefined;
  const from = known === undefined ? 0 : known.level + 1;
  const to = set.level;
  const branchLevels = branches(set, from, firstParents);
  const nodes = countNodes(branchLevels, from, to, known?.count ?? 1);
  const starts = offsets(nodes);
  const children = new Uint8Array(starts.at(-1) ?? 0);
  // Parents of each level that have a child already; at the first level they are given.
  const seen = new Uint32Array(to - from + 1);
  for (let index = 0; index < set.count; index++) {
    const prefix = prefixAt(set, index);
    const branch = branchLevels[index] as number;
    for (let level = branch; level <= to; level++) {
      const at = level - from;
      if (level > branch) seen[at] = (seen[at] as number) + 1;
      const parent = level === from ? (firstParents?.[index] ?? 0) : (seen[at] as number) - 1;
      const bit = ((prefix[level >> 3] as number) >> (7 - (level & 7))) & 1;
      const slot = (starts[at] as number) + parent;
      children[slot] = (children[slot] as number) | (1 << bit);
    }
  }
  return { from, to, nodes, children };
}
