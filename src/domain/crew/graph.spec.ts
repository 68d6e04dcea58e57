import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cycleOf } from './graph.js';

const graphs = fc.integer({ min: 1, max: 7 }).chain((size) =>
  fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size)), { maxLength: 12 }).map((edges) => {
    const graph = new Map(Array.from({ length: size }, (_, index) => [`n${index}`, [] as string[]]));
    for (const [from, to] of edges) graph.get(`n${from}`)?.push(`n${to}`);
    return graph;
  }),
);

/** By taking away, again and again, what depends on nothing that is left. */
function isAcyclic(graph: ReadonlyMap<string, readonly string[]>): boolean {
  const left = new Set(graph.keys());
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const node of left) if (!graph.get(node)!.some((next) => left.has(next))) left.delete(node);
  }
  return left.size === 0;
}

describe(cycleOf.name, () => {
  it('should find a cycle if there is one, and name it along its edges', () => {
    let cycles = 0;
    fc.assert(
      fc.property(graphs, (graph) => {
        const cycle = cycleOf(graph);
        expect(cycle === undefined).toBe(isAcyclic(graph));
        if (!cycle) return;
        cycles += 1;
        expect(cycle.at(0)).toBe(cycle.at(-1));
        expect(new Set(cycle).size).toBe(cycle.length - 1);
        for (const [index, node] of cycle.slice(0, -1).entries()) expect(graph.get(node)).toContain(cycle[index + 1]);
      }),
      { numRuns: 1_000 },
    );
    expect(cycles).toBeGreaterThan(100);
  });

  it('should name a node that depends on itself', () => expect(cycleOf(new Map([['a', ['a']]]))).toEqual(['a', 'a']));

  it('should be through with a long chain and with many paths', () => {
    const chain = new Map(Array.from({ length: 100_000 }, (_, at) => [`${at}`, [`${at + 1}`]]));
    expect(cycleOf(chain)).toBeUndefined();
    chain.set('100000', ['0']);
    expect(cycleOf(chain)).toHaveLength(100_002);
    // Each layer leads to all of the next: 10^50 paths.
    const layer = (at: number) => Array.from({ length: 10 }, (_, index) => `${at}.${index}`);
    const dense = Array.from({ length: 50 }, (_, at) => layer(at).map((node) => [node, layer(at + 1)] as const));
    expect(cycleOf(new Map(dense.flat()))).toBeUndefined();
  });
});
