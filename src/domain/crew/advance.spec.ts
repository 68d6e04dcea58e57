import { describe, expect, it } from '@jest/globals';
import { aCrew, aTaskDefinition } from '../../../test/factories/crew.js';
import { PlayedRun, type Script } from '../../../test/factories/crew-runs.js';
import type { CrewDefinition, TaskDefinition } from '../../contracts/crew.js';
import { advance } from './advance.js';

const APPROVAL = { ask: 'Well?', roles: ['admin'], count: 2, remind_after_s: 60, expires_after_s: 120, self: false };

const crewOf = (
  tasks: Readonly<Record<string, Partial<TaskDefinition>>>,
  changes: Partial<CrewDefinition> = {},
): CrewDefinition =>
  aCrew({
    tasks: Object.fromEntries(Object.entries(tasks).map(([id, task]) => [id, aTaskDefinition(task)])),
    result: Object.fromEntries(Object.keys(tasks).map((id) => [id, `${id}.text`])),
    ...changes,
  });

/** Every turn answers with the key of its step. */
const named: Script = ({ key }) => ({ says: { text: key } });

const failing =
  (...keys: string[]): Script =>
  ({ key }) =>
    keys.some((one) => key.startsWith(one)) ? { fails: 'MODEL_NOT_FOUND' } : { says: { text: key } };

