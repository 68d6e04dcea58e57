import type { Entry, ListNode, MapNode, Node } from './nodes.js';

/** Lists whose entries have a name: the key that holds it. */
const NAMED_LISTS: ReadonlyMap<string, string> = new Map([
  ['llm_providers', 'name'],
  ['routing_rules', 'name'],
  ['answers', 'question'],
]);

/** Maps of the top level that are one thing and never a mixture of two files. */
const WHOLE = new Set(['default']);

function nameOf(item: Node, key: string): unknown {
  const name = item.kind === 'map' ? item.entries.get(key)?.node : undefined;
  return name?.kind === 'scalar' ? name.value : undefined;
}

/** Entries of the same name are replaced as a whole, in their place; new ones follow. An empty list takes all away. */
function mergeLists(base: ListNode, own: ListNode, key: string): ListNode {
  if (own.items.length === 0) return own;
  const items = [...base.items];
  const replaced = new Set<number>();
  for (const item of own.items) {
    const name = nameOf(item, key);
    const index = name === undefined ? -1 : base.items.findIndex((other) => nameOf(other, key) === name);
    // What stands twice in one file is kept twice, so that it is refused.
    if (index === -1 || replaced.has(index)) items.push(item);
    else items[index] = item;
    replaced.add(index);
  }
  return { ...own, items };
}

function mergeEntry(base: Entry, own: Entry, key: string | undefined): Entry {
  if (base.node.kind === 'map' && own.node.kind === 'map') return { at: own.at, node: mergeMaps(base.node, own.node) };
  if (key !== undefined && base.node.kind === 'list' && own.node.kind === 'list') {
    return { at: own.at, node: mergeLists(base.node, own.node, key) };
  }
  return own;
}

function mergeMaps(base: MapNode, own: MapNode, top = false): MapNode {
  const entries = new Map(base.entries);
  for (const [key, entry] of own.entries) {
    const below = top && WHOLE.has(key) ? undefined : entries.get(key);
    entries.set(key, below ? mergeEntry(below, entry, top ? NAMED_LISTS.get(key) : undefined) : entry);
  }
  return { ...own, entries };
}

/** A profile over the one that it extends: maps key by key, named lists entry by entry, everything else replaced. */
export const mergeProfiles = (base: MapNode, own: MapNode): MapNode => mergeMaps(base, own, true);
