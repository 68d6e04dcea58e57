import type { Path, Position } from './complaints.js';

export type ScalarValue = string | number | boolean | null;

/** A value of a profile that remembers where it was read, through merging and substitution. */
export type Node = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  kind: 'scalar';
  at: Position;
  value: ScalarValue;
  /** What the file says, where a variable's value was put in; the value may be a secret, this is not. */
  raw?: string;
  /** Whether the text was nothing but one variable, so that it may stand for a number, or for true or false. */
  whole?: boolean;
}

export interface ListNode {
  kind: 'list';
  at: Position;
  items: Node[];
}

export interface MapNode {
  kind: 'map';
  at: Position;
  entries: Map<string, Entry>;
}

/** A key with its value. */
export interface Entry {
  at: Position;
  node: Node;
}

/** What a node says, as plain data. */
export function plain(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plain);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plain(entry.node)]));
  }
}

/** Nodes of plain data that were read nowhere: all of them stand at `at`. Parts that JSON cannot hold become nothing. */
export function nodeOf(value: unknown, at: Position): Node {
  if (Array.isArray(value)) return { kind: 'list', at, items: value.map((item) => nodeOf(item, at)) };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, part]): [string, Entry] => [key, { at, node: nodeOf(part, at) }]);
    return { kind: 'map', at, entries: new Map(entries) };
  }
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return { kind: 'scalar', at, value: scalar ? value : null };
}

const entryAt = (node: Node, part: PropertyKey): Entry | undefined => {
  if (node.kind === 'map') return node.entries.get(String(part));
  const item = node.kind === 'list' ? node.items[Number(part)] : undefined;
  return item && { at: item.at, node: item };
};

/**
 * Where a path leads: the node there, undefined if there is none, and the position of its key, or of the nearest thing
 * above it that there is.
 */
export function locate(root: Node, path: Path): { at: Position; node: Node | undefined } {
  let found: { at: Position; node: Node | undefined } = { at: root.at, node: root };
  for (const part of path) {
    const entry = found.node && entryAt(found.node, part);
    if (!entry) return { at: found.at, node: undefined };
    found = entry;
  }
  return found;
}
