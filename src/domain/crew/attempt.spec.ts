import { describe, expect, it } from '@jest/globals';
import { aCrew, anAgent, aTaskDefinition } from '../../../test/factories/crew.js';
import { aCall, aRoute, PlayedRun, type Script } from '../../../test/factories/crew-runs.js';
import type { AgentLimits, CrewDefinition, TaskDefinition } from '../../contracts/crew.js';
import type { AdvanceKit } from './kit.js';
import { Attempt } from './attempt.js';

const TOOLS = ['fs_read', 'fs_write', 'ask_member'] as const;
const APPROVAL = { ask: 'Write it?', roles: ['admin'], count: 1, remind_after_s: 60, expires_after_s: 120, self: true };
const LIMITS: AgentLimits = { turns: 6, tool_calls: 12, max_tokens: 800 };
const DONE = { says: { text: 'well' } };
const READ = aCall('fs_read', { path: 'a.txt' });
const WRITE = aCall('fs_write', { path: 'a.txt', content: 'hello' });

const crewWith = (task: Partial<TaskDefinition> = {}, limits: Partial<AgentLimits> = {}): CrewDefinition =>
  aCrew({
    agents: { planner: anAgent({ tools: TOOLS, limits: { ...LIMITS, ...limits } }) },
    tasks: { plan: aTaskDefinition({ retries: 0, ...task }) },
  });

const withTools = (task: Partial<TaskDefinition> = {}, limits: Partial<AgentLimits> = {}): CrewDefinition =>
  crewWith({ tools: TOOLS, ...task }, limits);

const play = (definition: CrewDefinition, script: Script, kit: Partial<AdvanceKit> = {}): PlayedRun =>
  new PlayedRun({ definition, script, kit }).play();

const words = { routeOf: () => aRoute({ capabilities: [] }) };
const constrained = { routeOf: () => aRoute({ capabilities: ['json_schema'] }) };

