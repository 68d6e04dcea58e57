import { describe, expect, it } from '@jest/globals';
import { gatherCalls } from './gather.js';
import type { Scope } from './references.js';

const SCOPE: Scope = {
  inputs: { path: 'src', n: null },
  gathered: { list: { entries: [{ path: 'a.ts' }, { path: 'b.ts' }, { path: 'c.ts' }] } },
  outputs: {},
};
const base = { as: 'files', tool: 'fs_read' as const, most: 20, optional: false };

describe(gatherCalls.name, () => {
  it('should put values in the place of references, and leave out what they do not lead to', () => {
    const params = { path: { from: 'inputs.path' }, glob: { from: 'inputs.glob' }, n: { from: 'inputs.n' }, depth: 2 };
    expect(gatherCalls({ ...base, params }, SCOPE)).toEqual([{ path: 'src', n: null, depth: 2 }]);
  });

  it('should do it once for each entry of a list, as often as it may', () => {
    const gather = { ...base, params: { path: { from: 'item.path' } }, each: 'gathered.list.entries', most: 2 };
    expect(gatherCalls(gather, SCOPE)).toEqual([{ path: 'a.ts' }, { path: 'b.ts' }]);
    expect(gatherCalls({ ...gather, each: 'gathered.other' }, SCOPE)).toEqual([]);
  });

  it('should leave values alone that only look like references', () => {
    const params = { a: { from: 'inputs.path', to: 'x' }, b: 'inputs.path', c: { from: 3 } };
    expect(gatherCalls({ ...base, params }, SCOPE)).toEqual([params]);
  });
});