describe(advance.name, () => {
  describe('processes', () => {
    const tasks = { a: {}, b: { uses: ['a.text'], needs: ['a'] }, c: {} };

    it('should do the tasks of a sequential crew one after the other, in the order of the file', () => {
      const run = new PlayedRun({ definition: crewOf(tasks), script: named });
      expect(run.look().open).toEqual(['a-1.1.1']);
      expect(run.end('a-1.1.1').look().open).toEqual(['b-1.1.1']);
      run.play();
      expect(run.keys).toEqual(['a-1.1.1', 'b-1.1.1', 'c-1.1.1']);
      expect(run.prompt('b-1.1.1').blocks).toEqual([{ name: 'a.text', value: 'a-1.1.1' }]);
      expect(run.final).toEqual({
        status: 'completed',
        data: {
          result: { a: 'a-1.1.1', b: 'b-1.1.1', c: 'c-1.1.1' },
          agents: { planner: { text: 'c-1.1.1' } },
        },
        missing: [],
      });
    });

    it('should do what has its needs beside each other in a parallel crew', () => {
      const run = new PlayedRun({ definition: crewOf(tasks, { process: 'parallel' }), script: named });
      expect(run.look().open).toEqual(['a-1.1.1', 'c-1.1.1']);
      expect(run.end('c-1.1.1').look().open).toEqual(['a-1.1.1']);
      expect(run.end('a-1.1.1').look().open).toEqual(['b-1.1.1']);
      expect(run.play().final).toMatchObject({ status: 'completed' });
    });

    it('should tell of results that lead to nothing', () => {
      const definition = crewOf({ a: {}, b: { on_failure: 'skip', retries: 0 } });
      const run = new PlayedRun({ definition, script: failing('b') }).play();
      expect(run.final).toMatchObject({ status: 'completed', data: { result: { b: null } }, missing: ['b'] });
    });
  });

  describe('failures', () => {
    it('should try a task again, then end the run', () => {
      const run = new PlayedRun({ definition: crewOf({ a: { retries: 1 }, b: {} }), script: failing('a') }).play();
      expect(run.keys).toEqual(['a-1.1.1', 'a-1.2.1']);
      expect(run.states).toEqual({ a: 'failed' });
      expect(run.final).toMatchObject({ status: 'failed', code: 'CREW_FAILED', task: 'a' });
    });

    it('should go on without a task that may be skipped, and show its output as nothing', () => {
      const definition = crewOf({ a: { on_failure: 'skip', retries: 0 }, b: { needs: ['a'], uses: ['a'] } });
      const run = new PlayedRun({ definition, script: failing('a') }).play();
      expect(run.prompt('b-1.1.1').blocks).toEqual([{ name: 'a', value: null }]);
      expect(run.states).toEqual({ a: 'failed', b: 'completed' });
    });

    it('should have failed where no task has an output', () => {
      const definition = crewOf({ a: { on_failure: 'skip', retries: 0 } });
      const run = new PlayedRun({ definition, script: failing('a') }).play();
      expect(run.final).toEqual({
        ...{ status: 'failed', code: 'CREW_FAILED', task: null, reason: 'no task has an output' },
      });
    });

    it('should order nothing more once a task has ended the run', () => {
      const definition = crewOf({ a: { retries: 0 }, b: {} }, { process: 'parallel' });
      const run = new PlayedRun({ definition, script: failing('a') }).look().end('a-1.1.1').end('b-1.1.1').look();
      expect(run.final).toMatchObject({ code: 'CREW_FAILED', task: 'a' });
      expect(run.keys).toEqual(['a-1.1.1', 'b-1.1.1']);
    });

    it('should have an attempt begin anew with nothing of the one before', () => {
      const script: Script = { 'a-1.1.1': { fails: 'MODEL_NOT_FOUND' }, 'a-1.2.1': { says: { text: 'well' } } };
      const run = new PlayedRun({ definition: crewOf({ a: {} }), script }).play();
      expect(run.prompt('a-1.2.1')).toEqual(run.prompt('a-1.1.1'));
      expect(run.tasks.a).toMatchObject({ state: 'completed', attempt: 2, problem: null });
    });
  });

  describe('approvals', () => {
    const waiting = (task: Partial<TaskDefinition> = {}): PlayedRun => {
      const definition = crewOf({ a: { approval: APPROVAL, ...task }, b: { needs: ['a'], uses: ['a.text'] } });
      return new PlayedRun({ definition, script: named }).play();
    };

    it('should ask people about the output before anything that needs it begins', () => {
      const run = waiting();
      expect(run.states).toEqual({ a: 'waiting_approval' });
      expect(run.asked).toEqual([
        {
          ...{ id: 'output.a-1', kind: 'approval', task: 'a', ask: 'Well?', shown: { output: { text: 'a-1.1.1' } } },
          ...{ roles: ['admin'], count: 2, self: false, remindAfterS: 60, expiresAfterS: 120 },
        },
      ]);
      run.decide('output.a-1', 'approved').play();
      expect(run.prompt('b-1.1.1').blocks).toEqual([{ name: 'a.text', value: 'a-1.1.1' }]);
      expect(run.final).toMatchObject({ status: 'completed' });
    });

    it('should show what is done with an approval, and with whom', () => {
      const action = { action: 'assign_role' as const, role: 'a.text', assignable: ['member'] };
      const definition = crewOf({ a: { approval: APPROVAL, action } });
      const run = new PlayedRun({ definition, script: { 'a-1.1.1': { says: { text: 'member' } } }, subject: 'tg:5' });
      expect(run.play().asked[0]?.shown).toEqual({
        output: { text: 'member' },
        action: { action: 'assign_role', role: 'member', user_id: 'tg:5' },
      });
    });

    it('should go on with the output as people changed it', () => {
      const run = waiting()
        .decide('output.a-1', 'approved', { output: { text: 'better' } })
        .play();
      expect(run.tasks.a?.output).toEqual({ text: 'better' });
      expect(run.prompt('b-1.1.1').blocks).toEqual([{ name: 'a.text', value: 'better' }]);
    });

    it('should do a task again that was sent back, with the comments and what was sent back', () => {
      const run = waiting().decide('output.a-1', 'returned', { comment: 'Shorter.' }).play();
      expect(run.prompt('a-2.1.1').returned).toEqual({ comments: ['Shorter.'], output: { text: 'a-1.1.1' } });
      run.decide('output.a-2', 'returned', { comment: 'Longer.' }).play();
      expect(run.prompt('a-3.1.1')).toMatchObject({
        blocks: [],
        returned: { comments: ['Shorter.', 'Longer.'], output: { text: 'a-2.1.1' } },
      });
      expect(run.waitsFor).toEqual(['output.a-3']);
      expect(run.decide('output.a-3', 'approved').play().final).toMatchObject({ status: 'completed' });
    });

    it('should reject what is sent back more often than the crew lets people', () => {
      const run = waiting({ max_returns: 1 }).decide('output.a-1', 'returned', { comment: 'Shorter.' }).play();
      run.decide('output.a-2', 'returned', { comment: 'No.' }).play();
      expect(run.final).toMatchObject({ code: 'CREW_REJECTED', reason: 'it was sent back too often: No.' });
    });

    it('should end the run where people reject', () => {
      const run = waiting().decide('output.a-1', 'rejected', { comment: 'No.' }).play();
      expect(run.final).toEqual({ status: 'failed', code: 'CREW_REJECTED', task: 'a', reason: 'No.' });
    });

    it('should not try again what people rejected', () => {
      const run = waiting({ retries: 3 }).decide('output.a-1', 'rejected').play();
      expect(run.keys).toEqual(['a-1.1.1']);
      expect(run.final).toMatchObject({ code: 'CREW_REJECTED', reason: 'people rejected it' });
    });

    it('should count as rejected where nobody decides in time', () => {
      const run = waiting().decide('output.a-1', 'expired').play();
      expect(run.final).toMatchObject({ code: 'CREW_REJECTED', reason: 'nobody approved it in time' });
    });

    it('should hand what people rejected to nobody, where the run goes on without it', () => {
      const run = waiting({ on_failure: 'skip' }).decide('output.a-1', 'rejected').play();
      expect(run.prompt('b-1.1.1').blocks).toEqual([{ name: 'a.text', value: null }]);
      expect(run.final).toMatchObject({ status: 'completed', data: { result: { a: null, b: 'b-1.1.1' } } });
    });

    it('should have been rejected also where several were at once', () => {
      const tasks = { a: { approval: APPROVAL }, b: { approval: APPROVAL } };
      const run = new PlayedRun({ definition: crewOf(tasks, { process: 'parallel' }), script: named }).play();
      run.decide('output.a-1', 'rejected').decide('output.b-1', 'rejected').play();
      expect(run.final).toMatchObject({ code: 'CREW_REJECTED', task: 'a' });
    });

    it('should go on beside a task that waits, in a parallel crew', () => {
      const tasks = { a: { approval: APPROVAL }, b: {}, c: { needs: ['b'] } };
      const run = new PlayedRun({ definition: crewOf(tasks, { process: 'parallel' }), script: named }).play();
      expect(run.states).toEqual({ a: 'waiting_approval', b: 'completed', c: 'completed' });
    });
  });

  it('should take over outputs of an earlier run', () => {
    const { a } = { a: { state: 'reused', round: 1, attempt: 1, output: { text: 'old' } } as const };
    const definition = crewOf({ a: {}, b: { needs: ['a'], uses: ['a.text'] } });
    const tasks = { a: { ...a, problem: null, notes: [], returned: null } };
    const run = new PlayedRun({ definition, script: named, tasks }).play();
    expect(run.keys).toEqual(['b-1.1.1']);
    expect(run.final).toMatchObject({ data: { result: { a: 'old', b: 'b-1.1.1' } } });
  });
});
