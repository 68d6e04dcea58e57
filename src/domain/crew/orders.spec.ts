import { describe, expect, it } from '@jest/globals';
import { aCrew, anAgent, aTaskDefinition } from '../../../test/factories/crew.js';
import { aRoute, PlayedRun, type Script } from '../../../test/factories/crew-runs.js';
import type { BudgetDefinition, CrewDefinition, Process, TaskDefinition } from '../../contracts/crew.js';
import { Orders } from './orders.js';

const crewOf = (
  budget: BudgetDefinition,
  tasks: Readonly<Record<string, Partial<TaskDefinition>>>,
  process: Process = 'sequential',
): CrewDefinition =>
  aCrew({
    ...{ budget, process, result: {}, agents: { planner: anAgent() } },
    tasks: Object.fromEntries(Object.entries(tasks).map(([id, task]) => [id, aTaskDefinition(task)])),
  });

const using =
  (tokens: number, usd?: number): Script =>
  ({ key }) => ({ says: { text: key }, tokens, ...(usd !== undefined && { usd }) });

const THREE = { a: {}, b: {}, c: {} };

describe(Orders.name, () => {
  describe('limits of a run', () => {
    it('should pause before a turn that could use more than there is, and go on with as much again', () => {
      const run = new PlayedRun({ definition: crewOf({ tokens: 1_000 }, THREE), script: using(950) }).play();
      expect(run.keys).toEqual(['a-1.1.1']);
      expect(run.asked).toMatchObject([
        {
          ...{ id: 'limit.tokens.0', kind: 'limit', task: null, roles: ['admin'], count: 1, self: true },
          shown: { limit: 'tokens', used: 1_050, allowed: 1_000 },
        },
      ]);
      run.decide('limit.tokens.0', 'continued').play();
      expect(run.keys).toEqual(['a-1.1.1', 'b-1.1.1']);
      run.decide('limit.tokens.1', 'continued').play();
      expect(run.final).toMatchObject({ status: 'completed' });
    });

    it('should count dollars, and work in seconds', () => {
      const dear = new PlayedRun({ definition: crewOf({ cost_usd: 1 }, THREE), script: using(10, 0.5) }).play();
      expect(dear.keys).toEqual(['a-1.1.1', 'b-1.1.1']);
      expect(dear.waitsFor).toEqual(['limit.cost_usd.0']);
      const slow = new PlayedRun({ definition: crewOf({ time_s: 0.1 }, THREE), script: using(10) }).play();
      expect(slow.keys).toEqual(['a-1.1.1']);
      expect(slow.waitsFor).toEqual(['limit.time_s.0']);
    });

    it('should pause where nothing more may be bought this month', () => {
      const definition = crewOf({}, THREE);
      const run = new PlayedRun({ definition, script: using(10), kit: { broke: 'the budget is used up' } }).play();
      expect(run.asked).toMatchObject([{ id: 'limit.month.0', shown: { reason: 'the budget is used up' } }]);
      run.kit = {};
      expect(run.decide('limit.month.0', 'continued').play().final).toMatchObject({ status: 'completed' });
    });

    it.each([
      ['rejected', { comment: 'Too dear.' }, 'Too dear.'],
      ['expired', {}, 'nobody decided in time'],
    ] as const)('should end the run where it is not to go on, and keep what there is: %s', (state, change, why) => {
      const run = new PlayedRun({ definition: crewOf({ tokens: 1_000 }, THREE), script: using(950) }).play();
      run.decide('limit.tokens.0', state, change).play();
      expect(run.final).toEqual({
        ...{ status: 'failed', code: 'CREW_STOPPED', task: null, reason: `stopped at the limit tokens: ${why}` },
      });
      expect(run.tasks.a).toMatchObject({ state: 'completed', output: { text: 'a-1.1.1' } });
    });

    it('should ask once for all tasks that stand before the same limit', () => {
      const definition = crewOf({ tokens: 50 }, THREE, 'parallel');
      const run = new PlayedRun({ definition, script: using(10) }).look();
      expect(run.waitsFor).toEqual(['limit.tokens.0']);
      expect(run.states).toEqual({ a: 'asking', b: 'asking', c: 'asking' });
    });
  });

  describe('turns beside each other', () => {
    it('should keep for each what it may use, and wait for those at work before people are asked', () => {
      const run = new PlayedRun({ definition: crewOf({ tokens: 1_200 }, THREE, 'parallel'), script: using(10) });
      expect(run.look().open).toEqual(['a-1.1.1']);
      expect(run.asked).toEqual([]);
      expect(run.end('a-1.1.1').look().open).toEqual(['b-1.1.1']);
      expect(run.play().final).toMatchObject({ status: 'completed' });
      expect(run.asked).toEqual([]);
    });

    it('should ask when it is certain that there is too little left', () => {
      const run = new PlayedRun({ definition: crewOf({ tokens: 1_200 }, THREE, 'parallel'), script: using(1_150) });
      expect(run.play().waitsFor).toEqual(['limit.tokens.0']);
      expect(run.keys).toEqual(['a-1.1.1']);
    });

    it('should not keep twice for one turn where more follows in the same look', () => {
      const tasks = { a: {}, b: {}, c: { needs: ['a'] } };
      const script = using(10);
      const run = new PlayedRun({ definition: crewOf({ tokens: 2_330 }, tasks, 'parallel'), script });
      run.look();
      expect(run.open).toEqual(['a-1.1.1', 'b-1.1.1']);
      expect(run.end('a-1.1.1').look().open).toEqual(['b-1.1.1', 'c-1.1.1']);
      expect(run.asked).toEqual([]);
    });

    it('should stay with what it said while a long answer is awaited', () => {
      const kit = { routeOf: () => aRoute({ maxTokens: 4_000 }) };
      const definition = crewOf({ tokens: 7_000 }, THREE, 'parallel');
      const run = new PlayedRun({ definition, script: using(10), kit }).look();
      expect(run.open).toEqual(['a-1.1.1']);
      expect(run.look()).toMatchObject({ open: ['a-1.1.1'], waitsFor: [] });
    });
  });
});
