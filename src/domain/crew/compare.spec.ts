import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aSpending } from '../../../test/factories/crew.js';
import type { TaskState } from '../../contracts/crew.js';
import { changedPaths, compareRuns } from './compare.js';

const task = (id: string, output: unknown, state: TaskState = 'completed', tokens = 10) => ({
  ...{ id, state, output, spending: aSpending(tokens) },
});

describe(compareRuns.name, () => {
  it('should tell task by task what differs, with what it took', () => {
    const first = [task('plan', { a: [1, { b: 2 }], c: 3 }), task('check', { ok: true }), task('old', {})];
    const second = [
      task('plan', { c: 3, a: [1, { b: 5 }, 9] }, 'completed', 30),
      task('check', { ok: true }, 'reused', 1),
      task('new', {}),
    ];
    expect(compareRuns(first, second)).toEqual([
      {
        ...{ task: 'plan', outcome: 'changed', states: ['completed', 'completed'], changed: ['a[1].b', 'a[2]'] },
        ...{ truncated: false, tokens: [10, 30], cost_usd: [0, 0], ms: [100, 100] },
      },
      expect.objectContaining({ task: 'check', outcome: 'same', states: ['completed', 'reused'], changed: [] }),
      expect.objectContaining({ task: 'old', outcome: 'only_first', states: ['completed', null], tokens: [10, 0] }),
      expect.objectContaining({ task: 'new', outcome: 'only_second', states: [null, 'completed'], ms: [0, 100] }),
    ]);
  });

  it('should tell a task that gave an output once only', () => {
    expect(compareRuns([task('a', undefined, 'failed')], [task('a', {})])[0]).toMatchObject({
      ...{ outcome: 'changed', changed: [''], states: ['failed', 'completed'] },
    });
  });
});

describe(changedPaths.name, () => {
  it('should find nothing in a value and its copy, and something where there is a difference', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(changedPaths(a, structuredClone(a)).paths).toEqual([]);
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        if (isSame) expect(changedPaths(a, b).paths).toEqual([]);
        expect(changedPaths(a, b).paths.length).toBe(changedPaths(b, a).paths.length);
      }),
    );
    expect(changedPaths({ a: null }, {}).paths).toEqual(['a']);
    expect(changedPaths({ constructor: 1 }, {}).paths).toEqual(['constructor']);
  });

  it('should end where more changed than is told', () => {
    const list = Array.from({ length: 500 }, (_, index) => index);
    const { paths, truncated } = changedPaths(list, list.toReversed());
    expect([paths.length, truncated]).toEqual([50, true]);
  });
});
