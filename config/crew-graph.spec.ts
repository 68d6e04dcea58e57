import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allNeedsOf, circleOf } from './crew-graph.js';

const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
const tasks = fc
  .array(fc.subarray(ids, { maxLength: 3 }), { minLength: ids.length, maxLength: ids.length })
  .map((all) => Object.fromEntries(ids.map((id, index) => [id, { needs: all[index] ?? [] }])));

describe('needs of tasks', () => {
  it('are told over others, and those that are not there lead nowhere', () => {
    const graph = { a: { needs: ['b', 'gone'] }, b: { needs: ['c'] }, c: { needs: [] }, d: { needs: ['a'] } };
    expect([...allNeedsOf(graph, 'a')]).toEqual(['b', 'gone', 'c']);
    expect(circleOf(graph)).toBeUndefined();
  });

  it('go in a circle that is told by steps that are there', () => {
    const graph = { a: { needs: ['b'] }, b: { needs: ['c', 'a'] }, c: { needs: ['b'] } };
    expect(circleOf(graph)).toEqual(['a', 'b', 'a']);
    fc.assert(
      fc.property(tasks, (any) => {
        const circle = circleOf(any);
        expect(circle !== undefined).toBe(ids.some((id) => allNeedsOf(any, id).has(id)));
        circle?.slice(1).forEach((id, index) => expect(any[circle[index]!]?.needs).toContain(id));
        if (circle) expect(circle.at(-1)).toBe(circle[0]);
      }),
    );
  });
});
