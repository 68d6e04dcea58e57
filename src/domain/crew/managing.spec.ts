import { describe, expect, it } from '@jest/globals';
import { aCrew, anAgent, aTaskDefinition } from '../../../test/factories/crew.js';
import { aRoute, PlayedRun, type Outcome, type Script } from '../../../test/factories/crew-runs.js';
import type { CrewDefinition, TaskDefinition } from '../../contracts/crew.js';
import { Manager } from './managing.js';

const crewOf = (
  tasks: Readonly<Record<string, Partial<TaskDefinition>>>,
  changes: Partial<CrewDefinition> = {},
): CrewDefinition =>
  aCrew({
    ...{ process: 'hierarchical', manager: 'boss', result: {} },
    agents: { planner: anAgent(), boss: anAgent({ role: 'the boss' }) },
    tasks: Object.fromEntries(Object.entries(tasks).map(([id, task]) => [id, aTaskDefinition(task)])),
    ...changes,
  });

const says = (next: unknown, note = ''): Outcome => ({ says: { next, note } });

/** The manager's answers in their order, then that nothing is left; agents answer with the key of their step. */
const managed =
  (...answers: Outcome[]): Script =>
  ({ key, task }) =>
    task === 'MANAGER'
      ? (answers[Number(/^MANAGER-(\d+)/.exec(key)?.[1]) - 1] ?? says('FINISH'))
      : { says: { text: key } };

const orderOf = (run: PlayedRun): string[] => run.keys.filter((key) => !key.startsWith('MANAGER'));

const THREE = { a: {}, b: {}, c: { needs: ['a'] } };

