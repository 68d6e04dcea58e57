import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aCrew, anAgent, aPlan, aPlannedTask, aTaskDefinition } from '../../../test/factories/crew.js';
import { PROCESSES, type CrewPlan, type PlannedTask, type TaskState } from '../../contracts/crew.js';
import { downstreamOf, isFinished, outcomeOf, planOf, readyTasks } from './plan.js';

const states = (given: Record<string, TaskState> = {}) => new Map(Object.entries(given));
/** a; b and c need a; d needs both. */
const diamond = (changes: Partial<PlannedTask> = {}) => [
  aPlannedTask('a', [], changes),
  aPlannedTask('b', ['a'], changes),
  aPlannedTask('c', ['a'], changes),
  aPlannedTask('d', ['b', 'c'], changes),
];

/** Plans whose tasks stand in any order in the file. */
const plans: fc.Arbitrary<CrewPlan> = fc.integer({ min: 1, max: 7 }).chain((size) =>
  fc
    .tuple(
      fc.constantFrom(...PROCESSES),
      fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 14 }),
      fc.array(fc.constantFrom('fail' as const, 'skip' as const), { minLength: size, maxLength: size }),
      fc.shuffledSubarray(
        Array.from({ length: size }, (_, index) => index),
        { minLength: size },
      ),
    )
    .map(([process, pairs, policies, order]) => {
      const needs = (at: number) =>
        new Set(pairs.filter(([from, to]) => from === at && to < at).map(([, to]) => `t${to}`));
      const task = (at: number) => aPlannedTask(`t${at}`, [...needs(at)], { onFailure: policies[at]! });
      return aPlan(process, order.map(task));
    }),
);

describe(planOf.name, () => {
  it('should hold the order of the tasks, and no text', () => {
    const approval = {
      ask: 'Is it right?',
      roles: ['admin'],
      count: 1,
      remind_after_s: 60,
      expires_after_s: 120,
      self: false,
    };
    const definition = aCrew({
      process: 'hierarchical',
      manager: 'lead',
      agents: { planner: anAgent(), lead: anAgent() },
      tasks: {
        second: aTaskDefinition({ needs: ['first'], approval, on_failure: 'skip' }),
        first: aTaskDefinition({ action: { action: 'assign_role', role: 'second.role', assignable: ['member'] } }),
      },
    });
    expect(planOf(definition)).toEqual({
      process: 'hierarchical',
      tasks: [
        aPlannedTask('second', ['first'], { onFailure: 'skip', hasApproval: true }),
        aPlannedTask('first', [], { hasAction: true }),
      ],
    });
  });
});

describe(readyTasks.name, () => {
  it.each<[string, CrewPlan['process'], Record<string, TaskState>, string[]]>([
    ['the first', 'parallel', {}, ['a']],
    ['both beside each other', 'parallel', { a: 'completed' }, ['b', 'c']],
    ['the other one', 'parallel', { a: 'reused', b: 'running' }, ['c']],
    ['nothing before the needs', 'parallel', { a: 'completed', b: 'waiting_approval', c: 'completed' }, []],
    ['what needs a skipped one', 'parallel', { a: 'completed', b: 'skipped', c: 'completed' }, ['d']],
    ['nothing after a failure', 'parallel', { a: 'completed', b: 'failed' }, []],
    ['nothing after a cancel', 'parallel', { a: 'completed', b: 'cancelled' }, []],
    ['one at a time', 'sequential', { a: 'completed' }, ['b']],
    ['none while one is at work', 'sequential', { a: 'completed', b: 'waiting_approval' }, []],
    ['none while one is worked on again', 'sequential', { a: 'returned' }, []],
    ['what the manager chooses from', 'hierarchical', { a: 'completed' }, ['b', 'c']],
    ['nothing while its agent works', 'hierarchical', { a: 'completed', b: 'running' }, []],
  ])('should give %s', (_name, process, given, ready) =>
    expect(readyTasks(aPlan(process, diamond()), states(given))).toEqual(ready),
  );

  it('should go on without the output of a task that may fail', () => {
    const plan = aPlan('parallel', diamond({ onFailure: 'skip' }));
    expect(readyTasks(plan, states({ a: 'failed' }))).toEqual(['b', 'c']);
  });

  it('should heed needs of a sequential crew whose file has them in another order', () => {
    const plan = aPlan('sequential', diamond().toReversed());
    expect(readyTasks(plan, states())).toEqual(['a']);
    expect(readyTasks(plan, states({ a: 'completed' }))).toEqual(['c']);
  });

  it('should do every task once and none before its needs, in whatever order they end', () => {
    const endings = fc.array(
      fc.tuple(fc.nat(), fc.constantFrom<TaskState>('completed', 'completed', 'failed', 'skipped')),
      {
        ...{ minLength: 7, maxLength: 7 },
      },
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(plans, endings, (plan, how) => {
        const now = new Map<string, TaskState>();
        const begun: string[] = [];
        const byId = new Map(plan.tasks.map((task) => [task.id, task]));
        for (const [choice, end] of how) {
          for (const id of readyTasks(plan, now).slice(0, plan.process === 'hierarchical' ? 1 : undefined)) {
            const settled = (need: string) =>
              ['completed', 'skipped'].includes(now.get(need)!) ||
              (now.get(need) === 'failed' && byId.get(need)!.onFailure === 'skip');
            expect(byId.get(id)!.needs.every(settled)).toBe(true);
            begun.push(id);
            now.set(id, 'running');
          }
          const atWork = plan.tasks.filter(({ id }) => now.get(id) === 'running');
          if (plan.process !== 'parallel') expect(atWork.length).toBeLessThanOrEqual(1);
          expect(isFinished(plan, now)).toBe(atWork.length === 0);
          if (atWork.length > 0) now.set(atWork[choice % atWork.length]!.id, end);
        }
        expect(new Set(begun).size).toBe(begun.length);
        const fatal = plan.tasks.some(({ id, onFailure }) => now.get(id) === 'failed' && onFailure === 'fail');
        const outcome = outcomeOf(plan, now);
        seen.add(String(outcome));
        if (fatal) expect(outcome === 'failed' || outcome === undefined).toBe(true);
        else expect([...begun].toSorted()).toEqual(plan.tasks.map(({ id }) => id).toSorted());
      }),
      { numRuns: 1_000 },
    );
    expect(seen).toContain('completed');
    expect(seen).toContain('failed');
  });
});

describe(downstreamOf.name, () => {
  it('should give what needs a task, directly or through others', () => {
    expect(downstreamOf({ tasks: diamond() }, 'a')).toEqual(['b', 'c', 'd']);
    expect(downstreamOf({ tasks: diamond() }, 'c')).toEqual(['d']);
    expect(downstreamOf({ tasks: diamond() }, 'd')).toEqual([]);
  });

  it('should end where needs go in a circle', () => {
    const tasks = [aPlannedTask('a', ['b']), aPlannedTask('b', ['a'])];
    expect(downstreamOf({ tasks }, 'a')).toEqual(['b']);
  });
});

describe(outcomeOf.name, () => {
  const plan = aPlan('parallel', [aPlannedTask('a'), aPlannedTask('b')]);

  it('should not call a run ended while something of it is at work', () => {
    const given = states({ a: 'failed', b: 'running' });
    expect([isFinished(plan, given), outcomeOf(plan, given)]).toEqual([false, undefined]);
  });
});
