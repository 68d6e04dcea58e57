/** What each node depends on. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * One cycle of a graph, its first node named again at the end: `a`, `b`, `a`; undefined: there is none. What is no node
 * of the graph depends on nothing. Takes time in proportion to nodes and edges, and no stack of calls.
 */
export function cycleOf(graph: Graph): string[] | undefined {
  const finished = new Set<string>();
  for (const start of graph.keys()) {
    const cycle = finished.has(start) ? undefined : walk(graph, start, finished);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Goes down from a node as far as it can; meeting a node of its own path again it has found a cycle. */
function walk(graph: Graph, start: string, finished: Set<string>): string[] | undefined {
  const path = [start];
  const places = new Map([[start, 0]]);
  const tried = [0];
  while (path.length > 0) {
    const node = path.at(-1) ?? '';
    const edge = tried.at(-1) ?? 0;
    const next = graph.get(node)?.[edge];
    if (next === undefined) {
      finished.add(node);
      places.delete(node);
      path.pop();
      tried.pop();
      continue;
    }
    tried[tried.length - 1] = edge + 1;
    const place = places.get(next);
    if (place !== undefined) return [...path.slice(place), next];
    if (finished.has(next)) continue;
    places.set(next, path.length);
    path.push(next);
    tried.push(0);
  }
  return undefined;
}