describe(Manager.name, () => {
  it('should have the task done that the manager names, with its note as data', () => {
    const script = managed(says('b', 'Mind the gap.'), says('a'), says('c'));
    const run = new PlayedRun({ definition: crewOf(THREE), script }).play();
    expect(orderOf(run)).toEqual(['b-1.1.1', 'a-1.1.1', 'c-1.1.1']);
    expect(run.prompt('b-1.1.1').blocks).toEqual([{ name: 'to be minded', value: 'Mind the gap.' }]);
    expect(run.turn('MANAGER-1')).toMatchObject({ agent: 'boss', label: 'boss decides what is next' });
    expect(run.prompt('MANAGER-3').blocks.map(({ name }) => name)).toEqual(['result of a', 'result of b']);
    expect(run.final).toMatchObject({ status: 'completed' });
  });

  it('should ask the manager only while nothing is at work', () => {
    const run = new PlayedRun({ definition: crewOf(THREE), script: managed(says('b')) }).look();
    expect(run.open).toEqual(['MANAGER-1']);
    expect(run.end('MANAGER-1').look().open).toEqual(['b-1.1.1']);
  });

  it('should do a task again that the manager sends back, and what was made of it', () => {
    const answers = [says('a'), says('c'), says('a', 'Better.'), says('c'), says('b')];
    const run = new PlayedRun({ definition: crewOf(THREE), script: managed(...answers) }).play();
    expect(orderOf(run)).toEqual(['a-1.1.1', 'c-1.1.1', 'a-2.1.1', 'c-2.1.1', 'b-1.1.1']);
    expect(run.prompt('a-2.1.1').returned).toEqual({ comments: ['Better.'], output: { text: 'a-1.1.1' } });
    expect(run.final).toMatchObject({ status: 'completed' });
  });

  it('should let the manager look at what is done before the run ends, and send it back', () => {
    const definition = crewOf({ a: {}, b: { needs: ['a'] } });
    const run = new PlayedRun({
      definition,
      script: managed(says('a'), says('b'), says('b', 'Longer.'), says('FINISH')),
    });
    run.play();
    expect(run.keys).toEqual(['MANAGER-1', 'a-1.1.1', 'MANAGER-2', 'b-1.1.1', 'MANAGER-3', 'b-2.1.1', 'MANAGER-4']);
    expect(run.prompt('b-2.1.1').returned).toEqual({ comments: ['Longer.'], output: { text: 'b-1.1.1' } });
    expect(run.final).toMatchObject({ status: 'completed', data: { agents: { planner: { text: 'b-2.1.1' } } } });
  });

  it('should end without that look where it would be over a limit', () => {
    const script: Script = ({ task, key }) =>
      task === 'MANAGER' ? says('a') : { says: { text: key }, tokens: 1_000_000 };
    const definition = crewOf({ a: {} }, { budget: { tokens: 100_000 } });
    const run = new PlayedRun({ definition, script }).play();
    expect([run.keys, run.waitsFor]).toEqual([['MANAGER-1', 'a-1.1.1'], []]);
    expect(run.final).toMatchObject({ status: 'completed' });
  });

  it('should send a task back twice at most', () => {
    const script: Script = ({ task, key }) => (task === 'MANAGER' ? says('a') : { says: { text: key } });
    const run = new PlayedRun({ definition: crewOf({ a: {}, b: {} }), script }).play();
    expect(orderOf(run)).toEqual(['a-1.1.1', 'a-2.1.1', 'a-3.1.1', 'b-1.1.1']);
  });

  it.each<[string, Outcome]>([
    ['a task that there is not', says('z')],
    ['a task that cannot begin', says('c')],
    ['something that is no name', says({ a: 1 })],
    ['the end, while tasks are left', says('FINISH')],
    ['words', { says: 'I would rather not.' }],
    ['a call of a tool', { calls: [{ id: '1', name: 'fs_write', arguments: '{}' }] }],
    ['a failure for good', { fails: 'MODEL_NOT_FOUND' }],
  ])('should do the tasks in their order where the manager says %s', (_, nonsense) => {
    const definition = crewOf({ a: {}, b: {}, c: { needs: ['b'] } });
    const run = new PlayedRun({ definition, script: managed(nonsense, nonsense, nonsense) }).play();
    expect(orderOf(run)).toEqual(['a-1.1.1', 'b-1.1.1', 'c-1.1.1']);
    expect(run.final).toMatchObject({ status: 'completed' });
  });

  it('should ask a manager again that could not answer in passing', () => {
    const script: Script = ({ task, key }) =>
      key === 'MANAGER-1' ? { fails: 'QUEUE_FULL' } : task === 'MANAGER' ? says('b') : { says: { text: key } };
    const run = new PlayedRun({ definition: crewOf({ a: {}, b: {} }), script }).play();
    expect(run.keys.slice(0, 3)).toEqual(['MANAGER-1', 'MANAGER-1~1', 'b-1.1.1']);
  });

  it('should do without a manager who has decided often enough, or whom nobody may be asked for', () => {
    const few = crewOf(THREE, { max_handoffs: 1 });
    const run = new PlayedRun({ definition: few, script: managed(says('b')) }).play();
    expect(run.keys).toEqual(['MANAGER-1', 'b-1.1.1', 'a-1.1.1', 'c-1.1.1']);
    const kit = { routeOf: (agent: string) => (agent === 'boss' ? { refused: 'no rule' } : aRoute()) };
    const alone = new PlayedRun({ definition: crewOf(THREE), script: managed(), kit }).play();
    expect(alone.keys).toEqual(['a-1.1.1', 'b-1.1.1', 'c-1.1.1']);
  });

  it('should do without a manager whose price is not known, where there is a budget in dollars', () => {
    const kit = { routeOf: (agent: string) => aRoute({ priced: agent !== 'boss' }) };
    const definition = crewOf(THREE, { budget: { cost_usd: 1 } });
    const run = new PlayedRun({ definition, script: managed(), kit }).play();
    expect(run.keys).toEqual(['a-1.1.1', 'b-1.1.1', 'c-1.1.1']);
  });

  it('should ask at a limit before the manager decides', () => {
    const definition = crewOf(THREE, { budget: { tokens: 100 } });
    const run = new PlayedRun({ definition, script: managed(says('b'), says('a'), says('c')) }).play();
    expect(run.waitsFor).toEqual(['limit.tokens.0']);
    expect(run.keys).toEqual([]);
    expect(run.decide('limit.tokens.0', 'continued').play().keys).toContain('b-1.1.1');
  });
});