describe(Attempt.name, () => {
  describe('answers', () => {
    it('should send back what does not fit, with the reasons, and take what was repaired', () => {
      const run = play(crewWith(), { 'plan-1.1.1': { says: 'hm' }, 'plan-1.1.2': { says: {} }, 'plan-1.1.3': DONE });
      expect(run.follow('plan-1.1.2')).toEqual({ problems: ['the answer holds no JSON object'] });
      expect(run.follow('plan-1.1.3')).toEqual({ problems: [expect.stringContaining('text')] });
      expect(run.turn('plan-1.1.3').says).toMatchObject({ after: 'plan-1.1.2', text: '{}' });
      expect(run.final).toMatchObject({ status: 'completed', data: { result: { text: 'well' } } });
    });

    it('should fail where the repairs are used up, and begin anew where it may', () => {
      const bad = { says: { other: 1 } };
      const script = { 'plan-1.1.1': bad, 'plan-1.1.2': bad, 'plan-1.2.1': bad, 'plan-1.2.2': bad };
      const run = play(crewWith({ repairs: 1, retries: 1 }), script);
      expect(run.final).toMatchObject({
        code: 'CREW_FAILED',
        reason: expect.stringMatching(/^its output does not fit/),
      });
      expect(run.keys).toEqual(Object.keys(script));
    });

    it('should send back what its checks find', () => {
      const checks = [{ check: 'role', at: 'text', among: ['member'] }] as const;
      const script = { 'plan-1.1.1': { says: { text: 'king' } }, 'plan-1.1.2': { says: { text: 'member' } } };
      const run = play(crewWith({ checks }), script);
      expect(run.follow('plan-1.1.2')).toEqual({ problems: [expect.stringContaining('"king" is not a role')] });
      expect(run.final).toMatchObject({ data: { result: { text: 'member' } } });
    });

    it('should guess nothing of an answer that was cut', () => {
      const script = { 'plan-1.1.1': { says: '{"text":"we', isCut: true }, 'plan-1.1.2': DONE };
      expect(play(crewWith(), script).follow('plan-1.1.2')).toEqual({
        problems: [expect.stringContaining('too long')],
      });
    });

    it('should fail for good where nobody may be asked', () => {
      const run = play(crewWith({ retries: 3 }), {}, { routeOf: () => ({ refused: 'no rule' }) });
      expect(run.final).toMatchObject({ code: 'CREW_FAILED', reason: 'nobody answers for planner: no rule' });
    });

    it('should fail for good where a budget in dollars meets a model without a price', () => {
      const definition = { ...crewWith({ retries: 3 }), budget: { cost_usd: 1 } };
      const run = play(definition, {}, { routeOf: () => aRoute({ priced: false }) });
      expect(run.final).toMatchObject({ code: 'CREW_FAILED', reason: expect.stringContaining('no price is known') });
      expect(play(definition, { 'plan-1.1.1': DONE }).final).toMatchObject({ status: 'completed' });
    });
  });

  describe('tools', () => {
    it('should ask people before a tool is used where the time is over', () => {
      const definition = { ...withTools(), budget: { time_s: 0.1 } };
      const script = {
        'plan-1.1.1': { calls: [READ] },
        'plan-1.1.1.1': { gives: { text: 'A' } },
        'plan-1.1.2': DONE,
      };
      const run = play(definition, script);
      expect([run.keys, run.waitsFor]).toEqual([['plan-1.1.1'], ['limit.time_s.0']]);
    });

    it('should use what the model calls, and tell it what they gave, each for its call', () => {
      const run = play(withTools(), {
        'plan-1.1.1': { calls: [READ, aCall('fs_read', { path: 'b.txt' }, 'call_2')] },
        'plan-1.1.1.1': { gives: { text: 'A' } },
        'plan-1.1.1.2': { fails: 'FILE_NOT_FOUND' },
        'plan-1.1.2': DONE,
      });
      expect(run.order('plan-1.1.1.1')).toMatchObject({ kind: 'tool', tool: 'fs_read', params: { path: 'a.txt' } });
      expect(run.follow('plan-1.1.2')).toMatchObject({
        outcomes: [
          { id: 'call_1', tool: 'fs_read', result: { text: 'A' } },
          { id: 'call_2', tool: 'fs_read', result: { error: 'scripted FILE_NOT_FOUND', code: 'FILE_NOT_FOUND' } },
        ],
      });
      expect(run.turn('plan-1.1.1').way).toBe('native');
    });

    it('should ask the model again only when all its tools have ended', () => {
      const script = { 'plan-1.1.1': { calls: [READ, { ...READ, id: 'b' }] }, 'plan-1.1.1.2': { gives: 1 } };
      const run = new PlayedRun({ definition: withTools(), script }).look().end('plan-1.1.1').look();
      expect(run.end('plan-1.1.1.2').look().open).toEqual(['plan-1.1.1.1']);
    });

    it.each([
      ['constrained', constrained],
      ['words', words],
    ] as const)('should take a choice for a call where models do not call: %s', (way, kit) => {
      const run = play(
        withTools(),
        {
          'plan-1.1.1': { says: { action: 'fs_read', params: { path: 'a.txt' } } },
          'plan-1.1.1.1': { gives: { text: 'A' } },
          'plan-1.1.2': { says: { action: 'answer', output: { text: 'well' } } },
        },
        kit,
      );
      expect(run.turn('plan-1.1.1').way).toBe(way);
      expect(run.order('plan-1.1.1.1')).toMatchObject({ tool: 'fs_read', params: { path: 'a.txt' } });
      expect(run.final).toMatchObject({ status: 'completed', data: { result: { text: 'well' } } });
    });

    it.each([
      ['no JSON', aCall('fs_read', 'path please'), 'no JSON object'],
      ['bad parameters', aCall('fs_read', { path: 7 }), 'do not fit'],
      ['a tool that there is not', aCall('rm', {}), 'is not a tool here'],
      ['a tool that the task does not allow', aCall('run_tests', {}), 'is not a tool here'],
    ])('should answer a call with what is wrong of it, and do nothing: %s', (_, call, refusal) => {
      const run = play(withTools(), { 'plan-1.1.1': { calls: [call] }, 'plan-1.1.2': DONE });
      expect(run.follow('plan-1.1.2')).toMatchObject({
        outcomes: [{ result: { error: expect.stringContaining(refusal) } }],
      });
      expect(run.keys).toEqual(['plan-1.1.1', 'plan-1.1.2']);
    });
  });

  describe('tools that write', () => {
    const asking = (task: Partial<TaskDefinition> = {}): PlayedRun =>
      play(withTools({ tool_approval: APPROVAL, ...task }), {
        'plan-1.1.1': { calls: [WRITE] },
        'plan-1.1.1.1.before': { gives: { hash: 'as it was' } },
        'plan-1.1.1.1': { gives: { hash: 'x' } },
        'plan-1.1.2': DONE,
      });

    it('should wait for people, and then do exactly what they approved, over what was there then', () => {
      const run = asking();
      const params = { path: 'a.txt', content: 'hello', expected_hash: 'as it was' };
      expect(run.order('plan-1.1.1.1.before')).toMatchObject({ tool: 'fs_read', params: { path: 'a.txt', lines: 1 } });
      expect(run.asked).toMatchObject([
        { id: 'tool.plan-1.1.1.1', kind: 'approval', task: 'plan', shown: { tool: 'fs_write', params } },
      ]);
      expect(run.states).toEqual({ plan: 'asking' });
      expect(run.keys).toEqual(['plan-1.1.1', 'plan-1.1.1.1.before']);
      run.decide('tool.plan-1.1.1.1', 'approved').play();
      expect(run.order('plan-1.1.1.1')).toMatchObject({ kind: 'tool', tool: 'fs_write', params });
      expect(run.final).toMatchObject({ status: 'completed' });
    });

    it.each(['rejected', 'returned', 'expired'] as const)(
      'should tell the model that people did not allow it: %s',
      (state) => {
        const run = asking().decide('tool.plan-1.1.1.1', state, { comment: 'Not there.' }).play();
        expect(run.follow('plan-1.1.2')).toMatchObject({
          outcomes: [{ result: { error: 'people did not allow it', reason: 'Not there.' } }],
        });
        expect(run.keys).toEqual(['plan-1.1.1', 'plan-1.1.1.1.before', 'plan-1.1.2']);
      },
    );

    it('should ask people about a file that is not there yet', () => {
      const before: Script = { 'plan-1.1.1': { calls: [WRITE] }, 'plan-1.1.1.1.before': { fails: 'FILE_NOT_FOUND' } };
      const [gate] = play(withTools({ tool_approval: APPROVAL }), before).asked;
      expect(gate?.shown.params).toEqual({ path: 'a.txt', content: 'hello', expected_hash: null });
    });

    it('should ask nobody about what could not be looked at', () => {
      const run = play(withTools({ tool_approval: APPROVAL }), {
        'plan-1.1.1': { calls: [WRITE] },
        'plan-1.1.1.1.before': { fails: 'TOOL_TIMEOUT' },
        'plan-1.1.2': DONE,
      });
      expect(run.asked).toEqual([]);
      expect(run.follow('plan-1.1.2')).toMatchObject({
        outcomes: [{ result: { error: 'scripted TOOL_TIMEOUT', code: 'TOOL_TIMEOUT' } }],
      });
    });

    it('should look at nothing where the model says itself what it expects', () => {
      const call = aCall('fs_write', { path: 'a.txt', content: 'hello', expected_hash: 'a'.repeat(64) });
      const run = play(withTools({ tool_approval: APPROVAL }), { 'plan-1.1.1': { calls: [call] } });
      expect(run.keys).toEqual(['plan-1.1.1']);
      expect(run.asked).toMatchObject([{ shown: { params: { expected_hash: 'a'.repeat(64) } } }]);
    });

    it('should ask for each call by itself, and read meanwhile', () => {
      const calls = [WRITE, { ...READ, id: 'b' }, { ...WRITE, id: 'c' }];
      const there = { gives: { hash: 'as it was' } };
      const looks = { 'plan-1.1.1.1.before': there, 'plan-1.1.1.3.before': there };
      const script = { 'plan-1.1.1': { calls }, 'plan-1.1.1.2': { gives: 1 }, ...looks };
      const run = play(withTools({ tool_approval: APPROVAL }), script);
      expect(run.waitsFor).toEqual(['tool.plan-1.1.1.1', 'tool.plan-1.1.1.3']);
      expect(run.keys.toSorted()).toEqual(['plan-1.1.1', 'plan-1.1.1.1.before', 'plan-1.1.1.2', 'plan-1.1.1.3.before']);
    });

    it('should ask nobody where the crew lets them write, and refuse where it says of no approval', () => {
      const free = asking({ unapproved_writes: true });
      expect(free.asked).toEqual([]);
      expect(free.keys).toContain('plan-1.1.1.1');
      const script = { 'plan-1.1.1': { calls: [WRITE] }, 'plan-1.1.2': DONE };
      const run = play(withTools(), script);
      expect(run.follow('plan-1.1.2')).toMatchObject({
        outcomes: [{ result: { error: expect.stringContaining('needs an approval') } }],
      });
    });
  });

  describe('questions', () => {
    const script = { 'plan-1.1.1': { calls: [aCall('ask_member', { question: 'Which?' })] }, 'plan-1.1.2': DONE };

    it('should ask whoever started the run, and tell the answer', () => {
      const run = play(withTools(), script);
      expect(run.asked).toMatchObject([{ id: 'question.plan-1.1.1.1', kind: 'question', ask: 'Which?', roles: [] }]);
      expect(run.states).toEqual({ plan: 'asking' });
      run.decide('question.plan-1.1.1.1', 'answered', { comment: 'That.' }).play();
      expect(run.follow('plan-1.1.2')).toMatchObject({ outcomes: [{ result: { answered: true, answer: 'That.' } }] });
    });

    it('should go on without an answer where none came in time', () => {
      const run = play(withTools(), script).decide('question.plan-1.1.1.1', 'expired').play();
      expect(run.follow('plan-1.1.2')).toMatchObject({ outcomes: [{ result: { answered: false } }] });
      expect(run.final).toMatchObject({ status: 'completed' });
    });
  });

  describe('limits of an agent', () => {
    const bad = { says: 'hm' };

    it('should ask at the limit of turns, go on with as many again, and ask again', () => {
      const script: Script = ({ key }) => (key === 'plan-1.1.4' ? DONE : bad);
      const run = play(crewWith({ repairs: 9 }, { turns: 2 }), script);
      expect(run.waitsFor).toEqual(['limit.turns:plan.0']);
      expect(run.asked[0]).toMatchObject({ kind: 'limit', roles: ['admin'], shown: { used: 2, allowed: 2 } });
      run.decide('limit.turns:plan.0', 'continued').play();
      expect(run.final).toMatchObject({ status: 'completed' });
      expect(run.keys).toHaveLength(4);
      const longer = play(crewWith({ repairs: 9 }, { turns: 2 }), () => bad);
      expect(longer.decide('limit.turns:plan.0', 'continued').play().waitsFor).toEqual(['limit.turns:plan.1']);
    });

    it.each([
      ['rejected', { comment: 'Enough.' }, 'stopped at the limit turns:plan: Enough.'],
      ['expired', {}, 'stopped at the limit turns:plan: nobody decided in time'],
    ] as const)('should stop the run there: %s', (state, change, reason) => {
      const run = play(crewWith({ repairs: 9 }, { turns: 1 }), () => bad).decide('limit.turns:plan.0', state, change);
      expect(run.play().final).toEqual({ status: 'failed', code: 'CREW_STOPPED', task: null, reason });
    });

    it('should ask once at the limit of uses of tools', () => {
      const calls = ['a', 'b', 'c'].map((id) => ({ ...READ, id }));
      const script: Script = ({ kind, key }) =>
        kind === 'tool' ? { gives: 1 } : key === 'plan-1.1.1' ? { calls } : DONE;
      const run = new PlayedRun({ definition: withTools({}, { tool_calls: 2 }), script }).play();
      expect(run.follow('plan-1.1.2')).toMatchObject({
        outcomes: [{ result: 1 }, { result: 1 }, { result: { error: expect.stringContaining('too many calls') } }],
      });
      const again: Script = ({ kind, key }) =>
        kind === 'tool' ? { gives: 1 } : key === 'plan-1.1.3' ? DONE : { calls: calls.slice(0, 2) };
      const second = new PlayedRun({ definition: withTools({}, { tool_calls: 2 }), script: again }).play();
      expect(second.waitsFor).toEqual(['limit.tool_calls:plan.0']);
      expect(second.keys).toEqual(['plan-1.1.1', 'plan-1.1.1.1', 'plan-1.1.1.2', 'plan-1.1.2']);
      second.decide('limit.tool_calls:plan.0', 'continued').play();
      expect(second.final).toMatchObject({ status: 'completed' });
    });
  });
});
