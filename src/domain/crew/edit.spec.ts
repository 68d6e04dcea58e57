import { describe, expect, it } from '@jest/globals';
import type { CheckDefinition } from '../../contracts/crew.js';
import { editProblems } from './edit.js';

const checks: CheckDefinition[] = [
  { check: 'acyclic', nodes: 'steps[].id', edges: 'steps[].after' },
  { check: 'among', at: 'steps[].id', values: 'plan.ids' },
  { check: 'among', at: 'file', values: ['inputs.file', 'gathered.files[].path'] },
];
const scope = { inputs: { file: 'a' }, outputs: { plan: { ids: ['x', 'y'] } }, roles: [] };

describe('editProblems', () => {
  it('should hold a person to the checks of the task', () => {
    const steps = [
      { id: 'x', after: ['y'] },
      { id: 'y', after: ['x'] },
    ];
    expect(editProblems({ checks }, { steps }, scope)).toEqual(['steps: the dependencies go in a circle: x -> y -> x']);
    expect(editProblems({ checks }, { steps: [{ id: 'z', after: [] }] }, scope)).toEqual([
      'steps[].id: "z" is not one of plan.ids',
    ]);
  });

  it('should not ask where a person has something from that was not gathered', () => {
    expect(editProblems({ checks }, { steps: [], file: 'elsewhere' }, scope)).toEqual([]);
  });
});
