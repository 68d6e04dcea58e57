import { describe, expect, it } from '@jest/globals';
import { aCrew, aGather, aTaskDefinition } from '../../../test/factories/crew.js';
import type { CrewDefinition, TaskDefinition, TaskState } from '../../contracts/crew.js';
import { requireSameCrew, reusedOutputs } from './reuse.js';

const APPROVAL = { ask: 'Well?', roles: ['admin'], count: 1, remind_after_s: 60, expires_after_s: 120, self: true };

const crewOf = (tasks: Readonly<Record<string, Partial<TaskDefinition>>>): CrewDefinition =>
  aCrew({ tasks: Object.fromEntries(Object.entries(tasks).map(([id, task]) => [id, aTaskDefinition(task)])) });

/** Chain of three, of which the first looks at the topic, and one beside them that looks at the tone. */
const CREW = crewOf({
  a: { uses: ['inputs.topic'] },
  b: { needs: ['a'] },
  c: { needs: ['b'] },
  d: { gather: [aGather({ params: { path: { from: 'inputs.tone.file' } } })] },
});
const INPUTS: Readonly<Record<string, unknown>> = { topic: 'rain', tone: { file: 'x' } };

const tasksOf = (states: Readonly<Record<string, TaskState>>) =>
  Object.fromEntries(
    Object.entries(states).map(([id, state]) => {
      const output = ['completed', 'reused'].includes(state) ? { text: id } : null;
      return [id, { state, output }];
    }),
  );

const ALL = tasksOf({ a: 'completed', b: 'reused', c: 'completed', d: 'completed' });

const kept = ({
  crew = CREW,
  tasks = ALL,
  ...again
}: {
  crew?: CrewDefinition;
  tasks?: typeof ALL;
  inputs?: Readonly<Record<string, unknown>>;
  from?: string;
} = {}): string[] =>
  Object.keys(reusedOutputs(crew, { inputs: INPUTS, tasks }, { inputs: INPUTS, from: undefined, ...again }));

describe(reusedOutputs.name, () => {
  it('should take over all outputs where nothing is to be done again', () => {
    const outputs = reusedOutputs(CREW, { inputs: INPUTS, tasks: ALL }, { inputs: { ...INPUTS }, from: undefined });
    expect(outputs).toEqual({ a: { text: 'a' }, b: { text: 'b' }, c: { text: 'c' }, d: { text: 'd' } });
  });

  it('should do what has no output again, and what needs it', () => {
    expect(kept({ tasks: { ...ALL, ...tasksOf({ b: 'failed' }) } })).toEqual(['a', 'd']);
    expect(kept({ tasks: tasksOf({ a: 'completed', d: 'skipped' }) })).toEqual(['a']);
  });

  it('should do all from a task on again', () => {
    expect(kept({ from: 'b' })).toEqual(['a', 'd']);
    expect(kept({ from: 'a' })).toEqual(['d']);
  });

  it('should refuse to begin from a task that the crew has not', () => {
    expect(() => kept({ from: 'e' })).toThrow('there is a, b, c, d');
    expect(() => kept({ from: 'constructor' })).toThrow('has no task');
  });

  it('should do again what looks at an input that is another, also where it is gathered or new or gone', () => {
    expect(kept({ inputs: { ...INPUTS, topic: 'sun' } })).toEqual(['d']);
    expect(kept({ inputs: { ...INPUTS, tone: { file: 'y' } } })).toEqual(['a', 'b', 'c']);
    expect(kept({ inputs: { tone: INPUTS.tone } })).toEqual(['d']);
    expect(kept({ inputs: { ...INPUTS, more: 1 } })).toEqual(['a', 'b', 'c', 'd']);
    expect(kept({ inputs: { tone: { file: 'x' }, topic: 'rain' } })).toEqual(['a', 'b', 'c', 'd']);
  });

  it('should do again what looks at all inputs where one is another', () => {
    const crew = crewOf({ a: { uses: ['inputs'] }, b: {} });
    expect(kept({ crew, inputs: { ...INPUTS, topic: 'sun' } })).toEqual(['b']);
    expect(kept({ crew })).toEqual(['a', 'b']);
  });

  it('should do again what looks at changed inputs only in a check', () => {
    const checks = [{ check: 'among', at: 'text', values: 'inputs.topic' }] as const;
    expect(kept({ crew: crewOf({ a: { checks } }), inputs: { ...INPUTS, topic: 'sun' } })).toEqual([]);
  });

  it('should never take over what people approved, nor what needs it', () => {
    expect(kept({ crew: crewOf({ a: {}, b: { approval: APPROVAL }, c: { needs: ['b'] }, d: {} }) })).toEqual([
      'a',
      'd',
    ]);
  });
});

describe(requireSameCrew.name, () => {
  const earlier = { runId: 'r', crew: 'planning', hash: 'h', inputs: {}, tasks: {} };

  it('should refuse a crew that says something else by now, and another one', () => {
    expect(() => requireSameCrew(earlier, { crew: 'planning', hash: 'h' })).not.toThrow();
    for (const other of [
      { crew: 'planning', hash: 'g' },
      { crew: 'other', hash: 'h' },
    ]) {
      expect(() => requireSameCrew(earlier, other)).toThrow(expect.objectContaining({ code: 'DECISION_INVALID' }));
    }
  });
});
