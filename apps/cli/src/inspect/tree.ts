/** A decoded message as labelled values in a tree: what is printed, and what `--json` gives. */
import { printable } from '../output.ts';

/** A label with a value, or with more below it. */
export interface TreeNode {
  readonly label: string;
  readonly value?: string | number | boolean;
  readonly children?: readonly TreeNode[];
}

/** A leaf. */
export function leaf(label: string, value: string | number | boolean): TreeNode {
  return { label, value };
}

/** A label with nodes below it. */
export function branch(label: string, children: readonly TreeNode[], value?: string | number | boolean): TreeNode {
  return value === undefined ? { label, children } : { label, value, children };
}

/** Lines of a tree, two spaces for each level. */
export function renderTree(node: TreeNode, depth = 0): string {
  const value = node.value === undefined ? '' : `: ${node.value}`;
  const line = `${'  '.repeat(depth)}${printable(`${node.label}${value}`)}\n`;
  return line + (node.children ?? []).map((child) => renderTree(child, depth + 1)).join('');
}
