import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aCrew, aPlan, aPlannedTask, aTaskDefinition } from '../../../test/factories/crew.js';
import type { TaskState } from '../../contracts/crew.js';
import {
  FINISH,
  managerBlocks,
  managerChoices,
  managerInstruction,
  managerSchema,
  nextStep,
  staleAfter,
} from './manager.js';
import { isFinished } from './plan.js';

const states = (given: Record<string, TaskState>) => new Map(Object.entries(given));
const tasks = [aPlannedTask('a'), aPlannedTask('b', ['a']), aPlannedTask('c', ['a']), aPlannedTask('d', ['b', 'c'])];
const plan = aPlan('hierarchical', tasks);

describe(managerChoices.name, () => {
  it('should be what can begin, and what is done and can be sent back', () => {
    expect(managerChoices(plan, states({ a: 'completed', b: 'completed' }), new Map())).toEqual({
      ready: ['c'],
      returnable: ['a', 'b'],
    });
  });

  it.each<[string, Parameters<typeof managerChoices>[0], Record<string, TaskState>, Record<string, number>, string[]]>([
    ['was sent back twice', plan, { a: 'completed', b: 'completed' }, { a: 2, b: 1 }, ['b']],
    ['was taken over or skipped', plan, { a: 'reused', b: 'skipped' }, {}, []],
    [
      'was approved by people, or led to what was',
      aPlan('hierarchical', [tasks[0]!, aPlannedTask('b', ['a'], { hasApproval: true }), tasks[2]!, tasks[3]!]),
      { a: 'completed', b: 'completed', c: 'completed' },
      {},
      ['c'],
    ],
    [
      'has changed the DAO, or led to what has',
      aPlan('hierarchical', [tasks[0]!, aPlannedTask('b', ['a'], { hasAction: true }), tasks[2]!, tasks[3]!]),
      { a: 'completed', b: 'completed', c: 'completed' },
      {},
      ['c'],
    ],
  ])('should leave out what %s', (_name, of, given, returns, returnable) =>
    expect(managerChoices(of, states(given), new Map(Object.entries(returns))).returnable).toEqual(returnable),
  );
});

describe(staleAfter.name, () => {
  it('should be what was done with an output that is sent back', () =>
    expect(staleAfter(plan, states({ a: 'completed', b: 'completed', c: 'failed' }), 'a')).toEqual(['b', 'c']));
});

describe(nextStep.name, () => {
  const choices = { ready: ['c', 'e'], returnable: ['a'] };
  it.each([
    [
      'a task that can begin',
      { next: 'e', note: ' Be brief. ' },
      { kind: 'begin', task: 'e', note: 'Be brief.', by: 'manager' },
    ],
    ['a done task', { next: 'a', note: '' }, { kind: 'return', task: 'a', by: 'manager' }],
    ['an end too early', { next: FINISH }, { kind: 'begin', task: 'c', by: 'order' }],
    ['a task that cannot begin', { next: 'd', note: 'now' }, { kind: 'begin', task: 'c', by: 'order' }],
    ['something else', 'e', { kind: 'begin', task: 'c', by: 'order' }],
    ['nothing', undefined, { kind: 'begin', task: 'c', by: 'order' }],
  ])('should make sense of %s', (_name, answer, step) => expect(nextStep(answer, choices)).toEqual(step));

  it('should end when nothing is left, whatever is said', () => {
    expect(nextStep({ next: 'zzz' }, { ready: [], returnable: ['a'] })).toEqual({ kind: 'finish' });
    expect(nextStep({ next: FINISH }, { ready: [], returnable: ['a'] })).toEqual({ kind: 'finish' });
  });

  it('should bring the work to its end within a bounded number of steps, whatever a manager says', () => {
    const answers = fc.array(
      fc.oneof(
        fc.record({ next: fc.constantFrom('a', 'b', 'c', 'd', FINISH, 'x'), note: fc.string({ maxLength: 5 }) }),
        fc.anything(),
      ),
      { minLength: 40, maxLength: 40 },
    );
    const most = { steps: 0 };
    fc.assert(
      fc.property(answers, (all) => {
        const now = new Map<string, TaskState>();
        const returns = new Map<string, number>();
        let steps = 0;
        for (const answer of all) {
          const step = nextStep(answer, managerChoices(plan, now, returns));
          if (step.kind === 'finish') break;
          steps += 1;
          if (step.kind === 'return') {
            returns.set(step.task, (returns.get(step.task) ?? 0) + 1);
            for (const id of staleAfter(plan, now, step.task)) now.set(id, 'waiting');
          }
          now.set(step.task, 'completed');
        }
        most.steps = Math.max(most.steps, steps);
        // Each of four tasks twice sent back, and with each all that was done after it.
        expect(steps).toBeLessThan(40);
        expect(isFinished(plan, now)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(most.steps).toBeGreaterThan(4);
  });
});

describe(managerSchema.name, () => {
  it('should be a choice among tasks', () =>
    expect(managerSchema({ ready: ['b'], returnable: ['a'] })).toMatchObject({
      properties: { next: { enum: ['b', 'a', FINISH] } },
      required: ['next', 'note'],
    }));
});

describe(managerInstruction.name, () => {
  it('should show tasks by words of the author, and no output', () => {
    const crew = aCrew({
      tasks: { a: aTaskDefinition({ instruction: `Plan\nit. ${'x'.repeat(500)}` }), b: aTaskDefinition() },
    });
    const words = managerInstruction(crew, { ready: ['b'], returnable: ['a'] });
    expect(words.split('\n')).toEqual([
      'Decide which task is done next.',
      'Tasks that can begin:',
      '- b: Plan it.',
      'Done tasks, to be named only if their result is not good enough:',
      expect.stringMatching(/^- a: Plan it\. x+…$/),
      'Name "FINISH" if nothing is left to do.',
    ]);
    expect(managerInstruction(crew, { ready: [], returnable: [] })).toContain('No task is left to begin.');
    expect(managerBlocks({ a: { text: 'done' } })).toEqual([{ name: 'result of a', value: { text: 'done' } }]);
  });
});
